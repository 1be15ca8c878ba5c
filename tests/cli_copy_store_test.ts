/** `blink-store copy` as a process, with Blink Store on one side or on both. */

import { Redis } from "ioredis";
import { redisCommands } from "../commands/mod.ts";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "./assert.ts";
import { blinkStore, type Serving, serving } from "./command_line.ts";
import { hasRedis, RedisServer } from "./redis_server.ts";

const ignore = !hasRedis();
if (ignore) console.log("cli_copy_store_test: skipped, redis-server is not installed");

/** A Blink Store with 64 MiB. */
function startStore(env = {}): Promise<Serving> {
  return serving(["--tcp", ":0", "--memory-limit", "64MiB", "--max-line", "1MiB"], { env });
}

/** A client of a Blink Store over the protocol of Redis. */
class StoreClient implements Disposable {
  readonly redis: Redis;

  constructor({ port }: Serving) {
    const settings = { protocol: 2, enableReadyCheck: false, retryStrategy: () => null } as const;
    this.redis = new Redis({ host: "127.0.0.1", port, ...settings });
    this.redis.on("error", () => {});
  }

  [Symbol.dispose]() {
    if (this.redis.status !== "end") this.redis.disconnect();
  }
}

const names = ["plain", "with a blank", 'with "quotes"', "line\nbreak", "ключ", "\0\xff"];

/** Puts entries with every kind of key into a server; every other one expires. */
async function fill(redis: Redis, count: number): Promise<void> {
  const pipeline = redis.pipeline();
  for (const [index, name] of names.entries()) {
    pipeline.set(name, `value of ${name}`, "PX", 600_000 + index);
  }
  for (let number = 0; number < count; number++) {
    if (number % 2 === 0) pipeline.set(`key:${number}`, `${number}`);
    else pipeline.set(`key:${number}`, `${number}`, "PX", 500_000 + number);
  }
  for (const [error] of await pipeline.exec() ?? []) assertEquals(error, null);
}

/** Asserts that a server has what `fill` has put into another. */
async function holds(redis: Redis, other: Redis, count: number): Promise<void> {
  for (const name of names) {
    assertEquals(await redis.get(name), `value of ${name}`);
    const difference = await redis.pttl(name) - await other.pttl(name);
    assert(Math.abs(difference) < 1000, `${name} expires ${difference} ms off`);
  }
  for (const number of [0, 1, count >> 1, count - 1]) {
    assertEquals(await redis.get(`key:${number}`), `${number}`);
    const [left, expected] = [await redis.pttl(`key:${number}`), number % 2 === 0 ? -1 : 1];
    assertEquals(Math.sign(left), expected, `${number}`);
  }
}

Deno.test({
  name: "copy: from Redis to Blink Store",
  ignore,
  fn: async () => {
    await using from = await RedisServer.start();
    await using to = await startStore();
    using client = new StoreClient(to);
    await fill(from.client, 3000);
    await from.client.set("long", "x".repeat(2 ** 20));
    const words = ["copy", "--from", from.address, "--to", `127.0.0.1:${to.port}`];
    const { status, stdout, stderr } = await blinkStore(words);
    assertEquals([status, stderr], [1, ""]);
    assertMatch(stdout, /^3,006 entries .*\n1 key refused, .*: "long"\n$/);
    for (const name of names) assertEquals(await client.redis.get(name), `value of ${name}`);
    const expiry = await blinkStore(["client", "--port", `${to.port}`, "TTL", "plain"]);
    assert(Math.abs(Number(expiry.stdout) * 1000 - await from.client.pttl("plain")) < 2000);
    await from.client.del("long");
    const again = await blinkStore([...words, "--if-present", "skip"]);
    assertEquals(again.status, 0);
    assertMatch(again.stdout, /^0 entries .*; 3,006 that the target has left alone\n$/);
  },
});

Deno.test({
  name: "copy: the token of Blink Store is its password",
  ignore,
  fn: async () => {
    const token = "a-token-that-is-long-enough";
    await using from = await RedisServer.start();
    await using to = await startStore({ BLINK_TOKEN: token });
    await from.client.set("k", "v");
    const words = (
      scheme: string,
    ) => ["copy", "--from", from.address, "--to", `${scheme}:${to.port}`];
    for (const scheme of ["blink://127.0.0.1", "127.0.0.1"]) {
      const none = await blinkStore(words(scheme));
      assertEquals(none.status, 1);
      assertStringIncludes(none.stderr, "requires a password");
      const wrong = await blinkStore(words(scheme), { env: { BLINK_TOKEN: "wrong" } });
      assertStringIncludes(wrong.stderr, "refuses the password");
      const right = await blinkStore(words(scheme), { env: { BLINK_TOKEN: token } });
      assertEquals([right.status, right.stderr], [0, ""]);
    }
    const typed = await blinkStore(words(`blink://:${token}@127.0.0.1`));
    assertEquals([typed.status, typed.stderr], [0, ""]);
  },
});

Deno.test({
  name: "copy: from Blink Store to Redis, and to another Blink Store",
  // A source needs SCAN, which the table of the server has or has not.
  ignore: ignore || !redisCommands.some(({ name }) => name === "scan"),
  fn: async () => {
    await using from = await startStore();
    await using redis = await RedisServer.start();
    await using store = await startStore();
    using client = new StoreClient(from);
    using copied = new StoreClient(store);
    await fill(client.redis, 3000);
    for (const [port, other] of [[redis.port, redis.client], [store.port, copied.redis]] as const) {
      const { status, stdout, stderr } = await blinkStore([
        "copy",
        "--from",
        `blink://127.0.0.1:${from.port}`,
        "--to",
        `redis://127.0.0.1:${port}`,
      ]);
      assertEquals([status, stderr], [0, ""]);
      assertMatch(stdout, /^3,006 entries /);
      await holds(other, client.redis, 3000);
    }
    const same = ["--from", `127.0.0.1:${from.port}`, "--to", `redis://localhost:${from.port}`];
    const refused = await blinkStore(["copy", ...same]);
    assertEquals(refused.status, 1);
    assertMatch(refused.stderr, /^blink-store: .*(the same store|Cannot reach)/);
  },
});
