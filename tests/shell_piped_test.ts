/** Tests of piped input: every line is run, byte for byte, in order, in bounded memory. */
import { assert, assertEquals, assertMatch } from "./assert.ts";
import { LineSplitter } from "../shell/line_splitter.ts";
import { OutputBuffer } from "../shell/output_buffer.ts";
import type { ShellStore } from "../shell/mod.ts";
import { inFlightMax, replyBytesInFlightMax, runPiped } from "../shell/piped.ts";
import { FakeTerminal, ShellServer } from "./fake_terminal.ts";

const encoder = new TextEncoder();

/** How long a test waits for what it expects, in milliseconds. */
const waitMs = 30_000;

async function piped(server: ShellServer, input: string | Uint8Array) {
  const terminal = new FakeTerminal({ input });
  const status = await server.run({}, terminal);
  return {
    status,
    text: terminal.output.text,
    bytes: terminal.output.bytes,
    errors: terminal.errors.text,
  };
}

Deno.test("piped: replies decoded and in order, no greeting, no prompt", async () => {
  await using server = await ShellServer.open();
  const session =
    "SET user alice\nGET user\n\n  \t\nUSAGE\r\nDELETE user\nGET user\nquit\nSET user bob\n";
  const { text, status, errors } = await piped(server, session);
  assertEquals([text, status, errors], ["OK\nalice\nUSAGE 9\nOK\nNOT_FOUND\n", 0, ""]);
  assertEquals((await piped(server, "GET user")).text, "NOT_FOUND\n");
});

Deno.test("piped: bytes that are not UTF-8 pass through unchanged", async () => {
  await using server = await ShellServer.open();
  const value = Uint8Array.from({ length: 256 }, (_, index) => index).filter((byte) => byte !== 10);
  const { bytes } = await piped(
    server,
    new Uint8Array([...encoder.encode("SET k "), ...value, ...encoder.encode("\nGET k\n")]),
  );
  assertEquals(bytes, new Uint8Array([...encoder.encode("OK\n"), ...value, 10]));
});

Deno.test("piped: an ERROR makes the exit status 1, and the lines behind it run", async () => {
  await using server = await ShellServer.open();
  const { text, status } = await piped(server, "NONSENSE\nPING\n");
  assertEquals([text, status], ["ERROR unknown command\nPONG\n", 1]);
  assertEquals((await piped(server, "GET nothing\n")).status, 0);
});

Deno.test("piped: the last line counts without a line feed", async () => {
  await using server = await ShellServer.open();
  assertEquals((await piped(server, "PING\nPING")).text, "PONG\nPONG\n");
  assertEquals((await piped(server, "")).text, "");
});

Deno.test("piped: each reply comes before the next line is typed", async () => {
  await using server = await ShellServer.open();
  const terminal = new FakeTerminal();
  const run = server.run({}, terminal);
  await terminal.typeFor("SET a 1\n", "OK\n");
  await terminal.typeFor("GET a\n", "1\n");
  terminal.endInput();
  assertEquals(await run, 0);
});

Deno.test("piped: many lines, in chunks cut anywhere", async () => {
  await using server = await ShellServer.open();
  const count = 20_000;
  let lines = "";
  for (let index = 0; index < count; index++) lines += `SET k ${index}\nGET k\n`;
  const bytes = encoder.encode(lines);
  let at = 0;
  const input = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (at >= bytes.length) return controller.close();
      const size = 1 + (at * 7919) % 65_536;
      controller.enqueue(bytes.subarray(at, at + size));
      at += size;
    },
  });
  const replies: string[] = [];
  const terminal = new FakeTerminal({ input });
  const output = {
    ...terminal.io.output,
    isTerminal: false,
    columns: () => 80,
    write: (chunk: string | Uint8Array) => {
      replies.push(typeof chunk === "string" ? chunk : new TextDecoder().decode(chunk));
      return Promise.resolve();
    },
  };
  const status = await runPiped(server.options, { ...terminal.io, output });
  const expected = Array.from({ length: count }, (_, index) => `OK\n${index}\n`).join("");
  assertEquals(status, 0);
  assert(replies.join("") === expected);
});

Deno.test("piped: a lost connection is reported with its line, and ends the run while the input is silent", async () => {
  await using server = await ShellServer.open();
  const terminal = new FakeTerminal();
  const store: ShellStore = {
    request: (line) =>
      new TextDecoder().decode(line as Uint8Array) === "GET b"
        ? Promise.reject(new Error("Lost the connection"))
        : Promise.resolve("OK"),
    close: () => {},
  };
  const run = server.run({ connect: () => Promise.resolve(store) }, terminal);
  terminal.type("SET a 1\n\nGET b\nGET c\n");
  assertEquals(await run, 1);
  assertEquals(terminal.errors.text, "Line 3 has no reply: Lost the connection\n");
  assertEquals(terminal.output.text, "OK\n");
});

/** A store whose replies come when the test lets them. */
class SlowStore implements ShellStore {
  waiting: ((reply: string) => void)[] = [];
  most = 0;

  request(): Promise<string> {
    return new Promise((resolve) => {
      this.waiting.push(resolve);
      this.most = Math.max(this.most, this.waiting.length);
    });
  }

  close() {}
}

Deno.test("piped: requests in flight are bounded, and fewer when replies are large", async () => {
  const store = new SlowStore();
  const terminal = new FakeTerminal({ input: "GET k\n".repeat(inFlightMax * 3) });
  const large = `VALUE ${"A".repeat(replyBytesInFlightMax / 8)}`;
  let quiet = false;
  const run = runPiped({ address: "", connect: () => Promise.resolve(store) }, {
    ...terminal.io,
    output: { isTerminal: false, columns: () => 80, write: () => Promise.resolve() },
  });
  const turn = () => new Promise((resolve) => setTimeout(resolve));
  const endsAt = Date.now() + waitMs;
  const inTime = () => assert(Date.now() < endsAt, "the run is not over in time");
  for (; store.waiting.length < inFlightMax; inTime()) await turn();
  await turn();
  assertEquals(store.most, inFlightMax);
  store.waiting.pop()?.(large);
  for (const answer of store.waiting.splice(0)) answer("NOT_FOUND");
  store.most = 0;
  for (let rounds = 0; rounds < 5; rounds++) {
    await turn();
    for (const answer of store.waiting.splice(0)) answer(large);
  }
  assert(store.most <= 16, `${store.most} large replies in flight`);
  for (; !quiet; inTime()) {
    for (const answer of store.waiting.splice(0)) answer("NOT_FOUND");
    quiet = await Promise.race([run.then(() => true), turn().then(() => false)]);
  }
  assertEquals(await run, 0);
});

function linesOf(chunks: Uint8Array[], lineBytesMax: number): (string | undefined)[] {
  const splitter = new LineSplitter(lineBytesMax);
  const lines = chunks.flatMap((chunk) => [...splitter.push(chunk)]).concat([...splitter.end()]);
  return lines.map((line) => line && new TextDecoder().decode(line));
}

Deno.test("lines are the same however the input is cut", () => {
  const input = encoder.encode("first\r\n\nsecond line\n\r\nlong line here\nend\r");
  const expected = ["first", "", "second line", "", undefined, "end"];
  for (let one = 0; one <= input.length; one++) {
    for (let two = one; two <= input.length; two++) {
      const chunks = [input.subarray(0, one), input.subarray(one, two), input.subarray(two)];
      assertEquals(linesOf(chunks, 12), expected, `cut at ${one} and ${two}`);
    }
  }
});

Deno.test("a line at its limit is taken, one byte more is not", () => {
  for (const [length, taken] of [[9, true], [10, true], [11, false]] as const) {
    const line = "x".repeat(length);
    for (const end of ["\n", "\r\n", ""]) {
      for (const cut of [0, 5, length]) {
        const bytes = encoder.encode(line + end + (end ? "next" : ""));
        const lines = linesOf([bytes.subarray(0, cut), bytes.subarray(cut)], 10);
        assertEquals(
          lines,
          [taken ? line : undefined, ...(end ? ["next"] : [])],
          `${length} ${JSON.stringify(end)} ${cut}`,
        );
      }
    }
  }
});

Deno.test("output that waits for its reader is counted, and a reader that has gone ends it", async () => {
  const writes: number[] = [];
  let proceed = () => {};
  const output = new OutputBuffer({
    isTerminal: false,
    columns: () => 80,
    write: (chunk) => {
      writes.push(chunk.length);
      return new Promise((resolve) => proceed = resolve);
    },
  });
  for (let index = 0; index < 10; index++) output.append(new Uint8Array(100));
  await new Promise((resolve) => setTimeout(resolve));
  output.append(new Uint8Array(200_000));
  assertEquals([writes, output.waitingBytes], [[1000], 200_000]);
  proceed();
  await new Promise((resolve) => setTimeout(resolve));
  proceed();
  await output.flushed();
  assertEquals(writes, [1000, 200_000]);

  const broken = new OutputBuffer({
    isTerminal: false,
    columns: () => 80,
    write: () => Promise.reject(new Deno.errors.BrokenPipe("gone")),
  });
  broken.append(new Uint8Array(1));
  const error = await broken.flushed().catch((error) => error);
  assert(error instanceof Deno.errors.BrokenPipe && broken.failed);
});

Deno.test("piped: the reader of the output may stop early", async () => {
  await using server = await ShellServer.open();
  const terminal = new FakeTerminal({ input: "PING\n".repeat(10_000) });
  const output = {
    isTerminal: false,
    columns: () => 80,
    write: () => Promise.reject(new Deno.errors.BrokenPipe("gone")),
  };
  const { runClient } = await import("../shell/mod.ts");
  assertEquals(await runClient(server.options, { ...terminal.io, output }), 0);
  assertMatch(terminal.errors.text, /^$/);
});
