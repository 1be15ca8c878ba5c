/**
 * Locks: only one at a time, released by their holder only, never for ever. Against the real server
 * over every transport, and a scripted one where a lock's fate is unknown.
 *
 * @module
 */

import { BlinkError, BlinkStore, connect } from "../client.ts";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "./assert.ts";
import { test } from "./client_bounded.ts";
import { scriptedServer } from "./client_scripted.ts";
import { overEachWay } from "./client_transports.ts";

overEachWay("a lock is held by one at a time and freed at the end of its block", async (store) => {
  {
    await using lock = await store.lock("job", { ttl: 30 });
    assertEquals(lock.held, true);
    assertEquals(await store.get("job"), lock.token);
    const error = await assertRejects(() => store.lock("job", { ttl: 30 }), BlinkError);
    assertEquals(error.kind, "lock");
    assertEquals(error.message, "Cannot lock job: another still holds it");
  }
  assertEquals(await store.get("job"), undefined);
  await using again = await store.lock("job", { ttl: 30 });
  assert((await store.ttl(again.key) ?? Infinity) < 31);
});

overEachWay("a lock is freed when its block throws", async (store) => {
  await assertRejects(
    async () => {
      await using _lock = await store.lock("job", { ttl: 30 });
      throw new RangeError("the job failed");
    },
    RangeError,
    "the job failed",
  );
  assertEquals(await store.get("job"), undefined);
});

overEachWay("a lock waits for another to free it", async (_, options) => {
  await using one = new BlinkStore(options);
  await using two = new BlinkStore(options);
  const first = await one.lock("job", { ttl: 30 });
  const waiting = two.lock("job", { ttl: 30, waitMs: 10_000 });
  await two.ping();
  assertEquals(await first.release(), true);
  await using second = await waiting;
  assert(second.token !== first.token);
});

overEachWay(
  "a lock is not waited for longer than told, or than the signal allows",
  async (store) => {
    await using _held = await store.lock("job", { ttl: 30 });
    await assertRejects(
      () => store.lock("job", { ttl: 30, waitMs: 30 }),
      BlinkError,
      "another still holds it after 30 ms",
    );
    const signal = AbortSignal.timeout(30);
    const error = await assertRejects(() => store.lock("job", { ttl: 30, waitMs: 1e6, signal }));
    assertEquals(error.name, "TimeoutError");
  },
);

overEachWay("locks make increments of many clients exact", async (_, options) => {
  const clients = Array.from({ length: 4 }, () => new BlinkStore(options));
  const [store] = clients;
  await store.set("n", "0");
  await Promise.all(clients.map(async (client) => {
    for (let round = 0; round < 5; round++) {
      await using _lock = await client.lock("job", { ttl: 30, waitMs: 20_000 });
      const before = Number(await client.get("n"));
      await client.ping();
      await client.set("n", `${before + 1}`);
    }
  }));
  assertEquals(await store.get("n"), "20");
  await Promise.all(clients.map((client) => client.close()));
});

overEachWay("a lock that was lost says so and leaves the next holder alone", async (store) => {
  const lock = await store.lock("job", { ttl: 30 });
  await store.delete("job");
  await using next = await store.lock("job", { ttl: 30 });
  await assertRejects(() => lock.extend(), BlinkError, "The lock job is no longer held");
  assertEquals(lock.held, false);
  assertEquals(await lock.release(), false);
  const error = await assertRejects(
    () => lock[Symbol.asyncDispose](),
    BlinkError,
    "its time ran out",
  );
  assertEquals(error.kind, "lock");
  assertEquals(await store.get("job"), next.token);
});

overEachWay("a lock whose time ran out is not held", async (store) => {
  const lock = await store.lock("job", { ttl: 0.02 });
  await using next = await store.lock("job", { ttl: 30, waitMs: 10_000 });
  assertEquals(lock.held, false);
  assertEquals(await lock.release(), false);
  assertEquals(next.held, true);
});

overEachWay("extend restarts the time", async (store) => {
  await using lock = await store.lock("job", { ttl: 30 });
  await lock.extend(600);
  assert((await store.ttl("job") ?? 0) > 500);
  await lock.extend();
  assert((await store.ttl("job") ?? 0) > 500);
  assertEquals(lock.held, true);
});

overEachWay("a released lock stays released", async (store) => {
  const lock = await store.lock("job", { ttl: 30 });
  assertEquals(await lock.release(), true);
  await using _next = await store.lock("job", { ttl: 30 });
  assertEquals(await lock.release(), true);
  await assertRejects(() => lock.extend(), BlinkError, "it was released");
  await lock[Symbol.asyncDispose]();
});

test("a lock that may have been taken unnoticed is given back", async () => {
  const lines: string[] = [];
  const given = Promise.withResolvers<void>();
  await using server = scriptedServer(async (peer) => {
    const line = await peer.line() ?? "";
    lines.push(line);
    if (peer.number === 1) return;
    given.resolve();
    await peer.send("OK\n");
    await peer.line();
  });
  await using store = await connect({ port: server.port });
  const error = await assertRejects(() => store.lock("job", { ttl: 30 }), BlinkError);
  assertEquals([error.kind, error.mayHaveRun], ["connection", true]);
  await given.promise;
  const [put, release] = lines;
  const token = put.split(" ")[3];
  assertStringIncludes(put, "PUT job ttl=30,absent ");
  assertEquals(release, `DELETE job match=${btoa(token)}`);
});

test("the keys of locks are checked like any", async () => {
  await using store = new BlinkStore({ transport: () => Promise.reject(new Error("not used")) });
  const error = await assertRejects(() => store.lock("two words", { ttl: 30 }), BlinkError);
  assertEquals(error.kind, "usage");
});
