/**
 * `INCR key [by] [ttl=S]`: adds to a number. A counter keeps its expiry. `ttl=` sets one only for a
 * counter without expiry, so that a rate limit's window begins with its first request and later
 * requests do not extend it.
 *
 * @module
 */

import {
  errorReply,
  fitsInteger,
  integerOverflow,
  notAnInteger,
  parseInteger,
  type Request,
  skipBlanks,
  wordEnd,
} from "../protocol.ts";
import type { Handle, Milliseconds, PutOperation } from "../store.ts";
import { type Command, key } from "./command.ts";
import type { Context } from "./context.ts";
import { parseLastOptions } from "./options.ts";
import { attemptPut, put } from "./put_value.ts";

/** The most characters of a signed 64-bit number in decimal. */
const integerCharactersMax = 20;
const equalsSign = 0x3d;

const badBy = errorReply("bad_number", "INCR by: not a signed 64-bit integer");
const encoder = new TextEncoder();

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
  const { store, output } = context;
  const { expiry } = request;
  const handle = store.get(bytes, request.keyStart, request.keyEnd);
  let value = 0n;
  let expiresAt: Milliseconds = Infinity;
  if (handle !== 0) {
    const current = integerOf(context, handle);
    if (current === undefined) {
      context.fail(notAnInteger);
      return true;
    }
    value = current;
    expiresAt = store.expiryOf(handle);
  }
  value += request.by;
  if (!fitsInteger(value)) {
    context.fail(integerOverflow);
    return true;
  }
  if (expiresAt === Infinity && typeof expiry === "number") expiresAt = store.now() + expiry;
  const text = String(value);
  const scratch = context.scratch(integerCharactersMax);
  const { written } = encoder.encodeInto(text, scratch);
  const outcome = put(context, request, bytes, scratch, 0, written, expiresAt, operation);
  if (outcome === "stored") output.text(`INT ${text}\n`);
  return outcome !== "unfinished";
}

function integerOf(context: Context, handle: Handle): bigint | undefined {
  const length = context.store.lengthOf(handle);
  if (length > integerCharactersMax) return undefined;
  const scratch = context.scratch(integerCharactersMax);
  context.store.copyTo(handle, scratch, 0);
  return parseInteger(scratch, 0, length);
}
