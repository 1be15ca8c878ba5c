/**
 * Error replies: the bytes of every `ERROR` line of the protocol, and its kind, which INFO counts.
 * Each line begins with `ERROR ` and ends with a line feed. It holds no other control character,
 * even where it repeats a word that a client sent.
 *
 * @module
 */

import { echoedCharactersMax, keyBytesMax, ttlSecondsMax, ttlSecondsMin } from "./limits.ts";

/** The kinds of errors, under the names that INFO counts them by. */
export const errorKinds = [
  "unknown_command",
  "missing_argument",
  "unknown_option",
  "bad_option",
  "bad_number",
  "key_too_long",
  "value_too_large",
  "out_of_memory",
  "line_too_long",
  "not_an_integer",
  "integer_overflow",
  "authentication_required",
  "authentication_failed",
  "server_busy",
  "too_many_connections",
  "not_this_protocol",
  "wrong_arguments",
  "wrong_state",
  "broken_request",
  "not_kept",
] as const;

/** The kind of an error, as INFO counts it. */
export type ErrorKind = typeof errorKinds[number];

/** A reply to a request that was refused. */
export interface ErrorReply {
  /** What INFO counts it under. */
  readonly kind: ErrorKind;
  /** The whole reply line, its line feed included. */
  readonly line: Uint8Array;
  /** The same for a client that speaks Redis, its line end included. */
  readonly redis: Uint8Array;
}

const encoder = new TextEncoder();

/**
 * Makes an error reply: `ERROR`, a space, and the text. Clients of Redis get `redis`, which begins
 * with the code that they recognise; by default `ERR` and the text.
 */
export function errorReply(kind: ErrorKind, text: string, redis = `ERR ${text}`): ErrorReply {
  return { kind, line: encoder.encode(`ERROR ${text}\n`), redis: encoder.encode(`-${redis}\r\n`) };
}

/** The reply to anything that is not a command, an empty line included. */
export const unknownCommand: ErrorReply = errorReply("unknown_command", "unknown command");

/** The reply to a key beyond `keyBytesMax`. */
export const keyTooLong: ErrorReply = errorReply(
  "key_too_long",
  `key too long (max ${keyBytesMax} bytes)`,
);

/** The reply to INCR on a value that is not the decimal text of a signed 64-bit integer. */
export const notAnInteger: ErrorReply = errorReply(
  "not_an_integer",
  "value is not an integer",
  "ERR value is not an integer or out of range",
);

/** The reply to INCR beyond 64 bits. */
export const integerOverflow: ErrorReply = errorReply(
  "integer_overflow",
  "integer overflow",
  "ERR increment or decrement would overflow",
);

/** The reply to a request that came before AUTH. */
export const authenticationRequired: ErrorReply = errorReply(
  "authentication_required",
  "authentication required",
  "NOAUTH Authentication required.",
);

/** The reply to a wrong token. */
export const authenticationFailed: ErrorReply = errorReply(
  "authentication_failed",
  "authentication failed",
  "WRONGPASS invalid username-password pair or user is disabled.",
);

/** The last line to a connection whose unfinished line does not fit `--max-pending`. */
export const serverBusy: ErrorReply = errorReply("server_busy", "server busy");

/** The reply to a change that the data file does not take: it is not made, or undone. */
export const notKept: ErrorReply = errorReply(
  "not_kept",
  "not kept: the data file cannot be written",
  "MISCONF not kept: the data file cannot be written",
);

/** The only line to a connection beyond the server's limit. */
export const tooManyConnections: ErrorReply = errorReply(
  "too_many_connections",
  "too many connections",
  "ERR max number of clients reached",
);

/** The range of times, in words. */
export const secondsRange = `seconds from ${ttlSecondsMin} to ${ttlSecondsMax}`;

/** The reply to an HTTP request. */
export const badRequest: ErrorReply = {
  ...errorReply("not_this_protocol", "bad request"),
  line: encoder.encode(
    "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
  ),
};

/** The reply to a request that lacks an argument. */
export function missingArgument(verb: string, argument: string): ErrorReply {
  return errorReply("missing_argument", `${verb} requires ${argument}`);
}

/** The reply to a line beyond the server's limit. */
export function lineTooLong(lineBytesMax: number): ErrorReply {
  return errorReply("line_too_long", `line too long (max ${lineBytesMax} bytes)`);
}

/** The reply to a value that cannot fit the memory limit beside its key. */
export function valueTooLarge(valueBytesMax: number): ErrorReply {
  return errorReply("value_too_large", `value too large (max ${valueBytesMax} bytes)`);
}

/** The reply to a PUT whose value does not have the bytes that its option `bytes=` says. */
export function wrongValueBytes(actual: number, expected: number): ErrorReply {
  return errorReply("bad_option", `value has ${actual} bytes, not ${expected}`);
}

/** The reply to a change for which the store cannot get memory. */
export const outOfMemory: ErrorReply = errorReply(
  "out_of_memory",
  "out of memory",
  "OOM command not allowed when used memory > 'maxmemory'.",
);

/** The reply to an option that the command does not have. */
export function unknownOption(bytes: Uint8Array, start: number, end: number): ErrorReply {
  return errorReply("unknown_option", `unknown option ${echoed(bytes, start, end)}`);
}

const decoder = new TextDecoder();
const unprintable = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** A client's word as an error line repeats it: escaped, and cut if it is long. */
export function echoed(bytes: Uint8Array, start: number, end: number): string {
  // A character has at most four bytes; one character more shows whether the word must be cut.
  const enough = Math.min(end, start + 4 * (echoedCharactersMax + 1));
  const characters = [...decoder.decode(bytes.subarray(start, enough))];
  const cut = characters.length > echoedCharactersMax;
  const text = characters.slice(0, echoedCharactersMax).join("");
  const escaped = text.replace(
    unprintable,
    (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`,
  );
  return cut ? `${escaped}...` : escaped;
}
