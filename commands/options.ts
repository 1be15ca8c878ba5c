/**
 * Parses the option word of GET, PUT, DELETE and INCR: a comma-separated list of names, some with
 * `=` and a value. Each command says which options it has.
 *
 * @module
 */

import {
  decodeBase64InPlace,
  type ErrorReply,
  errorReply,
  parseCount,
  parseSeconds,
  type Request,
  secondsRange,
  skipBlanks,
  unknownOption,
  wordEnd,
} from "../protocol.ts";

/** Every option that a command can have. */
export type OptionName = "ttl=" | "keepttl" | "b64" | "bytes=" | "absent" | "present" | "match=";

/** Options of one group exclude each other. */
const groupOf: Readonly<Record<OptionName, string>> = {
  "ttl=": "expiry",
  "keepttl": "expiry",
  "b64": "form",
  "bytes=": "length",
  "absent": "condition",
  "present": "condition",
  "match=": "condition",
};

/** The largest number that `bytes=` accepts. */
const valueBytesMax = 2 ** 40;

const comma = 0x2c;
const minus = 0x2d;

const badTtl = errorReply("bad_option", `option ttl takes ${secondsRange}`);
const badMatch = errorReply("bad_option", "option match: not base64");
const badBytes = errorReply("bad_option", "option bytes: not a number of bytes");
const decoder = new TextDecoder("latin1");

/** True for `-`, which stands for no options. */
export function isNoOptions(bytes: Uint8Array, start: number, end: number): boolean {
  return end - start === 1 && bytes[start] === minus;
}

/** Parses one option word and refuses anything behind it. */
export function parseLastOptions(
  bytes: Uint8Array,
  at: number,
  end: number,
  names: readonly OptionName[],
  request: Request,
): void {
  const optionsEnd = wordEnd(bytes, at, end);
  request.error = parseOptions(bytes, at, optionsEnd, names, request);
  if (request.error === undefined) refuseMore(bytes, optionsEnd, end, request);
}

/** Sets an error where a word follows the last argument. */
export function refuseMore(bytes: Uint8Array, at: number, end: number, request: Request): void {
  const start = skipBlanks(bytes, at, end);
  if (start < end) request.error = unknownOption(bytes, start, wordEnd(bytes, start, end));
}

/** Parses an option word into the request; returns its error, if it has one. */
export function parseOptions(
  bytes: Uint8Array,
  start: number,
  end: number,
  names: readonly OptionName[],
  request: Request,
): ErrorReply | undefined {
  const seen: OptionName[] = [];
  for (let at = start; at <= end;) {
    let optionEnd = at;
    while (optionEnd < end && bytes[optionEnd] !== comma) optionEnd++;
    const option = optionAt(bytes, at, optionEnd, names);
    if (option === undefined) return unknownOption(bytes, at, optionEnd);
    const error = contradiction(seen, option) ??
      apply(option, bytes, at + option.length, optionEnd, request);
    if (error !== undefined) return error;
    seen.push(option);
    at = optionEnd + 1;
  }
  return undefined;
}

function optionAt(
  bytes: Uint8Array,
  start: number,
  end: number,
  names: readonly OptionName[],
): OptionName | undefined {
  // No name has more than 8 characters, so a long value is not decoded here.
  const head = decoder.decode(bytes.subarray(start, Math.min(end, start + 8))).toLowerCase();
  return names.find((name) => name.endsWith("=") ? head.startsWith(name) : head === name);
}

function bare(option: OptionName): string {
  return option.replace("=", "");
}

function contradiction(seen: readonly OptionName[], option: OptionName): ErrorReply | undefined {
  const other = seen.find((name) => groupOf[name] === groupOf[option]);
  if (other === undefined) return undefined;
  return errorReply(
    "bad_option",
    other === option
      ? `option ${bare(option)} is given twice`
      : `options ${bare(other)} and ${bare(option)} exclude each other`,
  );
}

function apply(
  option: OptionName,
  bytes: Uint8Array,
  start: number,
  end: number,
  request: Request,
): ErrorReply | undefined {
  switch (option) {
    case "ttl=": {
      const milliseconds = parseSeconds(bytes, start, end);
      if (Number.isNaN(milliseconds)) return badTtl;
      request.expiry = milliseconds;
      return undefined;
    }
    case "keepttl":
      request.expiry = "keep";
      return undefined;
    case "b64":
      request.base64 = true;
      return undefined;
    case "bytes=":
      request.valueBytes = parseCount(bytes, start, end, valueBytesMax);
      return Number.isNaN(request.valueBytes) ? badBytes : undefined;
    case "absent":
    case "present":
      request.condition = option;
      return undefined;
    case "match=":
      request.condition = "match";
      request.matchStart = start;
      request.matchEnd = decodeBase64InPlace(bytes, start, end);
      return request.matchEnd < 0 ? badMatch : undefined;
  }
}
