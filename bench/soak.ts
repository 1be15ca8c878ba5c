/**
 * The soak test: churns a store for hours with values of random sizes, some with an expiry, some
 * deleted. It must neither lose an entry that it still counts nor grow. `deno task bench:soak
 * --hours 2 [--limit-mib 256]` prints a line a minute and exits with 1 on a failure.
 *
 * @module
 */

// @ts-types="../types/std.d.ts"
import { parseArgs } from "@std/cli/parse-args";
import { keyBytes, Random, writeKey } from "../loadgen/mod.ts";
import { Store } from "../store.ts";

/** The figures of a soak test that found no failure. */
export interface Soak {
  readonly operations: number;
  readonly residentBytes: number;
  /** The most that was resident at any check. */
  readonly residentBytesMax: number;
}

const valueBytesMax = 4096;
const reportMs = 60_000;

/** The most resident bytes, as a multiple of data and overhead together. */
const residentFactorMax = 1.15;

if (import.meta.main) {
  const flags = parseArgs(Deno.args, { string: ["hours", "limit-mib"] });
  const limitBytes = Number(flags["limit-mib"] ?? 256) * 1024 * 1024;
  const seconds = Number(flags.hours ?? 1) * 3600;
  const { operations } = soak({ limitBytes, seconds, seed: Date.now() | 0, onReport: console.log });
  console.log(`done: ${operations} operations`);
}

/**
 * Churns a store and checks it.
 *
 * @throws {Error} that names the failure, and the seed that reproduces it.
 */
export function soak(
  { limitBytes, seconds, seed, onReport, now = () => performance.now() }: {
    limitBytes: number;
    seconds: number;
    seed: number;
    onReport?: (line: string) => void;
    /** The clock, in milliseconds; default `performance.now`. */
    now?: () => number;
  },
): Soak {
  const store = new Store({ limitBytes });
  const random = new Random(seed);
  const key = new Uint8Array(keyBytes).fill(48);
  const value = new Uint8Array(valueBytesMax);
  const startedAt = now();
  let reportAt = startedAt + reportMs;
  let residentBytesMax = 0;
  let operations = 0;
  const keys = Math.ceil(limitBytes / 512);
  for (; now() - startedAt < seconds * 1000; operations++) {
    step(store, random, { key, value, keys });
    if (operations % 10_000 !== 0) continue;
    const { residentBytes, overheadBytes } = store.stats;
    residentBytesMax = Math.max(residentBytesMax, residentBytes);
    if (store.usage > limitBytes) throw new Error(`Usage exceeds the limit: seed ${seed}`);
    const bound = (limitBytes + overheadBytes) * residentFactorMax;
    if (residentBytes > Math.max(bound, 16 * 1024 * 1024)) {
      throw new Error(`${residentBytes} bytes are resident, more than ${bound}: seed ${seed}`);
    }
    if (now() < reportAt) continue;
    reportAt += reportMs;
    onReport?.(`${operations} operations, ${store.entries} entries, ${residentBytes} resident`);
  }
  return { operations, residentBytes: store.stats.residentBytes, residentBytesMax };
}

interface Buffers {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  readonly keys: number;
}

/** Does one operation, and checks that what was written can be read. */
function step(store: Store, random: Random, { key, value, keys }: Buffers): void {
  const number = random.below(keys);
  writeKey(number, key);
  const choice = random.below(100);
  if (choice < 5) {
    store.delete(key, 0, keyBytes);
    if (store.find(key, 0, keyBytes) !== 0) {
      throw new Error(`Key ${number} was deleted and is there`);
    }
    return;
  }
  if (choice < 30) {
    store.get(key, 0, keyBytes);
    return;
  }
  const length = 1 + random.below(valueBytesMax - 1);
  value[0] = value[length - 1] = random.below(256);
  const expiresAt = choice < 40 ? store.now() + random.below(1000) + 50 : Infinity;
  while (store.put(key, 0, keyBytes, value, 0, length, expiresAt) === "unfinished");
  const handle = store.find(key, 0, keyBytes);
  if (handle === 0 || !store.equals(handle, value, 0, length)) {
    throw new Error(`Key ${number} is not what was just put, ${length} bytes`);
  }
  if (choice === 99) store.sweep();
}
