/** The limit: exact to the byte, and kept with a bounded amount of work. */

import { assert, assertEquals, assertThrows } from "./assert.ts";
import { TextStore } from "./store_bytes.ts";
import { Store } from "../store.ts";
import { EVICTION_STEPS_MAX, RESERVATION_MS } from "../store/room.ts";
import { INLINE_BYTES_MAX } from "../store/entries.ts";
import { STAGED_PART_BYTES } from "../store/staging.ts";
import { KEY_BYTES_MAX } from "../store/record.ts";

Deno.test("store: usage counts the bytes of keys and values", () => {
  const store = new TextStore({ limitBytes: 1_024 });
  assertEquals(store.put("user", "alice"), "stored");
  assertEquals(store.store.usage, 9);
  assertEquals(store.put("user", "bo"), "stored");
  assertEquals(store.store.usage, 6);
  assertEquals(store.put("empty", ""), "stored");
  assertEquals([store.get("empty"), store.store.usage], ["", 11]);
  assert(store.delete("user"));
  assertEquals([store.store.usage, store.store.entries], [5, 1]);
});

Deno.test("store: nothing is evicted at the limit, something one byte above it", () => {
  for (const limitBytes of [1_024, 65_536, 300_000]) {
    const store = new TextStore({ limitBytes });
    let keys = 0;
    while (store.store.usage + 104 <= limitBytes) store.put(`k${1000 + keys++}`, 99);
    if (limitBytes - store.store.usage > 0) store.put("fit", limitBytes - store.store.usage - 3);
    assertEquals([store.store.usage, store.store.stats.evictions], [limitBytes, 0]);
    store.put("x", "");
    assert(store.store.usage <= limitBytes);
    assertEquals([store.store.stats.evictions, store.has("k1000"), store.has("x")], [
      1,
      false,
      true,
    ]);
  }
});

Deno.test("store: a value at the limit is stored, one byte more is refused and changes nothing", () => {
  for (const limitBytes of [1_024, 20_000, 1_048_576]) {
    for (const more of [-1, 0, 1]) {
      const store = new TextStore({ limitBytes });
      store.put("key", "before");
      const outcome = store.put("key", limitBytes - 3 + more);
      assertEquals(outcome, more > 0 ? "too large" : "stored");
      assertEquals(store.get("key")?.length, more > 0 ? 6 : limitBytes - 3 + more);
      assertEquals(store.store.usage, more > 0 ? 9 : limitBytes + more);
      store.store.verify();
    }
  }
});

Deno.test("store: keys of 1 and of 65,535 bytes, none shorter or longer", () => {
  const store = new TextStore({ limitBytes: 1_048_576 });
  for (const length of [1, KEY_BYTES_MAX - 1, KEY_BYTES_MAX]) {
    const key = "k".repeat(length);
    assertEquals(store.put(key, "value"), "stored");
    assertEquals(store.get(key), "value");
  }
  assertThrows(() => store.put("", "value"), RangeError, "key of 0 bytes");
  assertThrows(() => store.put("k".repeat(KEY_BYTES_MAX + 1), ""), RangeError, "65536 bytes");
  store.store.verify();
});

Deno.test("store: values around the size from which they are kept in fragments", () => {
  const store = new TextStore({ limitBytes: 1_048_576 });
  for (const length of [-1, 0, 1, 2, 8_192, 100_000].map((more) => INLINE_BYTES_MAX - 3 + more)) {
    const text = Array.from({ length }, (_, n) => String.fromCharCode(97 + n % 26)).join("");
    store.put("key", text);
    assertEquals(store.get("key"), text);
    assertEquals(store.store.usage, 3 + length);
    store.store.verify();
  }
});

Deno.test("store: 4,000 values of 1 KiB in 2 MiB: within 0.1 % of it, and the newest are there", () => {
  const limitBytes = 2 * 1_048_576;
  const store = new TextStore({ limitBytes });
  for (let n = 0; n < 4_000; n++) assertEquals(store.put(`key${n}`, 1_024), "stored");
  assert(store.store.usage <= limitBytes && store.store.usage > limitBytes * 0.999);
  const kept = store.store.entries;
  for (let n = 4_000 - kept; n < 4_000; n++) assert(store.has(`key${n}`), `key${n}`);
});

Deno.test("store: 9 MiB into a full store of 10 MiB, a bounded part of the work a call", () => {
  const limitBytes = 10 * 1_048_576;
  let now = 0;
  const store = new TextStore({ limitBytes, now: () => now });
  for (let n = 0; store.store.stats.evictions === 0; n++) store.put(`small${n}`, 50);
  const bytes = 9 * 1_048_576;
  let calls = 0;
  for (; store.put("large", bytes) === "again"; calls++) {
    const evictions = store.store.stats.evictions;
    assert(store.store.usage <= limitBytes);
    assert(!store.has("large"), "half of a value is never seen");
    // Others write meanwhile, more than a call gains: what was made free is not theirs to take.
    for (let n = 0; n < 500; n++) store.put(`other${calls}-${n}`, 50);
    assert(store.store.stats.evictions - evictions >= 500);
    now += 1;
    assert(calls < 3_000, "a large value starves");
  }
  assert(calls > 10, "the work was not divided");
  assertEquals(store.get("large")?.length, bytes);
  assert(store.store.usage <= limitBytes);
  store.store.verify();
});

Deno.test("store: one call evicts no more entries than the bound", () => {
  const store = new TextStore({ limitBytes: 1_048_576 });
  for (let n = 0; store.store.stats.evictions === 0; n++) store.put(`k${n}`, 20);
  for (let outcome = "again"; outcome === "again";) {
    const before = store.store.stats.evictions;
    outcome = store.put("large", 1_000_000);
    assert(store.store.stats.evictions - before <= EVICTION_STEPS_MAX);
  }
});

Deno.test("store: room made for a value that never comes is given back", () => {
  let now = 0;
  const store = new TextStore({ limitBytes: 1_048_576, now: () => now });
  for (let n = 0; store.store.stats.evictions === 0; n++) store.put(`k${n}`, 20);
  assertEquals(store.put("large", 1_000_000), "again");
  now += RESERVATION_MS + 1;
  for (let n = 0; n < 60_000; n++) store.put(`later${n}`, 20);
  assert(store.store.usage > 1_048_576 * 0.999);
});

Deno.test("store: a very large value is copied in parts, and seen only when it is whole", () => {
  for (const length of [-1, 0, 1].map((more) => STAGED_PART_BYTES + more)) {
    const store = new TextStore({ limitBytes: 4 * 1_048_576, now: () => 0 });
    const outcome = store.put("key", length, Infinity, {});
    assertEquals(outcome, length > STAGED_PART_BYTES ? "again" : "stored");
  }
  const store = new TextStore({ limitBytes: 8 * 1_048_576, now: () => 0 });
  const text = "0123456789".repeat(300_007);
  const other = "abcdefg".repeat(500_001);
  store.put("key", "before");
  const [one, two] = [{}, {}];
  const outcomes: string[] = [];
  for (let calls = 0; calls < 20 && outcomes.length < 2; calls++) {
    if (store.put("key", text, Infinity, one) === "stored") outcomes.push("one");
    else assertEquals(store.get("key"), outcomes.length === 0 ? "before" : other);
    // Somebody else stages a value for the same key, and others write fragments, meanwhile.
    if (!outcomes.includes("two") && store.put("key", other, Infinity, two) === "stored") {
      outcomes.push("two");
    }
    store.put(`small${calls}`, 20_000 + calls);
    store.store.verify();
    if (outcomes.length === 1) {
      assertEquals(outcomes, ["one"]);
      assertEquals(store.get("key"), text);
      while (store.put("key", other, Infinity, two) === "again");
      outcomes.push("two");
    }
  }
  assertEquals([outcomes, store.get("key")], [["one", "two"], other]);
  for (let n = 0; store.has(`small${n}`); n++) {
    assertEquals(store.get(`small${n}`)?.length, 20_000 + n);
  }
  store.store.verify();
});

Deno.test("store: a value whose copying was begun and given up is forgotten", () => {
  let now = 0;
  const store = new TextStore({ limitBytes: 8 * 1_048_576, now: () => now });
  assertEquals(store.put("key", 5_000_000, Infinity, {}), "again");
  assertEquals(store.put("key", 5_000_000, Infinity, {}), "again", "one at a time");
  assert(store.store.stats.overheadBytes > STAGED_PART_BYTES);
  now = 1_001;
  store.store.sweep();
  assert(store.store.stats.overheadBytes < 100_000);
  assertEquals([store.store.usage, store.has("key")], [0, false]);
  store.store.verify();
  assertEquals(store.put("key", 5_000_000, Infinity, {}), "again");
  store.store.flushAll();
  store.store.verify();
  const owner = {};
  while (store.put("key", 5_000_000, Infinity, owner) === "again");
  assertEquals(store.get("key")?.length, 5_000_000);
});

Deno.test("store: compaction moves what is staged", () => {
  const store = new TextStore({ limitBytes: 64 * 1_048_576, now: () => 0 });
  const text = "0123456789".repeat(900_000);
  const owner = {};
  for (let n = 0; n < 900; n++) store.put(`key${n}`, 20_000);
  assertEquals(store.put("large", text, Infinity, owner), "again");
  for (let n = 0; n < 900; n++) if (n % 8 !== 0) store.delete(`key${n}`);
  assertEquals(store.put("large", text, Infinity, owner), "again");
  for (let n = 0; n < 3_000; n++) store.put(`more${n % 400}`, 9_000 + n);
  assert(store.store.stats.moved > 200, `${store.store.stats.moved} records moved`);
  store.store.verify();
  while (store.put("large", text, Infinity, owner) === "again");
  assertEquals(store.get("large"), text);
  store.store.verify();
});

Deno.test("store: limits from 1 KiB to 16 GiB, and memory only for what is held", () => {
  for (const limitBytes of [1_024, 2 ** 20, 2 ** 32, 12 * 2 ** 30, 16 * 2 ** 30]) {
    const store = new TextStore({ limitBytes });
    store.put("key", "value");
    assertEquals([store.get("key"), store.store.usage], ["value", 8]);
    assert(store.store.stats.residentBytes < 4 * 2 ** 20);
  }
  for (const limitBytes of [0, -1, NaN]) {
    assertThrows(() => new Store({ limitBytes }), RangeError, "Cannot make a store");
  }
});
