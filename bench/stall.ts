/**
 * The longest stall of a store that churns: values of random sizes replace others in a full store,
 * and each step of each put is timed. `deno run bench/stall.ts LIMIT_BYTES SECONDS` prints one line
 * of JSON; as a separate process it shares its garbage collector with nothing else.
 *
 * @module
 */

import { Histogram, keyBytes, Random, writeKey } from "../loadgen/mod.ts";
import { type PutOutcome, Store } from "../store.ts";
import type { Stall } from "./results.ts";

/** Every `largeEvery`th value has this share of the limit. */
const largeShare = 1 / 128;
const largeEvery = 20_000;

if (import.meta.main) {
  const [limitBytes, seconds] = Deno.args.map(Number);
  console.log(JSON.stringify(churn(limitBytes, seconds)));
}

/** Fills a store and churns it for some seconds of the clock `now`, which is in milliseconds. */
export function churn(
  limitBytes: number,
  seconds: number,
  now: () => number = () => performance.now(),
): Stall {
  const store = new Store({ limitBytes });
  const random = new Random(1);
  const line = new Uint8Array(keyBytes).fill(48);
  const largeBytes = Math.floor(limitBytes * largeShare);
  const value = new Uint8Array(Math.max(largeBytes, 4096));
  const keys = Math.ceil(limitBytes / 512);
  const histogram = new Histogram();
  const put = (key: number, length: number, isTimed: boolean) => {
    writeKey(key, line);
    const operation = length >= largeBytes ? store.startPut() : undefined;
    for (let outcome: PutOutcome = "unfinished"; outcome === "unfinished";) {
      const startedAt = now();
      outcome = store.put(line, 0, keyBytes, value, 0, length, Infinity, operation);
      if (isTimed) histogram.record((now() - startedAt) * 1000);
    }
  };
  for (let key = 0; store.usage < limitBytes * 0.99; key++) put(key, 1024, false);
  const endsAt = now() + seconds * 1000;
  let bytes = 0;
  let puts = 0;
  while (now() < endsAt) {
    const length = ++puts % largeEvery === 0 ? largeBytes : random.below(2048);
    put(random.below(keys), length, true);
    bytes += length;
  }
  return {
    puts,
    megabytesWritten: bytes / 1e6,
    p9999Ms: histogram.percentileMs(0.9999),
    maxMs: histogram.maxMs,
  };
}
