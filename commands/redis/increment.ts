/**
 * Commands that add to a number kept as text: INCR, DECR, INCRBY, DECRBY, INCRBYFLOAT. A key keeps
 * its expiry.
 *
 * @module
 */

import { type Arguments, notAnInteger } from "../../protocol.ts";
import type { Handle, Milliseconds, PutOperation } from "../../store.ts";
import type { Context } from "../context.ts";
import { increment, parseIncrement } from "../increment.ts";
import { attemptPut, put } from "../put_value.ts";
import { oneKey, type RedisCommand } from "./command.ts";
import {
  addLongDoubles,
  type LongDouble,
  longDoubleText,
  parseLongDouble,
  zero,
} from "./long_double.ts";

const integerMin = -(2n ** 63n);

/** The longest text that Redis reads as a number with a fraction, and more than any that it prints. */
const floatBytesMax = 5 * 1024;

const encoder = new TextEncoder();
const decoder = new TextDecoder("latin1");

export const incr: RedisCommand = step("incr", 1, "Increments the integer value of a key by one.");
export const decr: RedisCommand = step("decr", -1, "Decrements the integer value of a key by one.");

/** A command that adds a number of its own. */
function step(name: string, by: number, summary: string): RedisCommand {
  const attempt = (
    context: Context,
    args: Arguments,
    bytes: Uint8Array,
    operation: PutOperation | undefined,
  ) => add(context, args, bytes, by, operation);
  return {
    name,
    arity: 2,
    flags: ["write", "denyoom", "fast"],
    keys: oneKey,
    group: "string",
    summary,
    usage: "key",
    line: by < 0 ? "INCR key -1" : "INCR",

    execute: (context, args, bytes) => attemptPut(context, args, bytes, attempt),
  };
}

export const incrby: RedisCommand = {
  name: "incrby",
  arity: 3,
  flags: ["write", "denyoom", "fast"],
  keys: oneKey,
  group: "string",
  summary: "Increments the integer value of a key by a number.",
  usage: "key increment",
  line: "INCR key by",

  execute: (context, args, bytes) => attemptPut(context, args, bytes, attemptIncrby),
};

export const decrby: RedisCommand = {
  name: "decrby",
  arity: 3,
  flags: ["write", "denyoom", "fast"],
  keys: oneKey,
  group: "string",
  summary: "Decrements the integer value of a key by a number.",
  usage: "key decrement",
  line: "INCR key -by",

  execute: (context, args, bytes) => attemptPut(context, args, bytes, attemptDecrby),
};

export const incrbyfloat: RedisCommand = {
  name: "incrbyfloat",
  arity: 3,
  flags: ["write", "denyoom", "fast"],
  keys: oneKey,
  group: "string",
  summary: "Increments the number, which may have a fraction, of a key by a number.",
  usage: "key increment",

  execute: (context, args, bytes) => attemptPut(context, args, bytes, attemptFloat),
};

function attemptIncrby(
  context: Context,
  args: Arguments,
  bytes: Uint8Array,
  operation: PutOperation | undefined,
): boolean {
  const by = parseIncrement(bytes, args.starts[2], args.ends[2]);
  if (by === undefined) return answered(context.fail(notAnInteger));
  return add(context, args, bytes, by, operation);
}

function attemptDecrby(
  context: Context,
  args: Arguments,
  bytes: Uint8Array,
  operation: PutOperation | undefined,
): boolean {
  const by = parseIncrement(bytes, args.starts[2], args.ends[2]);
  if (by === undefined) return answered(context.fail(notAnInteger));
  if (by === integerMin) {
    return answered(context.failRedis("integer_overflow", "ERR decrement would overflow"));
  }
  // Zero has no sign: there is no text for minus zero.
  return add(context, args, bytes, by === 0 ? 0 : -by, operation);
}

/** Adds, and answers with the sum; false when the store needs more calls. */
function add(
  context: Context,
  args: Arguments,
  bytes: Uint8Array,
  by: number | bigint,
  operation: PutOperation | undefined,
): boolean {
  const sum = increment(context, args, bytes, by, "keep", operation);
  if (typeof sum === "string") return sum === "answered";
  if (typeof sum === "number") context.redis.integer(sum);
  else context.redis.bigInteger(sum);
  return true;
}

function answered(_answer: undefined): true {
  return true;
}

function attemptFloat(
  context: Context,
  args: Arguments,
  bytes: Uint8Array,
  operation: PutOperation | undefined,
): boolean {
  const { store, redis } = context;
  const handle = store.get(bytes, args.keyStart, args.keyEnd);
  const value = handle === 0 ? zero : floatAt(context, handle);
  const by = floatOf(bytes, args.starts[2], args.ends[2]);
  if (value === undefined || by === undefined) {
    return answered(context.failRedis("bad_number", "ERR value is not a valid float"));
  }
  const sum = value === "infinite" || by === "infinite" ? "infinite" : addLongDoubles(value, by);
  if (sum === "infinite") {
    const text = "ERR increment would produce NaN or Infinity";
    return answered(context.failRedis("bad_number", text));
  }
  const expiresAt: Milliseconds = handle === 0 ? Infinity : store.expiryOf(handle);
  const scratch = context.scratch(floatBytesMax);
  const { written } = encoder.encodeInto(longDoubleText(sum), scratch);
  const outcome = put(context, args, bytes, scratch, 0, written, expiresAt, operation);
  if (outcome === "stored") redis.bulk(scratch, 0, written);
  return outcome !== "unfinished";
}

function floatAt(context: Context, handle: Handle): LongDouble | "infinite" | undefined {
  const length = context.store.lengthOf(handle);
  if (length > floatBytesMax) return undefined;
  const scratch = context.scratch(floatBytesMax);
  context.store.copyTo(handle, scratch, 0);
  return floatOf(scratch, 0, length);
}

function floatOf(
  bytes: Uint8Array,
  start: number,
  end: number,
): LongDouble | "infinite" | undefined {
  if (end - start > floatBytesMax) return undefined;
  return parseLongDouble(decoder.decode(bytes.subarray(start, end)));
}
