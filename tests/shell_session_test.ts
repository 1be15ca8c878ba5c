/** Tests of the interactive shell, on a terminal in memory. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "./assert.ts";
import { connect } from "../client.ts";
import { FakeTerminal, ShellServer } from "./fake_terminal.ts";

const noColour = { NO_COLOR: "1" };

/** Starts a session and waits for its prompt; its status comes with `ended`. */
async function session(server: ShellServer, terminal: FakeTerminal, options = {}) {
  const ended = server.run(options, terminal);
  await terminal.output.shows("> ");
  return { ended };
}

Deno.test("session: greeting, prompt, values decoded, empty lines skipped, QUIT in any case", async () => {
  await using server = await ShellServer.open();
  const terminal = new FakeTerminal({ terminal: true, env: noColour });
  const { ended } = await session(server, terminal);
  const greeting = `Connected to 127.0.0.1:${server.port}\n` +
    "Commands: SET <key> <value> | GET <key> | DELETE <key> | USAGE | QUIT\n\n";
  assert(terminal.output.text.startsWith(greeting));
  assert(terminal.raw);
  await terminal.typeFor("SET user alice\r", /OK\n.*> /s);
  await terminal.typeFor("GET user\r", /alice\n.*> /s);
  await terminal.typeFor("\r", "> ");
  await terminal.typeFor("USAGE\r", /USAGE 9\n/);
  await terminal.typeFor("DELETE user\r", /OK\n/);
  await terminal.typeFor("GET user\r", /NOT_FOUND\n/);
  terminal.type("qUiT\r");
  assertEquals(await ended, 0);
  assert(!terminal.raw);
  assertEquals(terminal.errors.text, "");
});

Deno.test("session: Ctrl-D, Ctrl-C and the end of the terminal leave it with status 0", async () => {
  await using server = await ShellServer.open();
  for (const leave of ["\x04", "\x03", "GET half typed\x03", "end"]) {
    const terminal = new FakeTerminal({ terminal: true, env: noColour });
    const { ended } = await session(server, terminal);
    if (leave === "end") terminal.endInput();
    else terminal.type(leave);
    assertEquals(await ended, 0, JSON.stringify(leave));
    assert(
      terminal.output.text.endsWith("\n") && !terminal.raw,
      JSON.stringify(terminal.output.text),
    );
  }
});

Deno.test("session: Ctrl-C leaves also while a reply is awaited", async () => {
  await using server = await ShellServer.open();
  const terminal = new FakeTerminal({ terminal: true, env: noColour });
  let asked = () => {};
  const waiting = new Promise<void>((resolve) => asked = resolve);
  const { ended } = await session(server, terminal, {
    connect: () =>
      Promise.resolve({
        request: (_: unknown, { signal }: { signal: AbortSignal }) => {
          asked();
          return new Promise((_, reject) =>
            signal.addEventListener("abort", () => reject(signal.reason))
          );
        },
        close: () => {},
      }),
  });
  terminal.type("GET a\r");
  await waiting;
  terminal.type("\x03");
  assertEquals(await ended, 0);
});

Deno.test("session: a signal leaves it and gives the terminal back", async () => {
  await using server = await ShellServer.open();
  const terminal = new FakeTerminal({ terminal: true, env: noColour });
  const { ended } = await session(server, terminal);
  terminal.end.abort();
  assertEquals(await ended, 0);
  assert(!terminal.raw);
});

Deno.test("session: a lost server is reported in a line, and the next command connects again", async () => {
  const first = await ShellServer.open();
  const terminal = new FakeTerminal({ terminal: true, env: noColour });
  const { ended } = await session(first, terminal);
  await terminal.typeFor("PING\r", "PONG\n");
  first.abort();
  await terminal.typeFor("PING\r", /; the next command connects again\n/);
  await using _second = await ShellServer.open({}, first.port);
  await terminal.typeFor("PING\r", "PONG\n");
  terminal.type("\x04");
  assertEquals(await ended, 0);
});

Deno.test("session: pasted lines run one after another, each behind its own prompt", async () => {
  await using server = await ShellServer.open();
  const terminal = new FakeTerminal({ terminal: true, env: noColour });
  const { ended } = await session(server, terminal);
  await terminal.typeFor("SET a\tb c\rSET k a\tb\rGET k\rQUIT\r", /a\\tb\n/);
  assertEquals(await ended, 0);
  // deno-lint-ignore no-control-regex
  const lines = terminal.output.text.replace(/\x1b\[[0-9;]*[A-Za-z]/g, "").split(/\r?\n/).map((
    line,
  ) => line.replace(/^.*\r/, ""));
  assertEquals(lines.slice(3).filter((line) => line !== ""), [
    "> SET a\tb c",
    "OK",
    "> SET k a\tb",
    "OK",
    "> GET k",
    "a\\tb",
    "> QUIT",
  ]);
});

Deno.test("session: a long line is pasted in time, and a tab that ends quick typing completes", async () => {
  await using server = await ShellServer.open();
  const terminal = new FakeTerminal({ terminal: true, env: noColour });
  const { ended } = await session(server, terminal);
  const value = "long value 値 ".repeat(1_600);
  for (let at = 0; at < value.length; at += 4000) {
    terminal.type((at === 0 ? "SET k " : "") + value.slice(at, at + 4000));
  }
  await terminal.typeFor("\r", "OK\n");
  assertEquals((await server.oneOff(["GET", "k"], { raw: true })).text, value);
  await terminal.typeFor("ge\t", "get ");
  await terminal.typeFor("k\x15\x04", "\n");
  await ended;
});

Deno.test("session: an unknown command brings the server's error and advice", async () => {
  await using server = await ShellServer.open();
  const terminal = new FakeTerminal({ terminal: true, env: noColour });
  const { ended } = await session(server, terminal);
  await terminal.typeFor("GTE k\r", "ERROR unknown command\nDid you mean GET?\n");
  await terminal.typeFor("GET\r", "ERROR GET requires key\n");
  await terminal.typeFor("help ttl\r", "TTL key\n");
  terminal.type("\x04");
  await ended;
});

Deno.test("session: a token that is wanted and was not given is asked for", async () => {
  await using server = await ShellServer.open({ token: "secret" });
  const terminal = new FakeTerminal({ terminal: true, env: noColour });
  const { ended } = await session(server, terminal);
  await terminal.typeFor(
    "GET k\r",
    "ERROR authentication required\nAUTH <token> logs in.\n",
  );
  await terminal.typeFor("AUTH wrong\r", "ERROR authentication failed\n");
  await terminal.typeFor("AUTH secret\r", "OK\n");
  await terminal.typeFor("GET k\r", "NOT_FOUND\n");
  terminal.type("\x04");
  await ended;
});

Deno.test("session: control characters of values and errors never reach the terminal", async () => {
  await using server = await ShellServer.open();
  const setup = await connect({ port: server.port });
  await setup.put("k", Uint8Array.of(0x1b, 0x5d, 0x30, 0x3b, 0x68, 0x69, 0x07, 0xff, 0x0a));
  await setup.close();
  const terminal = new FakeTerminal({ terminal: true, env: noColour });
  const { ended } = await session(server, terminal);
  await terminal.typeFor("GET k\r", "\\x1b]0;hi\\x07\\xff\\n\n");
  assert(!terminal.output.text.includes("\x07"));
  terminal.type("\x04");
  await ended;
});

Deno.test("session: the history is kept in its file, without secrets", async () => {
  await using server = await ShellServer.open({ token: "secret" });
  const path = await Deno.makeTempFile();
  try {
    for (const round of [1, 2]) {
      const terminal = new FakeTerminal({
        terminal: true,
        env: { ...noColour, BLINK_HISTORY: path },
      });
      const { ended } = await session(server, terminal);
      if (round === 2) {
        // Up: the newest line is the last one of the session before.
        await terminal.typeFor("\x1b[A", "GET a");
        await terminal.typeFor("\x15", "> ");
      }
      await terminal.typeFor("AUTH secret\r", "OK\n");
      await terminal.typeFor("GET a\r", "NOT_FOUND\n");
      terminal.type("\x04");
      await ended;
    }
    assertEquals(await Deno.readTextFile(path), "GET a\nGET a\n");
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("session: a history that cannot be opened is reported in a line and does no harm", async () => {
  await using server = await ShellServer.open();
  const terminal = new FakeTerminal({
    terminal: true,
    env: { ...noColour, BLINK_HISTORY: "/nowhere/history" },
  });
  const { ended } = await session(server, terminal);
  assertStringIncludes(
    terminal.output.text,
    "The history is not kept: cannot open /nowhere/history",
  );
  await terminal.typeFor("PING\r", "PONG\n");
  terminal.type("\x04");
  assertEquals(await ended, 0);
});

Deno.test("session: Tab completes commands and keys of the store", async () => {
  await using server = await ShellServer.open();
  const terminal = new FakeTerminal({ terminal: true, env: noColour });
  const { ended } = await session(server, terminal);
  await terminal.typeFor("SET user:alice 1\r", "OK\n");
  await terminal.typeFor("G", "G");
  await terminal.typeFor("\t", "ET ");
  await terminal.typeFor("us", "us");
  await terminal.typeFor("\t", "er:alice");
  await terminal.typeFor("\r", "1\n");
  terminal.type("\x04");
  await ended;
});

Deno.test("session: hints only where there are colours, and wiped before the reply", async () => {
  await using server = await ShellServer.open();
  const plain = new FakeTerminal({ terminal: true, env: noColour });
  const one = await session(server, plain);
  await plain.typeFor("PUT", "PUT");
  await plain.typeFor(" k - 1\r", "OK\n");
  plain.type("\x04");
  await one.ended;
  assert(!plain.output.text.includes("options"));

  const coloured = new FakeTerminal({ terminal: true });
  const other = await session(server, coloured);
  await coloured.typeFor("GET", "\x1b[2m key [ttl=S]\x1b[22m\x1b[12D");
  const from = coloured.output.text.length;
  await coloured.typeFor(" k\r", "1\n");
  // Wiped before the line break that Enter brings.
  assertMatch(JSON.stringify(coloured.output.text.slice(from)), /^"\\u001b\[K[^\n]*\\r\\n/);
  coloured.type("\x04");
  await other.ended;
});

Deno.test("session: a hint is cut so that it never breaks the line", async () => {
  await using server = await ShellServer.open();
  const terminal = new FakeTerminal({ terminal: true, columns: 16 });
  const { ended } = await session(server, terminal);
  // "> PUT k " takes 8 of 16 columns, and the last one stays free.
  await terminal.typeFor("PUT k ", "\x1b[2moptions\x1b[22m\x1b[7D");
  terminal.type("\x03");
  await ended;
});

Deno.test("session: Ctrl-R finds a line of the history", async () => {
  await using server = await ShellServer.open();
  const terminal = new FakeTerminal({ terminal: true, env: noColour });
  const { ended } = await session(server, terminal);
  await terminal.typeFor("SET first 1\r", "OK\n");
  await terminal.typeFor("SET second 2\r", "OK\n");
  await terminal.typeFor("\x12", "(search: )");
  await terminal.typeFor("fir", "(search: fir) SET first 1");
  await terminal.typeFor("\x05", "SET first 1");
  await terminal.typeFor("0\r", "OK\n");
  await terminal.typeFor("GET first\r", "10\n");
  terminal.type("\x04");
  await ended;
});

Deno.test("session: --json prints replies as data here as well", async () => {
  await using server = await ShellServer.open();
  const terminal = new FakeTerminal({ terminal: true, env: noColour });
  const { ended } = await session(server, terminal, { output: "json" });
  await terminal.typeFor("SET k v\r", '{"reply":"OK"}\n');
  await terminal.typeFor("GET k\r", '{"reply":"VALUE","value":"v"}\n');
  terminal.type("\x04");
  await ended;
});
