/**
 * The longest stall of a store that churns: values of random sizes replace others in a store that is
 * full, and each step of each put is timed. Runs in a process of its own, `deno run bench/stall.ts
 * LIMIT_BYTES SECONDS`, so that nothing else shares its collector; prints one line of JSON.
 *
 * @module
 */

import { Store } from "../store.ts";
import { keyBytes, writeKey } from "./dialects.ts";
import { Histogram } from "./histogram.ts";
import { Random } from "./random.ts";

/** What a churn of the store alone showed. */
export interface Stall {
  readonly puts: number;
  readonly megabytesWritten: number;
  /** The slowest step but one in 10,000, and the slowest of all. */
  readonly p9999Ms: number;
  readonly maxMs: number;
}

/** A value of this share of the limit is put once in so many times. */
const largeShare = 1 / 128;
const largeEvery = 20_000;

if (import.meta.main) {
  const [limitBytes, seconds] = Deno.args.map(Number);
  console.log(JSON.stringify(churn(limitBytes, seconds)));
}

/** Fills a store and churns it for so many seconds. */
export function churn(limitBytes: number, seconds: number): Stall {
  const store = new Store({ limitBytes });
  const random = new Random(1);
  const line = new Uint8Array(keyBytes).fill(48);
  const largeBytes = Math.floor(limitBytes * largeShare);
  const value = new Uint8Array(Math.max(largeBytes, 4096));
  const keys = Math.ceil(limitBytes / 512);
  const histogram = new Histogram();
  const put = (key: number, length: number, isTimed: boolean) => {
    writeKey(key, line);
    const owner = {};
    for (let outcome = "again"; outcome === "again";) {
      const startedAt = performance.now();
      outcome = store.put(line, 0, keyBytes, value, 0, length, Infinity, owner);
      if (isTimed) histogram.record((performance.now() - startedAt) * 1000);
    }
  };
  for (let key = 0; store.usage < limitBytes * 0.99; key++) put(key, 1024, false);
  const endsAt = performance.now() + seconds * 1000;
  let bytes = 0;
  let puts = 0;
  while (performance.now() < endsAt) {
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
