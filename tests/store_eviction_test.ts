/** Eviction: what leaves, and in which order. */

import { Random, zipfRanks } from "../loadgen/mod.ts";
import { assert, assertEquals } from "./assert.ts";
import { TextStore } from "./store_bytes.ts";

/** A repeatable source of numbers below `n`. */
function random(seed: number): (n: number) => number {
  const source = new Random(seed);
  return (n) => source.below(n);
}

/** The numbers of the keys `key0` to `key<count - 1>` that are there. */
function present(store: TextStore, count: number): number[] {
  return Array.from({ length: count }, (_, n) => n).filter((n) => store.has(`key${n}`));
}

/** How many of `count` gets of keys missed, when each miss is followed by a put. */
function misses(
  store: TextStore,
  count: number,
  nextKey: () => number,
  valueBytes: (key: number) => number,
): number {
  let missed = 0;
  for (let n = 0; n < count; n++) {
    const key = nextKey();
    if (store.get(`key${key}`) !== undefined) continue;
    missed++;
    store.put(`key${key}`, valueBytes(key));
  }
  return missed;
}

Deno.test("store: never read, it is first in, first out", () => {
  const store = new TextStore({ limitBytes: 10_000 });
  for (let n = 0; n < 1_000; n++) store.put(`key${n}`, 90 + n % 7);
  const kept = present(store, 1_000);
  assertEquals(kept, Array.from({ length: kept.length }, (_, n) => 1_000 - kept.length + n));
  assertEquals(kept.length, store.store.entries);
});

Deno.test("store: never read, the newest that fit are there, whatever their sizes", () => {
  const lengths = [10, 3_000, 40, 700, 7_500, 90, 15, 1_600];
  const store = new TextStore({ limitBytes: 1_000_000 });
  for (let n = 0; n < 6_000; n++) store.put(`key${n}`, lengths[n % 8]);
  const kept = present(store, 6_000);
  assertEquals(kept, Array.from({ length: kept.length }, (_, n) => 6_000 - kept.length + n));
  assert(store.store.usage + lengths[(kept[0] + 7) % 8] + 7 > 1_000_000, "there was room for more");
});

Deno.test("store: where small and large are asked for alike, mostly small ones stay", () => {
  const store = new TextStore({ limitBytes: 1_000_000 });
  const next = random(1);
  for (let n = 0; n < 60_000; n++) {
    const key = next(2_000);
    if (store.get(`key${key}`) === undefined) store.put(`key${key}`, key % 2 === 0 ? 100 : 4_000);
  }
  const small = present(store, 2_000).filter((key) => key % 2 === 0).length;
  assert(small > 900, `${small} of 1,000 small ones are there`);
});

Deno.test("store: a scan of small entries does not push out what is asked for", () => {
  const store = new TextStore({ limitBytes: 500_000 });
  const next = random(2);
  let misses = 0;
  for (let n = 0; n < 200_000; n++) {
    store.put(`once${n}`, 40);
    const key = `key${next(350)}`;
    if (n % 4 !== 0 || store.get(key) !== undefined) continue;
    if (n >= 100_000) misses++;
    store.put(key, 1_000);
  }
  assert(misses < 250, `${misses} of 25,000 were misses`);
});

// Guards against large entries that never reach the main queue: when they had to be back sooner than
// small ones during a scan too, 3,166 missed.
Deno.test("store: nor does it push out large entries that are asked for now and then", () => {
  const store = new TextStore({ limitBytes: 500_000 });
  const next = random(2);
  let missed = 0;
  for (let n = 0; n < 400_000; n++) {
    store.put(`once${n}`, 40);
    const key = `key${next(117)}`;
    if (n % 16 !== 0 || store.get(key) !== undefined) continue;
    if (n >= 200_000) missed++;
    store.put(key, 3_000);
  }
  assert(missed < 125, `${missed} of 12,500 were misses`);
});

Deno.test("store: compaction does not change the order", () => {
  const store = new TextStore({ limitBytes: 8 * 1_048_576 });
  for (let n = 0; n < 8_000; n++) store.put(`key${n}`, 900);
  for (let n = 0; n < 8_000; n++) if (n % 3 !== 0) store.delete(`key${n}`);
  for (let n = 8_000; store.store.stats.evictions === 0; n++) store.put(`key${n}`, 900);
  assert(store.store.stats.moved > 1_000, "nothing was compacted");
  for (let n = 20_000; n < 21_000; n++) store.put(`key${n}`, 900);
  const kept = present(store, 8_000);
  assertEquals(
    kept,
    Array.from({ length: 8_000 }, (_, n) => n).filter((n) => n % 3 === 0 && n >= kept[0]),
  );
  store.store.verify();
});

Deno.test("store: what is asked for survives a scan through many times its size", () => {
  const store = new TextStore({ limitBytes: 100_000 });
  for (let n = 0; n < 500; n++) store.put(`key${n}`, 90);
  for (let round = 0; round < 3; round++) for (let n = 0; n < 500; n++) store.get(`key${n}`);
  for (let n = 0; n < 20_000; n++) store.put(`once${n}`, 90);
  assert(present(store, 500).length >= 490, `${present(store, 500).length} of 500 are left`);
});

Deno.test("store: what is no longer asked for leaves in the end", () => {
  const store = new TextStore({ limitBytes: 100_000 });
  for (let n = 0; n < 500; n++) store.put(`key${n}`, 90);
  for (let round = 0; round < 3; round++) for (let n = 0; n < 500; n++) store.get(`key${n}`);
  for (let round = 0; round < 40; round++) {
    for (let n = 0; n < 900; n++) if (store.get(`new${n}`) === undefined) store.put(`new${n}`, 90);
  }
  assertEquals(present(store, 500).length < 150, true);
});

Deno.test("store: overwriting at the limit evicts for what is added and no more", () => {
  const store = new TextStore({ limitBytes: 10_000 });
  for (let n = 10; n < 60; n++) store.put(`key${n}`, 195);
  assertEquals([store.store.usage, store.store.stats.evictions], [10_000, 0]);
  store.put("key59", 195);
  assertEquals(store.store.stats.evictions, 0);
  store.put("key59", 196);
  assertEquals([store.store.stats.evictions, store.has("key10"), store.has("key11")], [
    1,
    false,
    true,
  ]);
  store.store.verify();
});

Deno.test("store: the entry that is overwritten may be the oldest one", () => {
  const store = new TextStore({ limitBytes: 1_000 });
  store.put("a", 499);
  store.put("b", 499);
  assertEquals(store.put("a", 600), "stored");
  assertEquals([store.get("a")?.length, store.get("b"), store.store.usage], [600, undefined, 601]);
  store.store.verify();
});

Deno.test("store: a large newcomer is not the next victim", () => {
  const store = new TextStore({ limitBytes: 100_000 });
  for (let n = 0; n < 900; n++) store.put(`key${n}`, 90);
  for (let n = 0; n < 900; n++) store.get(`key${n}`);
  assertEquals(store.putAll("large", 30_000), "stored");
  store.put("small", 90);
  assert(store.has("large"));
});

Deno.test("store: expired entries make room before others are evicted", () => {
  let now = 0;
  const store = new TextStore({ limitBytes: 10_000, now: () => now });
  for (let n = 10; n < 60; n++) store.put(`key${n}`, 195, n < 20 ? 100 : Infinity);
  now = 100;
  for (let n = 60; n < 70; n++) store.put(`key${n}`, 195);
  assertEquals([store.store.stats.evictions, store.store.stats.expirations], [0, 10]);
  assertEquals(present(store, 100).length, 50);
});

// Guards against loops that take the main queue from what is asked for more often: when each key
// that came back joined that queue, and the ghost was shorter, 144,274 missed.
Deno.test("store: loops pass by a small cache", () => {
  const source = new Random(3);
  const hot = zipfRanks(source, 25_000, 0.9);
  const loops = [100, 500, 2_500, 12_500].map((length, at) => ({
    base: (at + 1) * 30_000,
    length,
  }));
  const turns = [0, 0, 0, 0];
  const store = new TextStore({ limitBytes: 250 * 80 });
  const missed = misses(store, 200_000, () => {
    if (source.fraction() >= 1 / 3) return hot();
    const at = source.below(loops.length);
    return loops[at].base + turns[at]++ % loops[at].length;
  }, () => 71);
  assert(missed < 139_500, `${missed} of 200,000 were misses`);
});

// Guards against large entries that stay on two requests: when they joined the main queue as soon
// as they came back, 56,367 missed.
Deno.test("store: where sizes are log-normal, the large ones must earn their space", () => {
  const source = new Random(4);
  const normal = () =>
    Math.sqrt(-2 * Math.log(1 - source.fraction())) * Math.cos(2 * Math.PI * source.fraction());
  const sizes = Array.from(
    { length: 20_000 },
    () => Math.min(Math.round(64 * Math.exp(2 * normal())), 16_000),
  );
  const store = new TextStore({ limitBytes: 700_000 });
  const missed = misses(store, 200_000, zipfRanks(source, 20_000, 0.9), (key) => sizes[key]);
  assert(missed < 46_000, `${missed} of 200,000 were misses`);
  store.store.verify();
});
