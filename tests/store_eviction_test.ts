/** Eviction: what leaves, and in which order. */

import { assert, assertEquals } from "./assert.ts";
import { TextStore } from "./store_bytes.ts";

/** The numbers of the keys `key0` to `key<count - 1>` that are there. */
function present(store: TextStore, count: number): number[] {
  return Array.from({ length: count }, (_, n) => n).filter((n) => store.has(`key${n}`));
}

Deno.test("store: never read, it is first in, first out", () => {
  const store = new TextStore({ limitBytes: 10_000 });
  for (let n = 0; n < 1_000; n++) store.put(`key${n}`, 90 + n % 7);
  const kept = present(store, 1_000);
  assertEquals(kept, Array.from({ length: kept.length }, (_, n) => 1_000 - kept.length + n));
  assertEquals(kept.length, store.store.entries);
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
  store.put("large", 30_000);
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
