/**
 * `PUT key options value`: stores a value with options: an expiry, a condition, base64, a length.
 *
 * @module
 */

import {
  decodeBase64InPlace,
  errorReply,
  missingArgument,
  type Request,
  skipBlanks,
  wordEnd,
  wrongValueBytes,
} from "../protocol.ts";
import type { Milliseconds, PutOperation } from "../store.ts";
import { type Command, key } from "./command.ts";
import type { Context } from "./context.ts";
import { isNoOptions, type OptionName, parseOptions } from "./options.ts";
import { attemptPut, conditionHolds, put as putValue } from "./put_value.ts";

const optionNames: readonly OptionName[] = [
  "ttl=",
  "keepttl",
  "b64",
  "bytes=",
  "absent",
  "present",
  "match=",
];

const badBase64 = errorReply("bad_option", "option b64: the value is not base64");

export const put: Command = {
  verb: "PUT",
  aliases: [],
  args: [
    key,
    {
      name: "options",
      kind: "options",
      options: [
        { name: "ttl=", meaning: "expires after this many seconds" },
        { name: "keepttl", meaning: "keeps the expiry that the key has" },
        { name: "b64", meaning: "the value is given in base64 and stored decoded" },
        { name: "bytes=", meaning: "only if the value has exactly this many bytes" },
        { name: "absent", meaning: "only if the key is missing, else CONFLICT" },
        { name: "present", meaning: "only if the key is there, else NOT_FOUND" },
        { name: "match=", meaning: "only if its value is this one, in base64, else CONFLICT" },
      ],
    },
    { name: "value", kind: "value", optional: true },
  ],
  summary: "store a value with options, or - for none",
  example: "PUT lock absent,ttl=30 me",
  replies: ["OK", "CONFLICT", "NOT_FOUND"],
  isCore: false,
  writes: true,
  needsNoAuth: false,
  timed: "large values",

  parse(bytes, at, end, request) {
    const optionsStart = skipBlanks(bytes, at, end);
    if (optionsStart === end) {
      request.error = missingArgument("PUT", "options");
      return;
    }
    const optionsEnd = wordEnd(bytes, optionsStart, end);
    request.expiry = "never";
    request.condition = "none";
    request.base64 = false;
    request.valueBytes = -1;
    if (!isNoOptions(bytes, optionsStart, optionsEnd)) {
      request.error = parseOptions(bytes, optionsStart, optionsEnd, optionNames, request);
      if (request.error !== undefined) return;
    }
    request.valueStart = optionsEnd < end ? optionsEnd + 1 : end;
    request.valueEnd = end;
    if (request.base64) {
      request.valueEnd = decodeBase64InPlace(bytes, request.valueStart, end);
      if (request.valueEnd < 0) {
        request.error = badBase64;
        return;
      }
    }
    const { valueBytes } = request;
    const actual = request.valueEnd - request.valueStart;
    if (valueBytes >= 0 && actual !== valueBytes) {
      request.error = wrongValueBytes(actual, valueBytes);
    }
  },

  execute: (context, request, bytes) => attemptPut(context, request, bytes, attempt),
};

function attempt(
  context: Context,
  request: Request,
  bytes: Uint8Array,
  operation: PutOperation | undefined,
): boolean {
  const { expiry, condition, valueStart, valueEnd } = request;
  const { store } = context;
  let expiresAt: Milliseconds = Infinity;
  if (condition !== "none" || expiry === "keep") {
    const handle = store.find(bytes, request.keyStart, request.keyEnd);
    if (!conditionHolds(context, request, bytes, handle)) return true;
    if (expiry === "keep" && handle !== 0) expiresAt = store.expiryOf(handle);
  }
  if (typeof expiry === "number") expiresAt = store.now() + expiry;
  const outcome = putValue(
    context,
    request,
    bytes,
    bytes,
    valueStart,
    valueEnd,
    expiresAt,
    operation,
  );
  if (outcome === "stored") context.output.ok();
  return outcome !== "unfinished";
}
