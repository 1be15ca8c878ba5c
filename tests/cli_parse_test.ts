import { assertEquals, assertThrows } from "./assert.ts";
import type { Option } from "../cli/option.ts";
import { clientCommand } from "../cli/options/client.ts";
import { serveCommand } from "../cli/options/serve.ts";
import { parse } from "../cli/parse.ts";
import { UsageError } from "../cli/usage_error.ts";

const none = () => undefined;
const serve = (args: string[], env: Record<string, string> = {}) =>
  parse(serveCommand.options, args, { env: (name) => env[name] });

Deno.test("a flag takes its value as the next word or after an equals sign", () => {
  assertEquals(serve(["--max-line", "1KiB"]).values["max-line"], 1024);
  assertEquals(serve(["--max-line=1KiB"]).values["max-line"], 1024);
  assertEquals(serve([]).values["max-line"], undefined);
});

Deno.test("a repeatable flag gathers its values, any other is given once", () => {
  assertEquals(serve(["--tcp", ":1", "--tcp=[::1]:2"]).values.tcp, [
    { hostname: "127.0.0.1", port: 1 },
    { hostname: "::1", port: 2 },
  ]);
  assertThrows(() => serve(["--unix", "a", "--unix", "b"]), UsageError, "--unix is given 2 times");
  assertThrows(
    () => parse(clientCommand.options, ["-r", "1", "--repeat", "2"], { env: none }),
    UsageError,
    "--repeat is given 2 times",
  );
});

Deno.test("an unknown flag, a missing value and a bad value each name the flag", () => {
  assertThrows(() => serve(["--nonsense"]), UsageError, "unknown flag --nonsense");
  assertThrows(() => serve(["--nonsense=1"]), UsageError, "unknown flag --nonsense");
  assertThrows(() => serve(["-q"]), UsageError, "unknown flag -q");
  assertThrows(() => serve(["--no-tcp"]), UsageError, "unknown flag --no-tcp");
  assertThrows(() => serve(["--tcp"]), UsageError, "--tcp needs a value: --tcp HOST:PORT");
  assertThrows(() => serve(["--tcp", "--unix", "a"]), UsageError, "--tcp needs a value");
  assertThrows(() => serve(["--unix="]), UsageError, "--unix needs a value");
  assertThrows(() => serve(["--memory-limit", "10MB"]), UsageError, "--memory-limit: ");
});

Deno.test("the environment fills in what no flag gives, and an empty variable counts as not set", () => {
  const env = { BLINK_MAX_LINE: "2KiB", BLINK_TCP: ":1, [::1]:2", BLINK_UNIX: "" };
  assertEquals(serve([], env).values["max-line"], 2048);
  assertEquals(serve(["--max-line", "1KiB"], env).values["max-line"], 1024);
  assertEquals(serve([], env).values.tcp.map(({ port }) => port), [1, 2]);
  assertEquals(serve(["--tcp", ":3"], env).values.tcp.map(({ port }) => port), [3]);
  assertEquals(serve([], env).values.unix, undefined);
  assertThrows(() => serve([], { BLINK_MAX_LINE: "x" }), UsageError, "BLINK_MAX_LINE: ");
});

Deno.test("every flag of the server has its environment variable", () => {
  for (const { name, env } of serveCommand.options) {
    assertEquals(env, `BLINK_${name.toUpperCase().replaceAll("-", "_")}`);
  }
});

Deno.test("with stopEarly, flags end at the first word, and what follows is untouched", () => {
  const words = (args: string[]) =>
    parse(clientCommand.options, args, { env: none, stopEarly: true }).words;
  assertEquals(words(["--raw", "SET", "k", "--raw"]), ["SET", "k", "--raw"]);
  assertEquals(words(["SET", "n", "-5"]), ["SET", "n", "-5"]);
  assertEquals(words(["SET", "k", "--", "x"]), ["SET", "k", "--", "x"]);
  assertEquals(words(["SET", "k", "007"]), ["SET", "k", "007"]);
  assertEquals(words(["--", "GET", "--help"]), ["GET", "--help"]);
  assertEquals(words(["-r", "3", "-i", "0.5", "INCR", "n"]), ["INCR", "n"]);
});

Deno.test("help is given whatever else is wrong with the values", () => {
  assertEquals(serve(["--memory-limit", "x", "--help"]).help, true);
  assertEquals(serve(["-h"]).help, true);
  assertEquals(serve([]).help, false);
});

Deno.test("an optional value may be left out", () => {
  const scan = (args: string[]) => parse(clientCommand.options, args, { env: none }).values.scan;
  assertEquals(scan(["--scan"]), "");
  assertEquals(scan(["--scan", "user:"]), "user:");
  assertEquals(scan([]), undefined);
});

Deno.test("names and variables of a table are used once", () => {
  for (const { options } of [serveCommand, clientCommand]) {
    const names = options.flatMap(({ name, short }: Option) => short ? [name, short] : [name]);
    assertEquals(new Set(names).size, names.length);
  }
});
