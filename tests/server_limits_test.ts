/**
 * The limits of the server, each at its edge, and that what passes one hurts nobody else.
 *
 * @module
 */

import { assert, assertEquals } from "./assert.ts";
import { RawClient, until } from "./raw_client.ts";
import { serve, testThreads } from "./served.ts";

const anyPort = [{ hostname: "127.0.0.1", port: 0 }];

Deno.test("limits: connections beyond the limit are told so and closed", async () => {
  await using server = await serve({ tcp: anyPort, connectionsMax: 2 });
  const [address] = server.addresses;
  using first = await RawClient.to(address);
  using second = await RawClient.to(address);
  await first.ask("PING\n");
  await second.ask("PING\n");
  using third = await RawClient.to(address);
  await third.send("PING\n");
  assertEquals(await third.rest(), "ERROR too many connections\n");
  const { per_thread: perThread, ...counts } = server.info().connections;
  assertEquals(counts, { now: 2, total: 2, refused: 1 });
  assertEquals(perThread, testThreads === 1 ? [2] : [1, 1]);
  await first.send("QUIT\n");
  assertEquals(await first.rest(), "");
  first[Symbol.dispose]();
  // The place is free once the server has seen the first one's end.
  await until(() => server.info().connections.now === 1, "the first one's end");
  using next = await RawClient.to(address);
  assertEquals(await next.ask("PING\n"), ["PONG"]);
  assertEquals(await second.ask("PING\n"), ["PONG"]);
});

Deno.test("limits: a refused client is told in its own wire, and one that is silent, too", async () => {
  await using server = await serve({ tcp: anyPort, connectionsMax: 1 });
  const [address] = server.addresses;
  using first = await RawClient.to(address);
  await first.ask("PING\n");
  const told: [sent: string, reply: string][] = [
    ["*1\r\n$4\r\nPING\r\n", "-ERR max number of clients reached\r\n"],
    ["GET a\n", "ERROR too many connections\n"],
    ["", "ERROR too many connections\n"],
  ];
  for (const [sent, reply] of told) {
    using refused = await RawClient.to(address);
    await refused.send(sent);
    assertEquals(await refused.rest(), reply);
  }
  // A silent one that ends its side is not waited for.
  using ended = await RawClient.to(address);
  await ended.end();
  assertEquals(await ended.rest(), "ERROR too many connections\n");
});

Deno.test("limits: unfinished lines of all connections together", async () => {
  await using server = await serve({ tcp: anyPort, pendingBytesMax: 1000 });
  const [address] = server.addresses;
  using holder = await RawClient.to(address);
  // The whole line is answered first, so what follows it is known to be held.
  await holder.send("PING\n" + "x".repeat(600));
  await holder.lines(1);
  using fits = await RawClient.to(address);
  await fits.send("PING\n" + "y".repeat(400));
  assertEquals(await fits.lines(1), ["PONG"]);
  using exceeds = await RawClient.to(address);
  await exceeds.send("z");
  assertEquals(await exceeds.rest(), "ERROR server busy\n");
  using fine = await RawClient.to(address);
  assertEquals(await fine.ask("PING\n"), ["PONG"]);
  assertEquals(await fits.ask("\n"), ["ERROR unknown command"]);
  using fitsNow = await RawClient.to(address);
  await fitsNow.send("z".repeat(400));
  assertEquals(await fitsNow.ask("\nPING\n"), ["ERROR unknown command", "PONG"]);
  assertEquals(server.info().errors.server_busy, 1);
});

Deno.test("limits: a line beyond the bound of unfinished ones, alone", async () => {
  await using server = await serve({ tcp: anyPort, pendingBytesMax: 10_000 });
  using client = await RawClient.to(server.addresses[0]);
  await client.send("x".repeat(10_000));
  assertEquals(await client.ask("\n"), ["ERROR unknown command"]);
  await client.send("x".repeat(10_001)).catch(() => {});
  assertEquals(await client.rest(), "ERROR server busy\n");
});

Deno.test("limits: bytes of a line that is too long are not held", async () => {
  await using server = await serve({ tcp: anyPort, lineBytesMax: 1000, pendingBytesMax: 5000 });
  using client = await RawClient.to(server.addresses[0]);
  await client.send("x".repeat(1_000_000));
  assertEquals(await client.ask("\nPING\n"), ["ERROR line too long (max 1000 bytes)", "PONG"]);
});

Deno.test("limits: a client that never reads costs a bounded amount and hurts nobody", async () => {
  await using server = await serve({ tcp: anyPort, memoryLimitBytes: 8 << 20 });
  const [address] = server.addresses;
  using other = await RawClient.to(address);
  await other.ask(`SET big ${"v".repeat(1 << 20)}\n`);
  const before = Deno.memoryUsage().rss;
  const greedy = await Promise.all(Array.from({ length: 8 }, () => RawClient.to(address)));
  // Each asks for 2 GiB and reads none of it; its sending ends when the server reads no more.
  const asking = greedy.map((client) => client.send("GET big\n".repeat(2000)));
  for (let round = 0; round < 50; round++) assertEquals(await other.ask("PING\n"), ["PONG"]);
  await Promise.all(asking);
  const growth = Deno.memoryUsage().rss - before;
  assert(growth < 150 << 20, `grew by ${growth} bytes`);
  for (const client of greedy) client[Symbol.dispose]();
  assertEquals(await other.ask("PING\n"), ["PONG"]);
});

Deno.test("limits: when replies that wait pass the bound, who waits longest is closed", async () => {
  await using server = await serve({
    tcp: anyPort,
    memoryLimitBytes: 32 << 20,
    pendingBytesMax: 24 << 20,
  });
  const [address] = server.addresses;
  using other = await RawClient.to(address);
  await other.ask(`SET big ${"v".repeat(12 << 20)}\n`);
  using stuck = await RawClient.to(address);
  await stuck.send("GET big\n");
  // A hit is counted once the memory for its reply is held, a request before that.
  await until(() => server.info().hits === 1, "the first GET");
  // The second reply of 16 MiB does not fit beside the first, whose client does not read.
  const asking = other.send("GET big\n");
  const [reply] = await other.lines(1);
  await asking;
  assertEquals(reply.length, 6 + 16 * (1 << 20));
  const rest = await stuck.restBytes();
  assert(rest.length < 6 + 16 * (1 << 20), `${rest.length} bytes came`);
  assertEquals(await other.ask("PING\n"), ["PONG"]);
});

Deno.test("limits: a connection on which nothing moves is closed, a busy one is not", async () => {
  await using server = await serve({ tcp: anyPort, idleTimeoutMs: 1000 });
  const [address] = server.addresses;
  using busy = await RawClient.to(address);
  using silent = await RawClient.to(address);
  const started = performance.now();
  let isOver = false;
  const silence = silent.rest().then((rest) => {
    isOver = true;
    return rest;
  });
  // The busy one asks without a pause, so only a machine that stands still for a second makes it idle.
  while (!isOver) {
    assert(performance.now() - started < 60_000, "the silent one is still open");
    assertEquals(await busy.ask("PING\n"), ["PONG"]);
  }
  assertEquals(await silence, "");
  assert(performance.now() - started >= 1000, "closed before its time");
});

Deno.test("limits: without an idle time-out silence is no fault", async () => {
  await using server = await serve({ tcp: anyPort });
  using silent = await RawClient.to(server.addresses[0]);
  using half = await RawClient.to(server.addresses[0]);
  await half.send("GE");
  using other = await RawClient.to(server.addresses[0]);
  assertEquals(await other.ask("SET k v\n"), ["OK"]);
  assertEquals(await half.ask("T k\n"), ["VALUE dg=="]);
  assertEquals(await silent.ask("PING\n"), ["PONG"]);
});
