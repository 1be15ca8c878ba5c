/** Expiry: exact when asked, and given back by a sweep in bounded parts. */

import { assert, assertEquals } from "./assert.ts";
import { TextStore } from "./store_bytes.ts";

/** A store whose clock is `at.now`. */
function clocked(limitBytes = 2 ** 30): { store: TextStore; at: { now: number } } {
  const at = { now: 1_000 };
  return { store: new TextStore({ limitBytes, now: () => at.now }), at };
}

Deno.test("expiry: a key is there until its moment, and gone from it on", () => {
  const { store, at } = clocked();
  store.put("key", "value", 2_000);
  for (const [now, value] of [[1_999, "value"], [2_000, undefined], [2_001, undefined]] as const) {
    at.now = now;
    assertEquals(store.get("key"), value);
  }
  assertEquals([store.store.usage, store.store.stats.expirations], [0, 1]);
});

Deno.test("expiry: fractions of a millisecond never end a key early", () => {
  const { store, at } = clocked();
  store.put("key", "value", 2_000.4);
  at.now = 2_000.9;
  assertEquals(store.get("key"), "value");
  at.now = 2_001;
  assertEquals(store.get("key"), undefined);
});

Deno.test("expiry: put without one drops it, expire sets it, moves it and drops it", () => {
  const { store, at } = clocked();
  store.put("key", "value", 2_000);
  store.put("key", "value");
  at.now = 5_000;
  assertEquals(store.get("key"), "value");
  for (const [expiresAt, now] of [[6_000, 5_999], [9_000, 8_999], [Infinity, 10 ** 12]]) {
    assertEquals(store.expire("key", expiresAt), true);
    at.now = now;
    assertEquals(store.get("key"), "value");
  }
  store.expire("key", at.now + 1);
  at.now += 1;
  assertEquals([store.expire("key", Infinity), store.get("key")], [false, undefined]);
  store.store.verify();
});

Deno.test("expiry: values in fragments keep theirs, and take one later", () => {
  const { store, at } = clocked();
  store.put("given", 50_000, 2_000);
  store.put("later", 50_000);
  store.expire("later", 3_000);
  store.store.verify();
  at.now = 2_000;
  assertEquals([store.get("given"), store.get("later")?.length], [undefined, 50_000]);
  at.now = 3_000;
  assertEquals([store.get("later"), store.store.usage], [undefined, 0]);
  store.store.verify();
});

Deno.test("expiry: ten years from now is far and exact", () => {
  const { store, at } = clocked();
  const due = at.now + 315_360_000_000;
  store.put("key", "value", due);
  at.now = due - 1;
  assertEquals(store.get("key"), "value");
  at.now = due;
  assertEquals(store.get("key"), undefined);
});

Deno.test("sweep: gives back what expired and nothing else, in bounded parts", () => {
  const { store, at } = clocked();
  const count = 100_000;
  for (let n = 0; n < count; n++) store.put(`key${n}`, 20, n % 2 === 0 ? 2_000 : 3_000 + n);
  at.now = 1_999;
  assertEquals([store.store.sweep(), store.store.entries], [false, count]);
  at.now = 2_000;
  let parts = 0;
  for (let more = true; more; parts++) {
    const before = store.store.entries;
    more = store.store.sweep();
    assert(before - store.store.entries <= 8_192, "one part of a sweep did too much");
  }
  assert(parts > count / 8_192 / 2);
  assertEquals(store.store.entries, count / 2);
  at.now = 10 ** 7;
  store.sweepAll();
  assertEquals([store.store.entries, store.store.usage], [0, 0]);
  assertEquals(store.store.stats.expirations, count);
  store.store.verify();
});

Deno.test("sweep: entries that moved, were overwritten or refreshed are found in time", () => {
  const { store, at } = clocked(4 * 1_048_576);
  for (let n = 0; n < 3_000; n++) store.put(`key${n}`, 900, 5_000 + n % 7);
  for (let n = 0; n < 3_000; n += 2) store.put(`key${n}`, 1_000, 4_000 + n % 5);
  for (let n = 0; n < 3_000; n += 3) store.expire(`key${n}`, 6_000 + n % 3);
  for (let n = 0; n < 3_000; n += 4) store.delete(`key${n}`);
  for (const now of [4_000, 4_004, 5_000, 5_006, 5_999, 6_000, 6_002]) {
    at.now = now;
    store.sweepAll();
    store.store.verify();
    let left = 0;
    for (let n = 0; n < 3_000; n++) if (store.has(`key${n}`)) left++;
    assertEquals(store.store.entries, left, `an expired entry was left at ${now}`);
  }
  assertEquals(store.store.entries, 0);
});

Deno.test("sweep: a clock that stands still ends it", () => {
  const { store } = clocked();
  for (let n = 0; n < 10; n++) store.put(`key${n}`, "value", 1_000);
  assertEquals(store.store.sweep(), false);
  assertEquals(store.store.entries, 0);
});
