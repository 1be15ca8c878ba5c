/** Puts that take several calls: reserved space, values copied in parts, and several at once. */

import { assert, assertEquals, assertThrows } from "./assert.ts";
import { STAGED_PART_BYTES } from "../store.ts";
import { TextStore } from "./store_bytes.ts";

const MIB = 1_048_576;
/** More calls than any put of these tests needs. */
const CALLS_MAX = 5_000;

/** A store at its limit, full of small entries. */
function full(limitBytes: number): TextStore {
  const store = new TextStore({ limitBytes, now: () => 0 });
  for (let n = 0; store.store.stats.evictions === 0; n++) store.put(`small${n}`, 50);
  return store;
}

Deno.test("put: 9 MiB into a full store of 10 MiB, a bounded part of the work a call", () => {
  const limitBytes = 10 * MIB;
  const store = full(limitBytes);
  const bytes = 9 * MIB;
  const operation = store.store.startPut();
  let calls = 0;
  for (; store.put("large", bytes, Infinity, operation) === "unfinished"; calls++) {
    const evictions = store.store.stats.evictions;
    assert(store.store.usage <= limitBytes);
    assert(!store.has("large"), "half of a value is never seen");
    // Others write meanwhile, more than a call gains: what was made free is not theirs to take.
    for (let n = 0; n < 500; n++) assertEquals(store.put(`other${calls}-${n}`, 50), "stored");
    assert(store.store.stats.evictions - evictions >= 499);
    assert(calls < CALLS_MAX, "a large value starves");
  }
  assert(calls > 10, "the work was not divided");
  assertEquals(store.get("large")?.length, bytes);
  assert(store.store.usage <= limitBytes);
  store.store.verify();
});

// Guards: the goal of eviction was negative beside a reservation, and eviction ran on an empty
// queue: "Cannot read properties of undefined (reading '229376')".
Deno.test("put: two large values that exceed the limit together, call by call", () => {
  for (const keys of [["a", "b"], ["same", "same"]]) {
    for (const lengths of [[6 * MIB, 5 * MIB], [5 * MIB, 6 * MIB]]) {
      const store = new TextStore({ limitBytes: 10 * MIB, now: () => 0 });
      const puts = keys.map((key, n) => ({ key, length: lengths[n], done: "unfinished" }));
      const operations = puts.map(({ key, length }) => {
        assertEquals(store.put(key, length), "unfinished");
        return store.store.startPut();
      });
      for (let calls = 0; puts.some(({ done }) => done === "unfinished"); calls++) {
        puts.forEach((put, n) => {
          if (put.done !== "unfinished") return;
          put.done = store.put(put.key, put.length, Infinity, operations[n]);
          store.store.verify();
        });
        assert(calls < 100, "they block each other");
      }
      assertEquals(puts.map(({ done }) => done), ["stored", "stored"]);
      assertEquals(store.get(keys[1])?.length, lengths[1], "the second one is stored last");
      assertEquals(store.store.entries, 1);
    }
  }
});

Deno.test("put: a large one without an operation beside a reservation changes nothing", () => {
  const store = new TextStore({ limitBytes: 10 * MIB, now: () => 0 });
  const operation = store.store.startPut();
  assertEquals(store.put("a", 10 * MIB - 1, Infinity, operation), "unfinished");
  assertEquals(store.put("b", 1_000_000), "unfinished", "all space is reserved");
  assertEquals(store.put("c", 1), "unfinished", "all space is reserved");
  store.store.verify();
  while (store.put("a", 10 * MIB - 1, Infinity, operation) === "unfinished");
  assertEquals([store.put("c", 1), store.get("c")], ["stored", "x"]);
});

Deno.test("put: a value is copied in parts from 1 MiB on, and needs an operation", () => {
  for (const length of [-1, 0, 1].map((more) => STAGED_PART_BYTES + more)) {
    const store = new TextStore({ limitBytes: 4 * MIB, now: () => 0 });
    const outcome = store.put("key", length);
    assertEquals(outcome, length > STAGED_PART_BYTES ? "unfinished" : "stored");
    assertEquals(store.putAll("key", length), "stored");
    assertEquals(store.get("key")?.length, length);
  }
});

Deno.test("put: two values for one key, seen only when they are whole, beside other writes", () => {
  const store = new TextStore({ limitBytes: 8 * MIB, now: () => 0 });
  const text = "0123456789".repeat(300_007);
  const other = "abcdefg".repeat(500_001);
  store.put("key", "before");
  const one = store.store.startPut();
  const two = store.store.startPut();
  const outcomes: string[] = [];
  for (let calls = 0; outcomes.length < 2; calls++) {
    assert(calls < 100);
    if (outcomes.length === 0 && store.put("key", text, Infinity, one) === "stored") {
      outcomes.push("one");
      assertEquals(store.get("key"), text);
    }
    if (store.put("key", other, Infinity, two) === "stored") outcomes.push("two");
    if (outcomes.length === 0) assertEquals(store.get("key"), "before");
    store.put(`small${calls}`, 20_000 + calls);
    store.store.verify();
  }
  assertEquals([outcomes, store.get("key")], [["one", "two"], other]);
  assertEquals(store.get("small0")?.length, 20_000);
});

Deno.test("put: cancelled at any call it leaves nothing behind", () => {
  const text = "0123456789".repeat(500_000);
  for (let calls = 0; calls < 6; calls++) {
    const store = new TextStore({ limitBytes: 8 * MIB, now: () => 0 });
    store.put("key", "before");
    const { usage, stats } = store.store;
    const operation = store.store.startPut();
    const behind = store.store.startPut();
    for (let n = 0; n < calls; n++) {
      if (store.put("key", text, Infinity, operation) === "stored") break;
      assertEquals(store.put("other", 2_000_000, Infinity, behind), "unfinished");
    }
    if (store.get("key") === text) break;
    assertEquals(calls < 5, true, "the put takes five calls");
    operation.cancel();
    operation.cancel();
    behind.cancel();
    store.store.verify();
    assertEquals([store.store.usage, store.get("key")], [usage, "before"]);
    assertEquals(store.store.stats.overheadBytes, stats.overheadBytes);
    assert(store.store.stats.residentBytes <= stats.residentBytes + 3 * MIB);
    assertThrows(() => store.put("key", "x", Infinity, operation), Error, "has ended");
    assertEquals(store.putAll("key", text), "stored");
    assertEquals(store.get("key"), text);
    store.store.verify();
  }
});

Deno.test("put: the next of the queue goes on when the first is cancelled", () => {
  const store = full(4 * MIB);
  const operations = [1, 2, 3].map(() => store.store.startPut());
  const put = (n: number) => store.put(`large${n}`, 3_000_000 + n, Infinity, operations[n]);
  for (let calls = 0; calls < 20; calls++) for (let n = 0; n < 3; n++) put(n);
  operations[1].cancel();
  operations[0].cancel();
  store.store.verify();
  let calls = 0;
  while (put(2) === "unfinished") assert(calls++ < CALLS_MAX);
  assertEquals(store.get("large2")?.length, 3_000_002);
  operations[2].cancel();
  store.store.verify();
});

Deno.test("put: space reserved for one that is cancelled is given back", () => {
  const store = full(MIB);
  const operation = store.store.startPut();
  assertEquals(store.put("large", 1_000_000, Infinity, operation), "unfinished");
  operation.cancel();
  for (let n = 0; n < 60_000; n++) store.put(`later${n}`, 20);
  assert(store.store.usage > MIB * 0.999);
});

Deno.test("put: begins again after everything was flushed, and after its key was removed", () => {
  const store = new TextStore({ limitBytes: 16 * MIB, now: () => 0 });
  const text = "0123456789".repeat(500_000);
  store.putAll("key", 3_000_000);
  const operation = store.store.startPut();
  assertEquals(store.put("key", text, Infinity, operation), "unfinished");
  assertEquals(store.put("key", text, Infinity, operation), "unfinished");
  store.delete("key");
  store.store.verify();
  assertEquals(store.put("key", text, Infinity, operation), "unfinished");
  assertEquals(store.store.flushAll(), 0);
  store.store.verify();
  assertEquals(store.store.stats.overheadBytes < 100_000, true, "nothing is staged");
  store.put("other", 5);
  const flush = store.startFlush("k");
  let calls = 0;
  while (store.put("key", text, Infinity, operation) === "unfinished") calls++;
  assertEquals(calls, 4, "five parts of at most 1 MiB");
  while (flush.step() === undefined);
  assertEquals([store.get("key"), store.get("other")], [text, "xxxxx"]);
  store.store.verify();
});

Deno.test("put: compaction moves what is staged", () => {
  const store = new TextStore({ limitBytes: 64 * MIB, now: () => 0 });
  const text = "0123456789".repeat(900_000);
  const operation = store.store.startPut();
  for (let n = 0; n < 900; n++) store.put(`key${n}`, 20_000);
  assertEquals(store.put("large", text, Infinity, operation), "unfinished");
  for (let n = 0; n < 900; n++) if (n % 8 !== 0) store.delete(`key${n}`);
  assertEquals(store.put("large", text, Infinity, operation), "unfinished");
  for (let n = 0; n < 3_000; n++) store.put(`more${n % 400}`, 9_000 + n);
  assert(store.store.stats.moved > 200, `${store.store.stats.moved} records moved`);
  store.store.verify();
  while (store.put("large", text, Infinity, operation) === "unfinished");
  assertEquals(store.get("large"), text);
  store.store.verify();
});

// Guards: the first call took the key from the ghost, and the second had forgotten it.
Deno.test("put: a key that comes back keeps its ghost hit over several calls", () => {
  const store = new TextStore({ limitBytes: 64 * MIB });
  assertEquals(store.putAll("large", 4_000_000), "stored");
  for (let n = 0; store.has("large"); n++) store.putAll(`push${n}`, 2_000_000);
  // The small queue dropped it a short time ago, so now it joins the main queue.
  assertEquals(store.put("large", 4_000_000), "unfinished");
  const operation = store.store.startPut();
  let calls = 0;
  while (store.put("large", 4_000_000, Infinity, operation) === "unfinished") calls++;
  assert(calls > 2, `${calls} calls`);
  // Entries that are written once pass through the small queue, and leave the main queue alone.
  for (let n = 0; n < 100; n++) store.putAll(`once${n}`, 2_000_000);
  assert(store.has("large"), "it was put into the small queue");
});

Deno.test("put: an operation of another store, and too large a value", () => {
  const store = new TextStore({ limitBytes: 2 * MIB });
  const other = new TextStore({ limitBytes: 2 * MIB });
  assertThrows(() => store.put("key", 1, Infinity, other.store.startPut()), Error, "another store");
  const misused = store.store.startPut();
  assertEquals(store.put("key", 2_000_000, Infinity, misused), "unfinished");
  assertThrows(() => store.put("key", 1, Infinity, misused), Error, "another value");
  misused.cancel();
  const operation = store.store.startPut();
  assertEquals(store.put("key", 3 * MIB, Infinity, operation), "too large");
  assertThrows(() => store.put("key", 1, Infinity, operation), Error, "has ended");
  assertEquals(store.putAll("key", 2 * MIB - 3), "stored");
  assertEquals(store.store.usage, 2 * MIB);
});
