/**
 * The client's half of the wire as pure functions: what a caller says → one request line, one reply
 * line → what the caller gets. No sockets, no clock. A line never holds a line break, so that
 * nothing a caller passes can become a second command.
 *
 * @module
 */

import { decodeBase64, encodeBase64 } from "./base64.ts";
import { keyBytesMax, ttlSecondsMax, ttlSecondsMin } from "../protocol.ts";
import { BlinkError } from "./errors.ts";

/** How much of an unexpected reply an error message shows, in characters. */
const quotedReplyCharsMax = 80;

/** A request line without its line feed: text, or bytes where the value is bytes. */
export type Line = string | Uint8Array;
/** A value to store: text, which is sent as UTF-8, or bytes. */
export type Value = string | Uint8Array;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

function usage(message: string): BlinkError {
  return new BlinkError("usage", message);
}

function checkWellFormed(text: string, what: string): void {
  if (!text.isWellFormed()) {
    throw usage(`Cannot use the ${what}: it holds half a surrogate pair, which UTF-8 cannot carry`);
  }
}

/** True when the text takes more than `limit` bytes as UTF-8; cheap for short text. */
function exceedsBytes(text: string, limit: number): boolean {
  if (text.length * 3 <= limit) return false;
  return text.length > limit || encoder.encode(text).length > limit;
}

/** Types do not hold at run time: a program in JavaScript may pass anything. */
function checkText(text: unknown, what: string): asserts text is string {
  if (typeof text !== "string") throw usage(`Cannot use the ${what}: it is not text`);
}

function checkValue(value: unknown): asserts value is Value {
  if (typeof value === "string") return checkWellFormed(value, "value");
  if (!(value instanceof Uint8Array)) {
    throw usage("Cannot use the value: it is neither text nor a Uint8Array");
  }
}

function checkWord(word: string, what: string): string {
  checkText(word, what);
  if (/[ \t\r\n]/.test(word)) {
    const found = /[ \t]/.test(word) ? "a blank" : "a line break";
    throw usage(`Cannot use the ${what}: it holds ${found}`);
  }
  checkWellFormed(word, what);
  if (exceedsBytes(word, keyBytesMax)) {
    throw usage(`Cannot use the ${what}: it is longer than ${keyBytesMax} bytes`);
  }
  return word;
}

/** The key itself, if the wire can carry it; throws a `usage` error if not. */
export function checkedKey(key: string): string {
  checkWord(key, "key");
  if (key.length === 0) throw usage("Cannot use the key: it is empty");
  return key;
}

/** The prefix itself, if the wire can carry it; an empty one is "any". */
export function checkedPrefix(prefix: string): string {
  return checkWord(prefix, "prefix");
}

/** Seconds as the wire writes them: at most three decimals, no exponent. */
export function secondsText(seconds: number): string {
  if (!(seconds >= ttlSecondsMin && seconds <= ttlSecondsMax)) {
    throw usage(
      `Cannot use ${seconds} seconds: the least is ${ttlSecondsMin}, the most ${ttlSecondsMax}`,
    );
  }
  return String(Number(seconds.toFixed(3)));
}

/** A value in base64, as `match=` takes it. */
export function base64Of(value: Value): string {
  checkValue(value);
  return encodeBase64(typeof value === "string" ? encoder.encode(value) : value);
}

/** True when a line that ends in this value would lose or split it. */
function needsBase64(value: Value): boolean {
  const last = typeof value === "string" ? value.charCodeAt(value.length - 1) : value.at(-1);
  return last === 13 || holdsLineFeed(value);
}

/** `SET key value`; refuses a value that the line cannot carry. */
export function setLine(key: string, value: Value): Line {
  const head = `SET ${checkedKey(key)} `;
  checkValue(value);
  if (needsBase64(value)) {
    throw usage("Cannot set the value: it holds a line break; use put, which carries any byte");
  }
  if (typeof value === "string") return head + value;
  const start = encoder.encode(head);
  const line = new Uint8Array(start.length + value.length);
  line.set(start);
  line.set(value, start.length);
  return line;
}

/** `PUT key options value`, in base64 when the value is bytes or holds a line break. */
export function putLine(key: string, words: string[], value: Value): Line {
  const head = `PUT ${checkedKey(key)} `;
  checkValue(value);
  if (typeof value === "string" && !needsBase64(value)) {
    return `${head}${words.join(",") || "-"} ${value}`;
  }
  return `${head}${[...words, "b64"].join(",")} ${base64Of(value)}`;
}

/** True when a line is more than one: the last check before anything is sent. */
export function holdsLineFeed(line: Line): boolean {
  return typeof line === "string" ? line.includes("\n") : line.includes(10);
}

/** A line given by the caller, refused if it is not exactly one request with a reply. */
export function rawLine(line: Line): Line {
  if (holdsLineFeed(line) || typeof line === "string" && line.includes("\r")) {
    throw usage("Cannot send the request: it holds a line break");
  }
  if (typeof line === "string") checkWellFormed(line, "request");
  if (/^[ \t]*quit(?:[ \t\r]|$)/i.test(startOf(line))) {
    throw usage("Cannot send QUIT as a request: it has no reply; use close()");
  }
  return line;
}

function startOf(line: Line): string {
  if (typeof line === "string") return line;
  const blanks = line.findIndex((byte) => byte !== 32 && byte !== 9);
  return decoder.decode(line.subarray(Math.max(blanks, 0), Math.max(blanks, 0) + 8));
}

/** The verb of a request line, for messages: never its key or value, which may be secret. */
export function verbOf(line: Line): string {
  return /^[ \t]*([A-Za-z]{1,16})(?![A-Za-z])/.exec(
    typeof line === "string" ? line : startOf(line),
  )?.[1].toUpperCase() ?? "the request";
}

/** The error that an unexpected reply stands for. */
export function unexpected(reply: string): BlinkError {
  if (reply.startsWith("ERROR ") || reply === "ERROR") {
    const message = reply.slice("ERROR ".length) || "unnamed error";
    return new BlinkError(message.startsWith("authentication") ? "auth" : "reply", message);
  }
  const shown = JSON.stringify(reply.slice(0, quotedReplyCharsMax));
  return new BlinkError("protocol", `Cannot understand the reply ${shown}`);
}

/** Makes a parser of replies that are one of a few fixed words. */
export function oneOf<T>(outcomes: Record<string, T>): (reply: string) => T {
  const known = new Map(Object.entries<T>(outcomes));
  return (reply) => {
    if (!known.has(reply)) throw unexpected(reply);
    return known.get(reply) as T;
  };
}

/** Makes a parser of `WORD n`, a count that JavaScript holds exactly. */
export function countAfter(word: string): (reply: string) => number {
  const head = `${word} `;
  return (reply) => {
    const digits = reply.startsWith(head) ? reply.slice(head.length) : "";
    if (!/^\d{1,16}$/.test(digits)) throw unexpected(reply);
    return Number(digits);
  };
}

function decoded(base64: string, reply: string): Uint8Array {
  try {
    return decodeBase64(base64);
  } catch {
    throw unexpected(reply);
  }
}

/** `VALUE base64` or `NOT_FOUND`, as bytes. */
export function bytesReply(reply: string): Uint8Array | undefined {
  if (reply === "NOT_FOUND") return undefined;
  if (!reply.startsWith("VALUE ")) throw unexpected(reply);
  return decoded(reply.slice("VALUE ".length), reply);
}

/** `VALUE base64` or `NOT_FOUND`, as text: bytes that are not UTF-8 become U+FFFD. */
export function textReply(reply: string): string | undefined {
  const bytes = bytesReply(reply);
  return bytes && decoder.decode(bytes);
}

/** Makes a parser of `VALUES item ...` that holds exactly `count` items. */
export function valuesReply<T>(
  count: number,
  convert: (bytes: Uint8Array) => T,
): (reply: string) => (T | undefined)[] {
  return (reply) => {
    const items = reply.split(" ");
    if (items[0] !== "VALUES" || items.length !== count + 1) throw unexpected(reply);
    return items.slice(1).map((item) => {
      if (item === "-") return undefined;
      return convert(item === '""' ? new Uint8Array() : decoded(item, reply));
    });
  };
}

/** Bytes as text: what is not UTF-8 becomes U+FFFD. */
export function textOf(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

/** `INT n`, exact. */
export function integerReply(reply: string): bigint {
  if (!/^INT -?\d{1,19}$/.test(reply)) throw unexpected(reply);
  return BigInt(reply.slice("INT ".length));
}

/** `INT n` as a number; throws a `range` error when a number does not hold it exactly. */
export function numberReply(reply: string): number {
  const exact = integerReply(reply);
  const number = Number(exact);
  if (Number.isSafeInteger(number)) return number;
  throw new BlinkError(
    "range",
    `Cannot give ${exact} as a number exactly; it was stored, and a bigint as \`by\` returns a bigint`,
    { mayHaveRun: true },
  );
}

/** `TTL s`, `TTL never` or `NOT_FOUND`: seconds, `Infinity` or `undefined`. */
export function ttlReply(reply: string): number | undefined {
  if (reply === "NOT_FOUND") return undefined;
  if (reply === "TTL never") return Infinity;
  if (!/^TTL \d+(?:\.\d+)?$/.test(reply)) throw unexpected(reply);
  return Number(reply.slice("TTL ".length));
}

/** One page of a scan. */
export interface KeysPage {
  /** The cursor to ask for next, as the server gave it; `"0"` when finished. */
  readonly next: string;
  /** The keys of this page. */
  readonly keys: readonly string[];
}

/** `KEYS next key ...` */
export function keysReply(reply: string): KeysPage {
  const [word, next, ...keys] = reply.replace(/ $/, "").split(" ");
  if (word !== "KEYS" || next === undefined || !/^\d{1,16}$/.test(next)) throw unexpected(reply);
  return { next, keys };
}

/** `HELP verb ...` */
export function helpReply(reply: string): string[] {
  const [word, ...verbs] = reply.split(" ");
  if (word !== "HELP") throw unexpected(reply);
  return verbs;
}

/** `INFO json` */
export function infoReply(reply: string): Record<string, unknown> {
  if (!reply.startsWith("INFO {")) throw unexpected(reply);
  try {
    return JSON.parse(reply.slice("INFO ".length));
  } catch {
    throw unexpected(reply);
  }
}
