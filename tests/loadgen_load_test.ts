/** Benches against a real server: how they end, what they count, and what they report. */

import { type BenchProgress, runBench } from "../loadgen/load.ts";
import { serve } from "../server.ts";
import { assert, assertEquals, assertRejects } from "./assert.ts";

Deno.test("a bench makes the requests that its options describe, and counts the replies", async () => {
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

Deno.test("a mix draws a verb of small weight too", async () => {
  await using server = await serve({ tcp: [{ hostname: "127.0.0.1", port: 0 }] });
  const [{ port }] = server.addresses as Deno.NetAddr[];
  // Less than a thousandth was rounded to nothing.
  const mix = { get: 1, ping: 4999 };
  const { hits, misses } = await runBench({ port, requests: 100_000, mix, keys: 10 });
  const gets = hits + misses;
  assert(gets > 2 && gets < 60, `${gets} gets of about 20`);
});

Deno.test("a bench ends when its seconds are over", async () => {
  await using server = await serve({ tcp: [{ hostname: "127.0.0.1", port: 0 }] });
  const [{ port }] = server.addresses as Deno.NetAddr[];
  // Each look at the clock takes a millisecond of its time.
  let nowMs = 0;
  const result = await runBench({ port, connections: 2, seconds: 5, keys: 10, now: () => nowMs++ });
  assert(result.requests > 0 && result.requests < 5000 * 16, `${result.requests} requests`);
  assert(result.seconds >= 5 && result.seconds < 5.1, `${result.seconds} s`);
});

Deno.test("a bench ends when it is aborted", async () => {
  await using server = await serve({ tcp: [{ hostname: "127.0.0.1", port: 0 }] });
  const [{ port }] = server.addresses as Deno.NetAddr[];
  const requests = 5_000_000;
  const controller = new AbortController();
  const result = await runBench({
    port,
    connections: 2,
    requests,
    keys: 10,
    signal: controller.signal,
    onProgress: ({ requests }) => {
      if (requests > 0) controller.abort();
    },
  });
  assert(result.requests > 0 && result.requests < requests, `${result.requests} requests`);
});

Deno.test("many connections yield to each other, and each of their requests is answered", async () => {
  await using server = await serve({ tcp: [{ hostname: "127.0.0.1", port: 0 }] });
  const [{ port }] = server.addresses as Deno.NetAddr[];
  const result = await runBench({ port, connections: 150, pipeline: 2, requests: 3000, keys: 10 });
  assertEquals([result.requests, result.errors], [3000, 0]);
});

Deno.test("a server that closes in the middle of a write is an error of the bench", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const closing = (async () => {
    using connection = await listener.accept();
    await connection.read(new Uint8Array(1));
  })();
  // Far more than the sockets' buffers, so that the write fails while its replies are awaited: it
  // ended the process as an unhandled rejection.
  const load = { connections: 1, pipeline: 16, valueBytes: 4 << 20, mix: { set: 1 } };
  await assertRejects(() => runBench({ port: listener.addr.port, requests: 16, ...load }), Error);
  await closing;
});

Deno.test("a bench that the server refuses reports the reason", async () => {
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

Deno.test("a server that cannot be reached is named", async () => {
  const unix = `${await Deno.makeTempDir()}/none.sock`;
  await assertRejects(() => runBench({ unix, requests: 1 }), Error, `Cannot connect to ${unix}: `);
});
