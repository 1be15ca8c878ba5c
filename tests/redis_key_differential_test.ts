/**
 * Sends the same random requests about keys to this server and to a real Redis, where one is
 * installed, and compares the replies.
 *
 * @module
 */

import { assertEquals } from "./assert.ts";
import { Random } from "../loadgen/mod.ts";
import { RawClient } from "./raw_client.ts";
import { array, joined } from "./redis_array.ts";
import { type Reply, ReplyReader, same, startRedis } from "./redis_differential.ts";
import { type KeyRequest, keyRequest } from "./redis_key_requests.ts";
import { ManualServer } from "./server_manual.ts";

const tolerances = { seconds: 5, milliseconds: 5000 };
/** Times beyond this count as the same: here all that are too late to be exact are one. */
const latest = { seconds: 4e12, milliseconds: 4e15 };

function isSame({ comparison }: KeyRequest, ours: Reply, theirs: Reply): boolean {
  switch (comparison) {
    case "exact":
      return same(ours, theirs);
    case "unordered":
      return same(sorted(ours), sorted(theirs));
    case "any key":
      return typeof ours === typeof theirs;
    default: {
      if (typeof ours !== "number" || typeof theirs !== "number") return same(ours, theirs);
      if (ours < 0) return ours === theirs;
      const capped = (time: number) => Math.min(time, latest[comparison]);
      return Math.abs(capped(ours) - capped(theirs)) <= tolerances[comparison];
    }
  }
}

function sorted(reply: Reply): Reply {
  if (!Array.isArray(reply)) return reply;
  const items = reply.map(sorted);
  return items.sort((a, b) => JSON.stringify(a) < JSON.stringify(b) ? -1 : 1);
}

const rounds = Number(Deno.env.get("BLINK_REDIS_ROUNDS") ?? 50);
const roundRequests = 200;

Deno.test("redis keys: replies are those of a real Redis", async () => {
  await using redis = await startRedis();
  if (redis === undefined) {
    console.log("redis-server is not installed: nothing to compare with");
    return;
  }
  const seed = Number(Deno.env.get("BLINK_SEED") ?? 1);
  const random = new Random(seed);
  const below = (bound: number) => random.below(bound);
  const server = new ManualServer();
  const now = Math.floor(Date.now() / 1000);
  const latin1 = new TextDecoder("latin1");
  for (let round = 0; round < rounds; round++) {
    const requests = Array.from({ length: roundRequests }, () => keyRequest(below, now));
    const bytes = joined(...requests.map(({ args }) => array(...args)), array("QUIT"));
    // Their clock and ours go on together.
    server.clock.nowMs = performance.now();
    using client = await RawClient.to(redis.address);
    await client.send(bytes);
    const theirs = new ReplyReader(latin1.decode(await client.restBytes()));
    const ours = new ReplyReader(server.connect().ask(bytes));
    for (const request of requests) {
      const ourReply = ours.next();
      const theirReply = theirs.next();
      const shown = JSON.stringify(request.args);
      if (!isSame(request, ourReply, theirReply)) {
        assertEquals(ourReply, theirReply, `seed ${seed}, round ${round}: ${shown}`);
        throw new Error(`seed ${seed}, round ${round}: ${shown} is compared ${request.comparison}`);
      }
    }
  }
});
