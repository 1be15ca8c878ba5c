/**
 * A caller's arguments → one request line. Everything is checked here, before anything is sent: a
 * line never holds a line break, so nothing that a caller passes can become a second request. No
 * sockets, no clock.
 *
 * @module
 */

import { keyBytesMax, ttlSecondsMax, ttlSecondsMin } from "../protocol.ts";
import { encodeBase64 } from "./base64.ts";
import type {
  GetOptions,
  IncrementOptions,
  PutCondition,
  PutOptions,
  Value,
} from "./call_options.ts";
import { BlinkError } from "./errors.ts";

/** A request line without its line feed: text, or bytes where the value is bytes. */
export type Line = string | Uint8Array;

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

/** The prefix itself, if the wire can carry it; throws a `usage` error if not. It may be empty. */
export function checkedPrefix(prefix: string): string {
  return checkWord(prefix, "prefix");
}

/** Seconds as the wire writes them: at most three decimals, no exponent. */
export function secondsText(seconds: number): string {
  if (!(seconds >= ttlSecondsMin && seconds <= ttlSecondsMax)) {
    throw usage(
      `Cannot use ${seconds} seconds: ${ttlSecondsMin} to ${ttlSecondsMax}`,
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

/** True when a line would be more than one request. */
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

/** The option words of a PUT. */
export function putWords(options: PutOptions): string[] {
  const words: string[] = [];
  if (options.ttl !== undefined) words.push(`ttl=${secondsText(options.ttl)}`);
  if (options.keepTtl) words.push("keepttl");
  if (options.if !== undefined) words.push(conditionWord(options.if));
  return words;
}

function conditionWord(condition: PutCondition): string {
  if (condition === "absent" || condition === "present") return condition;
  return `match=${base64Of(condition.match)}`;
}

/** `DELETE key match=BASE64` */
export function deleteMatchLine(key: string, match: Value): string {
  return `DELETE ${checkedKey(key)} match=${base64Of(match)}`;
}

/** `INCR key by [ttl=S]` */
export function incrementLine(key: string, by: number | bigint, { ttl }: IncrementOptions): string {
  if (typeof by !== "bigint" && !Number.isSafeInteger(by)) {
    throw new BlinkError("usage", `Cannot add ${by}: it is not a whole number held exactly`);
  }
  const line = `INCR ${checkedKey(key)} ${by}`;
  return ttl === undefined ? line : `${line} ttl=${secondsText(ttl)}`;
}

/** `GET key [ttl=S]` */
export function getLine(key: string, options: GetOptions): string {
  const line = `GET ${checkedKey(key)}`;
  return options.ttl === undefined ? line : `${line} ttl=${secondsText(options.ttl)}`;
}

/** `MGET key ...` */
export function manyLine(keys: readonly string[]): string {
  return `MGET ${keys.map(checkedKey).join(" ")}`;
}
