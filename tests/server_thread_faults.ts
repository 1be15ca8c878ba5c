/**
 * What a Worker of a server runs in tests of its death: the server's own module, and a store in
 * which a GET of the key `fault:KIND` makes a fault of this kind.
 *
 * @module
 */

import { InvariantError, SharedStore } from "../store.ts";
import "../server/thread.ts";

const decoder = new TextDecoder();
const { get } = SharedStore.prototype;

/** What may happen to a Worker, by the keys. */
const faults: Readonly<Record<string, () => void>> = {
  "fault:invariant": () => {
    throw new InvariantError("an entry is in two places");
  },
  "fault:uncaught": () => {
    setTimeout(() => {
      throw new Error("a timer failed");
    });
  },
  "fault:rejection": () => void Promise.reject(new Error("a promise failed")),
  // Later, since a lock is held now.
  "fault:end": () => setTimeout(() => (globalThis as unknown as { close(): void }).close()),
  "fault:hang": () =>
    setTimeout(() => {
      while (decoder.encoding === "utf-8");
    }),
};

SharedStore.prototype.get = function (bytes: Uint8Array, start: number, end: number): number {
  const key = decoder.decode(bytes.slice(start, end));
  if (Object.hasOwn(faults, key)) faults[key]();
  return get.call(this, bytes, start, end);
};
