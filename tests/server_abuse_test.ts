/**
 * Abuse that a server on a network meets: garbage, half requests, clients that vanish or crawl. It
 * must not end the server, disturb other clients, or leave anything behind.
 *
 * @module
 */

import { Random } from "../loadgen/mod.ts";
import type { Server } from "../server.ts";
import { runLinesMax } from "../server/connection.ts";
import { assert, assertEquals } from "./assert.ts";
import { bytesOf, RawClient, until } from "./raw_client.ts";
import { serve } from "./served.ts";

const anyPort = [{ hostname: "127.0.0.1", port: 0 }];

/** The server still serves. */
async function stillServes(server: Server): Promise<void> {
  using client = await RawClient.to(server.addresses[0]);
  assertEquals(await client.ask("SET proof 1\nGET proof\nDELETE proof\n"), [
    "OK",
    "VALUE MQ==",
    "OK",
  ]);
}

/** The seed of the random bytes; `BLINK_SEED` gives another one, also `random`. */
const seedGiven = Deno.env.get("BLINK_SEED") ?? "1";
const seed = seedGiven === "random" ? Math.floor(Math.random() * 2 ** 31) : Number(seedGiven);

/** Random bytes with words of the protocol among them: so they come further than to the first error. */
function garbageOf(random: Random): Uint8Array<ArrayBuffer> {
  const words = [
    "SET ",
    "GET ",
    "PUT k ",
    "ttl=",
    "match=",
    "b64 ",
    "INCR ",
    "SCAN ",
    "\r\n",
    "\n",
  ];
  const garbage = new Uint8Array(20_000).map(() => random.below(256));
  for (let at = 0; at < garbage.length - 8; at += 1 + random.below(40)) {
    garbage.set(bytesOf(words[random.below(words.length)]), at);
  }
  return garbage;
}

const linePattern =
  /^(OK|NOT_FOUND|CONFLICT|PONG|(VALUES?|USAGE|INT|TTL|KEYS|DELETED|INFO|HELP|ERROR) .*)$/s;
const protocolError = /^-ERR Protocol error: [ -~]+\r\n$/;

Deno.test(`abuse: random bytes (seed ${seed})`, async () => {
  await using server = await serve({ tcp: anyPort, lineBytesMax: 4096 });
  for (let round = 0; round < 60; round++) {
    using client = await RawClient.to(server.addresses[0]);
    const input = bytesOf("PING\n" + "x".repeat(20_000));
    input.set(garbageOf(new Random(seed + round)), "PING\n".length);
    await client.send(input).catch(() => {});
    await client.end().catch(() => {});
    const text = new TextDecoder("latin1").decode(await client.restBytes());
    // A line that begins with an asterisk is an array, and nothing behind it is a line.
    const sent = new TextDecoder("latin1").decode(input);
    const array = sent.indexOf("\n*") + 1;
    const sentLines = (array === 0 ? sent : sent.slice(0, array)).split("\n");
    if (sentLines.at(-1) === "") sentLines.pop();
    const lines = text.split("\n").slice(0, sentLines.length);
    assertEquals(lines.length, sentLines.length);
    // Every reply is a line, and no control byte of a request comes back raw but in base64.
    for (const line of lines) {
      assert(linePattern.test(line), JSON.stringify(line));
      // deno-lint-ignore no-control-regex
      if (line.startsWith("ERROR")) assert(!/[\x00-\x1f\x7f]/.test(line), JSON.stringify(line));
    }
    const rest = text.slice(lines.join("\n").length + 1);
    const isBroken = array > 0 && !/^[-\d]?$/.test(sent.slice(array + 1, array + 2));
    if (array === 0) assertEquals(rest, "");
    else assert(protocolError.test(rest) || !isBroken && rest === "", JSON.stringify(rest));
  }
  await stillServes(server);
});

Deno.test("abuse: clients that vanish at any moment", async () => {
  await using server = await serve({ tcp: anyPort });
  using setter = await RawClient.to(server.addresses[0]);
  await setter.ask(`SET big ${"v".repeat(200_000)}\n`);
  const input = `SET k ${"x".repeat(500)}\n${"GET big\n".repeat(20)}PUT k b64 aGk=\nMGET big big\n`;
  for (let cut = 0; cut < input.length; cut += 17) {
    const client = await RawClient.to(server.addresses[0]);
    await client.send(input.slice(0, cut));
    if (cut % 2 === 0) await client.end();
    client[Symbol.dispose]();
  }
  await stillServes(server);
  await until(() => server.info().connections.now === 1, "the server to see that they are gone");
});

Deno.test("abuse: hundreds that say nothing, and some that say a byte now and then", async () => {
  await using server = await serve({ tcp: anyPort });
  const [address] = server.addresses;
  const silent = await Promise.all(Array.from({ length: 300 }, () => RawClient.to(address)));
  const slow = await Promise.all(Array.from({ length: 20 }, () => RawClient.to(address)));
  using busy = await RawClient.to(address);
  for (const character of "GET nothing") {
    await Promise.all(slow.map((client) => client.send(character)));
    assertEquals(await busy.ask("PING\n".repeat(100)), Array(100).fill("PONG"));
  }
  await Promise.all(slow.map(async (client) => {
    assertEquals(await client.ask("\n"), ["NOT_FOUND"]);
  }));
  for (const client of [...silent, ...slow]) client[Symbol.dispose]();
});

Deno.test("abuse: 100,000 empty lines in one write", async () => {
  await using server = await serve({ tcp: anyPort });
  using client = await RawClient.to(server.addresses[0]);
  const sending = client.send("\n".repeat(100_000));
  const lines = await client.lines(100_000);
  await sending;
  assertEquals(new Set(lines), new Set(["ERROR unknown command"]));
});

Deno.test("abuse: clients that send much do not keep others waiting", async () => {
  // Over epoll this test's own client shares the thread with the loop, and cannot see the rounds.
  await using server = await serve({ tcp: anyPort, io: "portable" });
  const [address] = server.addresses;
  const flood = await Promise.all(Array.from({ length: 4 }, () => RawClient.to(address)));
  let isOver = false;
  const flooding = flood.map(async (client) => {
    const burst = "SET k v\n".repeat(5000);
    while (!isOver) {
      const sending = client.send(burst);
      await client.lines(5000);
      await sending;
    }
  });
  using other = await RawClient.to(address);
  await until(() => server.info().requests.SET > 20_000, "the flood");
  // How many requests of the flood run before one of another client is answered.
  const between: number[] = [];
  for (let round = 0; round < 40; round++) {
    const before = server.info().requests.SET;
    assertEquals(await other.ask("PING\n"), ["PONG"]);
    between.push(server.info().requests.SET - before);
  }
  isOver = true;
  await Promise.all(flooding);
  for (const client of flood) client[Symbol.dispose]();
  // A run of each client, in each of two rounds; without rounds it would be bursts of each.
  const median = between.toSorted((a, b) => a - b)[between.length / 2];
  assert(median <= 2 * flood.length * runLinesMax, `${median} requests in between`);
});
