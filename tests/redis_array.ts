/**
 * Requests of the Redis wire for tests.
 *
 * @module
 */

import { bytesOf } from "./raw_client.ts";

/** The array of bulk strings that a client of Redis sends for these arguments. */
export function array(...args: readonly (string | Uint8Array)[]): Uint8Array<ArrayBuffer> {
  const parts = [bytesOf(`*${args.length}\r\n`)];
  for (const arg of args) {
    const bytes = bytesOf(arg);
    parts.push(bytesOf(`$${bytes.length}\r\n`), bytes, bytesOf("\r\n"));
  }
  return joined(...parts);
}

/** The array of the words of a text, which must hold no other blanks than single spaces. */
export function words(text: string): Uint8Array<ArrayBuffer> {
  return array(...text.split(" "));
}

/** All parts, one behind the other. */
export function joined(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
