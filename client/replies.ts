/**
 * The decoder of reply lines, for the library's results and for programs that print replies. It
 * never throws: a line that is not a known reply, such as a newer server's, is kept whole as
 * `other`.
 *
 * @module
 */

import { decodeBase64 } from "./base64.ts";

/**
 * A reply of the server, by its first word. Numbers are decimal text, since a 64-bit one does not
 * fit a JavaScript number.
 *
 * - `VALUE`: the bytes of a value.
 * - `VALUES`: the bytes of several, `undefined` for a missing key.
 * - `INT`: a signed 64-bit integer.
 * - `USAGE`: the bytes of all keys and values.
 * - `DELETED`: how many keys were removed.
 * - `TTL`: the seconds left, with decimals; `undefined` for never.
 * - `KEYS`: a page of keys as the words of the line, which `decodeKey` turns into keys, and the
 *   cursor of the next page; `"0"` after the last one.
 * - `INFO`: a JSON object, as text.
 * - `HELP`: the verbs that the server knows.
 * - `ERROR`: the message, without `ERROR`.
 * - `other`: any other line, whole.
 */
export type Reply =
  | { readonly kind: "OK" | "NOT_FOUND" | "CONFLICT" | "PONG" }
  | { readonly kind: "VALUE"; readonly value: Uint8Array }
  | { readonly kind: "VALUES"; readonly values: readonly (Uint8Array | undefined)[] }
  | { readonly kind: "INT"; readonly number: string }
  | { readonly kind: "USAGE"; readonly bytes: string }
  | { readonly kind: "DELETED"; readonly count: string }
  | { readonly kind: "TTL"; readonly seconds: string | undefined }
  | { readonly kind: "KEYS"; readonly next: string; readonly keys: readonly string[] }
  | { readonly kind: "INFO"; readonly json: string }
  | { readonly kind: "HELP"; readonly verbs: readonly string[] }
  | { readonly kind: "ERROR"; readonly message: string }
  | { readonly kind: "other"; readonly line: string };

const valuePrefix = "VALUE ";
const digits = /^\d+$/;
const integer = /^-?\d+$/;
const decimal = /^\d+(?:\.\d+)?$/;
const ok: Reply = { kind: "OK" };

/**
 * Decodes a reply line, given without its line break. It never throws: an unknown reply is
 * `other`.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { parseReply } from "@blink/store/client";
 *
 * const reply = parseReply("VALUE YWxpY2U=");
 * assert(reply.kind === "VALUE" && new TextDecoder().decode(reply.value) === "alice");
 * assert.deepEqual(parseReply("TTL never"), { kind: "TTL", seconds: undefined });
 * assert.deepEqual(parseReply("WELCOME"), { kind: "other", line: "WELCOME" });
 * ```
 */
export function parseReply(line: string): Reply {
  // The replies to SET and GET come first: they are the most frequent ones.
  if (line === "OK") return ok;
  if (line.startsWith(valuePrefix)) {
    const value = bytesFrom(line.slice(valuePrefix.length));
    return value ? { kind: "VALUE", value } : { kind: "other", line };
  }
  const blank = line.indexOf(" ");
  const reply = blank < 0
    ? parseWord(line)
    : parseContent(line.slice(0, blank), line.slice(blank + 1));
  return reply ?? { kind: "other", line };
}

/** A reply that is one word. */
function parseWord(word: string): Reply | undefined {
  switch (word) {
    case "NOT_FOUND":
    case "CONFLICT":
    case "PONG":
      return { kind: word };
    case "ERROR":
      return { kind: word, message: "" };
    case "VALUES":
      return { kind: word, values: [] };
    case "HELP":
      return { kind: word, verbs: [] };
    default:
      return undefined;
  }
}

/** A reply of a word and, after one blank, its content. */
function parseContent(kind: string, content: string): Reply | undefined {
  switch (kind) {
    case "ERROR":
      return { kind, message: content };
    case "VALUES": {
      const values = valuesFrom(content);
      return values && { kind, values };
    }
    case "INT":
      return integer.test(content) ? { kind, number: content } : undefined;
    case "USAGE":
      return digits.test(content) ? { kind, bytes: content } : undefined;
    case "DELETED":
      return digits.test(content) ? { kind, count: content } : undefined;
    case "TTL":
      if (content === "never") return { kind, seconds: undefined };
      return decimal.test(content) ? { kind, seconds: content } : undefined;
    case "KEYS": {
      const [next = "", ...keys] = wordsOf(content);
      return digits.test(next) ? { kind, next, keys } : undefined;
    }
    case "INFO":
      return isJsonObject(content) ? { kind, json: content } : undefined;
    case "HELP":
      return { kind, verbs: wordsOf(content) };
    default:
      return undefined;
  }
}

/** The bytes that base64 stands for, or undefined when the text is not base64. */
function bytesFrom(base64: string): Uint8Array | undefined {
  try {
    return decodeBase64(base64);
  } catch {
    return undefined;
  }
}

/** The items of VALUES: base64, `""` for the empty value, `-` for a missing key. */
function valuesFrom(content: string): (Uint8Array | undefined)[] | undefined {
  const values: (Uint8Array | undefined)[] = [];
  for (const item of wordsOf(content)) {
    const value = item === "-" ? undefined : item === '""' ? new Uint8Array() : itemFrom(item);
    if (value === undefined && item !== "-") return undefined;
    values.push(value);
  }
  return values;
}

/** The bytes of an item that is not empty. */
function itemFrom(base64: string): Uint8Array | undefined {
  return base64 === "" ? undefined : bytesFrom(base64);
}

/** Words with one blank between two; a blank after the last one does not count. */
function wordsOf(text: string): string[] {
  const words = text.split(" ");
  if (words.at(-1) === "") words.pop();
  return words;
}

function isJsonObject(text: string): boolean {
  if (!text.startsWith("{")) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
