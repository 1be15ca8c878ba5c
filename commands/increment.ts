/**
 * Adds to a number that is kept as decimal text, for the commands of both wires.
 *
 * Numbers of up to 15 digits are added as JavaScript numbers, which is exact and takes no memory;
 * others are added as BigInts.
 *
 * @module
 */

import {
  fitsInteger,
  integerOverflow,
  notAnInteger,
  parseInteger,
  type Request,
} from "../protocol.ts";
import type { Handle, Milliseconds, PutOperation } from "../store.ts";
import type { Context } from "./context.ts";
import { type KeyedRequest, put } from "./put_value.ts";

/** The most characters of a signed 64-bit number in decimal. */
const integerCharactersMax = 20;

/** The most digits of numbers whose sum is always exact as a JavaScript number. */
const exactDigitsMax = 15;

const minus = 0x2d;
const digitZero = 0x30;
const digitNine = 0x39;

/**
 * Adds to the number of the request's key and stores the sum; a missing key counts from 0. Returns
 * the sum, which the caller answers with; `"answered"` where an error was the answer; `"unfinished"`
 * where the store needs more calls. The key keeps its expiry; one without expiry gets `expiry`, if
 * that is a time.
 */
export function increment(
  context: Context,
  request: KeyedRequest,
  bytes: Uint8Array,
  by: number | bigint,
  expiry: Request["expiry"],
  operation: PutOperation | undefined,
): number | bigint | "answered" | "unfinished" {
  const { store } = context;
  const handle = store.get(bytes, request.keyStart, request.keyEnd);
  let value: number | bigint = 0;
  let expiresAt: Milliseconds = Infinity;
  if (handle !== 0) {
    const current = integerAt(context, handle);
    if (current === undefined) return refused(context.fail(notAnInteger));
    value = current;
    expiresAt = store.expiryOf(handle);
  }
  const sum = typeof value === "number" && typeof by === "number"
    ? value + by
    : BigInt(value) + BigInt(by);
  if (typeof sum === "bigint" && !fitsInteger(sum)) return refused(context.fail(integerOverflow));
  if (expiresAt === Infinity && typeof expiry === "number") expiresAt = store.now() + expiry;
  const text = String(sum);
  const scratch = context.scratch(integerCharactersMax);
  for (let at = 0; at < text.length; at++) scratch[at] = text.charCodeAt(at);
  const outcome = put(context, request, bytes, scratch, 0, text.length, expiresAt, operation);
  if (outcome === "stored") return sum;
  return outcome === "unfinished" ? "unfinished" : "answered";
}

function refused(_answer: undefined): "answered" {
  return "answered";
}

/** The number that a value is; undefined if it is none. */
function integerAt(context: Context, handle: Handle): number | bigint | undefined {
  const length = context.store.lengthOf(handle);
  if (length > integerCharactersMax) return undefined;
  const scratch = context.scratch(integerCharactersMax);
  context.store.copyTo(handle, scratch, 0);
  return parseIncrement(scratch, 0, length);
}

/**
 * A signed 64-bit number in its one decimal text: a JavaScript number if it has up to 15 digits,
 * otherwise a BigInt; undefined for anything else or out of range.
 */
export function parseIncrement(
  bytes: Uint8Array,
  start: number,
  end: number,
): number | bigint | undefined {
  const isNegative = end > start && bytes[start] === minus;
  const first = isNegative ? start + 1 : start;
  const digits = end - first;
  if (digits > exactDigitsMax) return parseInteger(bytes, start, end);
  if (digits === 0) return undefined;
  // One zero is a number, but not a leading one, nor one behind a minus.
  if (bytes[first] === digitZero && (isNegative || digits > 1)) return undefined;
  let value = 0;
  for (let at = first; at < end; at++) {
    const byte = bytes[at];
    if (byte < digitZero || byte > digitNine) return undefined;
    value = value * 10 + byte - digitZero;
  }
  return isNegative ? -value : value;
}

/** A BigInt as a JavaScript number if it has up to 15 digits. */
export function shortened(value: bigint): number | bigint {
  const number = Number(value);
  return Math.abs(number) < 10 ** exactDigitsMax ? number : value;
}
