/**
 * `INCR key [by] [ttl=S]`: adds to a number. A counter keeps its expiry. `ttl=` sets one only for a
 * counter without expiry, so that a rate limit's window begins with its first request and later
 * requests do not extend it.
 *
 * @module
 */

import { errorReply, parseInteger, type Request, skipBlanks, wordEnd } from "../protocol.ts";
import type { PutOperation } from "../store.ts";
import { type Command, key } from "./command.ts";
import type { Context } from "./context.ts";
import { increment, shortened } from "./increment.ts";
import { parseLastOptions } from "./options.ts";
import { attemptPut } from "./put_value.ts";

const equalsSign = 0x3d;

const badBy = errorReply("bad_number", "INCR by: not a signed 64-bit integer");

export const incr: Command = {
  verb: "INCR",
  aliases: [],
  args: [
    key,
    { name: "by", kind: "number", optional: true },
    {
      name: "ttl=S",
      kind: "options",
      optional: true,
      options: [{
        name: "ttl=",
        meaning: "expires after this many seconds, if it has no expiry yet",
      }],
    },
  ],
  summary: "add to a number kept as decimal text; a missing key counts from 0",
  example: "INCR visits 1 ttl=60",
  replies: ["INT n"],
  isCore: false,
  writes: true,
  needsNoAuth: false,
  timed: "never",

  parse(bytes, keyEnd, end, request) {
    request.by = 1n;
    request.expiry = "keep";
    let at = skipBlanks(bytes, keyEnd, end);
    if (at === end) return;
    const firstEnd = wordEnd(bytes, at, end);
    const isOption = bytes.subarray(at, firstEnd).includes(equalsSign);
    if (!isOption) {
      const by = parseInteger(bytes, at, firstEnd);
      if (by === undefined) {
        request.error = badBy;
        return;
      }
      request.by = by;
      at = skipBlanks(bytes, firstEnd, end);
      if (at === end) return;
    }
    parseLastOptions(bytes, at, end, ["ttl="], request);
  },

  execute: (context, request, bytes) => attemptPut(context, request, bytes, attempt),
};

function attempt(
  context: Context,
  request: Request,
  bytes: Uint8Array,
  operation: PutOperation | undefined,
): boolean {
  const { by, expiry } = request;
  const sum = increment(context, request, bytes, shortened(by), expiry, operation);
  if (typeof sum === "string") return sum === "answered";
  context.output.text(`INT ${sum}\n`);
  return true;
}
