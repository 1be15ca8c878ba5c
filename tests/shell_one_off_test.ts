/** Tests of one-off commands: the reply and nothing else, and an exit status for scripts. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "./assert.ts";
import { runClient } from "../shell/mod.ts";
import { connect } from "../client.ts";
import { FakeTerminal, ShellServer } from "./fake_terminal.ts";

Deno.test("one-off: the value and a line feed, and nothing else", async () => {
  await using server = await ShellServer.open();
  assertEquals((await server.oneOff(["SET", "user", "alice"])).text, "OK\n");
  const got = await server.oneOff(["GET", "user"]);
  assertEquals([got.text, got.errors, got.status], ["alice\n", "", 0]);
  assertEquals((await server.oneOff(["USAGE"])).text, "USAGE 9\n");
  assertEquals((await server.oneOff(["GET", "user"], { raw: true })).text, "alice");
  assertEquals((await server.oneOff(["INCR", "n"])).text, "1\n");
  assertEquals(
    (await server.oneOff(["GET", "n"], { output: "json" })).text,
    '{"reply":"VALUE","value":"1"}\n',
  );
});

Deno.test("one-off: the exit status says how it went", async () => {
  await using server = await ShellServer.open();
  const missing = await server.oneOff(["GET", "nothing"]);
  assertEquals([missing.status, missing.text], [1, "NOT_FOUND\n"]);
  assertEquals((await server.oneOff(["DELETE", "nothing"])).status, 1);
  assertEquals((await server.oneOff(["SET", "text", "x"])).status, 0);
  const error = await server.oneOff(["INCR", "text"]);
  assertEquals([error.status, error.text], [1, "ERROR value is not an integer\n"]);
  const usage = await server.oneOff(["GET", "a b"]);
  assertEquals([usage.status, usage.text], [2, ""]);
  assertMatch(usage.errors, /^The key "a b" has a blank.*\n$/);
  assertEquals((await server.oneOff(["QUIT"])).status, 0);
});

Deno.test("one-off: without a server, one line says what to do", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  const terminal = new FakeTerminal({ input: "" });
  const status = await runClient({
    address: `127.0.0.1:${port}`,
    connect: () => connect({ port }),
    words: ["GET", "user"],
  }, terminal.io);
  assertEquals([status, terminal.output.text], [1, ""]);
  assertMatch(
    terminal.errors.text,
    new RegExp(`^Cannot connect to 127.0.0.1:${port}: .*serve.*\n$`),
  );
});

Deno.test("one-off: words with blanks and line breaks do not become other commands", async () => {
  await using server = await ShellServer.open();
  await server.oneOff(["SET", "other", "stays"]);
  assertEquals((await server.oneOff(["SET", "k", "a b", "c"])).status, 0);
  assertEquals((await server.oneOff(["GET", "k"])).text, "a b c\n");
  assertEquals((await server.oneOff(["SET", "k", "x\nDELETE other\n"])).status, 0);
  assertEquals((await server.oneOff(["GET", "k"], { raw: true })).text, "x\nDELETE other\n");
  assertEquals((await server.oneOff(["GET", "x\nDELETE other"])).status, 2);
  assertEquals((await server.oneOff(["GET", "other"])).text, "stays\n");
});

Deno.test("one-off: a file is stored with -x and fetched back identical with --raw", async () => {
  await using server = await ShellServer.open();
  const random = new Uint8Array(300_000);
  for (let at = 0; at < random.length; at += 65_536) {
    crypto.getRandomValues(random.subarray(at, at + 65_536));
  }
  const every = Uint8Array.from({ length: 256 }, (_, index) => index);
  for (const file of [new Uint8Array(), every, random, new TextEncoder().encode("line\r\n")]) {
    const stored = await server.oneOff(["SET", "file"], { lastFromInput: true }, file);
    assertEquals([stored.text, stored.status], ["OK\n", 0]);
    const raw = await server.oneOff(["GET", "file"], { raw: true });
    assertEquals(raw.bytes, file);
    const plain = await server.oneOff(["GET", "file"]);
    assertEquals(plain.bytes, new Uint8Array([...file, 10]));
  }
});

Deno.test("one-off: --raw leaves standard output empty when there is no value", async () => {
  await using server = await ShellServer.open();
  const missing = await server.oneOff(["GET", "nothing"], { raw: true });
  assertEquals([missing.text, missing.errors, missing.status], ["", "NOT_FOUND\n", 1]);
});

Deno.test("one-off: a value on a terminal is escaped, with --raw it is not", async () => {
  await using server = await ShellServer.open();
  await server.oneOff(["SET", "k", "\x1b[31m"]);
  const terminal = new FakeTerminal({ terminal: true });
  await server.run({ words: ["GET", "k"] }, terminal);
  assertEquals(terminal.output.text, "\x1b[36m\\x1b\x1b[39m[31m\n");
  const plain = new FakeTerminal({ terminal: true, env: { NO_COLOR: "1" } });
  await server.run({ words: ["GET", "k"] }, plain);
  assertEquals(plain.output.text, "\\x1b[31m\n");
  const raw = new FakeTerminal({ terminal: true });
  await server.run({ words: ["GET", "k"], raw: true }, raw);
  assertEquals(raw.output.text, "\x1b[31m");
});

Deno.test("one-off: -r runs it again on the same connection", async () => {
  await using server = await ShellServer.open();
  const thrice = await server.oneOff(["INCR", "n"], { repeat: 3, intervalSeconds: 0.001 });
  assertEquals([thrice.text, thrice.status], ["1\n2\n3\n", 0]);
});

Deno.test("one-off: HELP asks the server, HELP with a command the table", async () => {
  await using server = await ShellServer.open();
  assertMatch((await server.oneOff(["HELP"])).text, /^HELP SET GET /);
  assertMatch((await server.oneOff(["help", "put"])).text, /^PUT key options \[value\]\n/);
});

Deno.test("one-off: where a token is required, the error says how to give it", async () => {
  await using server = await ShellServer.open({ token: "secret" });
  const refused = await server.oneOff(["GET", "k"]);
  assertEquals(refused.status, 1);
  assertStringIncludes(refused.text, "ERROR authentication required");
  const terminal = new FakeTerminal({ input: "" });
  const status = await server.run({
    words: ["GET", "k"],
    connect: () => connect({ port: server.port, token: "wrong" }),
  }, terminal);
  assertEquals(status, 1);
  assertStringIncludes(terminal.errors.text, "BLINK_TOKEN");
  assert(!terminal.errors.text.includes("wrong"));
});
