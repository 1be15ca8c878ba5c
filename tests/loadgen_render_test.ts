/** The text of a bench: its progress line and its result. */

import type { BenchResult } from "../loadgen/load.ts";
import { renderProgress, renderResult } from "../loadgen/render.ts";
import { assertEquals } from "./assert.ts";

const result: BenchResult = {
  connections: 50,
  pipeline: 16,
  valueBytes: 64,
  keys: 100_000,
  requests: 1_000_000,
  seconds: 1.234,
  requestsPerSecond: 810_372.77,
  latencyMs: { mean: 1, p50: 0.0624, p99: 1.239, p999: 12.39, max: 1234 },
  histogram: [
    { fromMs: 0.064, toMs: 0.128, count: 500_000 },
    { fromMs: 0.128, toMs: 0.256, count: 4_200 },
    { fromMs: 131.072, toMs: 262.144, count: 1 },
  ],
  hits: 3,
  misses: 1,
  errors: 0,
};

Deno.test("a result shows its figures, and a histogram of the latencies", () => {
  assertEquals(
    renderResult(result),
    `1,000,000 requests in 1.23 s: 50 connections, 16 in flight on each, 64-byte values

throughput  810,373 requests/s
latency     p50 62 µs  p99 1.24 ms  p99.9 12.4 ms  max 1.23 s
found       75.0 % of 4

       64 µs – 128 µs  50.00 %  ███████████████
      128 µs – 256 µs   0.42 %  ▏
      131 ms – 262 ms   0.00 %`,
  );
});

Deno.test("one request on one connection is in the singular", () => {
  const [first] = renderResult({ ...result, connections: 1, requests: 1 }).split("\n");
  assertEquals(first, "1 request in 1.23 s: 1 connection, 16 in flight on each, 64-byte values");
});

Deno.test("a result without reads shows none, and one with errors shows the first", () => {
  const text = renderResult({
    ...result,
    hits: 0,
    misses: 0,
    errors: 2,
    firstError: "ERROR server busy",
    histogram: [],
  });
  assertEquals(text.split("\n").slice(3), [
    "latency     p50 62 µs  p99 1.24 ms  p99.9 12.4 ms  max 1.23 s",
    "errors      2, the first: ERROR server busy",
    "",
  ]);
});

Deno.test("the progress line shows the phase, a bar, the share and the rate", () => {
  const half = { phase: "run", share: 0.5, requests: 12_000, seconds: 2 } as const;
  assertEquals(
    renderProgress(half),
    `running ${"█".repeat(15)}${" ".repeat(15)}  50 %  6,000 requests/s`,
  );
  assertEquals(
    renderProgress({ ...half, phase: "fill", share: 1, seconds: 0 }),
    `filling ${"█".repeat(30)} 100 %  0 requests/s`,
  );
});
