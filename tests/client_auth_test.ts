/**
 * The client's token: sent first on every connection, and not tried again once it was refused.
 * Against a scripted server.
 *
 * @module
 */

import { BlinkError, BlinkStore, connect } from "../client.ts";
import { assert, assertEquals, assertRejects } from "./assert.ts";
import { test, until } from "./client_bounded.ts";
import { settle } from "./client_clock.ts";
import { answerEach, ManualTransport, scriptedServer } from "./client_scripted.ts";

const backoff = { backoffMsMin: 1, backoffMsMax: 2 };

test("the token is the first thing sent, on every connection", async () => {
  const lines: string[][] = [];
  await using server = scriptedServer(async (peer) => {
    const said: string[] = [];
    lines.push(said);
    for (let left = 3; left > 0; left--) {
      const line = await peer.line();
      if (line === undefined || line === "QUIT") return;
      said.push(line);
      await peer.send("OK\n");
    }
  });
  await using store = await connect({ port: server.port, token: "s3cret", ...backoff });
  await Promise.all([store.set("a", "1"), store.set("b", "2")]);
  await until("the connection is lost", () => !store.connected);
  await store.set("c", "3");
  assertEquals(lines, [["AUTH s3cret", "SET a 1", "SET b 2"], ["AUTH s3cret", "SET c 3"]]);
});

test("nothing is sent before the token is accepted", async () => {
  const transport = new ManualTransport();
  await using store = new BlinkStore({ transport: () => transport, token: "s3cret" });
  const call = store.set("a", "1");
  await settle();
  assertEquals(transport.lines, ["AUTH s3cret"]);
  transport.reply("OK\n");
  await settle();
  assertEquals(transport.lines, ["AUTH s3cret", "SET a 1"]);
  transport.reply("OK\n");
  await call;
  transport.close();
});

test("a refused token is a clear error and is not tried again by itself", async () => {
  for (const reply of ["ERROR authentication failed", "ERROR unknown command"]) {
    await using server = scriptedServer((peer) => answerEach(peer, () => reply));
    const options = { port: server.port, token: "wr0ng", ...backoff };
    const error = await assertRejects(() => connect(options), BlinkError);
    assertEquals([error.kind, error.mayHaveRun], ["auth", false]);
    assertEquals(error.message, `Cannot connect to 127.0.0.1:${server.port}: ${reply.slice(6)}`);
    assert(!error.message.includes("wr0ng"));
    assertEquals(server.connections, 1);
  }
});

test("calls that wait are rejected when the token is refused", async () => {
  await using server = scriptedServer(async (peer) => {
    if (peer.number > 1) return await answerEach(peer, () => "ERROR authentication failed");
    await peer.line();
    await peer.send("OK\n");
  });
  await using store = await connect({ port: server.port, token: "old", ...backoff });
  await until("the connection is lost", () => !store.connected);
  const calls = await Promise.allSettled([store.get("a"), store.get("b")]);
  for (const call of calls) {
    assert(call.status === "rejected");
    assertEquals([call.reason.kind, call.reason.mayHaveRun], ["auth", false]);
  }
  assertEquals(server.connections, 2);
});

test("auth logs in now and on later connections", async () => {
  const lines: string[] = [];
  await using server = scriptedServer(async (peer) => {
    for (let left = 2; left > 0; left--) {
      const line = await peer.line();
      if (line === undefined || line === "QUIT") return;
      lines.push(line);
      await peer.send(line === "AUTH wrong" ? "ERROR authentication failed\n" : "OK\n");
    }
  });
  await using store = await connect({ port: server.port });
  const refused = await assertRejects(() => store.auth("wrong"), BlinkError);
  assertEquals(refused.kind, "auth");
  await store.auth("right");
  await until("the connection is lost", () => !store.connected);
  await store.set("a", "1");
  assertEquals(lines, ["AUTH wrong", "AUTH right", "AUTH right", "SET a 1"]);
});

test("a token the wire cannot carry is refused, and the error does not show it", async () => {
  for (const token of ["", "two words", "line\nbreak", "tab\there", "\ud800"]) {
    const error = await assertRejects(() => connect({ token, port: 1 }), BlinkError);
    assertEquals(error.kind, "usage");
    assert(token === "" || !error.message.includes(token));
  }
});

test("a request that needs a token is an auth error", async () => {
  await using server = scriptedServer((peer) =>
    answerEach(peer, () => "ERROR authentication required")
  );
  await using store = await connect({ port: server.port });
  const error = await assertRejects(() => store.get("a"), BlinkError, "authentication required");
  assertEquals(error.kind, "auth");
});
