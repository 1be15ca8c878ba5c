/**
 * Arrays of the Redis wire: their arguments are found wherever the bytes are cut, and whatever is
 * wrong with them is said.
 *
 * @module
 */

import fc from "fast-check";
import { argumentsBeforeAuthMax, ArrayParser } from "../protocol.ts";
import { assert, assertEquals } from "./assert.ts";
import { bytesOf } from "./raw_client.ts";
import { array, joined } from "./redis_array.ts";

const decoder = new TextDecoder("latin1");

function argumentsOf(parser: ArrayParser, bytes: Uint8Array): string[] {
  const { count, starts, ends } = parser.args;
  return Array.from(
    { length: count },
    (_, n) => decoder.decode(bytes.subarray(starts[n], ends[n])),
  );
}

/** The arguments of each request in bytes that come in parts, or what is wrong with one. */
function parsed(bytes: Uint8Array, cuts: readonly number[] = []): (string[] | string)[] {
  const parser = new ArrayParser();
  const requests: (string[] | string)[] = [];
  let requestStart = 0;
  let at = 0;
  for (const end of [...cuts, bytes.length].sort((a, b) => a - b)) {
    while (at < end) {
      const result = parser.parse(bytes, at, end, requestStart);
      at = parser.at;
      if (result === "unfinished") break;
      if (result === "broken") return [...requests, parser.error];
      requests.push(argumentsOf(parser, bytes));
      requestStart = at;
    }
    assertEquals(parser.isUnfinished, requestStart < end);
  }
  return requests;
}

const several = joined(
  array("SET", "a key", "\r\n$3\r\n*1\r\n"),
  array("GET", ""),
  bytesOf("*0\r\n"),
  array(...Array.from({ length: 20 }, (_, n) => "x".repeat(n))),
);
const severalParsed = [
  ["SET", "a key", "\r\n$3\r\n*1\r\n"],
  ["GET", ""],
  [],
  Array.from({ length: 20 }, (_, n) => "x".repeat(n)),
];

Deno.test("arrays: cut at every byte, and at each of them", () => {
  for (let cut = 0; cut <= several.length; cut++) {
    assertEquals(parsed(several, [cut]), severalParsed, `cut at ${cut}`);
  }
  assertEquals(parsed(several, [...several.keys()]), severalParsed);
});

Deno.test("arrays: any arguments, cut anywhere", () => {
  const requests = fc.array(
    fc.array(fc.uint8Array({ maxLength: 30 }), { minLength: 1, maxLength: 12 }),
    { minLength: 1, maxLength: 5 },
  );
  const cuts = fc.array(fc.nat(2000), { maxLength: 6 });
  fc.assert(fc.property(requests, cuts, (requests, cuts) => {
    const bytes = joined(...requests.map((args) => array(...args)));
    assertEquals(
      parsed(bytes, cuts.filter((cut) => cut < bytes.length)),
      requests.map((args) => args.map((arg) => decoder.decode(arg))),
    );
  }));
});

Deno.test("arrays: an argument that is longer than the short way takes", () => {
  const long = "v".repeat(70_000);
  assertEquals(parsed(array("SET", "k", long)), [["SET", "k", long]]);
  assertEquals(parsed(array("SET", "k", long), [20, 69_000]), [["SET", "k", long]]);
});

// The short way reads up to nine arguments; bytes of an earlier read lie behind the end.
Deno.test("arrays: what lies behind the end of a read is not taken for a part of a request", () => {
  const whole = array("GET", "user");
  for (let end = 1; end < whole.length; end++) {
    const parser = new ArrayParser();
    assertEquals(parser.parse(whole, 0, end, 0), "unfinished", `${end} bytes`);
    assertEquals(parser.at, end);
  }
});

Deno.test("arrays: the bytes of an unfinished request move", () => {
  const request = array("SET", "key", "some value", "another");
  for (let cut = 1; cut < request.length; cut++) {
    const parser = new ArrayParser();
    const before = joined(bytesOf("earlier"), request);
    assertEquals(parser.parse(before, 7, 7 + cut, 7), "unfinished");
    const after = joined(bytesOf("xx"), request);
    assertEquals(parser.parse(after, 2 + cut, after.length, 2), "request");
    assertEquals(argumentsOf(parser, after), ["SET", "key", "some value", "another"]);
  }
});

const broken: readonly (readonly [string, string])[] = [
  ["*x\r\n", "invalid multibulk length"],
  ["*\r\n", "invalid multibulk length"],
  ["*--1\r\n", "invalid multibulk length"],
  ["*1048577\r\n", "invalid multibulk length"],
  ["*3000000000\r\n", "invalid multibulk length"],
  ["*99999999999999999999\r\n", "invalid multibulk length"],
  ["*1\n", "invalid multibulk length"],
  ["*1\rx", "invalid multibulk length"],
  ["*1\r\nfoo\r\n", "expected '$', got 'f'"],
  ["*3\r\n$3\r\nSET\r\n$1\r\nx\r\nfooz\r\n", "expected '$', got 'f'"],
  ["*1\r\n\0", "expected '$', got 'byte 0'"],
  ["*1\r\n$-1\r\n", "invalid bulk length"],
  ["*1\r\n$-10\r\n", "invalid bulk length"],
  ["*1\r\n$blabla\r\n", "invalid bulk length"],
  ["*1\r\n$99999999999\r\n", "invalid bulk length"],
  ["*1\r\n$\r\n", "invalid bulk length"],
  ["*1\r\n$3\r\nGETxx", "expected CRLF behind a bulk string"],
  ["*1\r\n$3\r\nGET\rx", "expected CRLF behind a bulk string"],
  ["PING\r\n", "expected '*', got 'P'"],
  ["\r*1\r\n", "expected '*', got 'byte 13'"],
  ["\r\r\n", "expected '*', got 'byte 13'"],
  // Numbers as Redis takes them.
  ["*01\r\n$4\r\nPING\r\n", "invalid multibulk length"],
  ["*00\r\n", "invalid multibulk length"],
  ["*-0\r\n", "invalid multibulk length"],
  ["*+1\r\n$4\r\nPING\r\n", "invalid multibulk length"],
  ["*1\r\n$04\r\nPING\r\n", "invalid bulk length"],
  ["*1\r\n$00\r\n\r\n", "invalid bulk length"],
  ["*1\r\n$-0\r\n\r\n", "invalid bulk length"],
  ["*1\r\n$+4\r\nPING\r\n", "invalid bulk length"],
];

for (const [input, error] of broken) {
  Deno.test(`arrays: ${JSON.stringify(input)} is broken`, () => {
    const bytes = bytesOf(input);
    const good = array("PING");
    const all = joined(good, bytes, good);
    for (let cut = good.length; cut < good.length + bytes.length; cut++) {
      assertEquals(parsed(all, [cut]), [["PING"], error], `cut at ${cut}`);
    }
  });
}

Deno.test("arrays: a negative count is no request, like none", () => {
  assertEquals(parsed(joined(bytesOf("*-1\r\n*-10\r\n"), array("PING"))), [[], [], ["PING"]]);
});

Deno.test("arrays: before AUTH, at the edges of what is read", () => {
  const parse = (bytes: Uint8Array) => {
    const parser = new ArrayParser();
    parser.isStranger = true;
    return [parser.parse(bytes, 0, bytes.length, 0), parser.error];
  };
  const words = (count: number) => array(...new Array<string>(count).fill("x"));
  assertEquals(parse(words(argumentsBeforeAuthMax)), ["request", ""]);
  assertEquals(parse(words(argumentsBeforeAuthMax + 1)), [
    "broken",
    "unauthenticated multibulk length",
  ]);
  assertEquals(parse(array("AUTH", "x".repeat(16 * 1024))), ["request", ""]);
  assertEquals(parse(array("AUTH", "x".repeat(16 * 1024 + 1))), [
    "broken",
    "unauthenticated bulk length",
  ]);
});

Deno.test("arrays: the size of a request, at the edge, wherever it is cut", () => {
  const request = array("SET", "key", "some value");
  for (const excess of [0, 1]) {
    for (let cut = 0; cut < request.length; cut++) {
      const parser = new ArrayParser();
      parser.requestBytesMax = request.length - excess;
      let result = parser.parse(request, 0, cut, 0);
      if (result === "unfinished") result = parser.parse(request, cut, request.length, 0);
      assertEquals(result, excess === 0 ? "request" : "broken", `cut at ${cut}`);
      if (excess === 0) continue;
      const error = `invalid bulk length: the request is longer than ${request.length - 1} bytes`;
      assertEquals(parser.error, error);
    }
  }
});

Deno.test("arrays: a request that was begun is forgotten", () => {
  const parser = new ArrayParser();
  const bytes = bytesOf("*2\r\n$3\r\nSET\r\n$1000\r\nabc");
  assertEquals(parser.parse(bytes, 0, bytes.length, 0), "unfinished");
  parser.reset();
  assert(!parser.isUnfinished);
  assertEquals(parser.parse(array("PING"), 0, 14, 0), "request");
});

// `redis-cli --pipe` sends a blank line before its last request.
Deno.test("arrays: blank lines between requests are no requests", () => {
  const bytes = joined(bytesOf("\r\n"), array("PING"), bytesOf("\n\r\n"), array("ECHO", "\r\n"));
  const expected = [[], ["PING"], [], [], ["ECHO", "\r\n"]];
  for (let cut = 0; cut <= bytes.length; cut++) assertEquals(parsed(bytes, [cut]), expected);
});
