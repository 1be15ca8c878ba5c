/**
 * Keys as words of a line. A line can name a key with any bytes but blanks, line feeds and carriage
 * returns. A key that has one of these, or no bytes, comes from the Redis wire. A line shows it as
 * base64 between double quotes, and so each key that begins with a double quote, which would look
 * the same.
 *
 * @module
 */

import { base64Length, encodeBase64Into } from "./base64.ts";

const tab = 0x09;
const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const space = 0x20;
const quote = 0x22;

/** Whether a line shows the key `bytes[start, end)` as it is. */
export function isPlainKey(bytes: Uint8Array, start: number, end: number): boolean {
  if (start === end || bytes[start] === quote) return false;
  for (let at = start; at < end; at++) {
    const byte = bytes[at];
    if (byte > space) continue;
    if (byte === space || byte === tab || byte === lineFeed || byte === carriageReturn) {
      return false;
    }
  }
  return true;
}

/** Bytes of the word that stands for a key which is not plain. */
export function quotedKeyLength(keyBytes: number): number {
  return base64Length(keyBytes) + 2;
}

/** Writes the word for a key that is not plain; returns where it ends. */
export function quoteKeyInto(
  bytes: Uint8Array,
  start: number,
  end: number,
  target: Uint8Array<ArrayBuffer>,
  at: number,
): number {
  const view = new DataView(target.buffer, target.byteOffset, target.length);
  target[at] = quote;
  const quoteAt = encodeBase64Into(bytes, start, end, view, at + 1);
  target[quoteAt] = quote;
  return quoteAt + 1;
}
