/**
 * How the client connects again: how often, with which pauses, and how long calls wait for it.
 *
 * @module
 */

import { BlinkError, BlinkStore, connect } from "../client.ts";
import { assert, assertEquals, assertRejects } from "./assert.ts";
import { test } from "./client_bounded.ts";
import { FakeClock, settle } from "./client_clock.ts";
import { answerEach, ManualTransport, scriptedServer } from "./client_scripted.ts";

const fast = { backoffMsMin: 1, backoffMsMax: 5 };

test("calls wait while a server that is away comes back", async () => {
  const first = scriptedServer((peer) => answerEach(peer, () => "OK"));
  await using store = await connect({ port: first.port, ...fast, connectAttemptsMax: 100_000 });
  await store.set("a", "1");
  await first[Symbol.asyncDispose]();
  await assertRejects(() => store.set("b", "2", { timeoutMs: 30 }), BlinkError);
  const waiting = store.set("c", "3");
  await using _again = scriptedServer((peer) => answerEach(peer, () => "OK"), first);
  await waiting;
});

test("attempts to connect again are bounded, with pauses between", async () => {
  using clock = new FakeClock();
  const attemptsAtMs: number[] = [];
  const transport = () => {
    attemptsAtMs.push(clock.nowMs);
    throw new Error("no way");
  };
  await using store = new BlinkStore({
    transport,
    connectAttemptsMax: 4,
    backoffMsMin: 100,
    backoffMsMax: 200,
  });
  const failed = assertRejects(() => store.get("a"), BlinkError, "no way");
  await clock.advance(1_000);
  assertEquals([(await failed).kind, attemptsAtMs.length], ["connection", 4]);
  const pausesMs = attemptsAtMs.slice(1).map((atMs, number) => atMs - attemptsAtMs[number]);
  // 100, 200 and 200 ms, of which jitter takes up to half; timers count whole milliseconds.
  for (const [number, longestMs] of [100, 200, 200].entries()) {
    const pauseMs = pausesMs[number];
    assert(pauseMs >= longestMs / 2 - 1 && pauseMs <= longestMs, `${pausesMs}`);
  }
});

test("calls wait for a connection no longer than connectTimeoutMs", async () => {
  using clock = new FakeClock();
  await using store = new BlinkStore({
    transport: () => Promise.reject(new Error("no way")),
    connectTimeoutMs: 60,
    connectAttemptsMax: Infinity,
    ...fast,
  });
  let failed = 0;
  const calls = ["a", "b"].map((key) =>
    assertRejects(() => store.get(key), BlinkError, "no way").then(() => failed++)
  );
  await clock.advance(50);
  assertEquals(failed, 0);
  await clock.advance(10);
  assertEquals(failed, 2);
  await Promise.all(calls);
});

test("a server that takes connections and drops them is not stormed", async () => {
  using clock = new FakeClock();
  let connections = 0;
  const transport = () => {
    connections++;
    const dropped = new ManualTransport();
    dropped.close();
    return dropped;
  };
  await using store = new BlinkStore({ transport, backoffMsMin: 1_000, connectAttemptsMax: 1 });
  await store.open();
  await settle();
  assertEquals([store.connected, connections], [false, 1]);
  const timedOut = assertRejects(() => store.get("a", { timeoutMs: 30 }), BlinkError);
  await clock.advance(499);
  const { kind, mayHaveRun } = await timedOut;
  assertEquals([kind, mayHaveRun, connections], ["timeout", false, 1]);
  const next = assertRejects(() => store.get("b"), BlinkError);
  await clock.advance(501);
  assertEquals([(await next).kind, connections], ["connection", 2]);
});

test("the pauses are short again after a reply", async () => {
  using clock = new FakeClock();
  let attempts = 0;
  let current: ManualTransport | undefined;
  await using store = new BlinkStore({
    transport: () => {
      if (attempts++ % 2 === 0) throw new Error("no way");
      const transport = new ManualTransport(() => transport.reply("OK\n"));
      return current = transport;
    },
    backoffMsMin: 10,
    backoffMsMax: 10_000,
  });
  // Without the reply between them, eight failures would end in a pause of 640 ms or more.
  for (let round = 0; round < 8; round++) {
    const call = store.set("a", "1");
    await clock.advance(10);
    await call;
    current?.close();
    await settle();
    assertEquals(store.connected, false);
  }
  assertEquals(attempts, 16);
});
