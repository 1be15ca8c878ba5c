/**
 * Numbers as the wire writes them, read from bytes and never trusted: each reader returns NaN (or
 * undefined) for anything that is not exactly such a number.
 *
 * @module
 */

import { ttlSecondsMax, ttlSecondsMin } from "./limits.ts";

/** Digits that a number can have and still be exact. */
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

/** Seconds, decimals allowed, as milliseconds; NaN for anything else or out of range. */
export function parseSeconds(bytes: Uint8Array, start: number, end: number): number {
  let digits = 0;
  let value = 0;
  let scale = 1;
  let point = false;
  for (let at = start; at < end; at++) {
    const byte = bytes[at];
    if (byte === 0x2e && !point && digits > 0) {
      point = true;
      continue;
    }
    if (!isDigit(byte) || ++digits > exactDigitsMax) return NaN;
    value = value * 10 + byte - 0x30;
    if (point) scale *= 10;
  }
  if (digits === 0 || point && scale === 1) return NaN;
  const seconds = value / scale;
  return seconds >= ttlSecondsMin && seconds <= ttlSecondsMax ? value * 1000 / scale : NaN;
}

/** The most characters of a signed 64-bit number: its sign and 19 digits. */
const integerCharactersMax = 20;
const integerMin = -(2n ** 63n);
const integerMax = 2n ** 63n - 1n;
const decoder = new TextDecoder("latin1");

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
