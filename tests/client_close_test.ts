/**
 * The end of a client: what close, abort and the end of an `await using` block do to calls that are
 * waiting or in flight, and to the server. Against a scripted server.
 *
 * @module
 */

import { BlinkError, BlinkStore, connect } from "../client.ts";
import { assert, assertEquals, assertRejects } from "./assert.ts";
import { test } from "./client_bounded.ts";
import { answerEach, type Script, scriptedServer, scriptedTransport } from "./client_scripted.ts";

/** Answers `OK` to each line, and notes every line and the end. */
function noting(lines: (string | undefined)[]): Script {
  return async (peer) => {
    for (;;) {
      const line = await peer.line();
      lines.push(line);
      if (line === undefined || line === "QUIT") return;
      await peer.send("OK\n");
    }
  };
}

/** Reads lines and never answers, not even QUIT, until the connection ends. */
const deaf: Script = async (peer) => {
  while (await peer.line() !== undefined);
};

test("close lets pending calls finish, then says QUIT", async () => {
  for (const inFlightMax of [1, 2, 100]) {
    const lines: (string | undefined)[] = [];
    await using server = scriptedServer(noting(lines));
    const store = await connect({ port: server.port, inFlightMax });
    const calls = [store.set("a", "1"), store.set("b", "2"), store.set("c", "3")];
    const closed = store.close();
    await assertRejects(() => store.get("late"), BlinkError, "the client is closed");
    await Promise.all(calls);
    await closed;
    assertEquals(lines, ["SET a 1", "SET b 2", "SET c 3", "QUIT"]);
    assertEquals([store.pending, store.connected], [0, false]);
  }
});

test("close may be called twice, and after the server is gone", async () => {
  const server = scriptedServer(noting([]));
  const store = await connect({ port: server.port });
  await store.set("a", "1");
  await server[Symbol.asyncDispose]();
  await Promise.all([store.close(), store.close()]);
  await store.close();
  store.abort();
  assertEquals([store.pending, store.connected], [0, false]);
});

test("a client that never connected closes", async () => {
  let connections = 0;
  const store = new BlinkStore({
    transport: () => {
      connections++;
      return scriptedTransport(deaf)();
    },
  });
  await store.close();
  await assertRejects(() => store.open(), BlinkError, "the client is closed");
  assertEquals(connections, 0);
});

test("a client closed while it connects keeps no connection", async () => {
  const late = Promise.withResolvers<void>();
  const closed = Promise.withResolvers<void>();
  const store = new BlinkStore({
    transport: async () => {
      await late.promise;
      return { ...scriptedTransport(deaf)(), close: closed.resolve };
    },
  });
  const waiting = assertRejects(() => store.get("a"), BlinkError, "the client is closed");
  await Promise.resolve();
  store.abort();
  await waiting;
  late.resolve();
  await closed.promise;
  assertEquals(store.connected, false);
});

test("close waits for a server that does not answer no longer than it is told", async () => {
  await using server = scriptedServer(deaf);
  const store = await connect({ port: server.port, closeTimeoutMs: 20 });
  const pending = assertRejects(() => store.get("a"), BlinkError);
  await store.close();
  const error = await pending;
  assertEquals([error.kind, error.mayHaveRun], ["closed", true]);
});

test("abort rejects what is in flight and what waits", async () => {
  const arrived = Promise.withResolvers<void>();
  await using server = scriptedServer(async (peer) => {
    await peer.line();
    arrived.resolve();
    await deaf(peer);
  });
  const store = await connect({ port: server.port, inFlightMax: 1 });
  const calls = Promise.allSettled([store.get("a"), store.get("b")]);
  await arrived.promise;
  store.abort();
  const [sent, waiting] = await calls;
  assert(sent.status === "rejected" && waiting.status === "rejected");
  assertEquals([sent.reason.kind, sent.reason.mayHaveRun], ["closed", true]);
  assertEquals([waiting.reason.kind, waiting.reason.mayHaveRun], ["closed", false]);
  assertEquals(store.pending, 0);
  await store.close();
});

test("the end of a block closes", async () => {
  const lines: (string | undefined)[] = [];
  await using server = scriptedServer(noting(lines));
  {
    await using store = await connect({ port: server.port });
    store.set("a", "1").catch(() => {});
  }
  assertEquals(lines, ["SET a 1", "QUIT"]);
});

test("a call that lost its caller does not hold up close", async () => {
  await using server = scriptedServer((peer) => answerEach(peer, () => "OK"));
  const store = await connect({ port: server.port });
  const stop = new AbortController();
  const stopped = assertRejects(() => store.set("a", "1", { signal: stop.signal }));
  stop.abort();
  await stopped;
  await store.close();
});
