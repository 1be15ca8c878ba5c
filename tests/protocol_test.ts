/**
 * The parts of the codec: base64, numbers, verbs, words, what errors repeat, and the reply writer.
 *
 * @module
 */

// @ts-types="../types/std.d.ts"
import { encodeBase64 } from "@std/encoding/base64";
import {
  base64Length,
  decodeBase64InPlace,
  decodeByTable,
  echoed,
  encodeBase64Into,
  encodeByTable,
  findLineFeed,
  hasLongerWord,
  isHttpRequest,
  isHttpRequestStart,
  isTlsHello,
  parseCount,
  parseInteger,
  parseSeconds,
  ReplyWriter,
  unknownVerb,
} from "../protocol.ts";
import { commands, commandTable } from "../commands/mod.ts";
import { assert, assertEquals } from "./assert.ts";
import { bytesOf } from "./raw_client.ts";

const lengths = [
  0,
  1,
  2,
  3,
  4,
  5,
  6,
  255,
  256,
  257,
  511,
  512,
  513,
  1000,
  196_608,
  196_610,
  400_001,
];

function randomBytes(length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let from = 0; from < length; from += 65_536) {
    crypto.getRandomValues(bytes.subarray(from, Math.min(length, from + 65_536)));
  }
  return bytes;
}

Deno.test("base64: both ways agree with the standard library's, at any place", () => {
  for (const length of lengths) {
    const value = randomBytes(length);
    const text = encodeBase64(value);
    const shared = new Uint8Array(new SharedArrayBuffer(length + 6));
    shared.set(value, 5);
    for (const encode of [encodeBase64Into, encodeByTable]) {
      for (const at of [0, 1, 2, 3]) {
        const target = new Uint8Array(base64Length(length) + 9);
        const view = new DataView(target.buffer, 3, target.length - 3);
        assertEquals(encode(shared, 5, 5 + length, view, at), at + text.length);
        const around = `${"\0".repeat(3 + at)}${text}${"\0".repeat(6 - at)}`;
        assertEquals(new TextDecoder().decode(target), around);
      }
    }
    for (const decode of [decodeBase64InPlace, decodeByTable]) {
      const bytes = bytesOf(`<<${text}>>`);
      const end = decode(bytes, 2, 2 + text.length);
      assertEquals(bytes.slice(2, end), value);
      assertEquals(String.fromCharCode(bytes[0], bytes[1], bytes.at(-1) ?? 0), "<<>");
    }
  }
});

Deno.test("base64: whatever is not the one text of a value is refused", () => {
  const wrong = [
    "A",
    "AA",
    "AAA",
    "AA=",
    "A===",
    "====",
    "=",
    "AB==",
    "AAB=",
    "AA==AAAA",
    "AAA=AAAA",
    "AA A",
    "AAA ",
    " AAA",
    "AA\tA",
    "AA-_",
    "AAA\u00ff".slice(0, 4),
    "A=A=",
  ];
  for (const text of wrong) {
    for (const padded of [text, "A".repeat(1024) + text]) {
      const bytes = Uint8Array.from(padded, (character) => character.charCodeAt(0));
      assertEquals(decodeBase64InPlace(bytes.slice(), 0, bytes.length), -1, padded);
      if (bytes.length % 4 === 0) {
        assertEquals(decodeByTable(bytes.slice(), 0, bytes.length), -1, padded);
      }
    }
  }
  // The runtime's own reader takes padding at the end of any part that it is given.
  const part = 4 * 65_536;
  const inner = bytesOf("A".repeat(part - 4) + "AA==" + "A".repeat(1024));
  assertEquals(decodeBase64InPlace(inner, 0, inner.length), -1);
});

Deno.test("numbers: counts", () => {
  const count = (text: string) => parseCount(bytesOf(text), 0, text.length, 1000);
  assertEquals(["0", "7", "1000", "0007"].map(count), [0, 7, 1000, 7]);
  for (const text of ["", "1001", "-1", "+1", "1.0", "1e2", " 1", "99999999999999999999"]) {
    assertEquals(count(text), NaN, text);
  }
});

Deno.test("numbers: seconds, at the edges of their range", () => {
  const seconds = (text: string) => parseSeconds(bytesOf(text), 0, text.length);
  assertEquals(
    ["0.001", "1", "1.5", "0.1", "30", "315360000", "0000000001.250"].map(seconds),
    [1, 1000, 1500, 100, 30_000, 315_360_000_000, 1250],
  );
  // Ordinary floats as programs print them, and numbers with many decimals.
  assertEquals(
    ["29.999834060668945", "0.07", "0.00100000000000000000000000000000000001"].map(seconds),
    [29_999.834060668945, 70, 1],
  );
  assertEquals(seconds(`1.${"0".repeat(398)}`), 1000);
  assertEquals(seconds(`1.${"0".repeat(399)}`), NaN);
  const wrong = [
    "",
    "0",
    "0.0009",
    "315360000.001",
    "-1",
    "1.",
    ".5",
    "1.2.3",
    "1e3",
    "never",
    "Infinity",
    "NaN",
    "1234567890123456",
    "0x10",
  ];
  for (const text of wrong) assertEquals(seconds(text), NaN, text);
});

Deno.test("numbers: signed 64-bit integers in their one text", () => {
  const integer = (text: string) => parseInteger(bytesOf(text), 0, text.length);
  assertEquals(
    ["0", "-1", "42", "9223372036854775807", "-9223372036854775808"].map(integer),
    [0n, -1n, 42n, 2n ** 63n - 1n, -(2n ** 63n)],
  );
  const wrong = ["", "-", "-0", "+1", "01", " 1", "1 ", "1.0", "9223372036854775808"];
  for (const text of [...wrong, "-9223372036854775809", "1".repeat(21), "1n", "0x1"]) {
    assertEquals(integer(text), undefined, text);
  }
});

Deno.test("verbs: each of the table, and no other", () => {
  const number = (word: string) => commandTable.numberOf(bytesOf(word), 0, bytesOf(word).length);
  commands.forEach((command, place) => {
    for (const word of [command.verb, ...command.aliases]) {
      assertEquals(number(word), place);
      assertEquals(number(word.toLowerCase()), place);
      for (const near of [`${word}A`, word.slice(1), word.slice(0, -1), `${word}\0`, `@${word}`]) {
        const named = commands.findIndex(({ verb, aliases }) =>
          [verb, ...aliases].some((name) => name === near)
        );
        assertEquals(number(near), named < 0 ? unknownVerb : named, near);
      }
    }
  });
});

Deno.test("words: line feeds are found near and far, and only within the range", () => {
  for (const length of [1, 127, 128, 129, 130, 200, 5000]) {
    for (const excess of [0, 100, 10_000]) {
      const bytes = new Uint8Array(3 + length + excess).fill(0x61);
      assertEquals(findLineFeed(bytes, 3, 3 + length), -1);
      bytes.fill(0x0a, 3 + length + 1);
      assertEquals(findLineFeed(bytes, 3, 3 + length), -1);
      bytes.fill(0x0a, 3 + length);
      assertEquals(findLineFeed(bytes, 3, 3 + length), -1);
      bytes[3 + length - 1] = 0x0a;
      assertEquals(findLineFeed(bytes, 3, 3 + length), 3 + length - 1);
      bytes[3] = 0x0a;
      assertEquals(findLineFeed(bytes, 3, 3 + length), 3);
    }
  }
});

Deno.test("words: a word longer than allowed is found wherever it lies", () => {
  const has = (text: string) => hasLongerWord(bytesOf(text), 0, bytesOf(text).length, 4);
  for (const text of ["", "abcd", "abcd abcd", " abcd\tabcd ", "a b c d e f", "    "]) {
    assert(!has(text), text);
  }
  for (const text of ["abcde", "a abcde", "abcde a", "abcd abcde abcd", "ab  abcdef"]) {
    assert(has(text), text);
  }
});

Deno.test("errors repeat a client's word escaped and cut", () => {
  const shown = (text: string) => echoed(bytesOf(text), 0, bytesOf(text).length);
  assertEquals(shown("plain"), "plain");
  assertEquals(shown("ünï💡"), "ünï💡");
  assertEquals(shown("a\x1b[31m\r\u2028\u202e"), "a\\u{1b}[31m\\u{d}\\u{2028}\\u{202e}");
  assertEquals(shown("x".repeat(64)), "x".repeat(64));
  assertEquals(shown("x".repeat(65)), "x".repeat(64) + "...");
  assertEquals(shown("💡".repeat(1000)), "💡".repeat(64) + "...");
});

Deno.test("reply writer: what is moved out is a copy, or the buffer where it is half full", () => {
  let given = 0;
  const writer = new ReplyWriter({
    take: (bytesMin) => new Uint8Array(bytesMin),
    give: (bytes) => given += bytes.length,
  });
  writer.text("drop, keep");
  const { bytes } = writer;
  const moved = writer.moveOut(6);
  assert(moved !== bytes && writer.bytes === bytes, "a short reply takes the whole buffer along");
  bytes.fill(0x21);
  assertEquals(new TextDecoder().decode(moved), "keep");
  writer.appendRange(new Uint8Array(bytes.length).fill(0x61), 0, bytes.length / 2);
  assert(writer.moveOut(0) === bytes && writer.bytes !== bytes, "half a buffer is copied");
  assertEquals([writer.length, given], [0, 0]);
  // The base64 of what follows must go to the new buffer.
  writer.value(bytesOf("a"), 0, 1);
  assertEquals(new TextDecoder().decode(writer.bytes.subarray(0, writer.length)), "VALUE YQ==\n");
  writer.reserve(1 << 20);
  given = 0;
  writer.clear();
  assert(given >= 1 << 20 && writer.bytes.length === 0, "a large buffer is kept");
});

Deno.test("reply writer: grows, writes numbers, and holds nothing once it is moved out", () => {
  const writer = new ReplyWriter();
  assertEquals(writer.bytes.length, 0);
  const numbers = [0, 9, 10, 99, 100, 4_294_967_296, 10_737_418_240, 2 ** 53 - 1];
  for (const number of numbers) {
    writer.number(number);
    writer.blank();
  }
  writer.text("é".repeat(5000));
  writer.endLine();
  const { length } = writer;
  assertEquals(
    new TextDecoder().decode(writer.moveOut(0).subarray(0, length)),
    `${numbers.join(" ")} ${"é".repeat(5000)}\n`,
  );
  assertEquals([writer.length, writer.bytes.length], [0, 0]);
});

Deno.test("sniffing: HTTP and TLS are recognized, and this protocol is not taken for them", () => {
  const http = (line: string) => isHttpRequest(bytesOf(line), 0, bytesOf(line).length);
  for (
    const line of ["GET / HTTP/1.1", "POST /set HTTP/1.0", "PRI * HTTP/2.0", "MGET a HTTP/1.1"]
  ) {
    assert(http(line), line);
  }
  for (const line of ["PUT http://a/b HTTP/1.1", "SET / HTTP/1.1", "CONNECT a:1 HTTP/1.1"]) {
    assert(http(line), line);
  }
  for (const line of ["SET k HTTP/1.1", "SET user:1 HTTP/1.1", "GET /", "", "SET k HTTP/2.0"]) {
    assert(!http(line), line);
  }
  for (const line of ["SET /k HTTP/1.x", "GET / HTTP/1.12", "HTTP/1.1", "GET HTTP/1.1"]) {
    assert(!http(line), line);
  }
  const start = (line: string) => isHttpRequestStart(bytesOf(line), 0, bytesOf(line).length);
  assert(start("POST /" + "a".repeat(1000)));
  assert(start("POST /" + "a".repeat(1000) + " HTTP/1."));
  assert(!start("SET /k " + "a".repeat(1000)));
  assert(!start("a".repeat(1000)));
  assert(isTlsHello(Uint8Array.of(0x16, 0x03, 0x01), 0, 3));
  assert(!isTlsHello(Uint8Array.of(0x16), 0, 1));
  assert(!isTlsHello(Uint8Array.of(0x16, 0x20), 0, 2));
});
