import { assert, assertEquals, assertStringIncludes } from "./assert.ts";
import { blinkStore, exchange, serving } from "./command_line.ts";

Deno.test("the first word decides between a one-off command and an address", async () => {
  await using server = await serving(["--tcp", ":0"]);
  const env = { BLINK_STORE: `127.0.0.1:${server.port}` };
  const port = String(server.port);
  const said = (stdout: string) => ({ status: 0, stdout, stderr: "" });

  assertEquals(await blinkStore(["client", "SET", "user", "alice"], { env }), said("OK\n"));
  assertEquals(await blinkStore(["client", "get", "user"], { env }), said("alice\n"));
  assertEquals(await blinkStore(["client", "--raw", "GET", "user"], { env }), said("alice"));
  assertEquals(await blinkStore(["client", "--port", port, "GET", "user"]), said("alice\n"));
  const input = "GET user\nUSAGE\n";
  for (const words of [["127.0.0.1", port], [`127.0.0.1:${port}`], [port], ["--port", port]]) {
    assertEquals(await blinkStore(["client", ...words], { input }), said("alice\nUSAGE 9\n"));
  }
});

Deno.test("what follows the command belongs to it, flags or not", async () => {
  await using server = await serving(["--tcp", ":0"]);
  const env = { BLINK_STORE: `127.0.0.1:${server.port}` };
  for (const value of ["--raw", "-5", "--", "--help", "-x", "007"]) {
    assertEquals((await blinkStore(["client", "SET", "k", value], { env })).stdout, "OK\n");
    assertEquals((await blinkStore(["client", "GET", "k"], { env })).stdout, `${value}\n`);
  }
});

Deno.test("the client's exit status is 1 for an error or nothing found, 2 for a usage error", async () => {
  await using server = await serving(["--tcp", ":0"]);
  const env = { BLINK_STORE: `127.0.0.1:${server.port}` };
  const status = async (...args: string[]) =>
    (await blinkStore(["client", ...args], { env })).status;
  assertEquals(await status("GET", "missing"), 1);
  assertEquals(await status("DELETE", "missing"), 1);
  assertEquals(await status("INCR", "n", "x"), 1);
  assertEquals(await status("GTE", "user"), 2);
  assertEquals(await status("--json", "--csv", "USAGE"), 2);
  assertEquals(await status("--raw", "--json", "USAGE"), 2);
  assertEquals(await status("--stat", "--latency"), 2);
  assertEquals(await status("--stat", "USAGE"), 2);
  assertEquals(await status("-x"), 2);
  assertEquals(await status("--host", "localhost", "127.0.0.1"), 2);
});

Deno.test("a store that is not there is one line on standard error and status 1", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  const { status, stdout, stderr } = await blinkStore(["client", "--port", `${port}`, "USAGE"]);
  assertEquals({ status, stdout }, { status: 1, stdout: "" });
  assertStringIncludes(stderr, `127.0.0.1:${port}`);
  assertEquals(stderr.trimEnd().split("\n").length, 1);
});

Deno.test("-x stores a file that comes back byte for byte", async () => {
  await using server = await serving(["--tcp", ":0"]);
  const env = { BLINK_STORE: `127.0.0.1:${server.port}` };
  const text = "naïve, 値, trailing blanks  ";
  const set = await blinkStore(["client", "-x", "SET", "note"], { env, input: text });
  assertEquals(set, { status: 0, stdout: "OK\n", stderr: "" });
  assertEquals((await blinkStore(["client", "--raw", "GET", "note"], { env })).stdout, text);
});

Deno.test("the client shows the token of its file or its environment", async () => {
  const token = { BLINK_TOKEN: "s3cret" };
  await using server = await serving(["--tcp", ":0"], { env: token });
  const words = ["client", "--port", `${server.port}`];
  assertEquals((await blinkStore([...words, "USAGE"], { env: token })).stdout, "USAGE 0\n");
  const without = await blinkStore([...words, "USAGE"]);
  assertEquals(without.status, 1);
  assertStringIncludes(without.stdout + without.stderr, "authentication required");
  const wrong = await blinkStore([...words, "USAGE"], { env: { BLINK_TOKEN: "guess" } });
  assertEquals(wrong.status, 1);
  assert(!(wrong.stdout + wrong.stderr).includes("guess"));
});

Deno.test("the client reaches a Unix socket by flag and by BLINK_STORE", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const path = `${folder}/blink.sock`;
    await using _server = await serving(["--unix", path]);
    assertEquals(await exchange({ path }, "SET a 1\n"), "OK\n");
    assertEquals((await blinkStore(["client", "--unix", path, "GET", "a"])).stdout, "1\n");
    const env = { BLINK_STORE: path };
    assertEquals((await blinkStore(["client", "GET", "a"], { env })).stdout, "1\n");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("--scan lists keys, a line each", async () => {
  await using server = await serving(["--tcp", ":0"]);
  await exchange(server, "SET user:1 a\nSET user:2 b\nSET other c\n");
  const words = ["client", "--port", `${server.port}`, "--scan"];
  const lines = async (...prefix: string[]) =>
    (await blinkStore([...words, ...prefix])).stdout.trim().split("\n").sort();
  assertEquals(await lines("user:"), ["user:1", "user:2"]);
  assertEquals(await lines(), ["other", "user:1", "user:2"]);
});

Deno.test("run is the shell on a store of its own", async () => {
  const input = "SET user alice\nGET user\nUSAGE\n";
  const piped = await blinkStore(["run", "--memory-limit", "1MiB"], { input });
  assertEquals(piped, { status: 0, stdout: "OK\nalice\nUSAGE 9\n", stderr: "" });
  assertEquals((await blinkStore(["run", "USAGE"])).stdout, "USAGE 0\n");
  assertEquals((await blinkStore(["run", "--memory-limit", "1"])).status, 2);
});
