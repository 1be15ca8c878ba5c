/** Tests of shell/format.ts and what it is made of: replies as people and scripts see them. */
import { assertEquals } from "./assert.ts";
import { noColours, someColours } from "../shell/colours.ts";
import { formatReply, plainStyle, type ReplyStyle } from "../shell/format.ts";
import {
  formatBytes,
  formatCount,
  formatPercent,
  formatSeconds,
  sparkline,
} from "../shell/units.ts";
import { prettyJson } from "../shell/pretty_json.ts";

const people: ReplyStyle = { ...plainStyle, terminal: true };
const json: ReplyStyle = { ...plainStyle, output: "json" };
const csv: ReplyStyle = { ...plainStyle, output: "csv" };

function shown(reply: string, style: ReplyStyle): string {
  return new TextDecoder().decode(formatReply(reply, style));
}

function base64(text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}

Deno.test("plain: a value is printed byte for byte, and a line feed", () => {
  const bytes = Uint8Array.of(0, 27, 255, 10, 128);
  const reply = `VALUE ${btoa(String.fromCharCode(...bytes))}`;
  assertEquals(formatReply(reply, plainStyle), Uint8Array.of(...bytes, 10));
  assertEquals(shown("VALUE ", plainStyle), "\n");
});

Deno.test("plain: figures are bare, all else is as on the wire", () => {
  for (
    const [reply, text] of [
      ["INT -9223372036854775808", "-9223372036854775808"],
      ["TTL 83.250", "83.250"],
      ["TTL never", "never"],
      ['INFO {"a":1}', '{"a":1}'],
      [`VALUES ${base64("a")} "" - ${base64("b c")}`, "a\n\n\nb c"],
      ["USAGE 9", "USAGE 9"],
      ["DELETED 3", "DELETED 3"],
      ["KEYS 0 a b", "KEYS 0 a b"],
      ['KEYS 0 "YSBi"', 'KEYS 0 "YSBi"'],
      ["OK", "OK"],
      ["NOT_FOUND", "NOT_FOUND"],
      ["ERROR unknown command", "ERROR unknown command"],
      ["ERROR", "ERROR"],
      ["NEWER reply of another server", "NEWER reply of another server"],
      ["VALUE not*base64", "VALUE not*base64"],
      ["", ""],
    ]
  ) assertEquals(shown(reply, plainStyle), text + "\n");
});

Deno.test("people: values are safe text", () => {
  assertEquals(shown(`VALUE ${base64("a\x1b[2Jb\n")}`, people), "a\\x1b[2Jb\\n\n");
  assertEquals(shown("ERROR \x1b]0;title\x07", people), "ERROR \\x1b]0;title\\x07\n");
  assertEquals(shown("KEYS 0 a\x1bb", people), "1) a\\x1bb\n(finished)\n");
  assertEquals(shown('KEYS 0 "YRsK"', people), '1) "YRsK" (a\\x1b\\n)\n(finished)\n');
});

Deno.test("people: values in a numbered list, figures that can be read", () => {
  assertEquals(
    shown(`VALUES ${base64("alice")} - ""`, people),
    "1) alice\n2) (none)\n3) (empty)\n",
  );
  assertEquals(shown("TTL 83.250", people), "83.25 s\n");
  assertEquals(shown("TTL 3720.000", people), "1 h 2 min\n");
  assertEquals(shown("TTL never", people), "never\n");
  assertEquals(shown("INT 42", people), "42\n");
  assertEquals(shown("USAGE 9", people), "USAGE 9\n");
  assertEquals(shown("USAGE 10485760", people), "USAGE 10485760 (10 MiB)\n");
  assertEquals(shown("KEYS 17", people), "(next: SCAN 17)\n");
});

Deno.test("people: INFO is a table, what lies inside another indented below it", () => {
  assertEquals(
    shown('INFO {"entries":3,"bytes":{"data":10485760},"limit":2048,"errors":{}}', people),
    "entries  3\nbytes\n  data  10485760 (10 MiB)\nlimit    2048 (2 KiB)\nerrors\n  -\n",
  );
});

Deno.test("colours mark errors, notes and escapes", () => {
  const coloured = { ...people, colours: someColours };
  assertEquals(shown("ERROR x", coloured), "\x1b[31mERROR x\x1b[39m\n");
  assertEquals(shown(`VALUE ${base64("a\n")}`, coloured), "a\x1b[36m\\n\x1b[39m\n");
  assertEquals(noColours.red("x"), "x");
});

Deno.test("--json-values lays JSON out and leaves other values alone", () => {
  const laid = { ...plainStyle, jsonValues: true };
  assertEquals(
    shown(`VALUE ${base64('{"a":[1,{}]}')}`, laid),
    '{\n  "a": [\n    1,\n    {}\n  ]\n}\n',
  );
  assertEquals(shown(`VALUE ${base64("{not json")}`, laid), "{not json\n");
  const list = shown(`VALUES ${base64("[1]")} ${base64("x")}`, { ...people, jsonValues: true });
  assertEquals(list, "1) [\n     1\n   ]\n2) x\n");
  const tricky = shown(`VALUE ${base64('["\x7f\u202e"]')}`, { ...people, jsonValues: true });
  assertEquals(tricky, '[\n  "\\x7f\\u{202e}"\n]\n');
});

Deno.test("laying JSON out keeps its numbers, escapes and order", () => {
  const text = '{"b":12345678901234567890,"a":1.0e400,"b":"\\u00e9, [x] \\" {"}';
  assertEquals(
    prettyJson(text),
    '{\n  "b": 12345678901234567890,\n  "a": 1.0e400,\n  "b": "\\u00e9, [x] \\" {"\n}',
  );
  for (const same of ["1", '"a b"', "null", "[]", "{}"]) assertEquals(prettyJson(same), same);
  assertEquals(prettyJson(" [ ] "), "[]");
  for (const not of ["", "{", "[1,]", "alice", "NaN"]) assertEquals(prettyJson(not), undefined);
});

Deno.test("JSON output: an object a reply, numbers with all their digits", () => {
  const bytes = btoa("\xff");
  for (
    const [reply, text] of [
      [`VALUE ${base64('a"\n')}`, '{"reply":"VALUE","value":"a\\"\\n"}'],
      [`VALUE ${bytes}`, `{"reply":"VALUE","base64":"${bytes}"}`],
      [
        `VALUES ${base64("a")} - "" ${bytes}`,
        `{"reply":"VALUES","values":["a",null,"",{"base64":"${bytes}"}]}`,
      ],
      ["INT 9223372036854775807", '{"reply":"INT","number":9223372036854775807}'],
      ["USAGE 9", '{"reply":"USAGE","bytes":9}'],
      ["TTL 83.250", '{"reply":"TTL","seconds":83.25}'],
      ["TTL never", '{"reply":"TTL","seconds":null}'],
      ["KEYS 5 a b", '{"reply":"KEYS","next":5,"keys":["a","b"]}'],
      ['KEYS 0 "YSBi"', '{"reply":"KEYS","next":0,"keys":["a b"]}'],
      ["DELETED 3", '{"reply":"DELETED","count":3}'],
      ['INFO {"a":1}', '{"reply":"INFO","info":{"a":1}}'],
      ["HELP SET GET", '{"reply":"HELP","verbs":["SET","GET"]}'],
      ["ERROR no", '{"reply":"ERROR","message":"no"}'],
      ["NOT_FOUND", '{"reply":"NOT_FOUND"}'],
    ]
  ) {
    assertEquals(shown(reply, json), text + "\n");
    JSON.parse(text);
  }
});

Deno.test("CSV output: a record a reply, fields quoted where they need it", () => {
  assertEquals(shown(`VALUE ${base64('a,"b"\n')}`, csv), 'VALUE,"a,""b""\n"\n');
  assertEquals(shown(`VALUES ${base64("a")} - ""`, csv), 'VALUES,a,,""\n');
  assertEquals(shown("KEYS 0 a b", csv), "KEYS,0,a,b\n");
  assertEquals(shown('KEYS 0 "YQpi" b', csv), 'KEYS,0,"a\nb",b\n');
  assertEquals(shown("OK", csv), "OK\n");
  assertEquals(shown("TTL never", csv), "TTL,never\n");
  assertEquals(formatReply("VALUE /w==", csv), Uint8Array.of(86, 65, 76, 85, 69, 44, 255, 10));
});

Deno.test("JSON and CSV on a terminal are safe as well", () => {
  const value = `VALUE ${base64("\x7f\u202e")}`;
  assertEquals(shown(value, { ...json, terminal: true }).includes("\u202e"), false);
  assertEquals(shown(value, { ...csv, terminal: true }), "VALUE,\\x7f\\u{202e}\n");
});

Deno.test("sizes, counts, shares and durations are shown with three digits", () => {
  assertEquals([0, 999, 1000, 1536, 10 << 20, 12 * 2 ** 30].map(formatBytes), [
    "0 B",
    "999 B",
    "0.98 KiB",
    "1.5 KiB",
    "10 MiB",
    "12 GiB",
  ]);
  assertEquals([0, 999, 1000, 1234567].map(formatCount), ["0", "999", "1,000", "1,234,567"]);
  assertEquals([formatPercent(1, 2), formatPercent(0, 0), formatPercent(0, 5)], [
    "50.0 %",
    "-",
    "0.0 %",
  ]);
  assertEquals(
    [0.0121, 0.9996, 1, 83.25, 119.999, 120, 3600, 90_061, 86_700, 315_360_000].map(formatSeconds),
    [
      "12 ms",
      "1 s",
      "1 s",
      "83.25 s",
      "119.999 s",
      "2 min",
      "1 h",
      "1 d 1 h",
      "1 d",
      "10 y",
    ],
  );
});

Deno.test("bars are as high as their figures", () => {
  assertEquals(sparkline([0, 1, 4, 8]), "▁▁▄█");
  assertEquals(sparkline([0, 0]), "▁▁");
  assertEquals(sparkline([]), "");
});
