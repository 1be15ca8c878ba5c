/**
 * The client's waiting: time-outs, signals, what happens to replies that come too late, and the
 * limits on what waits. Against a scripted server.
 *
 * @module
 */

import { BlinkError, BlinkStore, connect } from "../client.ts";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "./assert.ts";
import { answerEach, scriptedServer, scriptedTransport, swallow } from "./client_scripted.ts";

Deno.test("a reply that comes too late is not taken for the next one", async () => {
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

Deno.test("a signal stops a call with its own reason, and the reply is passed over", async () => {
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

Deno.test("a call stopped before it is sent is withdrawn", async () => {
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

Deno.test("one signal may stop many calls, and none that has its reply", async () => {
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

Deno.test("a call that waits for a connection times out by itself", async () => {
  await using store = new BlinkStore({ transport: () => new Promise(() => {}) });
  const error = await assertRejects(() => store.get("a", { timeoutMs: 10 }), BlinkError);
  assertEquals([error.kind, error.mayHaveRun], ["timeout", false]);
  assertStringIncludes(error.message, "it was not sent");
});

Deno.test("calls with different time-outs each keep their own", async () => {
  await using store = await connect({ transport: scriptedTransport(swallow), closeTimeoutMs: 1 });
  const order: number[] = [];
  const waits = [40, 10, 25].map((timeoutMs) =>
    assertRejects(() => store.get("a", { timeoutMs }), BlinkError, `within ${timeoutMs} ms`)
      .then(() => order.push(timeoutMs))
  );
  await Promise.all(waits);
  assertEquals(order, [10, 25, 40]);
});

Deno.test("a time-out of Infinity waits, and 0 or less is refused", async () => {
  await using store = await connect({
    transport: scriptedTransport((peer) => answerEach(peer, () => "OK")),
    timeoutMs: Infinity,
  });
  await store.set("a", "1");
  for (const timeoutMs of [0, -1, NaN]) {
    await assertRejects(() => store.set("a", "1", { timeoutMs }), BlinkError, "timeoutMs");
  }
});

Deno.test("a connection that stays silent after a time-out is given up", async () => {
  await using server = scriptedServer((peer) =>
    peer.number === 1 ? swallow(peer) : answerEach(peer, () => "OK")
  );
  await using store = await connect({ port: server.port, silenceMsMax: 30, timeoutMs: Infinity });
  const lost = assertRejects(() => store.set("a", "1"), BlinkError, "nothing came from the server");
  await assertRejects(() => store.set("b", "2", { timeoutMs: 10 }), BlinkError, "within 10 ms");
  await lost;
  await store.set("c", "3");
  assertEquals(server.connections, 2);
});

Deno.test("silence counts anew after bytes have come", async () => {
  const late = Promise.withResolvers<void>();
  await using server = scriptedServer(async (peer) => {
    if (peer.number > 1) return await answerEach(peer, () => "OK");
    await peer.line();
    await late.promise;
    await peer.send("OK\n");
    await swallow(peer);
  });
  await using store = await connect({ port: server.port, silenceMsMax: 100, timeoutMs: Infinity });
  await assertRejects(() => store.set("a", "1", { timeoutMs: 10 }), BlinkError, "within 10 ms");
  late.resolve();
  while (store.pending > 0) await new Promise((resolve) => setTimeout(resolve, 1));
  const lost = assertRejects(() => store.set("b", "2"), BlinkError, "nothing came from the server");
  await assertRejects(() => store.set("c", "3", { timeoutMs: 10 }), BlinkError, "within 10 ms");
  await lost;
  await store.set("d", "4");
});

Deno.test("a connection that is slow but not silent is kept", async () => {
  await using server = scriptedServer(async (peer) => {
    await peer.line();
    await peer.line();
    // The first reply comes in pieces, each well within the bound, all together far beyond it.
    for (const piece of ["VALUE YWFh", "YWFh", "YWFh", "YWFh\n", "OK\n"]) {
      await new Promise((resolve) => setTimeout(resolve, 40));
      await peer.send(piece);
    }
    await answerEach(peer, () => "OK");
  });
  await using store = await connect({ port: server.port, silenceMsMax: 100 });
  const slow = assertRejects(() => store.get("a", { timeoutMs: 10 }), BlinkError, "within 10 ms");
  await Promise.all([slow, store.set("b", "2")]);
  assertEquals(server.connections, 1);
});

Deno.test("at most so many requests are in flight; the others wait their turn", async () => {
  for (const inFlightMax of [1, 2, 7]) {
    let most = 0;
    await using server = scriptedServer(async (peer) => {
      let unanswered = 0;
      for (let line = await peer.line(); line !== undefined; line = await peer.line()) {
        if (line === "QUIT") return;
        most = Math.max(most, ++unanswered);
        // Replies are held back until no more comes, so that the bound is reached.
        if (unanswered < inFlightMax) continue;
        await new Promise((resolve) => setTimeout(resolve, 1));
        await peer.send("OK\n".repeat(unanswered));
        unanswered = 0;
      }
    });
    await using store = await connect({ port: server.port, inFlightMax });
    await Promise.all(Array.from({ length: 14 }, () => store.set("a", "1")));
    assertEquals(most, inFlightMax);
  }
});

Deno.test("what waits to be sent is bounded", async () => {
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

Deno.test("a withdrawn call gives back the room it took", async () => {
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

Deno.test("a server that does not read holds up calls, not the program", async () => {
  const release = Promise.withResolvers<void>();
  await using server = scriptedServer(() => release.promise);
  await using store = await connect({ port: server.port, closeTimeoutMs: 10, silenceMsMax: 20 });
  const value = "x".repeat(8 * 1024 * 1024);
  const calls = Array.from(
    { length: 4 },
    () => assertRejects(() => store.set("a", value, { timeoutMs: 50 }), BlinkError),
  );
  const kinds = (await Promise.all(calls)).map((error) => error.kind);
  assert(kinds.every((kind) => kind === "timeout"), `${kinds}`);
  release.resolve();
});
