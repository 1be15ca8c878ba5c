/**
 * Sends the same random requests to this server and to a real Redis, where one is installed, and
 * compares the replies.
 *
 * @module
 */

import { assert, assertEquals } from "./assert.ts";
import { Random } from "../loadgen/mod.ts";
import { RawClient } from "./raw_client.ts";
import { array, joined } from "./redis_array.ts";
import type { Below, KeyRequest } from "./redis_key_requests.ts";
import { ManualServer } from "./server_manual.ts";

/** A reply of version 2; a status and an error begin with their marks. */
export type Reply = string | number | null | readonly Reply[];

/** Reads replies of version 2. */
export class ReplyReader {
  #at = 0;
  constructor(private readonly text: string) {}

  next(): Reply {
    const lineEnd = this.text.indexOf("\r\n", this.#at);
    assert(lineEnd >= 0, "a reply is missing");
    const mark = this.text[this.#at];
    const line = this.text.slice(this.#at + 1, lineEnd);
    this.#at = lineEnd + 2;
    if (mark === ":") return Number(line);
    if (mark === "*") return Array.from({ length: Number(line) }, () => this.next());
    if (mark !== "$") return mark + line;
    if (line === "-1") return null;
    const start = this.#at;
    this.#at += Number(line) + 2;
    return this.text.slice(start, this.#at - 2);
  }
}

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

/** Whether two replies are the same. */
export function same(a: Reply, b: Reply): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function sorted(reply: Reply): Reply {
  if (!Array.isArray(reply)) return reply;
  const items = reply.map(sorted);
  return items.sort((a, b) => JSON.stringify(a) < JSON.stringify(b) ? -1 : 1);
}

/** Starts a Redis; undefined where none is installed. */
export async function startRedis() {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  const args = ["--port", `${port}`, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"];
  let child: Deno.ChildProcess;
  try {
    child = new Deno.Command("redis-server", { args, stdout: "null", stderr: "null" }).spawn();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
  const stop = async () => {
    child.kill("SIGTERM");
    await child.status;
  };
  const address: Deno.NetAddr = { transport: "tcp", hostname: "127.0.0.1", port };
  const deadline = Date.now() + 10_000;
  for (;;) {
    try {
      (await RawClient.to(address))[Symbol.dispose]();
      return { address, [Symbol.asyncDispose]: stop };
    } catch (error) {
      if (Date.now() > deadline) {
        await stop();
        throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

const rounds = Number(Deno.env.get("BLINK_REDIS_ROUNDS") ?? 50);
const roundRequests = 200;

/**
 * Compares the replies to requests that `make` makes; `now` is a fixed time near the present, in
 * seconds since 1970. Does nothing where no Redis is installed.
 */
export async function compareWithRedis(
  make: (below: Below, now: number) => KeyRequest,
): Promise<void> {
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
    const requests = Array.from({ length: roundRequests }, () => make(below, now));
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
}
