/** The limit: exact to the byte, and kept with a bounded amount of work. */

import { assert, assertEquals, assertThrows } from "./assert.ts";
import { TextStore } from "./store_bytes.ts";
import { Store } from "../store.ts";
import { EVICTION_STEPS_MAX } from "../store/reservation.ts";
import { INLINE_BYTES_MAX } from "../store/entries.ts";
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

Deno.test("store: keys of 0 to 65,535 bytes, none longer", () => {
  const store = new TextStore({ limitBytes: 1_048_576 });
  for (const length of [0, 1, KEY_BYTES_MAX - 1, KEY_BYTES_MAX]) {
    const key = "k".repeat(length);
    assertEquals(store.put(key, "value"), "stored");
    assertEquals(store.get(key), "value");
  }
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

Deno.test("store: one call evicts no more entries than the bound", () => {
  const store = new TextStore({ limitBytes: 1_048_576 });
  for (let n = 0; store.store.stats.evictions === 0; n++) store.put(`k${n}`, 20);
  const operation = store.store.startPut();
  for (let outcome = "unfinished"; outcome === "unfinished";) {
    const before = store.store.stats.evictions;
    outcome = store.put("large", 1_000_000, Infinity, operation);
    assert(store.store.stats.evictions - before <= EVICTION_STEPS_MAX);
  }
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
