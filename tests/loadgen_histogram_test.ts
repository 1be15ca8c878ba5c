/** The histogram: its accuracy, its range, and what it says while empty. */

import { Histogram } from "../loadgen/histogram.ts";
import { assert, assertEquals } from "./assert.ts";

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

Deno.test("minimum, maximum and mean of a histogram are exact, and 0 while it is empty", () => {
  const histogram = new Histogram();
  const figures = () => [histogram.minMs, histogram.meanMs, histogram.maxMs, histogram.count];
  assertEquals(figures(), [0, 0, 0, 0]);
  assertEquals([histogram.percentileMs(0.99), histogram.bars()], [0, []]);
  for (let us = 10; us <= 100_000; us += 10) histogram.record(us);
  assertEquals(figures(), [0.01, 50.005, 100, 10_000]);
  histogram.record(0);
  assertEquals(histogram.minMs, 0);
});

Deno.test("a percentile of many latencies is accurate to 1.6 %", () => {
  const histogram = new Histogram();
  for (let us = 10; us <= 100_000; us += 10) histogram.record(us);
  for (const share of [0.01, 0.5, 0.9, 0.99, 0.999]) {
    const exactMs = share * 100;
    const error = Math.abs(histogram.percentileMs(share) - exactMs) / exactMs;
    assert(error <= 1 / 64 + 1e-9, `${share}: ${histogram.percentileMs(share)}`);
  }
  assertEquals(histogram.percentileMs(1), 100);
});

Deno.test("a latency beyond the last bucket counts as the maximum", () => {
  const histogram = new Histogram();
  histogram.record(1e15);
  assertEquals([histogram.percentileMs(0.5), histogram.maxMs], [1e12, 1e12]);
  assertEquals(histogram.bars().map(({ count }) => count), [1]);
});
