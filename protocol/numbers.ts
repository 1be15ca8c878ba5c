/**
 * Reads the numbers of the wire from bytes. Each reader returns NaN, or undefined, for bytes that
 * are not exactly a number of its form.
 *
 * @module
 */

import { secondsCharactersMax, ttlSecondsMax, ttlSecondsMin } from "./limits.ts";

/** Digits up to which every whole number is exact as a JavaScript number. */
const exactDigitsMax = 15;

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

/** A decimal number of digits only, up to `max`; NaN for anything else. */
export function parseCount(bytes: Uint8Array, start: number, end: number, max: number): number {
  if (end === start || end - start > exactDigitsMax) return NaN;
  let value = 0;
  for (let at = start; at < end; at++) {
    if (!isDigit(bytes[at])) return NaN;
    value = value * 10 + bytes[at] - 0x30;
  }
  return value <= max ? value : NaN;
}

const decoder = new TextDecoder("latin1");

/**
 * Seconds with any number of decimals, as milliseconds; NaN for anything else or out of range. The
 * result is the nearest number to what the text says, as JavaScript reads it.
 */
export function parseSeconds(bytes: Uint8Array, start: number, end: number): number {
  if (end - start > secondsCharactersMax) return NaN;
  const text = decoder.decode(bytes.subarray(start, end));
  if (!/^[0-9]+(?:\.[0-9]+)?$/.test(text)) return NaN;
  const seconds = Number(text);
  if (!(seconds >= ttlSecondsMin && seconds <= ttlSecondsMax)) return NaN;
  // Read as milliseconds where the decimals allow it: 0.07 s is 70 ms, not 70.00000000000001.
  return Number(`${text}e3`);
}

/** The most characters of a signed 64-bit number: its sign and 19 digits. */
const integerCharactersMax = 20;
const integerMin = -(2n ** 63n);
const integerMax = 2n ** 63n - 1n;

/**
 * A signed 64-bit number in its one decimal text: no blanks, no plus, no leading zeros, no minus
 * zero. `undefined` for anything else or out of range.
 */
export function parseInteger(bytes: Uint8Array, start: number, end: number): bigint | undefined {
  if (end - start > integerCharactersMax) return undefined;
  const text = decoder.decode(bytes.subarray(start, end));
  if (!/^(?:0|-?[1-9][0-9]*)$/.test(text)) return undefined;
  const value = BigInt(text);
  return fitsInteger(value) ? value : undefined;
}

/** True when a number fits signed 64 bits. */
export function fitsInteger(value: bigint): boolean {
  return value >= integerMin && value <= integerMax;
}
