/**
 * The client's connection: what happens to calls when the server is away, lost or talks nonsense.
 * Against a scripted server, so that each failure happens exactly when it should.
 *
 * @module
 */

import { BlinkError, BlinkStore, connect } from "../client.ts";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "./assert.ts";
import { test, until } from "./client_bounded.ts";
import { answerEach, scriptedServer, scriptedTransport, swallow } from "./client_scripted.ts";

/** A port on which nothing listens. */
function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  listener.close();
  return (listener.addr as Deno.NetAddr).port;
}

function hasIpv6(): boolean {
  try {
    Deno.listen({ hostname: "::1", port: 0 }).close();
    return true;
  } catch {
    return false;
  }
}

const fast = { backoffMsMin: 1, backoffMsMax: 5 };

test("calls made in one turn leave together and each gets its own reply", async () => {
  await using server = scriptedServer((peer) =>
    answerEach(peer, (line) => `VALUE ${btoa(line.slice(4))}`)
  );
  await using store = await connect({ port: server.port });
  const keys = Array.from({ length: 5_000 }, (_, at) => `key${at}`);
  assertEquals(await Promise.all(keys.map((key) => store.get(key))), keys);
  assertEquals(server.connections, 1);
});

test("calls made in one turn are one write", async () => {
  const writes: string[] = [];
  const decoder = new TextDecoder();
  const transport = () => {
    const inner = scriptedTransport((peer) => answerEach(peer, () => "OK"))();
    const writer = inner.writable.getWriter();
    const writable = new WritableStream<Uint8Array>({
      write(bytes) {
        writes.push(decoder.decode(bytes));
        return writer.write(bytes);
      },
    });
    return { ...inner, writable };
  };
  await using store = await connect({ transport });
  await Promise.all([
    store.set("a", "1"),
    store.set("b", new Uint8Array([50])),
    store.set("c", "3"),
  ]);
  assertEquals(writes, ["SET a 1\nSET b 2\nSET c 3\n"]);
});

test("replies may come cut at any byte", async () => {
  const replies = new TextEncoder().encode("VALUE w7bDtg==\r\nNOT_FOUND\nVALUE \nKEYS 0 ключ\n");
  for (let cut = 1; cut < replies.length; cut++) {
    const transport = scriptedTransport(async (peer) => {
      await peer.line();
      await peer.sendBytes(replies.slice(0, cut));
      await peer.sendBytes(replies.slice(cut));
      await swallow(peer);
    });
    await using store = await connect({ transport });
    const calls = [store.get("a"), store.get("b"), store.get("c"), store.request("SCAN 0")];
    assertEquals(await Promise.all(calls), ["öö", undefined, "", "KEYS 0 ключ"]);
  }
});

test("a lost connection rejects what is in flight and the next call connects again", async () => {
  await using server = scriptedServer(async (peer) => {
    if (peer.number > 1) return await answerEach(peer, () => "NOT_FOUND");
    await peer.line();
    await peer.send("VALUE YQ==\n");
    await peer.line();
  });
  await using store = await connect({ port: server.port });
  const first = store.get("one");
  const second = assertRejects(() => store.get("two"), BlinkError);
  assertEquals(await first, "a");
  const error = await second;
  assertEquals([error.kind, error.mayHaveRun], ["connection", true]);
  assertStringIncludes(error.message, `127.0.0.1:${server.port}: the server closed it`);
  assertStringIncludes(error.message, "the outcome of the 1 command in flight is unknown");
  assertEquals(await store.get("three"), undefined);
  assertEquals(server.connections, 2);
});

test("an idle connection that is lost costs no call", async () => {
  await using server = scriptedServer(async (peer) => {
    if (peer.number > 1) return await answerEach(peer, () => "OK");
    await peer.line();
    await peer.send("OK\n");
  });
  await using store = await connect({ port: server.port });
  await store.set("a", "1");
  await until("the connection is lost", () => !store.connected);
  await store.set("b", "2");
  assertEquals(server.connections, 2);
});

test("half a reply is not a reply", async () => {
  await using server = scriptedServer(async (peer) => {
    await peer.line();
    await peer.line();
    await peer.send("VALUE YWFh\nVALUE YWFh");
  });
  await using store = await connect({ port: server.port });
  const [whole, half] = await Promise.allSettled([store.get("whole"), store.get("half")]);
  assert(whole.status === "fulfilled" && whole.value === "aaa");
  assert(half.status === "rejected");
  assertStringIncludes(half.reason.message, "in the middle of a reply");
});

test("a reply that is not understood ends the connection and all that is in flight", async () => {
  for (const nonsense of ["HTTP/1.1 400 Bad Request", "VALUE !!!", "OK", "", "VALUE YQ\u0000=="]) {
    await using server = scriptedServer(async (peer) => {
      if (peer.number > 1) return await answerEach(peer, () => "NOT_FOUND");
      await peer.line();
      await peer.send(`${nonsense}\n`);
      await swallow(peer);
    });
    await using store = await connect({ port: server.port });
    const [first, second] = await Promise.allSettled([store.get("a"), store.set("b", "1")]);
    assert(first.status === "rejected" && second.status === "rejected");
    assertEquals([first.reason.kind, second.reason.kind], ["protocol", "protocol"]);
    assertStringIncludes(first.reason.message, JSON.stringify(nonsense));
    assertStringIncludes(
      second.reason.message,
      "the outcome of the 1 command in flight is unknown",
    );
    assertEquals(await store.get("a"), undefined);
  }
});

test("an unexpected reply is quoted in part only", async () => {
  await using store = await connect({
    transport: scriptedTransport((peer) => answerEach(peer, () => "X".repeat(1_000_000))),
  });
  const error = await assertRejects(
    () => store.get("a"),
    BlinkError,
    "Cannot understand the reply",
  );
  assert(error.message.length < 200);
});

test("a reply without an end is refused at its limit", async () => {
  for (const [length, fits] of [[99, true], [100, true], [101, false]] as const) {
    const transport = scriptedTransport(async (peer) => {
      await peer.line();
      await peer.send("x".repeat(length));
      if (fits) await peer.send("\n");
      await swallow(peer);
    });
    await using store = await connect({ transport, replyBytesMax: 100 });
    if (fits) assertEquals((await store.request("PING")).length, length);
    else await assertRejects(() => store.request("PING"), BlinkError, "longer than 100 bytes");
  }
});

test("a reply to no request ends the connection", async () => {
  await using server = scriptedServer(async (peer) => {
    if (peer.number > 1) return await answerEach(peer, () => "OK");
    await peer.line();
    await peer.send("OK\nOK\n");
    await swallow(peer);
  });
  await using store = await connect({ port: server.port, ...fast });
  await store.set("a", "1");
  await until("the client has connected again", async () => {
    await store.set("a", "1").catch(() => {});
    return server.connections === 2;
  });
});

test("a server that says why it closes is quoted", async () => {
  await using server = scriptedServer(async (peer) => {
    await peer.line();
    await peer.send("OK\nERROR server busy\n");
  });
  await using store = await connect({ port: server.port });
  await store.set("a", "1");
  const error = await assertRejects(async () => {
    const calls = Array.from({ length: 10 }, () => store.set("b", "2"));
    await Promise.all(calls);
  }, BlinkError);
  assert(error.kind === "reply" || error.kind === "connection");
  assertStringIncludes(error.message, "server busy");
});

test("connect makes one attempt and says where and why it failed", async () => {
  const port = freePort();
  const error = await assertRejects(() => connect({ port }), BlinkError);
  assertEquals(error.kind, "connection");
  assertEquals(error.mayHaveRun, false);
  assertEquals(error.message, `Cannot connect to 127.0.0.1:${port}: connection refused`);
  await assertRejects(
    () => connect({ unix: "/nonexistent/blink.sock" }),
    BlinkError,
    "Cannot connect to /nonexistent/blink.sock: no such file",
  );
});

test("localhost is found at either of its addresses", async () => {
  for (const hostname of hasIpv6() ? ["127.0.0.1", "::1"] : ["127.0.0.1"]) {
    await using server = scriptedServer((peer) => answerEach(peer, () => "OK"), { hostname });
    await using store = await connect({ hostname: "localhost", port: server.port });
    await store.set("a", "1");
  }
  const port = freePort();
  await assertRejects(
    () => connect({ hostname: "localhost", port }),
    BlinkError,
    `Cannot connect to localhost:${port}: connection refused`,
  );
});

test("an IPv6 address is shown in brackets", () => {
  assertEquals(new BlinkStore({ hostname: "::1", port: 80 }).address, "[::1]:80");
  assertEquals(new BlinkStore({ hostname: "example.org" }).address, "example.org:8765");
  assertEquals(new BlinkStore({ unix: "/run/blink.sock" }).address, "/run/blink.sock");
});

test("connect gives up after its time and by its signal, and keeps no late transport", async () => {
  const late = Promise.withResolvers<void>();
  const closed = Promise.withResolvers<void>();
  const transport = async () => {
    await late.promise;
    return { ...scriptedTransport(swallow)(), close: closed.resolve };
  };
  await assertRejects(
    () => connect({ transport, connectTimeoutMs: 20 }),
    BlinkError,
    "Cannot connect to the given transport: no answer within 20 ms",
  );
  const stop = new AbortController();
  const stopped = assertRejects(() => connect({ transport, signal: stop.signal }), RangeError);
  stop.abort(new RangeError("enough"));
  await stopped;
  late.resolve();
  await closed.promise;
});

test("a connection of Deno is a transport", async () => {
  await using server = scriptedServer((peer) => answerEach(peer, () => "OK"));
  const { hostname, port } = server;
  for (let round = 0; round < 2; round++) {
    await using store = await connect({ transport: () => Deno.connect({ hostname, port }) });
    await Promise.all([store.set("a", "1"), store.set("b", "2")]);
  }
  assertEquals(server.connections, 2);
});

test("a transport that was used before is a clear error", async () => {
  const transport = scriptedTransport((peer) => answerEach(peer, () => "OK"))();
  await using store = await connect({ transport: () => transport });
  await using other = new BlinkStore({ transport: () => transport, connectAttemptsMax: 1 });
  const error = await assertRejects(
    () => other.get("a"),
    BlinkError,
    "Cannot connect to the given",
  );
  assertEquals(error.kind, "connection");
  await store.set("a", "1");
});

test("a connection lost as soon as its token is accepted holds up no call", async () => {
  const transport = scriptedTransport(async (peer) => {
    await peer.line();
    await peer.send("OK\n");
  });
  await using store = new BlinkStore({ transport, token: "t", timeoutMs: 2_000, ...fast });
  for (let round = 0; round < 20; round++) {
    const error = await assertRejects(() => store.get("a"), BlinkError);
    assertEquals(error.kind, "connection");
  }
});

test("options that are not valid are refused", () => {
  for (
    const options of [{ timeoutMs: 0 }, { inFlightMax: 1.5 }, { queuedBytesMax: -1 }, { token: "" }]
  ) {
    let kind = "";
    try {
      new BlinkStore(options);
    } catch (error) {
      if (error instanceof BlinkError) kind = error.kind;
    }
    assertEquals(kind, "usage");
  }
});
