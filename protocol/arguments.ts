/**
 * The arguments that follow the key of a request of part 2, and those of requests without a key.
 * Each function writes what it read into the request, or the problem that the line has.
 *
 * @module
 */

import { decodeBase64InPlace } from "./base64.ts";
import { keyBytesMax, scanCountDefault, scanCountMax } from "./limits.ts";
import { parseCount, parseInteger, parseSeconds } from "./numbers.ts";
import { noOptions, parseOptions } from "./options.ts";
import { keyTooLong, missingArgument, problem, secondsRange, unknownOption } from "./problems.ts";
import type { Request } from "./request.ts";
import { verbs } from "./verbs.ts";
import { skipBlanks, trimEnd, wordEnd } from "./words.ts";

/** The end of the range of SCAN's cursors, which is a promise of the store. */
const cursorMax = 2 ** 33 - 1;

const badBase64Value = problem("bad_option", "option b64: the value is not base64");
const badSeconds = problem("bad_number", `EXPIRE takes ${secondsRange}, or never`);
const badCursor = problem("bad_number", "SCAN cursor: not a number that SCAN has returned");
const badCount = problem("bad_number", `SCAN count: a number from 1 to ${scanCountMax}`);
const badBy = problem("bad_number", "INCR by: not a signed 64-bit integer");

/** GET and DELETE: one option word, then the end of the line. */
export function parseWordOptions(
  bytes: Uint8Array,
  at: number,
  end: number,
  request: Request,
): void {
  const optionsEnd = wordEnd(bytes, at, end);
  request.problem = parseOptions(bytes, at, optionsEnd, request);
  if (request.problem === undefined) refuseMore(bytes, optionsEnd, end, request);
}

/** PUT: an option word, one blank, and the value to the end of the line. */
export function parsePut(bytes: Uint8Array, at: number, end: number, request: Request): void {
  const optionsStart = skipBlanks(bytes, at, end);
  if (optionsStart === end) {
    request.problem = missingArgument("PUT", "options");
    return;
  }
  const optionsEnd = wordEnd(bytes, optionsStart, end);
  request.expiry = "never";
  request.condition = "none";
  request.base64 = false;
  if (!noOptions(bytes, optionsStart, optionsEnd)) {
    request.problem = parseOptions(bytes, optionsStart, optionsEnd, request);
    if (request.problem !== undefined) return;
  }
  request.valueStart = optionsEnd < end ? optionsEnd + 1 : end;
  request.valueEnd = end;
  if (!request.base64) return;
  request.valueEnd = decodeBase64InPlace(bytes, request.valueStart, end);
  if (request.valueEnd < 0) request.problem = badBase64Value;
}

/** Every other verb: what is left of the line after its key, or after the verb. */
export function parseTail(bytes: Uint8Array, at: number, end: number, request: Request): void {
  switch (request.verb) {
    case verbs.DELETE:
      request.condition = "none";
      if (at < end) parseWordOptions(bytes, at, end, request);
      break;
    case verbs.MGET:
      parseKeys(bytes, at, end, request);
      break;
    case verbs.INCR:
      parseIncrement(bytes, at, end, request);
      break;
    case verbs.EXPIRE:
      parseExpire(bytes, at, end, request);
      break;
    case verbs.TTL:
      refuseMore(bytes, at, end, request);
      break;
    case verbs.SCAN:
      parseScan(bytes, at, end, request);
      break;
    case verbs.FLUSH:
      refuseMore(bytes, takePrefix(bytes, at, end, request), end, request);
      break;
    case verbs.AUTH:
      // A token may hold blanks, but neither begins nor ends with one.
      request.valueStart = at;
      request.valueEnd = trimEnd(bytes, at, end);
      break;
    default:
      // Extra words after a verb without arguments are ignored.
      break;
  }
}

function refuseMore(bytes: Uint8Array, at: number, end: number, request: Request): void {
  const start = skipBlanks(bytes, at, end);
  if (start < end) request.problem = unknownOption(bytes, start, wordEnd(bytes, start, end));
}

function parseKeys(bytes: Uint8Array, at: number, end: number, request: Request): void {
  request.valueStart = request.keyStart;
  request.valueEnd = end;
  while (at < end) {
    const keyEnd = wordEnd(bytes, at, end);
    if (keyEnd - at > keyBytesMax) {
      request.problem = keyTooLong;
      return;
    }
    at = skipBlanks(bytes, keyEnd, end);
  }
}

const equalsSign = 0x3d;

function parseIncrement(bytes: Uint8Array, at: number, end: number, request: Request): void {
  request.by = 1n;
  request.expiry = "keep";
  if (at === end) return;
  const firstEnd = wordEnd(bytes, at, end);
  const isOption = bytes.subarray(at, firstEnd).includes(equalsSign);
  if (!isOption) {
    const by = parseInteger(bytes, at, firstEnd);
    if (by === undefined) {
      request.problem = badBy;
      return;
    }
    request.by = by;
    at = skipBlanks(bytes, firstEnd, end);
    if (at === end) return;
  }
  parseWordOptions(bytes, at, end, request);
}

function isNever(bytes: Uint8Array, start: number, end: number): boolean {
  return end - start === 5 && (bytes[start] | 32) === 0x6e && (bytes[start + 1] | 32) === 0x65 &&
    (bytes[start + 2] | 32) === 0x76 && (bytes[start + 3] | 32) === 0x65 &&
    (bytes[start + 4] | 32) === 0x72;
}

function parseExpire(bytes: Uint8Array, at: number, end: number, request: Request): void {
  if (at === end) {
    request.problem = missingArgument("EXPIRE", "seconds");
    return;
  }
  const secondsEnd = wordEnd(bytes, at, end);
  if (isNever(bytes, at, secondsEnd)) {
    request.expiry = "never";
  } else {
    const milliseconds = parseSeconds(bytes, at, secondsEnd);
    if (Number.isNaN(milliseconds)) {
      request.problem = badSeconds;
      return;
    }
    request.expiry = milliseconds;
  }
  refuseMore(bytes, secondsEnd, end, request);
}

function parseScan(bytes: Uint8Array, at: number, end: number, request: Request): void {
  const cursorEnd = wordEnd(bytes, at, end);
  request.cursor = parseCount(bytes, at, cursorEnd, cursorMax);
  request.count = scanCountDefault;
  request.valueStart = request.valueEnd = end;
  if (Number.isNaN(request.cursor)) {
    request.problem = badCursor;
    return;
  }
  const countStart = skipBlanks(bytes, cursorEnd, end);
  if (countStart === end) return;
  const countEnd = wordEnd(bytes, countStart, end);
  request.count = parseCount(bytes, countStart, countEnd, scanCountMax);
  if (!(request.count >= 1)) {
    request.problem = badCount;
    return;
  }
  const prefixStart = skipBlanks(bytes, countEnd, end);
  refuseMore(bytes, takePrefix(bytes, prefixStart, end, request), end, request);
}

function takePrefix(bytes: Uint8Array, at: number, end: number, request: Request): number {
  request.valueStart = at;
  request.valueEnd = wordEnd(bytes, at, end);
  return request.valueEnd;
}
