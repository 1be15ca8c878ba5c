/**
 * Requests that end in several steps, without sockets: the order of replies, what others see
 * meanwhile, and what is left when the client leaves.
 *
 * @module
 */

import { authDelayMs } from "../commands/mod.ts";
import { heldRepliesMax } from "../server/session.ts";
import { InvariantError } from "../store.ts";
import { assert, assertEquals } from "./assert.ts";
import { type ManualConnection, ManualServer } from "./server_manual.ts";
import { ModelStore } from "./model_store.ts";
import { bytesOf } from "./raw_client.ts";
import { faultCommand, later } from "./test_commands.ts";

/** What a client does until it has nothing to do: each want, with the replies sent since. */
function steps(client: ManualConnection, input: string): [string, string][] {
  client.receive(bytesOf(input));
  const seen: [string, string][] = [];
  for (;;) {
    const want = client.step();
    if (want === "send") continue;
    seen.push([want, client.taken()]);
    if (want !== "yield") return seen;
  }
}

function serverOn(options: { unfinishedBytes?: number; flushStep?: number; scattered?: boolean }) {
  const server: ManualServer = new ManualServer({
    store: new ModelStore({ limitBytes: 8 << 20, now: () => server.clock.nowMs, ...options }),
  });
  return server;
}

Deno.test("session: a put that takes several steps is answered once, in order", () => {
  const server = serverOn({ unfinishedBytes: 5 });
  const client = server.connect();
  client.run();
  assertEquals(steps(client, "SET a 1\nSET b 12345\nGET b\n"), [
    ["yield", "OK\n"],
    ["read", "OK\nVALUE MTIzNDU=\n"],
  ]);
  assertEquals(server.context.commands.info().requests.SET, 2);
});

Deno.test("session: a PUT in base64 that takes several steps is decoded once", () => {
  const client = serverOn({ unfinishedBytes: 5 }).connect();
  client.ask("PUT a - old one\n");
  const line = `PUT a b64,match=${btoa("old one")} ${btoa("new\none")}\nGET a\n`;
  assertEquals(client.ask(line), `OK\nVALUE ${btoa("new\none")}\n`);
});

Deno.test("session: a condition is checked again after others had their turn", () => {
  const server = serverOn({ unfinishedBytes: 5 });
  const [waiting, other] = [server.connect(), server.connect()];
  waiting.run();
  waiting.receive(bytesOf("PUT a absent 12345\n"));
  assertEquals(waiting.step(), "yield");
  assertEquals(other.ask("SET a x\n"), "OK\n");
  assertEquals(waiting.run(), "read");
  assertEquals(waiting.taken(), "CONFLICT\n");
});

Deno.test("session: flushes by prefix of several clients take their turns", () => {
  const server = serverOn({ flushStep: 2 });
  const [first, second] = [server.connect(), server.connect()];
  const keys = ["a1", "a2", "a3", "a4", "a5", "b1", "b2", "b3"];
  first.ask(keys.map((key) => `SET ${key} x\n`).join(""));
  second.run();
  first.receive(bytesOf("FLUSH a\n"));
  second.receive(bytesOf("FLUSH b\n"));
  assertEquals([first.step(), second.step()], ["yield", "yield"]);
  assertEquals([first.run(), second.run()], ["read", "read"]);
  assertEquals([first.taken(), second.taken()], ["DELETED 5\n", "DELETED 3\n"]);
  assertEquals(server.store.usage, 0);
});

Deno.test("session: a flush whose client has gone is ended by the sweep", () => {
  const server = serverOn({ flushStep: 1 });
  const gone = server.connect();
  gone.ask("SET a1 x\nSET a2 x\nSET a3 x\nSET b x\n");
  gone.receive(bytesOf("FLUSH a\n"));
  assertEquals(gone.step(), "yield");
  gone.close();
  for (let sweeps = 0; server.context.sweep(); sweeps++) assert(sweeps < 20);
  const next = server.connect();
  assertEquals(next.ask("MGET a1 a2 a3\nFLUSH b\n"), "VALUES - - -\nDELETED 1\n");
});

Deno.test("session: a run ends when much waits to be sent, and goes on where it was", () => {
  const client = new ManualServer().connect();
  const value = "v".repeat(100_000);
  client.ask(`SET k ${value}\n`);
  client.receive(bytesOf("GET k\n".repeat(10)));
  const sizes: number[] = [];
  while (client.step() === "send") sizes.push(client.taken().length);
  const reply = `VALUE ${btoa(value)}\n`.length;
  assertEquals(sizes, [2 * reply, 2 * reply, 2 * reply, 2 * reply, 2 * reply]);
});

Deno.test("session: a large value is sent in parts that are all of one value", () => {
  const server = new ManualServer({ limitBytes: 8 << 20 });
  const [writer, reader] = [server.connect(), server.connect()];
  reader.run();
  for (const length of [196_607, 196_608, 196_609, 393_216, 393_217, 1_000_000]) {
    const value = "v".repeat(length);
    const replies = [
      ["GET k", `VALUE ${btoa(value)}\n`],
      ["MGET k x k", `VALUES ${btoa(value)} - ${btoa("other")}\n`],
    ];
    for (const [request, expected] of replies) {
      writer.ask(`SET k ${value}\n`);
      reader.receive(bytesOf(`${request}\n`));
      // Written between the parts: it shows in no value that was begun.
      while (reader.step() !== "read") writer.ask("SET k other\n");
      assert(reader.taken() === expected, `${request}, ${length} bytes`);
      assertEquals(reader.connection.heldReplyBytes, 0);
    }
  }
});

Deno.test("session: values that do not lie in one piece", () => {
  const client = serverOn({ scattered: true }).connect();
  const long = "v".repeat(100_000);
  const input = `SET k ${long}\nGET k\nSET e\nGET e\nMGET k e\nINCR n 7\nINCR n\n`;
  const text = btoa(long);
  assertEquals(
    client.ask(input),
    `OK\nVALUE ${text}\nOK\nVALUE \nVALUES ${text} ""\nINT 7\nINT 8\n`,
  );
});

Deno.test("session: SCAN ends early when its keys are many bytes", () => {
  const client = new ManualServer({ limitBytes: 64 << 20 }).connect();
  const keys = Array.from({ length: 100 }, (_, number) => `${number}`.padEnd(60_000, "k"));
  client.ask(keys.map((name) => `SET ${name} x\n`).join(""));
  const seen: string[] = [];
  let cursor = "0";
  do {
    assert(seen.length <= 2 * keys.length, "the scan never ends");
    const reply = client.ask(`SCAN ${cursor} 10000\n`);
    assert(reply.length < 8 << 20, `${reply.length} bytes`);
    const [, next, ...found] = reply.trimEnd().split(" ");
    seen.push(...found);
    cursor = next;
  } while (cursor !== "0");
  assertEquals(seen.toSorted(), keys.toSorted());
});

// A SCAN whose prefix matches little looked at 240,000 slots in one turn.
Deno.test("session: a SCAN that finds little lets others have their turn", () => {
  const client = new ManualServer({ limitBytes: 64 << 20 }).connect();
  for (let from = 0; from < 100_000; from += 1000) {
    const keys = Array.from({ length: 1000 }, (_, n) => `SET key:${from + n} x\n`);
    client.ask(keys.join(""));
  }
  client.ask("SET rare 1\n");
  const seen = steps(client, "SCAN 0 10000 rare\n");
  assert(seen.length > 10, `${seen.length} turns`);
  assertEquals(seen.at(-1)?.[0], "read");
});

// An MGET of 100,000 missing keys was one turn.
Deno.test("session: an MGET of many missing keys lets others have their turn", () => {
  const client = new ManualServer().connect();
  const line = `MGET ${"k ".repeat(30_000)}\n`;
  let yields = 0;
  client.run();
  for (let from = 0; from < line.length;) {
    from += client.receive(bytesOf(line.slice(from)));
    for (let want = client.step(); want !== "read"; want = client.step()) {
      if (want === "yield") yields++;
    }
  }
  assertEquals(client.taken(), `VALUES${" -".repeat(30_000)}\n`);
  assert(yields > 10, `${yields} yields`);
});

Deno.test("session: replies leave in the order of the requests, whatever ends first", () => {
  const server = new ManualServer({ commands: [later] });
  const client = server.connect();
  assertEquals(client.send("SET a 1\nLATER 30\nGET a\nLATER 10\nSET a 2\nGET a\n"), "read");
  assertEquals(client.taken(), "OK\n");
  // What follows has run already: only its replies wait.
  const other = server.connect();
  assertEquals(other.ask("GET a\n"), "VALUE Mg==\n");
  server.clock.advance(10);
  assertEquals([client.run(), client.taken()], ["read", ""]);
  server.clock.advance(20);
  assert(client.isWoken);
  assertEquals(client.run(), "read");
  assertEquals(client.taken(), "LATER 30\nVALUE MQ==\nLATER 10\nOK\nVALUE Mg==\n");
  assertEquals(client.connection.heldReplyBytes, 0);
});

Deno.test("session: a reply that waits holds up no read, up to a number of replies", () => {
  const server = new ManualServer({ commands: [later] });
  const client = server.connect();
  assertEquals(client.send("LATER 10\n" + "PING\n".repeat(heldRepliesMax - 2)), "read");
  assertEquals(client.send("PING\n"), "wait");
  assertEquals(client.taken(), "");
  server.clock.advance(10);
  assertEquals(client.run(), "read");
  assertEquals(client.taken(), "LATER 10\n" + "PONG\n".repeat(heldRepliesMax - 1));
});

Deno.test("session: QUIT and the end of input wait for what is under way", () => {
  const server = new ManualServer({ commands: [later] });
  const [quitting, ending] = [server.connect(), server.connect()];
  assertEquals(quitting.send("LATER 10\nPING\nQUIT\nPING\n"), "wait");
  ending.send("LATER 10\nPING");
  assertEquals(ending.end(), "wait");
  server.clock.advance(10);
  assertEquals([quitting.run(), ending.run()], ["linger", "close"]);
  assertEquals([quitting.replies, ending.replies], ["LATER 10\nPONG\n", "LATER 10\nPONG\n"]);
});

Deno.test("session: a client that leaves cancels what it waited for", () => {
  const server = new ManualServer({ commands: [later], token: "secret", limitBytes: 4 << 20 });
  const guessing = server.connect();
  guessing.send("AUTH wrong\n");
  assertEquals(server.clock.timers, 1);
  guessing.close();
  const waiting = server.connect();
  waiting.send("AUTH secret\nLATER 10\nLATER 20\n");
  assertEquals(server.clock.timers, 2);
  waiting.close();
  assertEquals(server.clock.timers, 0);
  // A large put that was cancelled holds nothing that the next one needs.
  const putting = server.connect();
  putting.send("AUTH secret\n");
  const line = bytesOf(`SET k ${"v".repeat(4_000_000)}\n`);
  for (let from = 0; from < line.length;) {
    from += putting.receive(line.subarray(from));
    if (from < line.length) putting.run();
  }
  assertEquals(putting.step(), "yield");
  putting.close();
  const next = server.connect();
  assertEquals(
    next.ask(`AUTH secret\nSET j ${"w".repeat(4_000_000)}\nUSAGE\n`),
    "OK\nOK\nUSAGE 4000001\n",
  );
  assertEquals([server.context.input.bytes, server.context.replies.bytes], [0, 0]);
});

Deno.test("session: a wrong token is answered late, and what follows waits for that", () => {
  const server = new ManualServer({ token: "secret" });
  const client = server.connect();
  assertEquals(client.send("AUTH wrong\nAUTH secret\nPING\n"), "wait");
  server.clock.advance(authDelayMs - 1);
  assertEquals([client.run(), client.taken()], ["wait", ""]);
  server.clock.advance(1);
  assertEquals(client.run(), "read");
  assertEquals(client.taken(), "ERROR authentication failed\nOK\nPONG\n");
});

Deno.test("session: a fault ends its connection, a broken invariant the server", () => {
  let error = new Error("out of luck");
  const server = new ManualServer({ commands: [faultCommand(() => error)] });
  const [faulty, other] = [server.connect(), server.connect()];
  assertEquals(faulty.send("PING\nFAULT\nPING\n"), "close");
  assertEquals(server.events, ["Connection closed after a fault: out of luck"]);
  // Half a reply must not become part of another connection's.
  assertEquals(other.ask("PING\n"), "PONG\n");
  assertEquals(server.broken, undefined);
  error = new InvariantError("the sky has fallen");
  assertEquals(other.send("FAULT\n"), "close");
  assert(server.broken === error);
  // An error that only wrong code can cause may have left a change half done.
  error = new TypeError("Cannot read properties of undefined");
  const wrong = new ManualServer({ commands: [faultCommand(() => error)] });
  assertEquals(wrong.connect().send("FAULT\n"), "close");
  assert(wrong.broken === error);
});
