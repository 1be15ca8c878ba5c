/**
 * `SET key value`: stores a value, everything behind the one blank that follows the key.
 *
 * @module
 */

import type { Request } from "../protocol.ts";
import type { PutOperation } from "../store.ts";
import { type Command, key } from "./command.ts";
import type { Context } from "./context.ts";
import { attemptPut, put } from "./put_value.ts";

export const set: Command = {
  verb: "SET",
  aliases: [],
  args: [key, { name: "value", kind: "value", optional: true }],
  summary: "store a value: everything after the blank that follows the key",
  example: "SET user alice",
  replies: ["OK"],
  isCore: true,
  writes: true,
  needsNoAuth: false,
  timed: "large values",

  parse(_bytes, at, end, request) {
    request.valueStart = at < end ? at + 1 : end;
    request.valueEnd = end;
  },

  execute: (context, request, bytes) => attemptPut(context, request, bytes, attempt),
};

function attempt(
  context: Context,
  request: Request,
  bytes: Uint8Array,
  operation: PutOperation | undefined,
): boolean {
  const { valueStart, valueEnd } = request;
  const outcome = put(
    context,
    request,
    bytes,
    bytes,
    valueStart,
    valueEnd,
    Infinity,
    operation,
  );
  if (outcome === "stored") context.output.ok();
  return outcome !== "unfinished";
}
