import { blink, memcached, redis, type Replies, RequestWriter, verbs } from "../bench/dialects.ts";
import { Histogram } from "../bench/histogram.ts";
import { type BenchProgress, runBench } from "../bench/load.ts";
import { Random, shuffled, uniformRanks, zipfRanks } from "../bench/random.ts";
import { renderProgress, renderResult } from "../bench/render.ts";
import { serve } from "../server.ts";
import { assert, assertEquals, assertMatch, assertRejects } from "./assert.ts";

const utf8 = new TextEncoder();

const wires = [
  {
    dialect: blink,
    replies: "OK\nVALUE YWJj\nNOT_FOUND\nERROR unknown command\nINT 12\nPONG\nVALUE \n",
    count: 7,
    hits: 2,
    misses: 1,
    errors: 1,
  },
  {
    dialect: redis,
    replies: "+OK\r\n$3\r\n\n\r\n\r\n$-1\r\n-ERR no\r\n:12\r\n+PONG\r\n$0\r\n\r\n",
    count: 7,
    hits: 2,
    misses: 1,
    errors: 1,
  },
  {
    dialect: memcached,
    replies: "STORED\r\nVALUE key:1 0 5\r\nEND\r\n\r\nEND\r\nEND\r\nERROR\r\nNOT_FOUND\r\nMN\r\n" +
      "SERVER_ERROR out\r\n",
    count: 7,
    hits: 1,
    misses: 2,
    errors: 2,
  },
];

for (const { dialect, replies: text, count, ...expected } of wires) {
  Deno.test(`the replies of ${dialect.name} are counted wherever a read cuts them`, () => {
    const bytes = utf8.encode(text);
    for (let step = 1; step <= bytes.length; step++) {
      const replies: Replies = { hits: 0, misses: 0, errors: 0 };
      const scanner = dialect.scanner(replies);
      let counted = 0;
      for (let at = 0; at < bytes.length; at += step) {
        const part = bytes.subarray(at, at + step);
        counted += scanner.scan(part, part.length);
      }
      assertEquals(counted, count, `cut every ${step} bytes`);
      const { hits, misses, errors } = replies;
      assertEquals({ hits, misses, errors }, expected, `cut every ${step} bytes`);
    }
  });
}

Deno.test("a request has the key's digits in its place", () => {
  const writer = new RequestWriter(blink, 3);
  const target = new Uint8Array(200);
  let end = writer.write(verbs.indexOf("set"), 1203, target, 0);
  end = writer.write(verbs.indexOf("get"), 0, target, end);
  end = writer.write(verbs.indexOf("incr"), 999_999_999_999, target, end);
  end = writer.write(verbs.indexOf("ping"), 7, target, end);
  assertEquals(
    new TextDecoder().decode(target.subarray(0, end)),
    "SET key:000000001203 abc\nGET key:000000000000\nINCR cnt:999999999999\nPING\n",
  );
});

Deno.test("a request of Redis tells the length of each word", () => {
  const target = new Uint8Array(200);
  const end = new RequestWriter(redis, 5).write(verbs.indexOf("set"), 12, target, 0);
  assertEquals(
    new TextDecoder().decode(target.subarray(0, end)),
    "*3\r\n$3\r\nSET\r\n$16\r\nkey:000000000012\r\n$5\r\nabcde\r\n",
  );
});

Deno.test("percentiles are right to a bucket's width, from a microsecond to an hour", () => {
  for (const us of [1, 63, 64, 65, 127, 128, 1000, 12_345, 999_999, 60_000_000, 3_600_000_000]) {
    const histogram = new Histogram();
    histogram.record(us, 99);
    histogram.record(us * 1.1);
    const { maxMs, count } = histogram;
    assertEquals(count, 100);
    assertEquals(maxMs, us * 1.1 / 1000);
    const p50 = histogram.percentileMs(0.5) * 1000;
    assert(p50 >= us && p50 <= us * (1 + 1 / 64) + 1, `${us} us became ${p50} us`);
    assertEquals(histogram.bars().reduce((sum, bar) => sum + bar.count, 0), 100);
  }
});

Deno.test("a Zipf law gives each rank its share", () => {
  for (const exponent of [0.8, 1, 1.2]) {
    const count = 1000;
    const draws = 400_000;
    const ranks = zipfRanks(new Random(7), count, exponent);
    const seen = new Uint32Array(count);
    for (let draw = 0; draw < draws; draw++) seen[ranks()]++;
    let total = 0;
    for (let rank = 1; rank <= count; rank++) total += rank ** -exponent;
    for (const rank of [1, 2, 3, 10, 100]) {
      const expected = draws * rank ** -exponent / total;
      const spread = 6 * Math.sqrt(expected);
      assert(Math.abs(seen[rank - 1] - expected) < spread, `rank ${rank} of ${exponent}`);
    }
  }
});

Deno.test("a uniform law stays below its count, and a shuffle loses nothing", () => {
  const ranks = uniformRanks(new Random(3), 10);
  const seen = new Set(Array.from({ length: 1000 }, ranks));
  assertEquals([...seen].sort((a, b) => a - b), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  assertEquals(
    [...shuffled(new Random(3), 100)].sort((a, b) => a - b),
    Array.from(Array(100).keys()),
  );
});

Deno.test("a bench makes the requests that it is told to, and counts what came", async () => {
  await using server = await serve({ tcp: [{ hostname: "127.0.0.1", port: 0 }] });
  const [address] = server.addresses as Deno.NetAddr[];
  const seen: BenchProgress[] = [];
  const result = await runBench({
    port: address.port,
    connections: 3,
    pipeline: 7,
    requests: 1000,
    keys: 50,
    valueBytes: 10,
    fill: true,
    mix: { get: 50, set: 20, delete: 10, incr: 10, ping: 10 },
    onProgress: (progress) => seen.push(progress),
  });
  assertEquals([result.requests, result.errors], [1000, 0]);
  assert(result.hits > 0 && result.misses > 0);
  assertEquals(result.histogram.reduce((sum, bar) => sum + bar.count, 0), 1000);
  const { p50, p99, p999, max } = result.latencyMs;
  assert(p50 <= p99 && p99 <= p999 && p999 <= max && max <= result.seconds * 1000);
  assertEquals(seen.at(-1)?.share, 1);
  assert(seen.some(({ phase }) => phase === "fill"));
});

Deno.test("a bench ends when its seconds are over, and when it is aborted", async () => {
  await using server = await serve({ tcp: [{ hostname: "127.0.0.1", port: 0 }] });
  const [{ port }] = server.addresses as Deno.NetAddr[];
  const timed = await runBench({ port, connections: 2, seconds: 0.1, keys: 10 });
  assert(timed.requests > 0 && timed.seconds >= 0.1);
  const controller = new AbortController();
  const aborted = await runBench({
    port,
    connections: 2,
    requests: 1e9,
    keys: 10,
    signal: controller.signal,
    onProgress: () => controller.abort(),
  });
  assert(aborted.requests > 0 && aborted.requests < 1e9);
});

Deno.test("a bench that the server will not have says why", async () => {
  await using server = await serve({ tcp: [{ hostname: "127.0.0.1", port: 0 }], token: "right" });
  const [{ port }] = server.addresses as Deno.NetAddr[];
  await assertRejects(
    () => runBench({ port, token: "wrong", connections: 1, requests: 10 }),
    Error,
    "Cannot authenticate: ERROR authentication failed",
  );
  const denied = await runBench({ port, connections: 1, requests: 10 });
  assertEquals(denied.errors, 10);
  assertEquals(denied.firstError, "ERROR authentication required");
});

Deno.test("a result shows its figures, and a histogram of the latencies", async () => {
  await using server = await serve({ tcp: [{ hostname: "127.0.0.1", port: 0 }] });
  const [{ port }] = server.addresses as Deno.NetAddr[];
  const result = await runBench({ port, connections: 1, requests: 100, keys: 10 });
  const shown = renderResult(result);
  assertMatch(shown, /^100 requests in [\d.]+ s: 1 connections, 16 in flight on each/);
  assertMatch(shown, /throughput {2}[\d,]+ requests\/s/);
  assertMatch(shown, /p50 \S+ \S+ {2}p99 \S+ \S+ {2}p99\.9 \S+ \S+ {2}max/);
  assertMatch(shown, / % {2}[▏▎▍▌▋▊▉█]+/);
  const line = renderProgress({ phase: "run", share: 0.5, requests: 12_000, seconds: 2 });
  assertMatch(line, /^running █{15} +50 % {2}6,000 requests\/s$/);
});
