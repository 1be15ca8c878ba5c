/**
 * The pool: the same calls, spread over connections.
 *
 * @module
 */

import { BlinkError, Pool, pool, poolSizeDefault, poolSizeMax } from "../client.ts";
import { assert, assertEquals, assertRejects, assertThrows } from "./assert.ts";
import { test, until } from "./client_bounded.ts";
import { answerEach, scriptedServer, swallow } from "./client_scripted.ts";
import { ways } from "./client_transports.ts";

for (const way of ways) {
  test(`a pool carries every call (${way.name})`, async () => {
    await using reachable = await way.start();
    await using store = await pool({ ...reachable.options, size: 3 });
    const keys = Array.from({ length: 300 }, (_, at) => `key${at}`);
    await Promise.all(keys.map((key) => store.put(key, `${key}\n`)));
    const values = await Promise.all(keys.map((key) => store.get(key)));
    assertEquals(values, keys.map((key) => `${key}\n`));
    await Promise.all(keys.map(() => store.increment("n")));
    assertEquals(await store.increment("n", 0), 300);
    const found = new Set<string>();
    for await (const key of store.scan({ prefix: "key", count: 50 })) found.add(key);
    assertEquals(found.size, 300);
    await using lock = await store.lock("job", { ttl: 30 });
    assertEquals(lock.held, true);
    assertEquals(store.pending, 0);
  });
}

test("a pool uses the connection with the fewest calls pending", async () => {
  const release = Promise.withResolvers<void>();
  const taken: number[] = [];
  await using server = scriptedServer(async (peer) => {
    const line = await peer.line();
    if (line === "QUIT") return;
    taken.push(peer.number);
    await release.promise;
    await peer.send("OK\n");
    await swallow(peer);
  });
  await using store = await pool({ port: server.port, size: 3 });
  const calls = [store.set("a", "1"), store.set("b", "2"), store.set("c", "3")];
  await until("each connection has a call", () => taken.length === 3);
  release.resolve();
  await Promise.all(calls);
  assertEquals(taken.toSorted(), [1, 2, 3]);
});

test("one slow connection of a pool holds up no call on the others", async () => {
  const release = Promise.withResolvers<void>();
  await using server = scriptedServer(async (peer) => {
    for (let line = await peer.line(); line !== undefined; line = await peer.line()) {
      if (line === "QUIT") return;
      if (line === "SET slow 1") await release.promise;
      await peer.send("OK\n");
    }
  });
  await using store = await pool({ port: server.port, size: 2 });
  const slow = store.set("slow", "1");
  for (let round = 0; round < 10; round++) await store.set("b", "2");
  assertEquals(store.pending, 1);
  release.resolve();
  await slow;
});

test("a pool that cannot connect leaves nothing open", async () => {
  const ended: Promise<void>[] = [];
  await using server = scriptedServer((peer) => {
    if (peer.number > 1) return;
    const end = swallow(peer);
    ended.push(end);
    return end;
  });
  // Without a token a connection that is dropped at once would still count as made.
  const options = { port: server.port, size: 3, token: "t", connectTimeoutMs: 500 };
  const error = await assertRejects(() => pool(options), BlinkError);
  assertEquals(error.kind, "connection");
  await Promise.all(ended);
});

test("a pool logs in on every connection", async () => {
  const shown: string[] = [];
  await using server = scriptedServer((peer) =>
    answerEach(peer, (line) => {
      shown.push(line);
      return "OK";
    })
  );
  await using store = await pool({ port: server.port, size: 2, token: "first" });
  await store.auth("second");
  assertEquals(shown.toSorted(), ["AUTH first", "AUTH first", "AUTH second", "AUTH second"]);
});

test("pool sizes: the default and the limits", async () => {
  for (const size of [1, 2, poolSizeMax - 1, poolSizeMax]) {
    await using store = new Pool({ size });
    assertEquals(store.size, size);
  }
  await using usual = new Pool();
  assertEquals(usual.size, poolSizeDefault);
  for (const size of [0, poolSizeMax + 1, 1.5, NaN]) {
    const error = assertThrows(() => new Pool({ size }), BlinkError, "connections");
    assertEquals(error.kind, "usage");
  }
});

test("a closed pool refuses calls", async () => {
  await using server = scriptedServer((peer) => answerEach(peer, () => "OK"));
  const store = await pool({ port: server.port, size: 2 });
  const call = store.set("a", "1");
  await Promise.all([store.close(), store.close(), call]);
  await assertRejects(() => store.get("a"), BlinkError, "the client is closed");
  store.abort();
  assert(store.pending === 0);
});
