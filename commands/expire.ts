/**
 * `EXPIRE key S` and `EXPIRE key never`: sets or removes a key's expiry.
 *
 * @module
 */

import {
  errorReply,
  missingArgument,
  parseSeconds,
  secondsRange,
  skipBlanks,
  wordEnd,
} from "../protocol.ts";
import { type Command, key } from "./command.ts";
import { refuseMore } from "./options.ts";

const badSeconds = errorReply("bad_number", `EXPIRE takes ${secondsRange}, or never`);
const never = new TextEncoder().encode("never");

export const expire: Command = {
  verb: "EXPIRE",
  aliases: [],
  args: [key, { name: "S|never", kind: "seconds" }],
  summary: "let a key expire S seconds from now, or never",
  example: "EXPIRE session 3600",
  replies: ["OK", "NOT_FOUND"],
  isCore: false,
  writes: true,
  needsNoAuth: false,
  timed: "never",

  parse(bytes, keyEnd, end, request) {
    const at = skipBlanks(bytes, keyEnd, end);
    if (at === end) {
      request.error = missingArgument("EXPIRE", "seconds");
      return;
    }
    const secondsEnd = wordEnd(bytes, at, end);
    if (isNever(bytes, at, secondsEnd)) {
      request.expiry = "never";
    } else {
      request.expiry = parseSeconds(bytes, at, secondsEnd);
      if (Number.isNaN(request.expiry)) {
        request.error = badSeconds;
        return;
      }
    }
    refuseMore(bytes, secondsEnd, end, request);
  },

  execute({ store, output }, request, bytes) {
    const expiresAt = typeof request.expiry === "number" ? store.now() + request.expiry : Infinity;
    if (store.expire(bytes, request.keyStart, request.keyEnd, expiresAt)) output.ok();
    else output.notFound();
  },
};

function isNever(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start !== never.length) return false;
  return never.every((letter, n) => (bytes[start + n] | 0x20) === letter);
}
