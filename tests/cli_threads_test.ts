/**
 * `blink-store serve --threads`: the flag, its variable, what the first line says, and how a server
 * of several threads ends.
 *
 * @module
 */

import { assert, assertEquals, assertStringIncludes } from "./assert.ts";
import { blinkStore, exchange, sandboxedSources, serving } from "./command_line.ts";

const ignore = Deno.build.os !== "linux";

/** Connections to a server, each of which has had an answer. */
async function connections(port: number, count: number): Promise<Deno.Conn[]> {
  const made: Deno.Conn[] = [];
  while (made.length < count) {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port });
    await conn.write(new TextEncoder().encode("PING\n"));
    await conn.read(new Uint8Array(64));
    made.push(conn);
  }
  return made;
}

Deno.test({
  name: "--threads chooses how many loops serve, and the first line and INFO say it",
  ignore,
  async fn() {
    for (
      const [args, env, threads] of [
        [[], {}, 1],
        [["--threads", "1"], {}, 1],
        [["--threads", "2"], { BLINK_THREADS: "3" }, 2],
        [[], { BLINK_THREADS: "3" }, 3],
        [["--threads", "64"], {}, 64],
      ] as [string[], Record<string, string>, number][]
    ) {
      await using server = await serving(["--tcp", ":0", ...args], { env });
      const end = threads === 1 ? " epoll event loop" : ` epoll event loop, ${threads} threads`;
      assert(server.line.endsWith(end), server.line);
      const [, info] = /^INFO (.*)\n$/.exec(await exchange(server, "INFO\n")) ?? [];
      const { threads: shown, connections } = JSON.parse(info);
      assertEquals([shown, connections.per_thread.length], [threads, threads]);
    }
  },
});

Deno.test("where epoll is not available, auto is one thread, and a number is one clear line", async () => {
  const given = { program: sandboxedSources() };
  await using server = await serving(["--tcp", ":0", "--threads", "auto"], given);
  assert(server.line.endsWith(", portable event loop"), server.line);
  const sandboxed = await blinkStore(["serve", "--threads", "2"], given);
  assertOneLine(sandboxed, "--threads 2: more than one needs the epoll loop");
  const portable = await blinkStore(["serve", "--threads", "2", "--io", "portable"]);
  assertOneLine(portable, "without --io portable");
});

Deno.test({
  name: "SIGTERM drains all threads, and the status is 0",
  ignore,
  async fn() {
    await using server = await serving(["--tcp", ":0", "--threads", "3"]);
    const conns = await connections(server.port, 6);
    for (const conn of conns) await conn.write(new TextEncoder().encode("INCR n\n"));
    for (const conn of conns) await conn.read(new Uint8Array(64));
    server.kill("SIGTERM");
    const { status, stderr } = await server.ended;
    assertEquals(status, 0);
    assertEquals(stderr.trimEnd().split("\n").length, 1, stderr);
    for (const conn of conns) conn.close();
  },
});

Deno.test({
  name: "a second signal ends all threads at once, with the signal's status",
  ignore,
  async fn() {
    await using server = await serving(["--tcp", ":0", "--threads", "2"]);
    const conns = await connections(server.port, 2);
    // Each thread has a client that does not read its replies: a graceful end would wait for it.
    for (const conn of conns) {
      await conn.write(new TextEncoder().encode(`SET big ${"x".repeat(2 ** 20)}\n`));
      await conn.read(new Uint8Array(64));
      await conn.write(new TextEncoder().encode("GET big\n".repeat(32)));
      await conn.read(new Uint8Array(1));
    }
    server.kill("SIGTERM");
    await server.logged("SIGTERM");
    const again = setInterval(() => {
      try {
        server.kill("SIGTERM");
      } catch {
        // It has ended.
      }
    }, 20);
    try {
      assertEquals((await server.ended).status, 143);
    } finally {
      clearInterval(again);
      for (const conn of conns) conn.close();
    }
  },
});

Deno.test({
  name: "a wrong token is logged from each thread, and the log holds no token",
  ignore,
  async fn() {
    const env = { BLINK_TOKEN: "correct-horse-battery" };
    await using server = await serving(["--tcp", ":0", "--threads", "2"], { env });
    const conns = await connections(server.port, 2);
    for (const conn of conns) {
      await conn.write(new TextEncoder().encode("AUTH wrong-horse\n"));
      await conn.read(new Uint8Array(64));
    }
    await server.logged("Authentication failed");
    for (const conn of conns) {
      await conn.write(new TextEncoder().encode("AUTH correct-horse-battery\nUSAGE\n"));
      await conn.read(new Uint8Array(64));
      conn.close();
    }
    server.kill("SIGTERM");
    const { status, stderr } = await server.ended;
    assertEquals(status, 0);
    assert(!stderr.includes("horse"), stderr);
    // Both threads' failures are in the log, the second one at the end of the interval.
    assertEquals(stderr.match(/Authentication failed: from 127/g)?.length, 2, stderr);
  },
});

function assertOneLine(
  { status, stdout, stderr }: { status: number; stdout: string; stderr: string },
  names: string,
): void {
  assertEquals([status, stdout], [1, ""]);
  assertStringIncludes(stderr, names);
  assertEquals(stderr.trimEnd().split("\n").length, 1, stderr);
}
