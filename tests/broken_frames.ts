/**
 * Pipelines of arrays with faults in them, and a second, minimal reader of arrays that says what a
 * server must make of them. It shares no code with the server. Bytes are characters here.
 *
 * @module
 */

import fc from "fast-check";

/** What the bytes of a client are. */
export interface Frames {
  /** The arguments of each whole request before the first broken one. */
  readonly requests: readonly (readonly string[])[];
  /** What comes behind them. */
  readonly ending: "nothing" | "unfinished" | "broken";
}

/** The limits of a reader. */
export interface FrameLimits {
  readonly requestBytesMax: number;
  readonly argumentsMax: number;
  readonly argumentBytesMax: number;
}

const arrayHead = /\*(0|-?[1-9]\d{0,9})\r\n/y;
const arrayHeadPart = /^\*(0\r?|-?([1-9]\d{0,9}\r?)?)?$/;
const bulkHead = /\$(0|-?[1-9]\d{0,9})\r\n/y;
const bulkHeadPart = /^\$(0\r?|-?([1-9]\d{0,9}\r?)?)?$/;

/** Reads arrays, the first of which begins at the first byte. */
export function readFrames(input: string, limits: FrameLimits): Frames {
  const requests: string[][] = [];
  let at = 0;
  const head = (whole: RegExp, part: RegExp): number | "unfinished" | "broken" => {
    whole.lastIndex = at;
    const found = whole.exec(input);
    if (found === null) return part.test(input.slice(at, at + 20)) ? "unfinished" : "broken";
    at = whole.lastIndex;
    return Number(found[1]);
  };
  for (;;) {
    at += /^(?:\r?\n)*/.exec(input.slice(at))?.[0].length ?? 0;
    if (at === input.length) return { requests, ending: "nothing" };
    if (input.slice(at) === "\r") return { requests, ending: "unfinished" };
    const start = at;
    const count = head(arrayHead, arrayHeadPart);
    if (typeof count === "string") return { requests, ending: count };
    if (count > limits.argumentsMax) return { requests, ending: "broken" };
    const args: string[] = [];
    while (args.length < count) {
      if (at === input.length) return { requests, ending: "unfinished" };
      const length = head(bulkHead, bulkHeadPart);
      if (typeof length === "string") return { requests, ending: length };
      const isTooLong = at - start + length + 2 > limits.requestBytesMax;
      if (length < 0 || isTooLong || length > limits.argumentBytesMax) {
        return { requests, ending: "broken" };
      }
      const body = input.slice(at, at + length);
      const end = input.slice(at + length, at + length + 2);
      if (body.length < length || end === "" || end === "\r") {
        return { requests, ending: "unfinished" };
      }
      if (end !== "\r\n") return { requests, ending: "broken" };
      args.push(body);
      at += length + 2;
    }
    if (count > 0) requests.push(args);
  }
}

/** The bytes of a request. */
export function frame(args: readonly string[]): string {
  return `*${args.length}\r\n${args.map((arg) => `$${arg.length}\r\n${arg}\r\n`).join("")}`;
}

const key = fc.constantFrom("a", "b", "a key", "\r\n");
const value = fc.oneof(
  { weight: 8, arbitrary: fc.nat(300).map((length) => "v".repeat(length)) },
  { weight: 4, arbitrary: fc.constantFrom("*1\r\n$4\r\nPING\r\n", "\r\n", "*3", "$-1\r\n", "1") },
  { weight: 1, arbitrary: fc.integer({ min: 500, max: 70_000 }).map((n) => "long".repeat(n / 4)) },
);
const plain = fc.constantFrom(
  ...["PING", "MULTI", "EXEC", "DISCARD", "RESET", "DBSIZE", "FLUSHALL", "HELLO 3", "NONSENSE"],
  ...["SELECT 0", "UNWATCH", "SET", "GET a b"],
).map((text) => text.split(" "));

const request = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(fc.constantFrom("SET", "APPEND", "GETSET"), key, value) },
  { weight: 3, arbitrary: fc.tuple(fc.constantFrom("GET", "DEL", "INCR", "WATCH"), key) },
  { weight: 1, arbitrary: fc.tuple(fc.constant("MGET"), key, key, key) },
  { weight: 1, arbitrary: fc.array(key, { minLength: 9, maxLength: 14 }) },
  { weight: 1, arbitrary: fc.tuple(fc.constant("ECHO"), value) },
  { weight: 1, arbitrary: fc.tuple(fc.constant("PEXPIRE"), key, fc.constant("5000")) },
  { weight: 4, arbitrary: plain },
).map(frame);

const part = fc.oneof(
  { weight: 20, arbitrary: request },
  { weight: 2, arbitrary: fc.constantFrom("\r\n", "\n", "*0\r\n", "*-1\r\n") },
  { weight: 1, arbitrary: fc.constant(frame(["QUIT"])) },
);

/** Pipelines of valid arrays. */
export const pipelines: fc.Arbitrary<string> = fc.tuple(
  request,
  fc.array(part, { minLength: 1, maxLength: 8 }),
).map(([first, others]) => first + others.join(""));

/** A change of some bytes; the same for a pipeline that is a little shorter. */
type Fault = (input: string) => string;

/** Numbers that a count or a length is replaced by. */
const numbers = [
  ...["", "0", "00", "01", "-0", "-1", "-2", "-", "--1", "+1", " 1", "1 ", "1.0", "0x1", "1e3"],
  ...["1", "2", "3", "7", "10", "11", "255", "16384", "16385", "1048576", "1048577", "16777216"],
  ...["536870912", "2147483647", "2147483648", "4294967297", "9999999999", "99999999999999999999"],
];

/** Replaces what is at the `n`-th place that the pattern finds. */
function atNth(pattern: RegExp, n: number, replacement: string): Fault {
  return (input) => {
    const found = [...input.matchAll(pattern)];
    if (found.length === 0) return input;
    const { index, 0: text } = found[n % found.length];
    return input.slice(0, index) + replacement + input.slice(index + text.length);
  };
}

/** Replaces bytes: `share` says where, from 0 to 1. */
function splice(share: number, length: number, inserted: (cut: string) => string): Fault {
  return (input) => {
    const at = Math.floor(share * input.length);
    const cut = input.slice(at, at + length);
    return input.slice(0, at) + inserted(cut) + input.slice(at + length);
  };
}

const share = fc.noBias(fc.nat(9999)).map((n) => n / 10_000);
const nth = fc.noBias(fc.nat(40));
const byte = fc.oneof(
  fc.nat(255).map((code) => String.fromCharCode(code)),
  fc.constantFrom("*", "$", "\r", "\n", "-", "0", "9"),
);

const fault: fc.Arbitrary<Fault> = fc.oneof(
  fc.tuple(nth, fc.constantFrom(...numbers)).map(([n, number]) =>
    atNth(/(?<=[*$])-?\d+(?=\r\n)/g, n, number)
  ),
  fc.tuple(nth, fc.constantFrom("\r", "\n", "\n\r", "\r\r\n", "", "x", "\r\n\r\n")).map((
    [n, end],
  ) => atNth(/\r\n/g, n, end)),
  fc.tuple(nth, byte).map(([n, mark]) => atNth(/[*$](?=\d)/g, n, mark)),
  fc.tuple(share, byte).map(([at, byte]) => splice(at, 1, () => byte)),
  fc.tuple(share, byte).map(([at, byte]) => splice(at, 0, () => byte)),
  fc.tuple(share, fc.nat(30)).map(([at, length]) => splice(at, length, () => "")),
  fc.tuple(share, fc.nat(30)).map(([at, length]) => splice(at, length, (cut) => cut + cut)),
  share.map((at) => splice(at, Infinity, () => "")),
  nth.map((length) => (input: string) => input.slice(0, -length || undefined)),
);

/** Pipelines with up to three faults, or none. */
export const faultyPipelines: fc.Arbitrary<string> = fc.tuple(
  pipelines,
  fc.array(fault, { maxLength: 3 }),
).map(([input, faults]) => faults.reduce((bytes, apply) => apply(bytes), input));
