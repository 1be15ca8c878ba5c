/** `blink-store copy` as a process, between servers of Redis. */

// @ts-types="../types/std.d.ts"
import { deadline } from "@std/async/deadline";
import { Buffer } from "node:buffer";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "./assert.ts";
import { blinkStore, copyWords } from "./command_line.ts";
import { freePort } from "./http_backend.ts";
import { hasRedis, RedisServer } from "./redis_server.ts";

/** How long a test waits for a process, in milliseconds. */
const waitMs = 60_000;

const ignore = !hasRedis();
if (ignore) console.log("cli_copy_test: skipped, redis-server is not installed");

/** Registers a test between two servers. */
function between(name: string, fn: (one: RedisServer, two: RedisServer) => Promise<void>) {
  Deno.test({
    name: `copy: ${name}`,
    ignore,
    fn: async () => {
      await using one = await RedisServer.start();
      await using two = await RedisServer.start();
      await fn(one, two);
    },
  });
}

function fromTo(one: { address: string }, two: { address: string }): string[] {
  return ["copy", "--from", one.address, "--to", two.address];
}

/** Puts entries into a server. */
async function fill({ client }: RedisServer, count: number): Promise<void> {
  const pipeline = client.pipeline();
  for (let number = 0; number < count; number++) pipeline.set(`key:${number}`, `value ${number}`);
  await pipeline.exec();
}

Deno.test("copy: a wrong command line is refused before anything is reached", async () => {
  const wrong: [string[], string][] = [
    [[], "--from is missing"],
    [["--from", "redis://h"], "--to is missing"],
    [["--from", "h", "--to", "redis://h"], '--from: "h" is not an address'],
    [["--from", "redis://h", "--to", "http://h"], "--to: unknown scheme http://"],
    [["--from", "redis://h:1", "--to", "h:1"], "name the same store"],
    [["--from", "h:1", "--to", "h:2", "--if-present", "keep"], '"keep" is not an action'],
    [["--from", "h:1", "--to", "h:2", "--dry-run", "--resume", "f"], "--dry-run or --resume"],
    [["--from", "h:1", "--to", "h:2", "more"], 'unexpected word "more"'],
    [["--from", "h:1", "--to", "h:2", "--batch-keys", "0"], "less than 1"],
    [["--from", "h:1", "--to", "h:2", "--batch-keys", "10001"], "more than 10000"],
    [["--from", "h:1", "--to", "h:2", "--batch-bytes", "0"], "less than 1"],
  ];
  for (const [words, message] of wrong) {
    const { status, stdout, stderr } = await blinkStore(["copy", ...words]);
    assertEquals({ status, stdout }, { status: 2, stdout: "" }, stderr);
    assertStringIncludes(stderr, message);
    assertEquals(stderr.trimEnd().split("\n").length, 1);
  }
});

between("every string arrives, byte for byte, with its expiry", async (one, two) => {
  await fill(one, 2500);
  const bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
  await one.client.set(bytes, bytes, "PX", 600_000);
  await one.client.set("empty", "");
  await one.client.set("large", Buffer.alloc(9 * 2 ** 20, "x"), "EX", 600);
  await two.client.set("key:7", "old", "EX", 5);
  const expiry = await one.client.pexpiretime(bytes);
  const { status, stdout, stderr } = await blinkStore(fromTo(one, two));
  assertEquals({ status, stderr }, { status: 0, stderr: "" });
  assertMatch(stdout, /^2,503 entries \(9\.\d MiB\) copied in \d+\.\d s\n$/);
  assertEquals(await two.client.dbsize(), 2503);
  assertEquals(await two.client.getBuffer(bytes), bytes);
  assertEquals(await two.client.pexpiretime(bytes), expiry);
  assertEquals(await two.client.pexpiretime("large"), await one.client.pexpiretime("large"));
  assertEquals(await two.client.strlen("large"), 9 * 2 ** 20);
  assertEquals(await two.client.get("empty"), "");
  assertEquals([await two.client.get("key:7"), await two.client.ttl("key:7")], ["value 7", -1]);
});

between("other types are named, and fail it unless they are to be skipped", async (one, two) => {
  await fill(one, 2);
  await one.client.hset("h", "f", "v");
  await one.client.rpush("l", "v");
  await one.client.sadd("s", "v");
  const words = fromTo(one, two);
  const refused = await blinkStore(words);
  assertEquals(refused.status, 1);
  assertMatch(refused.stdout, /^2 entries .*\n3 keys of other types left out: .*1 hash/);
  assertEquals(await two.client.dbsize(), 2);
  assertEquals((await blinkStore([...words, "--skip-other-types"])).status, 0);
  const quiet = await blinkStore([...words, "--quiet"]);
  assertEquals([quiet.status, quiet.stdout], [1, ""]);
  assertStringIncludes(quiet.stderr, "of other types");
  const silent = await blinkStore([...words, "--quiet", "--skip-other-types"]);
  assertEquals(silent, { status: 0, stdout: "", stderr: "" });
});

between(
  "a glob chooses keys; what is there is kept; a dry run writes nothing",
  async (one, two) => {
    await fill(one, 20);
    const words = fromTo(one, two);
    const dry = await blinkStore([...words, "--dry-run"]);
    assertMatch(dry.stdout, /^20 entries \(\d+ bytes\) would be copied\n$/);
    assertEquals(await two.client.dbsize(), 0);
    await blinkStore([...words, "--match", "key:1?"]);
    assertEquals((await two.client.keys("*")).length, 10);
    await two.client.set("key:11", "kept");
    const skip = await blinkStore([...words, "--if-present", "skip"]);
    assertMatch(skip.stdout, /^10 entries .*; 10 that the target has left alone\n$/);
    assertEquals(await two.client.get("key:11"), "kept");
    const database = await blinkStore([
      "copy",
      "--from",
      one.address,
      "--to",
      `${one.address}/5`,
      "--match",
      "key:1",
    ]);
    assertEquals(database.status, 0, database.stderr);
    const same = await blinkStore(fromTo(one, { address: `redis://localhost:${one.port}` }));
    assertEquals(same.status, 1);
    assertMatch(same.stderr, /^blink-store: .*(the same store|Cannot reach)/);
  },
);

Deno.test({
  name: "copy: passwords come from the address, a file or a variable, and are never shown",
  ignore,
  fn: async () => {
    const password = "p@ss word/#1";
    await using one = await RedisServer.start([], password);
    await using two = await RedisServer.start();
    await one.client.set("k", "v");
    const file = await Deno.makeTempFile();
    try {
      await Deno.writeTextFile(file, `${password}\n`);
      const words = fromTo(one, two);
      const typed = one.address.replace("//", `//:${encodeURIComponent(password)}@`);
      const right = [
        await blinkStore(["copy", "--from", typed, "--to", two.address]),
        await blinkStore([...words, "--from-password-file", file]),
        await blinkStore(words, { env: { BLINK_FROM_PASSWORD_FILE: file } }),
        await blinkStore(words, { env: { BLINK_FROM_PASSWORD: password } }),
      ];
      for (const { status, stderr } of right) {
        assertEquals({ status, stderr }, { status: 0, stderr: "" });
      }
      const none = await blinkStore(words);
      const wrong = await blinkStore(words, { env: { BLINK_FROM_PASSWORD: "s3cret" } });
      assertEquals([none.status, wrong.status], [1, 1]);
      assertStringIncludes(none.stderr, `The source ${one.address}/0 requires a password`);
      assertStringIncludes(wrong.stderr, `The source ${one.address}/0 refuses the password`);
      for (const { stdout, stderr } of [...right, none, wrong]) {
        assert(!/s3cret|p@ss|%23/.test(stdout + stderr), stdout + stderr);
      }
    } finally {
      await Deno.remove(file);
    }
  },
});

/** A copy under way. */
function running(words: readonly string[]): Deno.ChildProcess {
  const [program, ...args] = copyWords();
  return new Deno.Command(program, {
    args: [...args, ...words.slice(1)],
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

async function outputOf(process: Deno.ChildProcess) {
  const { code, stdout, stderr } = await deadline(process.output(), waitMs);
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

/** Waits until a server has keys. */
async function hasKeys({ client }: RedisServer, count: number): Promise<void> {
  const found = async () => {
    while (await client.dbsize() < count);
  };
  await deadline(found(), waitMs);
}

between(
  "Ctrl-C ends it after a batch, and it goes on with the same resume file",
  async (one, two) => {
    await fill(one, 30_000);
    const folder = await Deno.makeTempDir();
    try {
      const file = `${folder}/place`;
      const words = [...fromTo(one, two), "--batch-keys", "10", "--resume", file];
      const process = running(words);
      await hasKeys(two, 100);
      process.kill("SIGINT");
      const { code, stdout, stderr } = await outputOf(process);
      assertEquals(code, 130, stderr);
      assertMatch(stdout, /^[\d,]+ entries .* copied/);
      assertEquals(
        stderr,
        "blink-store: interrupted; run the same command again to go on from there\n",
      );
      const { counts, cursor } = JSON.parse(await Deno.readTextFile(file));
      assert(counts.copied >= 80 && counts.copied < 30_000 && cursor !== "0", stdout);
      // A page may have a few keys more than it was asked for, and so more than one batch.
      const copied = await two.client.dbsize();
      assert(copied >= counts.copied && copied <= counts.copied + 20, `${copied}`);

      const other = await blinkStore([...fromTo(two, one), "--resume", file]);
      assertEquals(other.status, 1);
      assertStringIncludes(other.stderr, `${file} belongs to another copy`);

      // Only what was not dealt with is read: entries before the place are not written again.
      await two.client.flushall();
      const rest = await blinkStore([...words, "--batch-keys", "1000"].toSpliced(5, 2));
      assertEquals({ status: rest.status, stderr: rest.stderr }, { status: 0, stderr: "" });
      assertMatch(rest.stdout, /^30,0\d\d entries /);
      const written = await two.client.dbsize();
      assert(written < 30_000 && written >= 30_000 - copied, `${written}`);
      assertEquals(await Array.fromAsync(Deno.readDir(folder)), []);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
);

between("a side that goes away ends it with one line that says how to go on", async (one, two) => {
  await fill(one, 30_000);
  const process = running([...fromTo(one, two), "--batch-keys", "10", "--retry", "0.2"]);
  await hasKeys(two, 100);
  await one.end();
  const { code, stdout, stderr } = await outputOf(process);
  assertEquals(code, 1);
  assertMatch(stdout, /^[\d,]+ entries .* copied/);
  assertMatch(
    stderr,
    /^blink-store: .*the source redis:.*; run it again, with --if-present skip.*\n$/,
  );
  const absent = await blinkStore(fromTo(one, two));
  assertEquals([absent.status, absent.stdout], [1, ""]);
  assertMatch(absent.stderr, /^blink-store: Cannot reach the source redis:\S+ .*ECONNREFUSED.*\n$/);
});

between("a full target takes what it can, and the rest is named", async (one, two) => {
  await fill(one, 5);
  await one.client.set("large", Buffer.alloc(4 * 2 ** 20));
  await two.client.config("SET", "maxmemory", "3mb");
  await two.client.config("SET", "maxmemory-policy", "noeviction");
  const { status, stdout } = await blinkStore([...fromTo(one, two), "--batch-bytes", "1MiB"]);
  assertEquals(status, 1, stdout);
  assertMatch(stdout, /keys? refused, target: OOM command not allowed/);
});

between(
  "a value that the target cannot take is named, and the others are copied",
  async (one, two) => {
    await fill(one, 50);
    await one.client.set("large", Buffer.alloc(3 * 2 ** 20));
    await two.client.config("SET", "proto-max-bulk-len", `${2 ** 20}`);
    const { status, stdout, stderr } = await blinkStore(fromTo(one, two));
    assertEquals([status, stderr], [1, ""]);
    assertMatch(stdout, /^50 entries .*\n1 key refused, .*: "large"\n$/);
    assertEquals(await two.client.dbsize(), 50);
  },
);

Deno.test({
  name: "copy: from a Unix socket",
  ignore: ignore || Deno.build.os === "windows",
  fn: async () => {
    const folder = await Deno.makeTempDir();
    try {
      const path = `${folder}/socket`;
      await using one = await RedisServer.start(["--unixsocket", path]);
      await using two = await RedisServer.start();
      await one.client.set("k", "v");
      const result = await blinkStore(fromTo({ address: `unix://${path}` }, two));
      assertEquals([result.status, result.stderr], [0, ""]);
      assertEquals(await two.client.get("k"), "v");
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

/** Makes an authority and a certificate of it for `localhost`; false where `openssl` cannot. */
async function makeCertificates(folder: string): Promise<boolean> {
  const make = async (...words: string[]) => {
    const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
    try {
      const { success } = await new Deno.Command("openssl", {
        args: ["req", "-x509", ...key, ...words],
        cwd: folder,
        stderr: "null",
      }).output();
      return success;
    } catch {
      return false;
    }
  };
  const authority = await make("-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=test");
  const names = ["-addext", "subjectAltName=DNS:localhost", "-addext", "basicConstraints=CA:FALSE"];
  const signed = ["-CA", "ca.pem", "-CAkey", "ca.key", "-keyout", "it.key", "-out", "it.pem"];
  return authority && await make(...signed, "-subj", "/CN=localhost", ...names);
}

Deno.test({
  name: "copy: over TLS, with the authority that --ca-file names",
  ignore,
  fn: async () => {
    const folder = await Deno.makeTempDir();
    try {
      if (!await makeCertificates(folder)) {
        console.log("cli_copy_test: TLS is skipped, openssl 3 is not installed");
        return;
      }
      const port = freePort();
      const tls = ["--tls-port", `${port}`, "--tls-auth-clients", "no"];
      const files = ["--tls-cert-file", "it.pem", "--tls-key-file", "it.key"];
      await using one = await RedisServer.start(
        ["--dir", folder, ...tls, ...files, "--tls-ca-cert-file", "ca.pem"],
      );
      await using two = await RedisServer.start();
      await one.client.set("k", "v");
      const words = fromTo({ address: `rediss://localhost:${port}` }, two);
      const trusted = await blinkStore([...words, "--ca-file", `${folder}/ca.pem`]);
      assertEquals([trusted.status, trusted.stderr], [0, ""]);
      assertEquals(await two.client.get("k"), "v");
      const unknown = await blinkStore(words);
      assertEquals(unknown.status, 1);
      assertMatch(unknown.stderr, /^blink-store: .*the source rediss:.*certificate.*\n$/);
      const none = await blinkStore([...words, "--ca-file", `${folder}/none`]);
      assertStringIncludes(none.stderr, `Cannot read the certificates ${folder}/none`);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

/** True where util-linux's `script` makes a terminal for a command. */
function hasScript(): boolean {
  try {
    const { stdout } = new Deno.Command("script", { args: ["--version"] }).outputSync();
    return new TextDecoder().decode(stdout).includes("util-linux");
  } catch {
    return false;
  }
}

Deno.test({
  name: "copy: a terminal shows the progress, and then the report alone",
  ignore: ignore || !hasScript(),
  fn: async () => {
    await using one = await RedisServer.start();
    await using two = await RedisServer.start();
    await fill(one, 30_000);
    const words = [...copyWords(), ...fromTo(one, two).slice(1), "--batch-keys", "100"];
    const command = words.map((word) => `'${word}'`).join(" ");
    const shown = async (more: string) => {
      const process = new Deno.Command("script", {
        args: ["-qec", command + more, "/dev/null"],
        env: { TERM: "xterm", NO_COLOR: "1" },
        stdin: "null",
        stdout: "piped",
        stderr: "piped",
      }).spawn();
      return (await outputOf(process)).stdout.replaceAll("\r\x1b[K", "<clear>");
    };
    const text = await shown("");
    assertMatch(text, /<clear>[█▏▎▍▌▋▊▉ ]{16} +\d+ % {2}[\d,]+ of 30,000 {2}[\d,]+\/s {2}\d/);
    assertMatch(text, /<clear>30,000 entries \([\d.]+ KiB\) copied in [\d.]+ s\r\n$/);
    assertEquals(await shown(" --quiet"), "");
  },
});
