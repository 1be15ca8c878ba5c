/**
 * A connection without sockets and timers: limits at their edges, idle time, memory that is shared
 * with others, draining.
 *
 * @module
 */

import { outputBytesScarce, slowestBytesPerSecond } from "../server/connection.ts";
import { stalledMs, strangersShare } from "../server/context.ts";
import { eventIntervalMs } from "../server/event_log.ts";
import { strangerLineBytesMax } from "../server/request_reader.ts";
import { assert, assertEquals } from "./assert.ts";
import { LentBuffer, type ManualConnection, ManualServer } from "./server_manual.ts";
import { bytesOf } from "./raw_client.ts";
import { later } from "./test_commands.ts";

Deno.test("connection: unfinished lines of all together, at the edge of the bound", () => {
  const server = new ManualServer({ pendingBytesMax: 1000 });
  const [first, second, third] = [server.connect(), server.connect(), server.connect()];
  assertEquals(first.send("x".repeat(600)), "read");
  assertEquals(second.send("y".repeat(400)), "read");
  assertEquals(third.send("z"), "linger");
  assertEquals(third.replies, "ERROR server busy\n");
  assertEquals(second.ask("\nPING\n"), "ERROR unknown command\nPONG\n");
  assertEquals(server.connect().send("z".repeat(400)), "read");
  assertEquals(server.context.input.bytes, 1000);
});

// Lines of 16 MiB were buffered, and base64 was decoded, before AUTH.
for (const length of [strangerLineBytesMax, strangerLineBytesMax + 1]) {
  Deno.test(`connection: a line of ${length} bytes before AUTH`, () => {
    const fits = length <= strangerLineBytesMax;
    for (const end of ["\n", "\r\n", ""]) {
      const client = new ManualServer({ token: "secret" }).connect();
      const line = "PUT k b64 ".padEnd(length, "A");
      const want = client.send(`${line}${end}`);
      if (end !== "" || !fits) {
        assertEquals(client.replies, "ERROR authentication required\n");
        assertEquals(want, fits ? "read" : "linger");
      }
      if (fits && end !== "") assertEquals(client.ask("AUTH secret\nGET k\n").at(0), "E");
    }
  });
}

Deno.test("connection: after AUTH the longest line is the server's", () => {
  const client = new ManualServer({ token: "secret" }).connect();
  const value = "v".repeat(100_000);
  assertEquals(client.ask(`AUTH secret\nSET k ${value}\nUSAGE\n`), "OK\nOK\nUSAGE 100001\n");
});

Deno.test("connection: nothing of a request before AUTH is parsed", () => {
  const client = new ManualServer({ token: "secret" }).connect();
  const required = "ERROR authentication required\n";
  assertEquals(client.ask("PUT k nonsense v\n\nwhat\nGET\nPING\n"), required.repeat(4) + "PONG\n");
});

// Seventeen unfinished lines of strangers made clients that had logged in get `server busy`.
Deno.test("connection: strangers share a small part of the memory for unfinished lines", () => {
  const pendingBytesMax = 64 * 1024;
  const server = new ManualServer({ pendingBytesMax, token: "secret" });
  const known = server.connect();
  known.ask("AUTH secret\n");
  const share = pendingBytesMax * strangersShare;
  const strangers = Array.from({ length: 17 }, () => server.connect());
  const wants = strangers.map((stranger) => stranger.send("SET k ".padEnd(share / 4, "x")));
  assertEquals(wants.filter((want) => want === "read").length, 4);
  assertEquals(strangers.at(-1)?.replies, "ERROR server busy\n");
  assertEquals(known.send("SET k ".padEnd(pendingBytesMax - share, "x")), "read");
  assertEquals(known.ask("\nPING\n"), "OK\nPONG\n");
  strangers.forEach((stranger) => stranger.close());
  assertEquals([server.context.strangersInput.bytes, server.context.input.bytes], [0, 0]);
});

Deno.test("connection: silence ends it, at its time", () => {
  const server = new ManualServer({ idleTimeoutMs: 1000 });
  const [silent, busy] = [server.connect(), server.connect()];
  [silent, busy].forEach((client) => client.run());
  server.advance(1000);
  assert(!silent.isClosed);
  busy.ask("PING\n");
  server.advance(100);
  assertEquals([silent.isClosed, busy.isClosed], [true, false]);
});

// A byte now and then kept an unfinished line alive for ever.
Deno.test("connection: an unfinished line must arrive at a rate", () => {
  const server = new ManualServer({ idleTimeoutMs: 1000 });
  const [dripping, steady] = [server.connect(), server.connect()];
  dripping.send("S");
  steady.send("SET k ");
  for (let second = 0; second < 5; second++) {
    server.advance(500);
    if (!dripping.isClosed) dripping.send("x");
    steady.send("x".repeat(slowestBytesPerSecond / 2 + 1));
  }
  assertEquals([dripping.isClosed, steady.isClosed], [true, false]);
  // Each line has its time: many short ones over a long time are no long one.
  const chatting = server.connect();
  chatting.send("PI");
  for (let round = 0; round < 10; round++) {
    server.advance(900);
    assertEquals(chatting.ask("NG\nPI"), "PONG\n");
  }
});

// A client that reads all the time but slowly was cut: the kernel's buffers hide that it reads.
Deno.test("connection: a slow reader is not idle", () => {
  const server = new ManualServer({ idleTimeoutMs: 1000, limitBytes: 4 << 20 });
  const [slow, dead] = [server.connect(), server.connect()];
  slow.ask(`SET k ${"v".repeat(30 * slowestBytesPerSecond)}\n`);
  for (const client of [slow, dead]) {
    client.send("GET k\n");
    assert(client.replies.length > 0);
  }
  // All of it is in the kernel's buffers: the reply is 40 s for the slowest client that is spared.
  server.advance(40_000);
  assertEquals([slow.isClosed, dead.isClosed], [false, false]);
  slow.ask("PING\n");
  server.advance(1600);
  assertEquals([slow.isClosed, dead.isClosed], [true, true]);
});

Deno.test("connection: a request that the server works on is not silence", () => {
  const server = new ManualServer({ idleTimeoutMs: 1000, commands: [later] });
  const client = server.connect();
  client.send("LATER 5000\n");
  server.advance(4900);
  assert(!client.isClosed);
  server.advance(100);
  client.run();
  assertEquals(client.taken(), "LATER 5000\n");
});

/** A server with a value of 300,000 bytes, and memory for the replies to `replies` GETs of it. */
function crowded(replies: number): ManualServer {
  const server = new ManualServer({ pendingBytesMax: replies * 570_000, limitBytes: 4 << 20 });
  const entries = bytesOf(`big${"v".repeat(300_000)}small1`);
  server.store.put(entries, 0, 3, entries, 3, 300_003, Infinity);
  server.store.put(entries, 300_003, 300_008, entries, 300_008, 300_009, Infinity);
  return server;
}

// A 12-byte reply in flight counted as stuck for longest: honest clients were closed for hogs.
Deno.test("connection: hogs that never read are closed, others served meanwhile", () => {
  const server = crowded(3);
  const hogs = Array.from({ length: 20 }, () => server.connect());
  for (const hog of hogs) {
    hog.run();
    hog.receive(bytesOf("GET big\nGET big\n"));
    hog.connection.next();
  }
  const slowReader = server.connect();
  slowReader.run();
  slowReader.receive(bytesOf("GET small\n"));
  assertEquals(slowReader.connection.next(), "send");
  const honest = server.connect();
  // Small requests are served at once, however many large replies wait.
  assertEquals(honest.ask("GET small\nPING\n"), "VALUE MQ==\nPONG\n");
  assert(server.context.replies.bytes < 3 * 570_000 + 20 * outputBytesScarce);
  // A large reply waits until a hog is known to stand still.
  assertEquals(honest.send("GET big\n"), "wait");
  server.advance(stalledMs + 100);
  assert(hogs.some((hog) => hog.isClosed));
  assert(honest.isWoken);
  assertEquals(honest.run(), "read");
  assertEquals(honest.taken().length, 400_007);
  assertEquals([honest.isClosed, slowReader.isClosed], [false, false]);
  assert(/^Closed a client that took none of its \d+ bytes of replies/.test(server.events[0]));
  for (const client of [...hogs, slowReader, honest]) client.close();
  assertEquals(server.context.replies.bytes, 0);
});

Deno.test("connection: a client that takes bytes is never closed for others", () => {
  const server = crowded(1);
  const steady = server.connect();
  steady.run();
  steady.receive(bytesOf("GET big\n"));
  const waiting = server.connect();
  waiting.run();
  steady.connection.next();
  assertEquals(waiting.send("GET big\n"), "wait");
  for (let round = 0; round < 30; round++) {
    server.advance(stalledMs / 2);
    if (steady.step(1000) !== "send") break;
  }
  assert(!steady.isClosed);
  while (steady.step() === "send");
  assertEquals(steady.taken().length, 400_007);
  assertEquals(waiting.run(), "read");
  assertEquals(waiting.taken().length, 400_007);
});

Deno.test("connection: one that is alone may be sent a reply of any size", () => {
  const server = crowded(0.1);
  const client = server.connect();
  assertEquals(client.ask("GET big\nMGET big big\n").length, 400_007 + 800_009);
});

Deno.test("connection: failed AUTH is reported at a bounded rate", () => {
  const server = new ManualServer({ token: "secret" });
  for (let guess = 0; guess < 50; guess++) {
    const client = server.connect();
    client.send("AUTH wrong\n");
    client.close();
  }
  assertEquals(server.events, ["Authentication failed: from a test"]);
  server.advance(eventIntervalMs);
  assertEquals(server.events.length, 2);
  assert(server.events[1].includes("the last of 49 such events"), server.events[1]);
});

Deno.test("connection: draining answers what was read, and then ends", () => {
  const server = new ManualServer({ commands: [later] });
  const [idle, waiting] = [server.connect(), server.connect()];
  idle.run();
  waiting.send("PING\nLATER 10\nPIN");
  server.context.isDraining = true;
  assertEquals(idle.connection.drain(), true);
  assertEquals(idle.run(), "linger");
  assertEquals(waiting.connection.drain(), false);
  assertEquals(waiting.run(), "wait");
  server.clock.advance(10);
  assertEquals(waiting.run(), "linger");
  assertEquals(waiting.replies, "PONG\nLATER 10\n");
});

// Half a SET was stored when its client was killed; only a half-close may end a line.
Deno.test("connection: an unfinished line runs at the end of input, and never after a reset", () => {
  const server = new ManualServer();
  const [reset, ended] = [server.connect(), server.connect()];
  reset.send("SET cut hal");
  reset.close();
  assertEquals(ended.ask("GET cut\n"), "NOT_FOUND\n");
  ended.send("SET whole value");
  assertEquals(ended.end(), "close");
  assertEquals(ended.taken(), "OK\n");
  const cut = server.connect();
  cut.send("PUT cut b64,bytes=6 aGFs");
  cut.end();
  assertEquals(cut.taken(), "ERROR value has 3 bytes, not 6\n");
});

// The output that was sent last stayed with its connection until the next request: 4 KiB each.
for (const sharesOutput of [true, false]) {
  Deno.test(`connection: an idle one holds no memory, output shared: ${sharesOutput}`, () => {
    const server = new ManualServer();
    const lent = new LentBuffer();
    const ask = (client: ManualConnection) => {
      client.connection.sharesOutput = sharesOutput;
      client.run();
      const line = bytesOf("GET k\n");
      lent.lend(client.connection).set(line);
      client.connection.received(line.length);
      assertEquals([client.run(), client.taken()], ["read", "NOT_FOUND\n"]);
      lent.takeBack();
      client.connection.settle();
    };
    const { buffers } = server.context;
    buffers.give(buffers.take(1));
    const { keptBytes } = buffers;
    for (let n = 0; n < 3; n++) {
      ask(server.connect());
      assertEquals(buffers.keptBytes, keptBytes);
    }
    assertEquals(server.context.replies.bytes, 0);
  });
}

Deno.test("connection: what is not sent at once leaves the shared writer, and counts", () => {
  const server = new ManualServer();
  const { output } = server.context.commands;
  const [slow, other] = [server.connect(), server.connect()];
  for (const { connection } of [slow, other]) connection.sharesOutput = true;
  const turn = ({ connection }: ManualConnection, line: string, sendBytes: number): string => {
    while (connection.next() === "yield");
    if (line !== "") {
      connection.space().set(bytesOf(line));
      connection.received(line.length);
    }
    assertEquals(connection.next(), "send");
    const sent = connection.unsentNow().slice(0, Math.min(sendBytes, connection.unsentBytes));
    connection.sent(sent.length);
    connection.settle();
    output.bytes.fill(0x21);
    return new TextDecoder().decode(sent);
  };
  assertEquals(turn(slow, "PING\nGET k\n", 7), "PONG\nNO");
  assertEquals(server.context.replies.bytes, "T_FOUND\n".length);
  assertEquals(output.length, 0);
  assertEquals(turn(other, "PING\n", 100), "PONG\n");
  assertEquals(turn(slow, "", 2), "T_");
  assertEquals(turn(other, "USAGE\n", 100), "USAGE 0\n");
  assertEquals(turn(slow, "", 100), "FOUND\n");
  assertEquals(server.context.replies.bytes, 0);
  // A client that leaves takes what it has not read along.
  turn(slow, "PING\n", 1);
  slow.close();
  assertEquals(server.context.replies.bytes, 0);
  assertEquals(turn(other, "PING\n", 100), "PONG\n");
});
