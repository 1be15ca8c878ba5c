/**
 * redis-cli and redis-benchmark against this server, compared with what they print against a real
 * `redis-server` where both must be the same.
 *
 * @module
 */

// @ts-types="../types/std.d.ts"
import { deadline } from "@std/async/deadline";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "./assert.ts";
import { missing, run } from "./examples.ts";
import { type RedisServer, startBlink, startRedis } from "./redis_servers.ts";

const waitMs = 30_000;
const password = "open-sesame";

const lacking = await missing([["redis-cli", "--version"], ["redis-server", "--version"]]);
const because = lacking === undefined ? "" : ` (skipped: ${lacking} is not installed)`;

function test(name: string, fn: () => Promise<void>): void {
  Deno.test({ name: `redis-cli: ${name}${because}`, ignore: lacking !== undefined, fn });
}

interface Words {
  readonly args: readonly string[];
  readonly input?: string | Uint8Array;
  readonly env?: Record<string, string>;
}

async function cli(server: RedisServer, { args, input, env }: Words) {
  const { code, stdout, stderr } = await run(
    ["redis-cli", "-p", String(server.port), ...args],
    { input, env },
  );
  const hidden = (text: string) => text.replaceAll(String(server.port), "PORT");
  return { code, stdout: hidden(stdout), stderr: hidden(stderr) };
}

/** Runs redis-cli several times on both servers, and compares what it prints. */
async function alike(uses: readonly Words[], secret?: string): Promise<void> {
  await using blink = await startBlink(secret);
  await using redis = await startRedis(secret);
  for (const use of uses) {
    const told = JSON.stringify(use.args);
    const [ours, theirs] = [await cli(blink, use), await cli(redis, use)];
    assertEquals(ours, theirs, told);
  }
}

/** Commands whose replies are the same for everybody. */
const script = [
  "PING",
  "PING hello",
  'ECHO "a\\r\\nb"',
  "SET k v",
  "GET k",
  "GET none",
  'SET "two words" "\\x00\\xff"',
  'GET "two words"',
  "SET k w EX 100 NX",
  "SET k w EX 100 GET",
  "TTL k",
  "SET k x KEEPTTL",
  "TTL k",
  "PERSIST k",
  "EXPIRE k 100 GT",
  "SET k v EX 0",
  "SET k v EX",
  "SET k v NX XX",
  "SETEX k 10",
  "MSET a 1 b 2",
  "MGET a none b",
  "MSETNX a 1 c 2",
  "INCR a",
  "DECRBY a 10",
  "INCRBYFLOAT a 0.5",
  "INCR a",
  "INCRBY b x",
  "APPEND k yz",
  "GETRANGE k 0 -2",
  "SETRANGE k 5 end",
  "SETRANGE k -1 x",
  "STRLEN k",
  "GETDEL k",
  "GETEX b PERSIST",
  "EXISTS a b c a",
  "TYPE a",
  "TYPE none",
  "OBJECT ENCODING b",
  "RENAME none x",
  "RENAMENX a b",
  "COPY a copy",
  "TOUCH a b none",
  "KEYS c*",
  "DEL a b",
  "DBSIZE",
  "SELECT 0",
  "SELECT x",
  "CLIENT SETNAME me",
  "CLIENT GETNAME",
  'CLIENT SETNAME "two words"',
  "GET",
  "NOSUCHCOMMAND a b",
  "MULTI",
  "SET n 1",
  "INCR n",
  "GET n x",
  "EXEC",
  "MULTI",
  "SET n 1",
  "INCR n",
  "NOSUCHCOMMAND x",
  "DISCARD",
  "EXEC",
  "DISCARD",
  "MULTI",
  "INCR n",
  "GET n",
  "EXEC",
  "WATCH n",
  "UNWATCH",
  "FLUSHDB ASYNC",
  "DBSIZE",
].join("\n") + "\n";

test("a script of commands, in each form of output", async () => {
  const forms = [["--no-raw"], ["--raw"], ["--csv"], ["--no-raw", "-3"], ["--json", "-3"], ["-2"]];
  await alike(forms.map((args) => ({ args, input: script })));
});

test("one-off commands and their status", async () => {
  await alike([
    { args: ["SET", "k", "v"] },
    { args: ["GET", "k"] },
    { args: ["--no-raw", "GET", "none"] },
    { args: ["-e", "NOSUCHCOMMAND"] },
    { args: ["-n", "0", "GET", "k"] },
    { args: ["-r", "5", "-i", "0.001", "INCR", "n"] },
    { args: ["-3", "--no-raw", "EXISTS", "k"] },
    { args: ["CLIENT", "NO-EVICT", "on"] },
    { args: ["RESET"] },
    { args: ["QUIT"] },
  ]);
});

test("what this store has none of", async () => {
  await using server = await startBlink();
  const said = async (...args: string[]) => (await cli(server, { args })).stdout;
  assertMatch(await said("SELECT", "99"), /^ERR DB index is out of range/);
  assertMatch(await said("-n", "99", "PING"), /PONG/);
  for (const words of [["LPUSH", "k", "x"], ["HSET", "k", "f", "x"], ["EVAL", "return 1", "0"]]) {
    assertMatch(await said(...words), /^ERR .*this store keeps strings/);
  }
});

test("a value from standard input, with -x and -X", async () => {
  const bytes = Uint8Array.from({ length: 300_000 }, (_, at) => (at * 31 + (at >> 8)) & 255);
  await alike([
    { args: ["-x", "SET", "file"], input: bytes },
    { args: ["STRLEN", "file"] },
    { args: ["--no-raw", "GETRANGE", "file", "0", "600"] },
    { args: ["-X", "value", "SET", "file", "value", "EX", "100"], input: "text\n" },
    { args: ["--no-raw", "GET", "file"] },
  ]);
});

test("authentication", async () => {
  await alike([
    { args: ["GET", "k"] },
    { args: ["-a", "wrong", "GET", "k"] },
    { args: ["-a", password, "SET", "k", "v"] },
    { args: ["--user", "default", "--pass", password, "GET", "k"] },
    { args: ["-3", "GET", "k"], env: { REDISCLI_AUTH: password } },
    { args: [], input: `GET k\nAUTH wrong\nAUTH ${password}\nGET k\nAUTH default ${password}\n` },
  ], password);
  await alike([{ args: ["AUTH", "x"] }, { args: ["AUTH", "a", "b"] }]);
});

/** Values of known sizes, set through `--pipe`. */
async function fill(server: RedisServer, count: number): Promise<void> {
  const requests = Array.from({ length: count }, (_, n) => {
    const words = ["SET", `key:${n}`, "x".repeat(n % 1000)];
    return `*3\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join("")}`;
  });
  const { code, stdout } = await cli(server, { args: ["--pipe"], input: requests.join("") });
  assertEquals(code, 0, stdout);
  assertStringIncludes(stdout, `errors: 0, replies: ${count}\n`);
}

test("--pipe, --scan and KEYS", async () => {
  await using server = await startBlink();
  await fill(server, 5000);
  const keys = async (...args: string[]) => {
    const { code, stdout } = await cli(server, { args });
    assertEquals(code, 0);
    return stdout.split("\n").filter((line) => line !== "").sort();
  };
  const all = Array.from({ length: 5000 }, (_, n) => `key:${n}`).sort();
  assertEquals(await keys("--scan"), all);
  assertEquals(await keys("KEYS", "*"), all);
  const some = all.filter((key) => key.endsWith("77"));
  assertEquals(await keys("--scan", "--pattern", "key:*77"), some);
  assertEquals(await keys("--scan", "--pattern", "key:[^0-9]*"), []);
});

test("--bigkeys and --memkeys", async () => {
  await using blink = await startBlink();
  await using redis = await startRedis();
  await fill(blink, 1000);
  await fill(redis, 1000);
  const summary = async (server: RedisServer, option: string) => {
    const { code, stdout } = await cli(server, { args: [option] });
    assertEquals(code, 0, stdout);
    return stdout.slice(stdout.indexOf("-------- summary"));
  };
  assertEquals(await summary(blink, "--bigkeys"), await summary(redis, "--bigkeys"));
  const memory = await summary(blink, "--memkeys");
  assertStringIncludes(memory, "Sampled 1000 keys in the keyspace!");
  assertMatch(memory, /\n1000 strings with [0-9]{6,7} bytes \(100\.00% of keys/);
});

test("--stat", async () => {
  await using server = await startBlink();
  await fill(server, 100);
  // It runs until it is ended, and a pipe would hold back what it prints.
  const child = new Deno.Command("stdbuf", {
    args: ["-oL", "redis-cli", "-p", String(server.port), "--stat", "-i", "0.05"],
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const lines: string[] = [];
  const read = async () => {
    let rest = "";
    for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
      const parts = (rest + text).split("\n");
      rest = parts.pop() ?? "";
      lines.push(...parts);
      if (lines.length >= 5) return;
    }
  };
  try {
    await deadline(read(), waitMs);
  } finally {
    child.kill("SIGKILL");
    await child.status;
  }
  assertMatch(lines[0], /^------- data ------ -+ load -+ - child -$/);
  // Keys, memory, clients, blocked clients, requests and their number since the line before.
  const row = /^100 +[0-9.]+[BKMG] +[0-9]+ +0 +[0-9]+ \(\+[0-9]+\) +[0-9]+ *$/;
  for (const line of lines.slice(2, 5)) assertMatch(line, row);
});

test("--latency", async () => {
  await using server = await startBlink();
  const { code, stdout } = await cli(server, { args: ["--latency", "--raw", "-i", "0.1"] });
  assertEquals(code, 0);
  const [min, max, average, samples] = stdout.trim().split(" ").map(Number);
  assert(samples > 0 && min <= average && average <= max, stdout);
});

test("redis-benchmark", async () => {
  await using server = await startBlink();
  const sizes = ["-n", "2000", "-P", "16", "-c", "20", "-r", "100", "-q"];
  const tests = "ping_mbulk,set,get,incr,mset";
  for (const wire of [[], ["-3"]]) {
    const { code, stdout, stderr } = await run([
      ...["redis-benchmark", "-p", String(server.port), "-t", tests, ...sizes, ...wire],
    ]);
    assertEquals([code, stderr], [0, ""], stdout);
    for (const name of ["PING_MBULK", "SET", "GET", "INCR", "MSET (10 keys)"]) {
      assert(new RegExp(`${RegExp.escape(name)}: [0-9.]+ requests per second`).test(stdout), name);
    }
  }
});

test("redis-benchmark with a password", async () => {
  await using server = await startBlink(password);
  const { code, stdout } = await run([
    ...["redis-benchmark", "-p", String(server.port), "-a", password],
    ...["-n", "500", "-q", "SET", "key:__rand_int__", "value"],
  ]);
  assertEquals(code, 0, stdout);
  assertStringIncludes(stdout, "requests per second");
});
