/**
 * Tests of shell/request.ts: the words of a one-off command are one request, whatever they hold.
 */
import { assertEquals, assertThrows } from "./assert.ts";
import { requestLine, UsageError } from "../shell/request.ts";

function lineOf(words: string[], input?: string | Uint8Array): string {
  const bytes = typeof input === "string" ? new TextEncoder().encode(input) : input;
  return new TextDecoder().decode(requestLine(words, bytes));
}

Deno.test("words become the line that one would type", () => {
  assertEquals(lineOf(["get", "user"]), "GET user");
  assertEquals(lineOf(["SET", "k", "a  b", "c"]), "SET k a  b c");
  assertEquals(lineOf(["SET", "k"]), "SET k ");
  assertEquals(lineOf(["SET", "k", " a "]), "SET k  a ");
  assertEquals(lineOf(["PUT", "k", "-", "v"]), "PUT k - v");
  assertEquals(lineOf(["MGET", "a", "b", "c"]), "MGET a b c");
  assertEquals(lineOf(["del", "k"]), "DELETE k");
  assertEquals(lineOf(["USAGE", "ignored", "words"]), "USAGE");
  assertEquals(lineOf(["SET", "ключ", "値"]), "SET ключ 値");
});

Deno.test("a value that a line cannot carry goes in base64", () => {
  assertEquals(lineOf(["SET", "k", "a\nGET b"]), `PUT k b64 ${btoa("a\nGET b")}`);
  assertEquals(lineOf(["SET", "k", "a\r"]), `PUT k b64 ${btoa("a\r")}`);
  assertEquals(lineOf(["PUT", "k", "-", "\n"]), `PUT k b64 ${btoa("\n")}`);
  assertEquals(lineOf(["PUT", "k", "ttl=5,absent", "\n"]), `PUT k ttl=5,absent,b64 ${btoa("\n")}`);
  // A carriage return inside is carried by a plain line.
  assertEquals(lineOf(["SET", "k", "a\rb"]), "SET k a\rb");
});

Deno.test("-x: the value comes byte for byte from the input", () => {
  assertEquals(lineOf(["SET", "k"], "plain"), "SET k plain");
  assertEquals(lineOf(["SET", "k"], ""), "SET k ");
  assertEquals(lineOf(["SET", "k"], "line\n"), `PUT k b64 ${btoa("line\n")}`);
  assertEquals(
    requestLine(["SET", "k"], Uint8Array.of(255, 0)),
    Uint8Array.of(83, 69, 84, 32, 107, 32, 255, 0),
  );
  assertEquals(lineOf(["PUT", "k", "ttl=9"], "v"), "PUT k ttl=9 v");
  // What `base64 file` prints has line breaks in it.
  assertEquals(lineOf(["PUT", "k", "b64"], "YWJj\nZGVm\n"), "PUT k b64 YWJjZGVm");
  assertThrows(() => lineOf(["SET", "k", "v"], "x"), UsageError, "standard input");
});

Deno.test("-x: another command's last word loses the line break behind it", () => {
  assertEquals(lineOf(["GET"], "user\n"), "GET user");
  assertEquals(lineOf(["MGET", "a"], "b\r\n"), "MGET a b");
  assertThrows(() => lineOf(["GET"], "a\nb\n"), UsageError, "line break");
  assertThrows(() => lineOf(["GET"], Uint8Array.of(255)), UsageError, "UTF-8");
});

Deno.test("words that would become other commands or arguments are refused", () => {
  for (
    const [words, problem] of [
      [["GET", "a b"], "blank or line break"],
      [["GET", "a\nDELETE b"], "blank or line break"],
      [["SET", "a b", "v"], "blank or line break"],
      [["PUT", "k", "ttl=5 absent", "v"], "blank or line break"],
      [["GET", ""], "is empty"],
      [["SET", "", "v"], "is empty"],
      [["GET"], "GET requires key; usage: GET key [ttl=S]"],
      [["SET"], "SET requires key"],
      [["PUT", "k"], "PUT requires options"],
      [["MGET"], "MGET requires key"],
      [["EXPIRE", "k"], "EXPIRE requires"],
      [["TTL", "a", "b"], 'TTL takes no "b"'],
      [["PING", "x"], 'PING takes no "x"'],
      [["GTE", "k"], 'Unknown command "GTE": did you mean GET?'],
      [["nonsense"], "HELP lists the commands"],
      [["\x1b[2J"], 'Unknown command "\\x1b[2J"'],
    ] as [string[], string][]
  ) assertThrows(() => lineOf(words), UsageError, problem);
});
