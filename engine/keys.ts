/**
 * The requests about keys rather than values: EXPIRE, TTL, SCAN and FLUSH.
 *
 * @module
 */

import type { Request } from "../protocol/request.ts";
import type { Engine, Progress } from "./engine.ts";
import type { Storage } from "./storage.ts";

/** `EXPIRE key S`, `EXPIRE key never`. */
export function expire(engine: Engine, request: Request, bytes: Uint8Array): Progress {
  const { store, output } = engine;
  const expiresAt = typeof request.expiry === "number" ? store.now() + request.expiry : Infinity;
  if (store.expire(bytes, request.keyStart, request.keyEnd, expiresAt)) output.ok();
  else output.notFound();
  return "done";
}

/** `TTL key`. */
export function timeToLive(engine: Engine, request: Request, bytes: Uint8Array): Progress {
  const { store, output } = engine;
  const handle = store.find(bytes, request.keyStart, request.keyEnd);
  if (handle === 0) {
    output.notFound();
    return "done";
  }
  const expiresAt = store.expiryOf(handle);
  if (expiresAt === Infinity) {
    output.text("TTL never\n");
  } else {
    // Rounded down: a key that was just given 60 seconds has no more than that.
    const leftMs = Math.max(0, Math.floor(expiresAt - store.now()));
    output.text(`TTL ${(leftMs / 1000).toFixed(3)}\n`);
  }
  return "done";
}

/** SCAN asks the store for this many entries at a time, and looks at the reply's size between. */
const scanStep = 64;

/** SCAN ends early when its reply has grown to this. */
export const scanReplyBytesMax = 256 * 1024;

/** `SCAN cursor [count [prefix]]`. */
export function scan(engine: Engine, request: Request, bytes: Uint8Array): Progress {
  const { store, output } = engine;
  const prefix = request.valueEnd > request.valueStart
    ? bytes.subarray(request.valueStart, request.valueEnd)
    : undefined;
  // The next cursor stands before the keys but is known after them: they wait in a part of their own.
  let found = engine.scratch(4096);
  let length = 0;
  const visit = (key: Uint8Array, start: number, end: number) => {
    const more = 1 + end - start;
    if (length + more > found.length) {
      const larger = new Uint8Array(2 * found.length + more);
      larger.set(found.subarray(0, length));
      found = larger;
    }
    found[length++] = 0x20;
    found.set(key.subarray(start, end), length);
    length += end - start;
  };
  let { cursor } = request;
  let left = request.count;
  do {
    cursor = store.scan(cursor, Math.min(left, scanStep), visit, prefix);
    left -= scanStep;
  } while (cursor !== 0 && left > 0 && length < scanReplyBytesMax);
  output.text("KEYS ");
  output.number(cursor);
  output.appendRange(found, 0, length);
  output.endLine();
  return "done";
}

/** `FLUSH [prefix]`. */
export function flush(engine: Engine, request: Request, bytes: Uint8Array): Progress {
  if (request.valueEnd === request.valueStart) {
    return deleted(engine, engine.store.flushAll());
  }
  const removed = engine.flushes.run(request, bytes);
  return removed === undefined ? "again" : deleted(engine, removed);
}

function deleted(engine: Engine, count: number): Progress {
  engine.output.text(`DELETED ${count}\n`);
  return "done";
}

/** One flush by prefix. */
interface PrefixFlush {
  /** The keys that go. */
  readonly prefix: Uint8Array;
  /** How many went, once it is done. */
  removed: number | undefined;
}

/**
 * Flushes by prefix, one after another: the store works on one at a time. Whoever waits for one of
 * them, and the engine's tick, moves the first on, so that a flush ends also when the connection
 * that asked for it has gone.
 */
export class FlushQueue {
  readonly #store: Storage;
  readonly #waiting: PrefixFlush[] = [];
  readonly #byRequest = new WeakMap<Request, PrefixFlush>();

  constructor(store: Storage) {
    this.#store = store;
  }

  /** Moves the queue on for a request; returns how many keys went once its own flush is done. */
  run(request: Request, bytes: Uint8Array): number | undefined {
    let flush = this.#byRequest.get(request);
    if (flush === undefined) {
      flush = { prefix: bytes.slice(request.valueStart, request.valueEnd), removed: undefined };
      this.#byRequest.set(request, flush);
      this.#waiting.push(flush);
    }
    if (flush.removed === undefined) this.step();
    if (flush.removed !== undefined) this.#byRequest.delete(request);
    return flush.removed;
  }

  /** Does a bounded share of the first; true when there is more to do. */
  step(): boolean {
    const first = this.#waiting.at(0);
    if (first === undefined) return false;
    first.removed = this.#store.flushPrefix(first.prefix);
    if (first.removed !== undefined) this.#waiting.shift();
    return this.#waiting.length > 0;
  }
}
