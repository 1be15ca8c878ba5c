/** Memory that is not available: the store evicts, or refuses and stays as it was. */

import { assert, assertEquals, assertThrows } from "./assert.ts";
import { InvariantError, Store } from "../store.ts";
import { TextStore } from "./store_bytes.ts";

const MIB = 1_048_576;

/** A store whose allocations fail while `memory.fails(bytes)` says so. */
function unreliable(limitBytes: number): {
  store: TextStore;
  memory: { fails: (bytes: number) => boolean; refused: number };
} {
  const memory = { fails: (_: number) => false, refused: 0 };
  const allocate = (bytes: number) => {
    if (!memory.fails(bytes)) return new ArrayBuffer(bytes);
    memory.refused++;
    throw new RangeError("Array buffer allocation failed");
  };
  return { store: new TextStore({ limitBytes, allocate, now: () => 0 }), memory };
}

// Guards: a full arena threw after the entry to be replaced had been removed.
Deno.test("faults: tiny entries use up the arena before the limit: the oldest are evicted", () => {
  const store = new TextStore({ limitBytes: 64 * MIB, arenaBytesMax: 2 * MIB, now: () => 0 });
  for (let n = 0; n < 200_000; n++) assertEquals(store.putAll(`${n}`, 3), "stored");
  store.store.verify();
  assert(store.store.stats.evictions > 100_000);
  assert(store.store.stats.residentBytes <= 2 * MIB + 4 * MIB, "the index comes on top");
  for (let n = 190_000; n < 200_000; n++) assert(store.has(`${n}`), `${n}`);
  // Replacing an entry by a larger one, and giving it a time of expiry, need memory as well.
  for (let n = 195_000; n < 200_000; n++) {
    assertEquals(store.putAll(`${n}`, 40), "stored");
    assertEquals(store.get(`${n}`)?.length, 40);
    if (store.expire(`${n}`, 1_000)) assertEquals(store.get(`${n}`)?.length, 40);
  }
  store.store.verify();
});

Deno.test("faults: in a full arena a call evicts no more than its bounded share", () => {
  const store = new TextStore({ limitBytes: 64 * MIB, arenaBytesMax: MIB, now: () => 0 });
  let unfinished = 0;
  for (let n = 0; n < 100_000; n++) {
    const { evictions } = store.store.stats;
    const outcome = store.put(`${n}`, 3);
    assert(store.store.stats.evictions - evictions <= 128);
    if (outcome === "unfinished") unfinished++;
    else assertEquals(outcome, "stored");
  }
  assert(unfinished > 0 && unfinished < 5_000, `${unfinished} of 100,000`);
});

// Guards: what a failed put had staged stayed marked as ready, and the next large value took it.
Deno.test("faults: memory that fails while a large value is copied", () => {
  const text = "0123456789".repeat(400_000);
  for (let failing = 0; failing < 12; failing++) {
    const { store, memory } = unreliable(16 * MIB);
    store.put("key", "before");
    store.put("other", 100);
    let slabs = 0;
    memory.fails = (bytes) => bytes === MIB && slabs++ >= failing;
    const outcome = store.putAll("key", text);
    store.store.verify();
    if (failing < 3) {
      assertEquals([outcome, store.get("key")], ["out of memory", "before"]);
    }
    memory.fails = () => false;
    assertEquals(store.putAll("next", 3_000_000), "stored");
    assertEquals(store.get("next"), "x".repeat(3_000_000), "it took another value's bytes");
    assertEquals(store.putAll("key", text), "stored");
    assertEquals(store.get("key"), text);
    store.store.verify();
  }
});

Deno.test("faults: a value too large for the arena is refused before anything is evicted", () => {
  const store = new TextStore({ limitBytes: 64 * MIB, arenaBytesMax: 2 * MIB, now: () => 0 });
  store.put("key", "before");
  for (let n = 0; n < 500; n++) store.put(`small${n}`, 1_000);
  const { usage } = store.store;
  assertEquals(store.putAll("key", 3_000_000), "out of memory");
  assertEquals([store.get("key"), store.store.usage], ["before", usage]);
  assertEquals(store.store.stats.evictions, 0);
  store.store.verify();
  assertEquals(store.putAll("key", 1_400_000), "stored");
  store.store.verify();
});

Deno.test("faults: an empty store without memory refuses, and works once there is some", () => {
  const { store, memory } = unreliable(MIB);
  memory.fails = () => true;
  assertEquals([store.put("key", "value"), store.store.entries], ["out of memory", 0]);
  store.store.verify();
  memory.fails = () => false;
  assertEquals([store.put("key", "value"), store.get("key")], ["stored", "value"]);
  memory.fails = () => true;
  assertEquals(store.expire("key", 5), true);
  assertEquals([store.store.flushAll(), store.put("key", "value")], [1, "out of memory"]);
  store.store.verify();
});

Deno.test("faults: the index goes without pages, and grows once there are some", () => {
  const { store, memory } = unreliable(64 * MIB);
  memory.fails = (bytes) => bytes === 65_536;
  for (let n = 0; n < 30_000; n++) {
    const outcome = store.putAll(`key${n}`, 5);
    assertEquals(outcome, "stored");
    if (n % 1_000 === 0) store.store.verify();
  }
  assert(memory.refused > 0 && store.store.entries < 10_000 && store.store.stats.evictions > 0);
  for (let n = 29_900; n < 30_000; n++) assert(store.has(`key${n}`), `key${n}`);
  memory.fails = () => false;
  for (let n = 0; n < 30_000; n++) assertEquals(store.putAll(`more${n}`, 5), "stored");
  assertEquals(store.store.entries > 30_000, true, "it never grew again");
  store.store.verify();
});

Deno.test("faults: pages that fail at any moment while the index moves", () => {
  const { store, memory } = unreliable(64 * MIB);
  let calls = 0;
  memory.fails = (bytes) => bytes === 65_536 && ++calls % 3 !== 0;
  for (let n = 0; n < 120_000; n++) {
    store.put(`key${n}`, 5);
    if (n % 10_000 === 0) store.store.verify();
  }
  for (let n = 0; n < 120_000; n++) {
    store.delete(`key${n}`);
    if (n % 10_000 === 0) store.store.verify();
  }
  assertEquals([store.store.entries, store.store.usage], [0, 0]);
  store.store.verify();
  assert(memory.refused > 5, `${memory.refused} pages refused`);
});

Deno.test("faults: the ghost and the arena's tables go without memory", () => {
  const { store, memory } = unreliable(24 * MIB);
  memory.fails = (bytes) => bytes !== MIB && bytes !== 65_536;
  for (let n = 0; n < 40_000; n++) {
    const outcome = store.put(`key${n}`, 1_000);
    assert(outcome === "stored" || outcome === "unfinished", outcome);
    if (n % 10_000 === 0) store.store.verify();
  }
  assert(memory.refused > 0 && store.store.stats.evictions > 0);
  assert(store.store.stats.residentBytes <= 9 * MIB, "the tables reach for eight slabs");
  memory.fails = () => false;
  for (let n = 0; n < 40_000; n++) store.put(`key${n}`, 1_000);
  assert(store.store.usage > 23 * MIB);
  store.store.verify();
});

// Guards: a time of expiry for an entry that had none copied its whole value.
Deno.test("faults: a time of expiry does not copy a large value", () => {
  const { store, memory } = unreliable(64 * MIB);
  const text = "0123456789".repeat(1_000_000);
  store.putAll("key", text);
  memory.fails = () => true;
  const { overheadBytes } = store.store.stats;
  assertEquals(store.expire("key", 1_000), true);
  assertEquals([store.get("key"), store.store.stats.overheadBytes - overheadBytes], [text, 8]);
  store.store.verify();
});

Deno.test("faults: a contradiction is an InvariantError", () => {
  const error = new InvariantError("usage is negative");
  assert(error instanceof Error && error.message === "The store is broken: usage is negative");
  assertThrows(() => new Store({ limitBytes: 1, arenaBytesMax: 1_000 }), RangeError);
  assertThrows(() => new Store({ limitBytes: 1, arenaBytesMax: 2 ** 40 }), RangeError);
});

Deno.test("equals: a difference at any place, in one piece and in fragments", () => {
  for (const length of [1, 95, 96, 97, 100, 1_023, 8_000, 8_191, 8_193, 20_001]) {
    const store = new TextStore({ limitBytes: MIB });
    const value = Uint8Array.from({ length: length + 3 }, (_, n) => n * 7);
    store.store.put(value, 0, 1, value, 3, length + 3, Infinity);
    const handle = store.store.find(value, 0, 1);
    assert(store.store.equals(handle, value, 3, length + 3), `${length} bytes`);
    assert(!store.store.equals(handle, value, 2, length + 3), "another length");
    for (const at of [0, 1, 2, 3, 94, 4_096, 8_190, 8_192, length - 5, length - 1]) {
      if (at < 0 || at >= length) continue;
      value[at + 3] ^= 128;
      assert(!store.store.equals(handle, value, 3, length + 3), `byte ${at} of ${length}`);
      value[at + 3] ^= 128;
    }
  }
});
