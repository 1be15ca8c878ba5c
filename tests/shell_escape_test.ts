/** Tests of shell/escape.ts: whatever the bytes, a terminal gets nothing but text. */
import { assert, assertEquals } from "./assert.ts";
import { escapeBytes, escapeText, isSafe, textOf } from "../shell/escape.ts";

Deno.test("text without control characters stays as it is", () => {
  for (
    const text of ["", "alice", "значение 値", "👩‍👩‍👧 family", "C:\\new\\table", " blanks  kept "]
  ) {
    assertEquals(escapeText(text), text);
    assertEquals(escapeBytes(new TextEncoder().encode(text)), text);
  }
});

Deno.test("line breaks, tabs and other control characters are escaped", () => {
  assertEquals(escapeText("a\nb\r\tc"), "a\\nb\\r\\tc");
  assertEquals(escapeText("\x1b[31mred\x07\x7f\0"), "\\x1b[31mred\\x07\\x7f\\x00");
  assertEquals(escapeText("\u009b31m\u0085"), "\\u{9b}31m\\u{85}");
});

Deno.test("marks that turn the direction of writing are escaped", () => {
  assertEquals(escapeText("abc\u202egpj.exe\u2066\ufeff"), "abc\\u{202e}gpj.exe\\u{2066}\\u{feff}");
});

Deno.test("bytes that are not UTF-8 are shown by number, the text around them as it is", () => {
  assertEquals(escapeBytes(Uint8Array.of(0xff, 0x61, 0x80)), "\\xffa\\x80");
  // Overlong, a surrogate, beyond Unicode, and a character cut short at the end.
  assertEquals(escapeBytes(Uint8Array.of(0xc0, 0xaf)), "\\xc0\\xaf");
  assertEquals(escapeBytes(Uint8Array.of(0xed, 0xa0, 0x80)), "\\xed\\xa0\\x80");
  assertEquals(escapeBytes(Uint8Array.of(0xf5, 0x80, 0x80, 0x80)), "\\xf5\\x80\\x80\\x80");
  assertEquals(escapeBytes(Uint8Array.of(0x61, 0xe5, 0x80)), "a\\xe5\\x80");
  const mixed = new Uint8Array([...new TextEncoder().encode("値"), 0xff, 0x1b]);
  assertEquals(escapeBytes(mixed), "値\\xff\\x1b");
});

Deno.test("no byte, alone or behind another, reaches a terminal as a control character", () => {
  for (let first = 0; first < 256; first++) {
    for (const second of [0x00, 0x1b, 0x41, 0x7f, 0x80, 0x85, 0x9b, 0xad, 0xff]) {
      const shown = escapeBytes(Uint8Array.of(first, second, 0x9b, 0x31, 0x6d));
      assert(isSafe(shown), `${first} ${second} is shown as ${JSON.stringify(shown)}`);
    }
  }
});

Deno.test("an escape is marked, text that looks like one is not", () => {
  const mark = (escape: string) => `<${escape}>`;
  assertEquals(escapeText("a\\n\n", mark), "a\\n<\\n>");
  assertEquals(escapeBytes(Uint8Array.of(0x41, 0xff), mark), "A<\\xff>");
});

Deno.test("a byte order mark is a part of the text", () => {
  assertEquals(textOf(Uint8Array.of(0xef, 0xbb, 0xbf, 0x41)), "\ufeffA");
  assertEquals(textOf(Uint8Array.of(0xff)), undefined);
});
