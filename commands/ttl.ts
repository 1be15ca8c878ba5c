/**
 * `TTL key`: how many seconds a key has left.
 *
 * @module
 */

import { type Command, key } from "./command.ts";
import { refuseMore } from "./options.ts";

export const ttl: Command = {
  verb: "TTL",
  aliases: [],
  args: [key],
  summary: "report how many seconds a key has left",
  example: "TTL session",
  replies: ["TTL s", "TTL never", "NOT_FOUND"],
  isCore: false,
  writes: false,
  needsNoAuth: false,
  timed: "never",

  parse: refuseMore,

  execute({ store, output }, request, bytes) {
    const handle = store.find(bytes, request.keyStart, request.keyEnd);
    if (handle === 0) {
      output.notFound();
      return undefined;
    }
    const expiresAt = store.expiryOf(handle);
    if (expiresAt === Infinity) {
      output.text("TTL never\n");
    } else {
      // Rounded down: a key that was just given 60 seconds has no more than that.
      const leftMs = Math.max(0, Math.floor(expiresAt - store.now()));
      output.text(`TTL ${(leftMs / 1000).toFixed(3)}\n`);
    }
  },
};
