import { assertEquals, assertMatch, assertStringIncludes } from "./assert.ts";
import { blinkStore, exchange, root, serving } from "./command_line.ts";
import { bulk, plainAnswer, ScriptedServer } from "./copy_server.ts";

const file = new URL(
  Deno.build.os === "windows" ? "dist/blink-store.exe" : "dist/blink-store",
  root,
).pathname;

const isThere = await Deno.stat(file).then(() => true, (error) => {
  if (error instanceof Deno.errors.NotFound) return false;
  throw error;
});

/** Registers a test of the executable; where it was not made, the test is skipped and says so. */
function test(name: string, fn: (program: readonly string[]) => Promise<void>): void {
  const because = isThere
    ? ""
    : " (skipped: dist/blink-store is not there, make it with deno task compile)";
  Deno.test({ name: `${name}${because}`, ignore: !isThere, fn: () => fn([file]) });
}

test("the executable is server and client in one", async (program) => {
  await using server = await serving(["--tcp", ":0"], { program });
  assertMatch(
    server.line,
    /^Blink Store \S+ listens on 127\.0\.0\.1:\d+, memory limit 10 MiB, (epoll|portable) event loop$/,
  );
  assertEquals(await exchange(server, "SET user alice\nGET user\n"), "OK\nVALUE YWxpY2U=\n");
  const env = { BLINK_STORE: `127.0.0.1:${server.port}` };
  const got = await blinkStore(["client", "GET", "user"], { program, env });
  assertEquals(got, { status: 0, stdout: "alice\n", stderr: "" });
  const piped = await blinkStore(["client"], { program, env, input: "USAGE\nGET nothing\n" });
  assertEquals(piped, { status: 0, stdout: "USAGE 9\nNOT_FOUND\n", stderr: "" });
  server.kill("SIGTERM");
  assertEquals((await server.ended).status, 0);
});

test("the executable has the permissions that its flags need", async (program) => {
  const folder = await Deno.makeTempDir();
  try {
    const path = `${folder}/blink.sock`;
    const token = `${folder}/token`;
    await Deno.writeTextFile(token, "s3cret\n");
    await using _server = await serving(["--unix", path, "--token-file", token], { program });
    const words = ["client", "--unix", path, "--token-file", token];
    assertEquals((await blinkStore([...words, "USAGE"], { program })).stdout, "USAGE 0\n");
    assertEquals((await blinkStore(["run", "USAGE"], { program })).stdout, "USAGE 0\n");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

test("the executable has the client for Redis, which a copy loads", async (program) => {
  await using from = new ScriptedServer();
  await using to = new ScriptedServer((words) =>
    words[1] === "server" ? bulk("run_id:beef\r\n") : plainAnswer(words)
  );
  const { status, stdout, stderr } = await blinkStore(
    ["copy", "--from", `redis://127.0.0.1:${from.port}`, "--to", `redis://127.0.0.1:${to.port}`],
    { program, env: { DENO_DIR: "/nonexistent" } },
  );
  assertEquals([status, stderr], [0, ""]);
  assertStringIncludes(stdout, "1 entry (2 bytes) copied");
  assertEquals(to.commands.filter((command) => command.startsWith("SET")), ["SET k v"]);
});

test("the executable prints its version, its help and mistakes", async (program) => {
  assertMatch(
    (await blinkStore(["--version"], { program })).stdout,
    /^blink-store \d+\.\d+\.\d+\n$/,
  );
  for (const name of ["serve", "client", "run", "bench", "copy", "completions"]) {
    const { stdout } = await blinkStore([name, "--help"], { program });
    assertStringIncludes(stdout, `Usage: blink-store ${name} `);
  }
  const { status, stderr } = await blinkStore(["serve", "--ports"], { program });
  assertEquals(status, 2);
  assertStringIncludes(stderr, "did you mean --port?");
});
