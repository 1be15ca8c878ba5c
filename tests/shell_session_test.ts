/** Tests of the interactive shell, on a terminal in memory. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "./assert.ts";
import { connect } from "../client.ts";
import { Ground, World } from "./shell_world.ts";

const noColour = { NO_COLOR: "1" };

/** Starts a session and waits for its prompt; its status comes with `ended`. */
async function session(ground: Ground, world: World, options = {}) {
  const ended = ground.run(options, world);
  await world.output.shows("> ");
  return { ended };
}

Deno.test("session: greeting, prompt, values decoded, empty lines skipped, QUIT in any case", async () => {
  await using ground = await Ground.open();
  const world = new World({ terminal: true, env: noColour });
  const { ended } = await session(ground, world);
  const greeting = `Connected to 127.0.0.1:${ground.port}\n` +
    "Commands: SET <key> <value> | GET <key> | DELETE <key> | USAGE | QUIT\n\n";
  assert(world.output.text.startsWith(greeting));
  assert(world.raw);
  await world.typeFor("SET user alice\r", /OK\n.*> /s);
  await world.typeFor("GET user\r", /alice\n.*> /s);
  await world.typeFor("\r", "> ");
  await world.typeFor("USAGE\r", /USAGE 9\n/);
  await world.typeFor("DELETE user\r", /OK\n/);
  await world.typeFor("GET user\r", /NOT_FOUND\n/);
  world.type("qUiT\r");
  assertEquals(await ended, 0);
  assert(!world.raw);
  assertEquals(world.errors.text, "");
});

Deno.test("session: Ctrl-D, Ctrl-C and the end of the terminal leave it with status 0", async () => {
  await using ground = await Ground.open();
  for (const leave of ["\x04", "\x03", "GET half typed\x03", "end"]) {
    const world = new World({ terminal: true, env: noColour });
    const { ended } = await session(ground, world);
    if (leave === "end") world.endInput();
    else world.type(leave);
    assertEquals(await ended, 0, JSON.stringify(leave));
    assert(world.output.text.endsWith("\n") && !world.raw, JSON.stringify(world.output.text));
  }
});

Deno.test("session: Ctrl-C leaves also while a reply is awaited", async () => {
  await using ground = await Ground.open();
  const world = new World({ terminal: true, env: noColour });
  let asked = () => {};
  const waiting = new Promise<void>((resolve) => asked = resolve);
  const { ended } = await session(ground, world, {
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
  world.type("GET a\r");
  await waiting;
  world.type("\x03");
  assertEquals(await ended, 0);
});

Deno.test("session: a signal leaves it and gives the terminal back", async () => {
  await using ground = await Ground.open();
  const world = new World({ terminal: true, env: noColour });
  const { ended } = await session(ground, world);
  world.end.abort();
  assertEquals(await ended, 0);
  assert(!world.raw);
});

Deno.test("session: a lost server is told in a line, and the next command connects again", async () => {
  const first = await Ground.open();
  const world = new World({ terminal: true, env: noColour });
  const { ended } = await session(first, world);
  await world.typeFor("PING\r", "PONG\n");
  first.abort();
  await world.typeFor("PING\r", /; the next command connects again\n/);
  await using _second = await Ground.open({}, first.port);
  await world.typeFor("PING\r", "PONG\n");
  world.type("\x04");
  assertEquals(await ended, 0);
});

Deno.test("session: pasted lines run one after another, each behind its own prompt", async () => {
  await using ground = await Ground.open();
  const world = new World({ terminal: true, env: noColour });
  const { ended } = await session(ground, world);
  await world.typeFor("SET a\tb c\rSET k a\tb\rGET k\rQUIT\r", /a\\tb\n/);
  assertEquals(await ended, 0);
  // deno-lint-ignore no-control-regex
  const lines = world.output.text.replace(/\x1b\[[0-9;]*[A-Za-z]/g, "").split(/\r?\n/).map((line) =>
    line.replace(/^.*\r/, "")
  );
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
  await using ground = await Ground.open();
  const world = new World({ terminal: true, env: noColour });
  const { ended } = await session(ground, world);
  const value = "long value 値 ".repeat(1_600);
  for (let at = 0; at < value.length; at += 4000) {
    world.type((at === 0 ? "SET k " : "") + value.slice(at, at + 4000));
  }
  await world.typeFor("\r", "OK\n");
  assertEquals((await ground.oneOff(["GET", "k"], { raw: true })).text, value);
  await world.typeFor("ge\t", "get ");
  await world.typeFor("k\x15\x04", "\n");
  await ended;
});

Deno.test("session: an unknown command brings the server's error and advice", async () => {
  await using ground = await Ground.open();
  const world = new World({ terminal: true, env: noColour });
  const { ended } = await session(ground, world);
  await world.typeFor("GTE k\r", "ERROR unknown command\nDid you mean GET?\n");
  await world.typeFor("GET\r", "ERROR GET requires key\n");
  await world.typeFor("help ttl\r", "TTL key\n");
  world.type("\x04");
  await ended;
});

Deno.test("session: a token that is wanted and was not given is asked for", async () => {
  await using ground = await Ground.open({ token: "secret" });
  const world = new World({ terminal: true, env: noColour });
  const { ended } = await session(ground, world);
  await world.typeFor("GET k\r", "ERROR authentication required\nAUTH <token> shows the token.\n");
  await world.typeFor("AUTH wrong\r", "ERROR authentication failed\n");
  await world.typeFor("AUTH secret\r", "OK\n");
  await world.typeFor("GET k\r", "NOT_FOUND\n");
  world.type("\x04");
  await ended;
});

Deno.test("session: control characters of values and errors never reach the terminal", async () => {
  await using ground = await Ground.open();
  const setup = await connect({ port: ground.port });
  await setup.put("k", Uint8Array.of(0x1b, 0x5d, 0x30, 0x3b, 0x68, 0x69, 0x07, 0xff, 0x0a));
  await setup.close();
  const world = new World({ terminal: true, env: noColour });
  const { ended } = await session(ground, world);
  await world.typeFor("GET k\r", "\\x1b]0;hi\\x07\\xff\\n\n");
  assert(!world.output.text.includes("\x07"));
  world.type("\x04");
  await ended;
});

Deno.test("session: the history is kept in its file, without secrets", async () => {
  await using ground = await Ground.open({ token: "secret" });
  const path = await Deno.makeTempFile();
  try {
    for (const round of [1, 2]) {
      const world = new World({ terminal: true, env: { ...noColour, BLINK_HISTORY: path } });
      const { ended } = await session(ground, world);
      if (round === 2) {
        // Up: the newest line is the last one of the session before.
        await world.typeFor("\x1b[A", "GET a");
        await world.typeFor("\x15", "> ");
      }
      await world.typeFor("AUTH secret\r", "OK\n");
      await world.typeFor("GET a\r", "NOT_FOUND\n");
      world.type("\x04");
      await ended;
    }
    assertEquals(await Deno.readTextFile(path), "GET a\nGET a\n");
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("session: a history that cannot be opened is told in a line and does no harm", async () => {
  await using ground = await Ground.open();
  const world = new World({
    terminal: true,
    env: { ...noColour, BLINK_HISTORY: "/nowhere/history" },
  });
  const { ended } = await session(ground, world);
  assertStringIncludes(world.output.text, "The history is not kept: cannot open /nowhere/history");
  await world.typeFor("PING\r", "PONG\n");
  world.type("\x04");
  assertEquals(await ended, 0);
});

Deno.test("session: Tab completes commands and keys of the store", async () => {
  await using ground = await Ground.open();
  const world = new World({ terminal: true, env: noColour });
  const { ended } = await session(ground, world);
  await world.typeFor("SET user:alice 1\r", "OK\n");
  await world.typeFor("G", "G");
  await world.typeFor("\t", "ET ");
  await world.typeFor("us", "us");
  await world.typeFor("\t", "er:alice");
  await world.typeFor("\r", "1\n");
  world.type("\x04");
  await ended;
});

Deno.test("session: hints only where there are colours, and wiped before the reply", async () => {
  await using ground = await Ground.open();
  const plain = new World({ terminal: true, env: noColour });
  const one = await session(ground, plain);
  await plain.typeFor("PUT", "PUT");
  await plain.typeFor(" k - 1\r", "OK\n");
  plain.type("\x04");
  await one.ended;
  assert(!plain.output.text.includes("options"));

  const coloured = new World({ terminal: true });
  const other = await session(ground, coloured);
  await coloured.typeFor("GET", "\x1b[2m key [ttl=S]\x1b[22m\x1b[12D");
  const from = coloured.output.text.length;
  await coloured.typeFor(" k\r", "1\n");
  // Wiped before the line break that Enter brings.
  assertMatch(JSON.stringify(coloured.output.text.slice(from)), /^"\\u001b\[K[^\n]*\\r\\n/);
  coloured.type("\x04");
  await other.ended;
});

Deno.test("session: a hint is cut so that it never breaks the line", async () => {
  await using ground = await Ground.open();
  const world = new World({ terminal: true, columns: 16 });
  const { ended } = await session(ground, world);
  // "> PUT k " takes 8 of 16 columns, and the last one stays free.
  await world.typeFor("PUT k ", "\x1b[2moptions\x1b[22m\x1b[7D");
  world.type("\x03");
  await ended;
});

Deno.test("session: Ctrl-R finds a line of the history", async () => {
  await using ground = await Ground.open();
  const world = new World({ terminal: true, env: noColour });
  const { ended } = await session(ground, world);
  await world.typeFor("SET first 1\r", "OK\n");
  await world.typeFor("SET second 2\r", "OK\n");
  await world.typeFor("\x12", "(search: )");
  await world.typeFor("fir", "(search: fir) SET first 1");
  await world.typeFor("\x05", "SET first 1");
  await world.typeFor("0\r", "OK\n");
  await world.typeFor("GET first\r", "10\n");
  world.type("\x04");
  await ended;
});

Deno.test("session: --json prints replies as data here as well", async () => {
  await using ground = await Ground.open();
  const world = new World({ terminal: true, env: noColour });
  const { ended } = await session(ground, world, { output: "json" });
  await world.typeFor("SET k v\r", '{"reply":"OK"}\n');
  await world.typeFor("GET k\r", '{"reply":"VALUE","value":"v"}\n');
  world.type("\x04");
  await ended;
});
