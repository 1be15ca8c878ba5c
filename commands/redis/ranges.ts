/**
 * Commands that read the length or a part of a value: STRLEN, GETRANGE, SUBSTR.
 *
 * @module
 */

import { type Arguments, notAnInteger } from "../../protocol.ts";
import type { Context } from "../context.ts";
import type { Operation } from "../operation.ts";
import type { SessionControl } from "../session_control.ts";
import { oneKey, type RedisCommand } from "./command.ts";
import { type RangeOf, replyWithValue } from "./values.ts";
import { integerOf } from "./words.ts";

export const strlen: RedisCommand = {
  name: "strlen",
  arity: 2,
  flags: ["readonly", "fast"],
  keys: oneKey,
  group: "string",
  summary: "Returns the length of a string value.",
  usage: "key",

  execute({ store, counters, redis }, { keyStart, keyEnd }, bytes) {
    const handle = store.get(bytes, keyStart, keyEnd);
    if (handle === 0) counters.misses++;
    else counters.hits++;
    redis.integer(handle === 0 ? 0 : store.lengthOf(handle));
  },
};

function part(name: string, summary: string): RedisCommand {
  return {
    name,
    arity: 4,
    flags: ["readonly"],
    keys: oneKey,
    group: "string",
    summary,
    usage: "key start end",
    execute: replyWithPart,
  };
}

export const getrange: RedisCommand = part(
  "getrange",
  "Returns a substring of the string stored at a key.",
);
export const substr: RedisCommand = part(
  "substr",
  "Returns a substring from a string value; the same as GETRANGE.",
);

function replyWithPart(
  context: Context,
  args: Arguments,
  bytes: Uint8Array,
  session: SessionControl,
): Operation | undefined {
  const first = integerOf(args, 2, bytes);
  const last = first === undefined ? undefined : integerOf(args, 3, bytes);
  if (first === undefined || last === undefined) return context.fail(notAnInteger);
  return replyWithValue(context, args, bytes, session, undefined, rangeFrom(first, last));
}

/** The range from the first to the last byte; negative places count from the end. */
function rangeFrom(first: bigint, last: bigint): RangeOf {
  const place = (given: bigint, length: number) =>
    Math.max(0, given < 0n ? Number(given) + length : Number(given));
  return (length) => {
    const start = place(first, length);
    const end = Math.min(length, place(last, length) + 1);
    const isEmpty = start >= end || first < 0n && last < 0n && first > last;
    return isEmpty ? [0, 0] : [start, end];
  };
}
