/**
 * Reads option words and numbers from the arguments of an array.
 *
 * @module
 */

import { type Arguments, parseInteger } from "../../protocol.ts";

/** Whether an argument is a word, which is given in lower case; the argument may be in any. */
export function isWord(args: Arguments, n: number, bytes: Uint8Array, word: string): boolean {
  const start = args.starts[n];
  if (args.ends[n] - start !== word.length) return false;
  for (let at = 0; at < word.length; at++) {
    const byte = bytes[start + at];
    const lower = byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte;
    if (lower !== word.charCodeAt(at)) return false;
  }
  return true;
}

const decoder = new TextDecoder();

/** An argument as text. */
export function textOf(args: Arguments, n: number, bytes: Uint8Array): string {
  return decoder.decode(bytes.subarray(args.starts[n], args.ends[n]));
}

/** An argument as a signed 64-bit integer; undefined if it is none. */
export function integerOf(args: Arguments, n: number, bytes: Uint8Array): bigint | undefined {
  return parseInteger(bytes, args.starts[n], args.ends[n]);
}

/**
 * An argument as an integer that is exact as a JavaScript number; undefined if it is none. Larger
 * ones count as the largest.
 */
export function numberOf(args: Arguments, n: number, bytes: Uint8Array): number | undefined {
  const integer = integerOf(args, n, bytes);
  if (integer === undefined) return undefined;
  const number = Number(integer);
  return Math.max(-Number.MAX_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, number));
}
