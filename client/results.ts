/**
 * Makes results from reply lines, one function for each kind of call. Each throws a
 * {@linkcode BlinkError} for a reply that its request cannot have: `reply` or `auth` for an `ERROR`
 * line, else `protocol`.
 *
 * @module
 */

import type { Info } from "../protocol.ts";
import { BlinkError } from "./errors.ts";
import { decodeKey } from "./key_words.ts";
import { parseReply, type Reply } from "./replies.ts";

/** How much of an unexpected reply an error message shows, in characters. */
const quotedReplyCharsMax = 80;
/** The most digits of a count that a JavaScript number may hold. */
const countDigitsMax = 16;
/** At most as many digits as a signed 64-bit integer has. */
const int64 = /^-?\d{1,19}$/;

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** The error that an unexpected reply stands for. */
export function unexpected(line: string): BlinkError {
  const reply = parseReply(line);
  if (reply.kind === "ERROR") {
    const message = reply.message || "unnamed error";
    return new BlinkError(message.startsWith("authentication") ? "auth" : "reply", message);
  }
  const shown = JSON.stringify(line.slice(0, quotedReplyCharsMax));
  return new BlinkError("protocol", `Cannot understand the reply ${shown}`);
}

/** Makes a parser of replies that are one of a few fixed words. */
export function oneOf<T>(outcomes: Partial<Record<Reply["kind"], T>>): (line: string) => T {
  const known = new Map<string, T>(Object.entries(outcomes) as [string, T][]);
  return (line) => {
    const { kind } = parseReply(line);
    if (!known.has(kind)) throw unexpected(line);
    return known.get(kind) as T;
  };
}

/** `USAGE n`, as a number. */
export function usageResult(line: string): number {
  const reply = parseReply(line);
  return countFrom(reply.kind === "USAGE" ? reply.bytes : undefined, line);
}

/** `DELETED n`, as a number. */
export function deletedResult(line: string): number {
  const reply = parseReply(line);
  return countFrom(reply.kind === "DELETED" ? reply.count : undefined, line);
}

function countFrom(digits: string | undefined, line: string): number {
  if (digits === undefined || digits.length > countDigitsMax) throw unexpected(line);
  return Number(digits);
}

/** `VALUE base64` or `NOT_FOUND`, as bytes. */
export function bytesResult(line: string): Uint8Array | undefined {
  const reply = parseReply(line);
  if (reply.kind === "VALUE") return reply.value;
  if (reply.kind === "NOT_FOUND") return undefined;
  throw unexpected(line);
}

/** `VALUE base64` or `NOT_FOUND`, as text. */
export function textResult(line: string): string | undefined {
  const bytes = bytesResult(line);
  return bytes && textOf(bytes);
}

/** Bytes as text: what is not UTF-8 becomes U+FFFD. */
export function textOf(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

/** Makes a parser of `VALUES item ...` that has exactly `count` items. */
export function valuesResult<T>(
  count: number,
  convert: (bytes: Uint8Array) => T,
): (line: string) => (T | undefined)[] {
  return (line) => {
    const reply = parseReply(line);
    if (reply.kind !== "VALUES" || reply.values.length !== count) throw unexpected(line);
    return reply.values.map((value) => value && convert(value));
  };
}

/** `INT n`, exact. */
export function integerResult(line: string): bigint {
  const reply = parseReply(line);
  if (reply.kind !== "INT" || !int64.test(reply.number)) throw unexpected(line);
  return BigInt(reply.number);
}

/** `INT n` as a number; throws a `range` error when a number does not hold it exactly. */
export function numberResult(line: string): number {
  const exact = integerResult(line);
  const number = Number(exact);
  if (Number.isSafeInteger(number)) return number;
  throw new BlinkError(
    "range",
    `Cannot return ${exact} exactly as a number; the sum was stored; pass \`by\` as a bigint to ` +
      `get a bigint`,
    { mayHaveRun: true },
  );
}

/** `TTL s`, `TTL never` or `NOT_FOUND`: seconds, `Infinity` or `undefined`. */
export function ttlResult(line: string): number | undefined {
  const reply = parseReply(line);
  if (reply.kind === "NOT_FOUND") return undefined;
  if (reply.kind !== "TTL") throw unexpected(line);
  return reply.seconds === undefined ? Infinity : Number(reply.seconds);
}

/** `KEYS next key ...`: one page of a scan, its keys decoded. */
export function keysResult(line: string): Extract<Reply, { kind: "KEYS" }> {
  const reply = parseReply(line);
  if (reply.kind !== "KEYS") throw unexpected(line);
  return { ...reply, keys: reply.keys.map(decodeKey) };
}

/** `HELP verb ...` */
export function helpResult(line: string): string[] {
  const reply = parseReply(line);
  if (reply.kind !== "HELP") throw unexpected(line);
  return [...reply.verbs];
}

/** `INFO json`; the server is trusted to mean by its names what `Info` says. */
export function infoResult(line: string): Info {
  const reply = parseReply(line);
  if (reply.kind !== "INFO") throw unexpected(line);
  return JSON.parse(reply.json);
}
