/**
 * The client's waiting: time-outs, signals, what happens to replies that come too late, and the
 * limits on what waits. Against a scripted server.
 *
 * @module
 */

import { BlinkError, BlinkStore, connect } from "../client.ts";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "./assert.ts";
import { test } from "./client_bounded.ts";
import { FakeClock, settle } from "./client_clock.ts";
import {
  answerEach,
  ManualTransport,
  scriptedServer,
  scriptedTransport,
  swallow,
} from "./client_scripted.ts";

test("a reply that comes too late is not taken for the next one", async () => {
  const late = Promise.withResolvers<void>();
  await using server = scriptedServer(async (peer) => {
    await peer.line();
    await late.promise;
    await peer.send("VALUE bGF0ZQ==\n");
    await answerEach(peer, () => "VALUE bmV4dA==");
  });
  await using store = await connect({ port: server.port });
  const error = await assertRejects(() => store.get("late", { timeoutMs: 10 }), BlinkError);
  assertEquals([error.kind, error.mayHaveRun], ["timeout", true]);
  assertEquals(
    error.message,
    `No reply from 127.0.0.1:${server.port} to GET within 10 ms; whether it ran is unknown`,
  );
  const next = store.get("next");
  late.resolve();
  assertEquals(await next, "next");
  assertEquals(server.connections, 1);
});

test("a signal stops a call with its own reason, and the reply is passed over", async () => {
  const late = Promise.withResolvers<void>();
  const arrived = Promise.withResolvers<void>();
  await using server = scriptedServer(async (peer) => {
    await peer.line();
    arrived.resolve();
    await late.promise;
    await peer.send("VALUE bGF0ZQ==\n");
    await answerEach(peer, () => "VALUE bmV4dA==");
  });
  await using store = await connect({ port: server.port });
  const stop = new AbortController();
  const stopped = assertRejects(() => store.get("late", { signal: stop.signal }), RangeError);
  await arrived.promise;
  stop.abort(new RangeError("enough"));
  await stopped;
  late.resolve();
  assertEquals(await store.get("next"), "next");
  const aborted = AbortSignal.abort(new RangeError("before"));
  await assertRejects(() => store.get("never sent", { signal: aborted }), BlinkError, "a blank");
  await assertRejects(() => store.get("never", { signal: aborted }), RangeError, "before");
});

test("a call stopped before it is sent is withdrawn", async () => {
  const lines: string[] = [];
  await using store = await connect({
    transport: scriptedTransport((peer) =>
      answerEach(peer, (line) => {
        lines.push(line);
        return "OK";
      })
    ),
  });
  const stop = new AbortController();
  const first = store.set("a", "1");
  const withdrawn = assertRejects(() => store.set("b", "2", { signal: stop.signal }));
  const last = store.set("c", "3");
  stop.abort();
  await Promise.all([first, withdrawn, last]);
  assertEquals(lines, ["SET a 1", "SET c 3"]);
});

test("one signal may stop many calls, and none that has its reply", async () => {
  await using server = scriptedServer(async (peer) => {
    for (let left = 10; left > 0; left--) {
      await peer.line();
      await peer.send("OK\n");
    }
    await swallow(peer);
  });
  await using store = await connect({ port: server.port, closeTimeoutMs: 100 });
  const stop = new AbortController();
  let listeners = 0;
  const { addEventListener, removeEventListener } = stop.signal;
  stop.signal.addEventListener = (...args: Parameters<typeof addEventListener>) => {
    listeners++;
    addEventListener.apply(stop.signal, args);
  };
  stop.signal.removeEventListener = (...args: Parameters<typeof removeEventListener>) => {
    listeners--;
    removeEventListener.apply(stop.signal, args);
  };
  const calls = Array.from(
    { length: 1_000 },
    () => store.set("a", "1", { signal: stop.signal }),
  );
  const settled = Promise.allSettled(calls);
  assertEquals(listeners, 1);
  await Promise.all(calls.slice(0, 10));
  stop.abort();
  const outcomes = (await settled).map(({ status }) => status);
  assertEquals(outcomes.filter((status) => status === "fulfilled").length, 10);
  assertEquals(listeners, 0);
});

test("a call that waits for a connection times out by itself", async () => {
  await using store = new BlinkStore({ transport: () => new Promise(() => {}) });
  const error = await assertRejects(() => store.get("a", { timeoutMs: 10 }), BlinkError);
  assertEquals([error.kind, error.mayHaveRun], ["timeout", false]);
  assertStringIncludes(error.message, "it was not sent");
});

test("calls with different time-outs each keep their own", async () => {
  using clock = new FakeClock();
  await using store = new BlinkStore({ transport: () => new ManualTransport(), closeTimeoutMs: 1 });
  await store.open();
  const timedOut: number[] = [];
  const waits = [40, 10, 25].map((timeoutMs) =>
    assertRejects(() => store.get("a", { timeoutMs }), BlinkError, `within ${timeoutMs} ms`)
      .then(() => timedOut.push(timeoutMs))
  );
  for (const [ms, expected] of [[9, []], [1, [10]], [14, [10]], [1, [10, 25]], [14, [10, 25]]]) {
    await clock.advance(ms as number);
    assertEquals(timedOut, expected);
  }
  await clock.advance(1);
  assertEquals(timedOut, [10, 25, 40]);
  await Promise.all(waits);
  store.abort();
});
test("a time-out of Infinity waits, and 0 or less is refused", async () => {
  await using store = await connect({
    transport: scriptedTransport((peer) => answerEach(peer, () => "OK")),
    timeoutMs: Infinity,
  });
  await store.set("a", "1");
  for (const timeoutMs of [0, -1, NaN]) {
    await assertRejects(() => store.set("a", "1", { timeoutMs }), BlinkError, "timeoutMs");
  }
});

test("a connection that stays silent after a time-out is closed", async () => {
  using clock = new FakeClock();
  const transports: ManualTransport[] = [];
  await using store = new BlinkStore({
    transport: () => transports[transports.push(new ManualTransport()) - 1],
    silenceMsMax: 30,
    timeoutMs: Infinity,
  });
  const lost = assertRejects(() => store.set("a", "1"), BlinkError, "nothing came from the server");
  const late = assertRejects(() => store.set("b", "2", { timeoutMs: 10 }), BlinkError, "10 ms");
  await clock.advance(39);
  await late;
  assertEquals(store.connected, true);
  await clock.advance(1);
  await lost;
  assertEquals(store.connected, false);
  const next = store.set("c", "3");
  await clock.advance(50);
  transports[1].reply("OK\n");
  await next;
  assertEquals(transports.length, 2);
  store.abort();
});
test("silence is counted from the last bytes that came", async () => {
  using clock = new FakeClock();
  const transport = new ManualTransport();
  await using store = new BlinkStore({
    transport: () => transport,
    silenceMsMax: 100,
    timeoutMs: Infinity,
  });
  const expectTimeout = (key: string) =>
    assertRejects(() => store.set(key, "1", { timeoutMs: 10 }), BlinkError, "within 10 ms");
  const first = expectTimeout("a");
  await clock.advance(90);
  await first;
  transport.reply("OK\n");
  await settle();
  assertEquals(store.pending, 0);
  const lost = assertRejects(() => store.set("b", "2"), BlinkError, "nothing came from the server");
  const second = expectTimeout("c");
  // The second time-out is at 100 ms; the first one's silence would have ended at 110 ms.
  await clock.advance(109);
  await second;
  assertEquals(store.connected, true);
  await clock.advance(1);
  await lost;
  assertEquals(store.connected, false);
});
test("a connection that is slow but not silent is kept", async () => {
  using clock = new FakeClock();
  const transport = new ManualTransport();
  await using store = new BlinkStore({
    transport: () => transport,
    silenceMsMax: 100,
    timeoutMs: Infinity,
  });
  const slow = assertRejects(() => store.get("a", { timeoutMs: 10 }), BlinkError, "within 10 ms");
  const second = store.set("b", "2");
  // The first reply comes in pieces, each well within the bound, all together far beyond it.
  for (const piece of ["VALUE YWFh", "YWFh", "YWFh", "YWFh\n", "OK\n"]) {
    await clock.advance(90);
    transport.reply(piece);
    await settle();
  }
  await Promise.all([slow, second]);
  await clock.advance(1_000);
  assertEquals(store.connected, true);
  store.abort();
});
test("the requests in flight are bounded; the other calls wait their turn", async () => {
  for (const inFlightMax of [1, 2, 7]) {
    const transport = new ManualTransport();
    await using store = new BlinkStore({ transport: () => transport, inFlightMax });
    const calls = Array.from({ length: 14 }, () => store.set("a", "1"));
    for (let answered = 0; answered < calls.length; answered += inFlightMax) {
      await settle();
      assertEquals(transport.lines.length, answered + inFlightMax);
      transport.reply("OK\n".repeat(inFlightMax));
    }
    await Promise.all(calls);
    store.abort();
  }
});
test("what waits to be sent is bounded", async () => {
  const overhead = 256;
  const line = "SET key ".length;
  for (const [length, fits] of [[743, true], [744, true], [745, false]] as const) {
    await using store = new BlinkStore({
      transport: scriptedTransport((peer) => answerEach(peer, () => "OK")),
      queuedBytesMax: 744 + line + overhead,
    });
    const call = store.set("key", "x".repeat(length));
    if (fits) {
      await call;
    } else {
      const error = await assertRejects(() => call, BlinkError, "are waiting to be sent");
      assertEquals([error.kind, error.mayHaveRun], ["overload", false]);
    }
    // The room is free again once the call was sent or refused.
    await store.set("key", "x".repeat(744));
  }
});

test("a withdrawn call gives back the room it took", async () => {
  await using store = new BlinkStore({
    transport: () => new Promise(() => {}),
    queuedBytesMax: 3_000,
    closeTimeoutMs: 1,
  });
  for (let round = 0; round < 5; round++) {
    const options = { signal: AbortSignal.timeout(5) };
    const error = await assertRejects(() => store.set("key", "x".repeat(1_400), options));
    assert(!(error instanceof BlinkError), error.message);
  }
});

test("a server that does not read holds up calls, not the program", async () => {
  const release = Promise.withResolvers<void>();
  await using server = scriptedServer(() => release.promise);
  await using store = await connect({ port: server.port, closeTimeoutMs: 10 });
  const value = "x".repeat(8 * 1024 * 1024);
  const calls = Array.from(
    { length: 4 },
    () => assertRejects(() => store.set("a", value, { timeoutMs: 50 }), BlinkError),
  );
  const kinds = (await Promise.all(calls)).map((error) => error.kind);
  assert(kinds.every((kind) => kind === "timeout"), `${kinds}`);
  release.resolve();
});
