/**
 * What a shared store promises beyond one thread's: how shards share the limit, what happens at its
 * edges, and that memory is given back.
 *
 * @module
 */

import { Random } from "../loadgen/mod.ts";
import { InvariantError, openSharedMemory, SharedStore, Store } from "../store.ts";
import { hashOf } from "../hash.ts";
import { EVICTION_STEPS_MAX } from "../store/reservation.ts";
import { assert, assertEquals, assertThrows } from "./assert.ts";
import { AddressedMemory, Rotation } from "./store_rotation.ts";

const MIB = 1_048_576;
const callsMax = 100_000;
const encoder = new TextEncoder();
const hashKey = [1, 2] as const;
const now = () => 0;

function rotation(limitBytes: number, shards: number, threads = 2): Rotation {
  return new Rotation({ limitBytes, shards, threads, now });
}

/** Puts a value, in as many calls as it takes. Returns the most evictions of one call. */
function put(store: Rotation, name: string, length: number): number {
  const key = encoder.encode(name);
  const value = new Uint8Array(length).fill(key[0]);
  let most = 0;
  const call = (operation?: ReturnType<Rotation["startPut"]>) => {
    const { evictions } = store.stats;
    const outcome = store.put(key, 0, key.length, value, 0, length, Infinity, operation);
    most = Math.max(most, store.stats.evictions - evictions);
    return outcome;
  };
  if (call() === "stored") return most;
  const operation = store.startPut();
  for (let calls = 0; calls < callsMax; calls++) {
    const outcome = call(operation);
    if (outcome === "stored") return most;
    assertEquals(outcome, "unfinished");
  }
  throw new Error(`${name} was never stored`);
}

function has(store: Rotation, name: string): boolean {
  const key = encoder.encode(name);
  return store.find(key, 0, key.length) !== 0;
}

for (const [limitBytes, shards] of [[64 * 1024, 4], [MIB, 8], [24 * MIB, 16]]) {
  Deno.test(`shared limit: nothing is evicted below 99 % of ${limitBytes} bytes, ${shards} shards`, () => {
    const store = rotation(limitBytes, shards);
    const length = Math.ceil(limitBytes / 20_000);
    for (let n = 0; store.stats.evictions === 0; n++) {
      assert(store.usage <= limitBytes);
      put(store, `key${n}`, length);
    }
    assert(store.usage >= limitBytes * 0.99 - length, `evicted at ${store.usage}`);
    store.verify();
  });
}

Deno.test("shared limit: nothing is evicted below the limit with one shard", () => {
  const store = rotation(MIB, 1);
  // Keys have 7 bytes: 1,048 entries of 1,000 bytes, and one for the rest.
  for (let n = 0; n < 1_048; n++) put(store, `key${1_000 + n}`, 993);
  put(store, "rest", 572);
  assertEquals([store.stats.evictions, store.usage], [0, MIB]);
  put(store, "more", 1);
  assert(store.stats.evictions > 0);
});

for (const shards of [1, 4, 16]) {
  Deno.test(`shared limit: a value as large as the limit fits a full store, ${shards} shards`, () => {
    const limitBytes = 4 * MIB;
    const store = rotation(limitBytes, shards);
    for (let n = 0; n < 12_000; n++) put(store, `key${n}`, 400);
    const most = put(store, "all", limitBytes - 3);
    assertEquals([store.usage, store.entries], [limitBytes, 1]);
    assert(most <= 2 * EVICTION_STEPS_MAX, `one call evicted ${most}`);
    store.verify();
    // And it leaves again, for small ones.
    for (let n = 0; n < 12_000; n++) put(store, `key${n}`, 400);
    assert(!has(store, "all"));
    assert(store.usage > limitBytes * 0.99);
    store.verify();
  });
}

Deno.test("shared limit: one byte more than the limit is too large, and changes nothing", () => {
  const store = rotation(MIB, 4);
  put(store, "key", 10);
  const value = new Uint8Array(MIB);
  const key = encoder.encode("all");
  assertEquals(store.put(key, 0, 3, value, 0, MIB - 2, Infinity), "too large");
  const operation = store.startPut();
  assertEquals(store.put(key, 0, 3, value, 0, MIB - 2, Infinity, operation), "too large");
  assertEquals([store.usage, has(store, "key")], [13, true]);
  store.verify();
});

Deno.test("shared limit: a shard that came late gets its part from the fullest", () => {
  const shards = 4;
  const store = rotation(MIB, shards);
  const names = Array.from({ length: 40_000 }, (_, n) => `key${n}`);
  const shardOf = (name: string) => {
    const key = encoder.encode(name);
    return hashOf(hashKey, key, 0, key.length) & (shards - 1);
  };
  const early = names.filter((name) => shardOf(name) === 0);
  const late = names.filter((name) => shardOf(name) !== 0).slice(0, 5_000);
  for (const name of early) put(store, name, 100);
  assert(store.usage > MIB * 0.99);
  // Half the limit: all of it stays, though each of these shards began with nothing.
  for (const name of late) put(store, name, 100);
  const kept = late.filter((name) => has(store, name)).length;
  assert(kept > late.length * 0.95, `${kept} of ${late.length} were kept`);
});

Deno.test("shared limit: two large puts of different threads do not block each other", () => {
  const store = rotation(4 * MIB, 4);
  for (let n = 0; n < 8_000; n++) put(store, `key${n}`, 400);
  const value = new Uint8Array(3 * MIB);
  const pending = ["a", "b", "c"].map((name) => {
    return { key: encoder.encode(name), operation: store.startPut(), outcome: "unfinished" };
  });
  for (let calls = 0; pending.some(({ outcome }) => outcome === "unfinished"); calls++) {
    assert(calls < callsMax, "they block each other");
    for (const put of pending) {
      if (put.outcome !== "unfinished") continue;
      put.outcome = store.put(put.key, 0, 1, value, 0, value.length, Infinity, put.operation);
    }
  }
  assertEquals(pending.map(({ outcome }) => outcome), ["stored", "stored", "stored"]);
  store.verify();
});

Deno.test("shared limit: a large put that is cancelled gives back what it gained", () => {
  const store = rotation(4 * MIB, 4);
  for (let n = 0; n < 10_000; n++) put(store, `key${n}`, 400);
  const key = encoder.encode("large");
  const value = new Uint8Array(3 * MIB);
  const operation = store.startPut();
  for (let calls = 0; calls < 40; calls++) {
    assertEquals(
      store.put(key, 0, key.length, value, 0, value.length, Infinity, operation),
      "unfinished",
    );
  }
  operation.cancel();
  store.verify();
  for (let n = 0; n < 12_000; n++) put(store, `key${n}`, 400);
  assert(store.usage > 4 * MIB * 0.99);
});

Deno.test("shared store: what was flushed is given back, some at a time", () => {
  const store = rotation(64 * MIB, 4);
  for (let n = 0; n < 100_000; n++) put(store, `key${n}`, 400);
  const before = store.stats.residentBytes;
  assert(before > 40 * MIB);
  assertEquals(store.flushAll(), 100_000);
  store.verify();
  for (let calls = 0; calls < 200; calls++) store.sweep();
  store.verify();
  assert(store.stats.residentBytes < 2 * MIB, `${store.stats.residentBytes} of ${before} held`);
  for (let n = 0; n < 100_000; n++) put(store, `key${n}`, 400);
  assertEquals(store.entries, 100_000);
  store.verify();
});

Deno.test("shared store: one call of a scan lists a few keys, whatever their shards", () => {
  const store = rotation(64 * MIB, 16);
  for (let n = 0; n < 30; n++) put(store, `key${n}`, 10);
  const found: string[] = [];
  const visit = (bytes: Uint8Array, start: number, end: number) => {
    found.push(new TextDecoder().decode(bytes.slice(start, end)));
  };
  assertEquals(store.scan(0, 100, visit), 0);
  assertEquals(new Set(found).size, 30);
  // And no more than it was asked for, but for keys that share a hash.
  found.length = 0;
  assert(store.scan(0, 7, visit) > 0);
  assertEquals(found.length, 7);
});

Deno.test("shared store: a thread that comes during a flush knows its prefix", () => {
  const store = rotation(MIB, 4, 1);
  for (let n = 0; n < 3_000; n++) put(store, `${n % 2 === 0 ? "even" : "odd"}${n}`, 10);
  const flush = store.startFlush(encoder.encode("even"));
  const { handle } = store.threads[0];
  const late = SharedStore.attach(handle, { thread: 1, memory: store.memory, now });
  const odd = encoder.encode("odd1");
  assert(late.find(odd, 0, odd.length) !== 0, "it sees what the flush does not cover");
  let removed: number | undefined;
  for (let calls = 0; removed === undefined; calls++) {
    assert(calls < callsMax);
    late.sweep();
    removed = flush.step();
  }
  assertEquals([removed, store.entries], [1_500, 1_500]);
});

Deno.test("shared store: at its end the memory is given back", () => {
  const store = rotation(64 * MIB, 4);
  for (let n = 0; n < 100_000; n++) put(store, `key${n}`, 400);
  assert(store.stats.residentBytes > 40 * MIB);
  store.threads[1].close();
  assert(store.stats.residentBytes < MIB, `${store.stats.residentBytes} held`);
  assertEquals([store.usage, store.entries], [0, 0]);
  put(store, "key", 400);
  assert(has(store, "key"));
  store.verify();
});

Deno.test("shared store: a wait for a thread that has failed ends with an error", () => {
  const { threads: [first, second] } = rotation(MIB, 1);
  const key = encoder.encode("key");
  first.enter(key, 0, 3);
  first.markBroken();
  assertThrows(() => second.enter(key, 0, 3), InvariantError, "another thread has failed");
});

Deno.test("shared store: two keys cannot be entered at once, nor one used beside another", () => {
  const { threads: [store] } = rotation(MIB, 1);
  const key = encoder.encode("one two");
  store.enter(key, 0, 3);
  assertThrows(() => store.enter(key, 4, 7), InvariantError);
  assertThrows(() => store.find(key, 4, 7), InvariantError);
  store.leave();
  assertEquals(store.find(key, 4, 7), 0);
});

Deno.test("shared store: numbers of threads and shards, and limits, at their edges", () => {
  const memory = new AddressedMemory();
  const make = (limitBytes: number, threads: number, shards?: number) =>
    SharedStore.create({ limitBytes, threads, shards, memory, now });
  assertThrows(() => make(MIB, 0), RangeError);
  assertThrows(() => make(MIB, 65), RangeError);
  assertThrows(() => make(MIB, 2, 3), RangeError);
  assertThrows(() => make(MIB, 2, 128), RangeError);
  assertThrows(() => make(0, 2), RangeError);
  assertEquals(make(1024, 8).shards, 1);
  assertEquals(make(MIB, 8).shards, 1);
  assertEquals(make(2 * MIB, 8).shards, 2);
  assertEquals(make(1024 * MIB, 1).shards, 8);
  assertEquals(make(1024 * MIB, 2).shards, 16);
  assertEquals(make(16 * 1024 * MIB, 64).shards, 64);
});

const system = openSharedMemory();

Deno.test({ name: "shared memory: views of one block, discarded pages", ignore: !system }, () => {
  if (system === undefined) return;
  const { buffer, address } = system.take(MIB);
  const bytes = new Uint8Array(buffer);
  bytes.fill(7);
  assertEquals(new Uint8Array(system.at(address, MIB))[MIB - 1], 7);
  system.discard(address, MIB);
  assertEquals([bytes[0], bytes[MIB - 1]], [0, 0]);
  bytes[0] = 1;
  assertEquals(new Uint8Array(system.at(address, 8))[0], 1);
  system.give(address, MIB);
  // More than any address space.
  assertThrows(() => system.take(2 ** 50), RangeError);
});

Deno.test("shared store: with one shard, threads that take turns evict what one thread would", () => {
  const limitBytes = 100_000;
  const store = new Store({ limitBytes, now, hashKey });
  const shared = rotation(limitBytes, 1, 3);
  const random = new Random(5);
  const value = new Uint8Array(200);
  const misses = [0, 0];
  for (let n = 0; n < 30_000; n++) {
    // Few keys are asked for often, many now and then: the ghost remembers those that come back.
    const key = encoder.encode(`key${Math.floor(2_000 * random.fraction() ** 3)}`);
    const length = 20 + random.below(180);
    for (const [which, storage] of [store, shared].entries()) {
      if (storage.get(key, 0, key.length) !== 0) continue;
      misses[which]++;
      assertEquals(storage.put(key, 0, key.length, value, 0, length, Infinity), "stored");
    }
  }
  assertEquals(misses[1], misses[0]);
  assertEquals(shared.stats.evictions, store.stats.evictions);
  assert(shared.stats.evictions > 5_000);
});
