/** Memory: what the store holds stays near what its entries need, whatever is done to them. */

import { Random } from "../loadgen/mod.ts";
import { assert, assertEquals } from "./assert.ts";
import { TextStore } from "./store_bytes.ts";

/** A repeatable source of numbers below `n`. */
function random(seed: number): (n: number) => number {
  const source = new Random(seed);
  return (n) => source.below(n);
}

/**
 * Bytes held at most for what is in use: the promise, and the segments that a small store needs.
 */
function heldMost(store: TextStore): number {
  const { overheadBytes } = store.store.stats;
  return (store.store.usage + overheadBytes) * 1.15 + 2 * 1_048_576;
}

Deno.test("store: overwriting with values of other sizes neither loses an entry nor grows", () => {
  const store = new TextStore({ limitBytes: 64 * 1_048_576 });
  const next = random(1);
  const lengths = new Map<string, number>();
  for (let n = 0; n < 300_000; n++) {
    const key = `key${next(20_000)}`;
    const length = next(10) === 0 ? next(12_000) : next(1_500);
    store.put(key, length);
    lengths.set(key, length);
    if (n % 50_000 === 49_999) {
      const { residentBytes } = store.store.stats;
      assert(residentBytes <= heldMost(store), `${residentBytes} held, ${heldMost(store)} at most`);
    }
  }
  assertEquals([store.store.stats.evictions, store.store.entries], [0, lengths.size]);
  for (const [key, length] of lengths) assertEquals(store.get(key)?.length, length);
  store.store.verify();
});

Deno.test("store: memory stays bounded at the limit, with large values and small", () => {
  const store = new TextStore({ limitBytes: 16 * 1_048_576, now: () => 0 });
  const next = random(2);
  for (let n = 0; n < 60_000; n++) {
    const length = next(200) === 0 ? next(2_000_000) : next(3_000);
    const key = `key${next(30_000)}`;
    assertEquals(store.putAll(key, length), "stored");
    if (n % 3 === 0) store.get(`key${next(30_000)}`);
    if (n % 10_000 === 9_999) {
      const { residentBytes } = store.store.stats;
      assert(residentBytes <= heldMost(store), `${residentBytes} held, ${heldMost(store)} at most`);
    }
  }
  store.store.verify();
});

Deno.test("store: an entry costs at most 32 bytes beyond its key and value", () => {
  for (const [keyBytes, valueBytes] of [[1, 0], [3, 1], [10, 8], [16, 64], [17, 1_000]]) {
    const store = new TextStore({ limitBytes: 2 ** 30 });
    for (let n = 0; n < 20_000; n++) {
      const key = String.fromCharCode(33 + n % 90).repeat(keyBytes - 1) +
        String.fromCharCode(n + 40);
      store.put(key, valueBytes);
    }
    const overhead = store.store.stats.overheadBytes / store.store.entries;
    assert(overhead <= 32, `${overhead} bytes for ${keyBytes} + ${valueBytes}`);
    assert(overhead >= 20, "the header alone and the index are 20");
  }
});

Deno.test("store: a time of expiry costs 8 bytes, no time costs none", () => {
  const count = 10_000;
  const cost = (expiresAt: number) => {
    const store = new TextStore({ limitBytes: 2 ** 30, now: () => 0 });
    for (let n = 0; n < count; n++) store.put(`key${10_000 + n}`, 32, expiresAt);
    return store.store.stats.overheadBytes / count;
  };
  assertEquals(cost(1_000) - cost(Infinity), 8);
});

Deno.test("store: what was removed is given back", () => {
  const store = new TextStore({ limitBytes: 2 ** 30 });
  for (let n = 0; n < 100_000; n++) store.put(`key${n}`, 500);
  assert(store.store.stats.residentBytes > 50_000_000);
  for (let n = 0; n < 100_000; n++) store.delete(`key${n}`);
  assert(store.store.stats.residentBytes < 6_000_000);
  for (let n = 0; n < 100_000; n++) store.put(`key${n}`, 500);
  assertEquals(store.store.flushAll(), 100_000);
  assertEquals([store.store.usage, store.store.entries], [0, 0]);
  assert(store.store.stats.residentBytes < 2_000_000);
  assertEquals(store.put("key", "value"), "stored");
  store.store.verify();
});
