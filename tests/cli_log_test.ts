/** Tests of cli/log.ts: no failure to write a line ends the process, blocks it or goes unsaid. */
// @ts-types="../types/std.d.ts"
import { deadline } from "@std/async/deadline";
import { type LineSink, LineWriter } from "../cli/log.ts";
import { assert, assertEquals, assertStringIncludes } from "./assert.ts";
import { exchange, root, serveWords } from "./command_line.ts";

/** How long a test waits for a process, in milliseconds. */
const waitMs = 60_000;
/** More than any test here needs: a flush that takes this long has failed. */
const flushMs = 30_000;

/** A sink in memory whose writes fail, stop or are cut short as a test asks. */
class TestSink implements LineSink {
  text = "";
  writes = 0;
  /** What each write does; once none is left, all bytes are taken. */
  next: (number | Error | Promise<number>)[] = [];
  works = true;

  async write(bytes: Uint8Array): Promise<number> {
    this.writes++;
    if (!this.works) throw new Error("No space left on device");
    const outcome = await (this.next.shift() ?? bytes.length);
    if (outcome instanceof Error) throw outcome;
    this.text += new TextDecoder().decode(bytes.subarray(0, outcome));
    return outcome;
  }
}

Deno.test("lines are written in order, each with its prefix, and a line break in one is a blank", async () => {
  const sink = new TestSink();
  const log = new LineWriter(sink, { prefix: () => "12:00 " });
  log.line("one");
  log.line("two\nforged");
  await log.flushed(flushMs);
  assertEquals(sink.text, "12:00 one\n12:00 two forged\n");
  await log.flushed(flushMs);
});

Deno.test("a line is written to its end where a write takes a part of it", async () => {
  const sink = new TestSink();
  sink.next = [1, 2];
  const log = new LineWriter(sink);
  log.line("whole");
  await log.flushed(flushMs);
  assertEquals(sink.text, "whole\n");
});

Deno.test("lines that cannot be written are counted, and the count comes once writing works", async () => {
  const sink = new TestSink();
  const log = new LineWriter(sink);
  sink.works = false;
  for (const line of ["one", "two", "three"]) {
    log.line(line);
    await log.flushed(flushMs);
  }
  // One attempt a line: a full disk is not asked more often than there is something to say.
  assertEquals([sink.text, sink.writes], ["", 3]);
  sink.works = true;
  log.line("four");
  log.line("five");
  await log.flushed(flushMs);
  assertEquals(sink.text, "3 lines of this log could not be written\nfour\nfive\n");
});

Deno.test("a line cut short by a failure is ended before the next one", async () => {
  const sink = new TestSink();
  const log = new LineWriter(sink);
  sink.next = [2, new Error("No space left on device")];
  log.line("torn");
  await log.flushed(flushMs);
  log.line("next");
  await log.flushed(flushMs);
  assertEquals(sink.text, "to\n1 line of this log could not be written\nnext\n");
});

Deno.test("a write of nothing counts as a failure, not as a reason to try for ever", async () => {
  const sink = new TestSink();
  sink.next = [0];
  const log = new LineWriter(sink);
  log.line("lost");
  await log.flushed(flushMs);
  assertEquals([sink.text, sink.writes], ["", 1]);
});

Deno.test("while a write is stuck, lines wait up to a bound and are counted beyond it", async () => {
  for (const [waitingBytesMax, written] of [[11, 1], [12, 2], [13, 2]]) {
    const sink = new TestSink();
    const stuck = Promise.withResolvers<number>();
    sink.next = [stuck.promise];
    const log = new LineWriter(sink, { waitingBytesMax });
    log.line("stuck");
    await log.flushed(0);
    for (const line of ["11111", "22222", "33333"]) log.line(line);
    // The flush gives up, since the reader may never come back.
    await log.flushed(1);
    assertEquals(sink.text, "");
    stuck.resolve(6);
    await log.flushed(flushMs);
    const lost = 3 - written;
    assertEquals(
      sink.text,
      "stuck\n" + ["11111\n", "22222\n"].slice(0, written).join("") +
        `${lost} ${lost === 1 ? "line" : "lines"} of this log could not be written\n`,
    );
  }
});

/** A server on a Unix socket whose standard output or error is not as it should be. */
class Broken implements AsyncDisposable {
  readonly #folder: string;
  readonly path: string;
  readonly child: Deno.ChildProcess;

  /**
   * The redirections of the server's standard streams, and what a shell does before, in a folder.
   */
  constructor(redirect: string, before = "") {
    this.#folder = Deno.makeTempDirSync();
    this.path = `${this.#folder}/blink.sock`;
    this.child = new Deno.Command("sh", {
      args: [
        "-c",
        `cd '${this.#folder}' && ${before} exec "$@" ${redirect}`,
        "sh",
        ...serveWords(),
        "--unix",
        this.path,
      ],
      env: { BLINK_TOKEN: "a token of this test".replaceAll(" ", "-") },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  }

  /** Sends lines once the server listens; fails when it does not in time. */
  async exchange(lines: string): Promise<string> {
    const endsAt = Date.now() + waitMs;
    while (true) {
      try {
        return await exchange({ path: this.path }, lines);
      } catch (error) {
        if (Date.now() > endsAt) throw error;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
  }

  /** Stops the server; its exit status. */
  async stop(): Promise<number> {
    this.child.kill("SIGTERM");
    return (await deadline(this.child.status, waitMs)).code;
  }

  async [Symbol.asyncDispose]() {
    try {
      this.child.kill("SIGKILL");
    } catch {
      // It has ended already.
    }
    await this.child.status;
    // A stream whose reader has gone is closed already.
    await this.child.stdout.cancel().catch(() => {});
    await this.child.stderr.cancel().catch(() => {});
    await Deno.remove(this.#folder, { recursive: true });
  }
}

const wrongToken = "AUTH a-guess\n";
const refused = "ERROR authentication failed\n";
const session = "AUTH a-token-of-this-test\nSET user alice\nGET user\n";
const answer = "OK\nOK\nVALUE YWxpY2U=\n";
const noFullDevice = Deno.build.os !== "linux";

/** Each: a name, the redirections of the server's streams, and what the shell does before. */
const unwritable = [
  ["standard error on a full disk", "2>/dev/full", ""],
  ["standard output on a full disk", ">/dev/full", ""],
  ["both closed", ">&- 2>&-", ""],
  // A pipe holds 64 KiB, and writing more blocks.
  ["a full pipe", ">&3 2>&3", "mkfifo log; exec 3<>log; head -c 65536 /dev/zero >&3;"],
  // The pipe can be opened for writing while it has a reader, which then goes.
  ["a pipe whose reader is gone", ">&4 2>&4", "mkfifo log; exec 3<>log 4>log 3<&-;"],
] as const;

for (const [name, redirect, before] of unwritable) {
  Deno.test({
    name: `guards against an unwritable log that ends the server: ${name}`,
    ignore: noFullDevice,
    fn: async () => {
      await using server = new Broken(redirect, before);
      assertEquals(await server.exchange(session), answer);
      for (let guess = 0; guess < 3; guess++) {
        assertEquals(await server.exchange(wrongToken), refused);
      }
      assertStringIncludes(await server.exchange(session), "VALUE YWxpY2U=");
      assertEquals(await server.stop(), 0);
    },
  });
}

Deno.test({
  name: "a mistake in the command line has its exit status where standard error cannot be written",
  ignore: noFullDevice,
  fn: async () => {
    const { code } = await new Deno.Command("sh", {
      args: ["-c", 'exec "$@" 2>/dev/full', "sh", ...serveWords(), "--nonsense"],
      cwd: root,
    }).output();
    assert(code === 2, `status ${code}`);
  },
});
