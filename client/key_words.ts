/**
 * Keys as `KEYS` shows them.
 *
 * @module
 */

import { decodeBase64 } from "./base64.ts";

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * The key that a word of `KEYS` stands for. The server shows a key that a line cannot name, one
 * with a blank or a line break or without bytes, as base64 between double quotes, and so each key
 * that begins with a double quote. Any other word is the key itself. Bytes that are not UTF-8 are
 * replaced.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { decodeKey } from "@blink/store/client";
 *
 * assert(decodeKey("user:1") === "user:1");
 * assert(decodeKey('"YSBi"') === "a b");
 * ```
 */
export function decodeKey(word: string): string {
  const base64 = /^"([^"]*)"$/.exec(word)?.[1];
  if (base64 === undefined) return word;
  try {
    return decoder.decode(decodeBase64(base64));
  } catch {
    // An older server shows every key as it is.
    return word;
  }
}
