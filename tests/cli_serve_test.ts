import { assert, assertEquals, assertMatch, assertStringIncludes } from "./assert.ts";
import { blinkStore, exchange, sandboxedSources, serving } from "./command_line.ts";

const onWindows = Deno.build.os === "windows";

/** A folder of this test's own, removed after it. */
async function folder(): Promise<{ path: string } & AsyncDisposable> {
  const path = await Deno.makeTempDir();
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

Deno.test("serve says in one line where it listens, and answers there", async () => {
  await using server = await serving(["--tcp", "127.0.0.1:0"]);
  assertMatch(
    server.line,
    /^Blink Store \d+\.\d+\.\d+ listens on 127\.0\.0\.1:\d+, memory limit 10 MiB, (epoll|portable) event loop$/,
  );
  assertEquals(await exchange(server, "SET user alice\nGET user\n"), "OK\nVALUE YWxpY2U=\n");
});

Deno.test("serve opens every address, TCP and Unix, on one store", async () => {
  await using at = await folder();
  const path = `${at.path}/blink.sock`;
  await using server = await serving(
    ["--tcp", ":0", "--tcp", "[::1]:0", "--unix", path, "--unix-mode", "0660"],
  );
  const [, v4, v6] =
    /on 127\.0\.0\.1:(\d+) and \[::1\]:(\d+) and \S+blink\.sock,/.exec(server.line) ??
      [];
  assert(v4 !== undefined && v6 !== undefined, server.line);
  assertEquals((await Deno.stat(path)).mode! & 0o777, 0o660);
  assertEquals(await exchange({ path }, "SET user alice\n"), "OK\n");
  assertEquals(await exchange({ port: Number(v4) }, "USAGE\n"), "USAGE 9\n");
});

Deno.test("a Unix socket alone opens no TCP, is the user's alone, and is removed at the end", async () => {
  await using at = await folder();
  const path = `${at.path}/blink.sock`;
  await using server = await serving(["--unix", path]);
  assertStringIncludes(server.line, `listens on ${path}, memory limit`);
  assertEquals((await Deno.stat(path)).mode! & 0o777, 0o600);
  assertEquals(await exchange({ path }, "PING\n"), "PONG\n");
  server.kill("SIGTERM");
  assertEquals((await server.ended).status, 0);
  assertEquals(await exists(path), false);
});

Deno.test("a stale socket file is replaced; a live one and another kind of file are not", async () => {
  await using at = await folder();
  const path = `${at.path}/blink.sock`;
  {
    await using server = await serving(["--unix", path]);
    server.kill("SIGKILL");
    await server.ended;
  }
  assertEquals(await exists(path), true);
  await using server = await serving(["--unix", path]);
  const second = await blinkStore(["serve", "--unix", path]);
  assertEquals({ ...second, stderr: "" }, { status: 1, stdout: "", stderr: "" });
  assertOneLine(second.stderr, path);
  assertEquals(await exchange({ path }, "PING\n"), "PONG\n");
  assert(server.line.includes(path));

  const file = `${at.path}/notes.txt`;
  await Deno.writeTextFile(file, "mine");
  const third = await blinkStore(["serve", "--unix", file]);
  assertEquals(third.status, 1);
  assertOneLine(third.stderr, file);
  assertEquals(await Deno.readTextFile(file), "mine");
});

Deno.test("a taken port is one clear line and status 1", async () => {
  await using server = await serving(["--tcp", ":0"]);
  const { status, stdout, stderr } = await blinkStore(["serve", "--tcp", `:${server.port}`]);
  assertEquals({ status, stdout }, { status: 1, stdout: "" });
  assertOneLine(stderr, `127.0.0.1:${server.port}`);
  assertStringIncludes(stderr, "--tcp");
});

Deno.test("the environment sets what no flag does", async () => {
  const env = { BLINK_PORT: "0", BLINK_MEMORY_LIMIT: "1MiB", BLINK_MAX_LINE: "100" };
  await using server = await serving(["--memory-limit", "64KiB"], { env });
  assertMatch(server.line, /on 127\.0\.0\.1:\d+, memory limit 64 KiB, \w+ event loop$/);
  const long = "x".repeat(101);
  assertStringIncludes(await exchange(server, `${long}\n`), "ERROR line too long (max 100 bytes)");
});

Deno.test("bad values are usage errors that name the flag or the variable", async () => {
  const mistakes: [string[], Record<string, string>, string][] = [
    [["--memory-limit", "10MB"], {}, "--memory-limit"],
    [["--memory-limit", "1023"], {}, "--memory-limit"],
    [["--memory-limit", "17179869185"], {}, "more than 16 GiB"],
    [["--max-line", "63"], {}, "--max-line"],
    [["--max-line", "1073741825"], {}, "more than 1 GiB"],
    [["--max-pending", "63"], {}, "--max-pending"],
    [["--idle-timeout", "-1"], {}, "negative"],
    [["--tcp", "localhost"], {}, "--tcp"],
    [["--tcp", ":65536"], {}, "--tcp"],
    [["--unix-mode", "0660"], {}, "add --unix PATH"],
    [[], { BLINK_UNIX_MODE: "0660" }, "add --unix PATH"],
    [["--max-connections", "0"], {}, "--max-connections"],
    [["--idle-timeout", "soon"], {}, "--idle-timeout"],
    [["--io", "kqueue"], {}, "give auto, epoll or portable"],
    [[], { BLINK_IO: "fast" }, "BLINK_IO"],
    [["--threads", "0"], {}, "less than 1"],
    [["--threads", "65"], {}, "more than 64"],
    [["--threads", "many"], {}, "give auto, or one such as 2"],
    [[], { BLINK_THREADS: "1.5" }, "BLINK_THREADS"],
    [[], { BLINK_TCP: "nowhere" }, "BLINK_TCP"],
    [[], { BLINK_PORT: "http" }, "BLINK_PORT"],
  ];
  await Promise.all(mistakes.map(async ([args, env, names]) => {
    const { status, stdout, stderr } = await blinkStore(["serve", ...args], { env });
    assertEquals({ status, stdout }, { status: 2, stdout: "" });
    assertOneLine(stderr, names);
  }));
});

Deno.test("the least and the most that the limits may be are taken", async () => {
  const least = ["--memory-limit", "1KiB", "--max-line", "64", "--max-pending", "64"];
  await using small = await serving(["--tcp", ":0", "--max-connections", "1", ...least]);
  assertStringIncludes(small.line, "memory limit 1 KiB");
  assertEquals(await exchange(small, "SET a 1\nGET a\n"), "OK\nVALUE MQ==\n");
  const most = ["--memory-limit", "16GiB", "--max-line", "1GiB"];
  await using large = await serving(["--tcp", ":0", ...most]);
  assertStringIncludes(large.line, "memory limit 16 GiB");
  assertEquals(await exchange(large, "SET a 1\nGET a\n"), "OK\nVALUE MQ==\n");
});

for (const signal of onWindows ? [] : ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  Deno.test(`${signal} answers what was read, and ends with status 0`, async () => {
    await using server = await serving(["--tcp", ":0"]);
    using conn = await Deno.connect({ port: server.port, hostname: "127.0.0.1" });
    await conn.write(new TextEncoder().encode("SET user alice\n"));
    await conn.read(new Uint8Array(64));
    server.kill(signal);
    const { status, stdout, stderr } = await server.ended;
    assertEquals({ status, stdout }, { status: 0, stdout: `${server.line}\n` });
    assertOneLine(stderr, signal);
  });
}

const stalledReplies = 16;
const stalledValueBytes = 2 ** 20;
/** `VALUE `, the value in base64, and the line's end, for each reply. */
const stalledReplyBytes = stalledReplies * (6 + 4 * Math.ceil(stalledValueBytes / 3) + 1);

/**
 * A client with replies that it does not read but for the first byte, which keep a graceful end
 * waiting.
 */
async function stalled(port: number): Promise<Deno.Conn> {
  const conn = await Deno.connect({ port, hostname: "127.0.0.1" });
  await conn.write(new TextEncoder().encode(`SET big ${"x".repeat(stalledValueBytes)}\n`));
  await conn.read(new Uint8Array(64));
  await conn.write(new TextEncoder().encode("GET big\n".repeat(stalledReplies)));
  await conn.read(new Uint8Array(1));
  return conn;
}

Deno.test({
  name: "a second signal ends the server at once, with the signal's status",
  ignore: onWindows,
  fn: async () => {
    for (
      const [signal, expected] of [["SIGINT", 130], ["SIGTERM", 143], ["SIGHUP", 129]] as const
    ) {
      await using server = await serving(["--tcp", ":0"]);
      // Without a second signal the end would wait for this client, and have status 0.
      using _conn = await stalled(server.port);
      server.kill(signal);
      await server.logged(signal);
      // The first of these may come so soon that they are echoes; one of them does not.
      const again = setInterval(() => {
        try {
          server.kill(signal);
        } catch {
          // It has ended.
        }
      }, 20);
      try {
        assertEquals((await server.ended).status, expected);
      } finally {
        clearInterval(again);
      }
    }
  },
});

Deno.test({
  name: "one Ctrl-C that arrives twice, as from a runner of tasks, stops gracefully",
  ignore: onWindows,
  fn: async () => {
    await using server = await serving(["--tcp", ":0"]);
    using conn = await stalled(server.port);
    // While it is stopped, both signals queue up; it gets them at one moment, however busy the
    // machine is.
    server.kill("SIGSTOP");
    server.kill("SIGINT");
    server.kill("SIGTERM");
    server.kill("SIGCONT");
    await server.logged("stopping");
    // Its replies are read to the end, so a graceful end is possible: an abrupt one cuts them short.
    const buffer = new Uint8Array(65_536);
    let bytes = 1;
    for (let n = await conn.read(buffer); n !== null; n = await conn.read(buffer)) bytes += n;
    assertEquals(bytes, stalledReplyBytes);
    assertEquals((await server.ended).status, 0);
  },
});

Deno.test("with a token, requests wait for AUTH, and the token comes from a file or the environment", async () => {
  await using at = await folder();
  const file = `${at.path}/token`;
  await Deno.writeTextFile(file, "s3cret\n");
  for (
    const [args, env] of [
      [["--token-file", file], {}],
      [[], { BLINK_TOKEN_FILE: file }],
      [[], { BLINK_TOKEN: "s3cret" }],
    ] as [string[], Record<string, string>][]
  ) {
    await using server = await serving(["--tcp", ":0", ...args], { env });
    assertEquals(
      await exchange(server, "USAGE\nAUTH s3cret\nUSAGE\n"),
      "ERROR authentication required\nOK\nUSAGE 0\n",
    );
  }
});

Deno.test("a server that others can reach without a token warns of it", async () => {
  await using open = await serving(["--tcp", "0.0.0.0:0"]);
  await open.logged("Warning: anyone who reaches 0.0.0.0:");
  const env = { BLINK_TOKEN: "a-token-that-is-long-enough" };
  await using guarded = await serving(["--tcp", "0.0.0.0:0"], { env });
  await using local = await serving(["--tcp", "[::1]:0"]);
  for (const server of [guarded, local]) {
    server.kill("SIGTERM");
    assert(!(await server.ended).stderr.includes("Warning"));
  }
});

Deno.test("a refused token is logged without the token", async () => {
  await using server = await serving(["--tcp", ":0"], { env: { BLINK_TOKEN: "s3cret" } });
  assertEquals(await exchange(server, "AUTH guess-1\n"), "ERROR authentication failed\n");
  await server.logged("127.0.0.1");
  server.kill("SIGTERM");
  const { stderr } = await server.ended;
  assert(!stderr.includes("guess-1") && !stderr.includes("s3cret"), stderr);
});

Deno.test("--io chooses the event loop, and the first line and INFO say which one it is", async () => {
  const auto = Deno.build.os === "linux" ? "epoll" : "portable";
  for (
    const [args, env, io] of [
      [[], {}, auto],
      [["--io", "auto"], { BLINK_IO: "portable" }, auto],
      [["--io", "portable"], {}, "portable"],
      [[], { BLINK_IO: "portable" }, "portable"],
    ] as [string[], Record<string, string>, string][]
  ) {
    await using server = await serving(["--tcp", ":0", ...args], { env });
    assertStringIncludes(server.line, `, ${io} event loop`);
    const [, info] = /^INFO (.*)\n$/.exec(await exchange(server, "INFO\n")) ?? [];
    assertEquals(JSON.parse(info).io, io);
  }
});

Deno.test("without FFI the portable loop serves, and --io epoll is one clear line", async () => {
  const given = { program: sandboxedSources() };
  await using server = await serving(["--tcp", ":0"], given);
  assertStringIncludes(server.line, ", portable event loop");
  assertEquals(await exchange(server, "PING\n"), "PONG\n");
  server.kill("SIGTERM");
  const reason = "portable event loop serves, since epoll is not available: it needs --allow-ffi";
  assertEquals((await server.ended).stderr.includes(reason), Deno.build.os === "linux");
  await using chosen = await serving(["--tcp", ":0", "--io", "portable"], given);
  chosen.kill("SIGTERM");
  assert(!(await chosen.ended).stderr.includes("epoll"), "the loop that was asked for serves");
  const { status, stdout, stderr } = await blinkStore(["serve", "--io", "epoll"], given);
  assertEquals({ status, stdout }, { status: 1, stdout: "" });
  assertOneLine(stderr, "--io epoll: it needs Linux and --allow-ffi");
});

function assertOneLine(text: string, names: string): void {
  assertStringIncludes(text, names);
  assertEquals(text.trimEnd().split("\n").length, 1, text);
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
