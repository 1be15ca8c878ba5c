/**
 * A store that evicts nothing: what does not fit is refused, and nothing else.
 *
 * @module
 */

import { Random } from "../loadgen/mod.ts";
import { openSharedMemory, SharedStore, type Storage, Store } from "../store.ts";
import { assert, assertEquals } from "./assert.ts";

const encoder = new TextEncoder();
const limitBytes = 4 * 1024 * 1024;

/** The stores that are tested, on a clock that the test moves. */
function stores(now: () => number): [string, Storage & { verify(): void }][] {
  const memory = openSharedMemory();
  const options = { limitBytes, evicts: false, now };
  const all: [string, Storage & { verify(): void }][] = [["one shard", new Store(options)]];
  if (memory !== undefined) {
    all.push(["4 shards", SharedStore.create({ ...options, threads: 1, shards: 4, memory })]);
  }
  return all;
}

/** Puts a value in as many calls as it takes. */
function put(store: Storage, key: string, bytes: number, expiresAt = Infinity): string {
  const keyBytes = encoder.encode(key);
  const value = new Uint8Array(bytes).fill(65);
  const call = (operation?: ReturnType<Storage["startPut"]>) =>
    store.put(keyBytes, 0, keyBytes.length, value, 0, bytes, expiresAt, operation);
  let outcome = call();
  if (outcome !== "unfinished") return outcome;
  const operation = store.startPut();
  for (let calls = 0; outcome === "unfinished"; calls++) {
    assert(calls < 10_000, "a put ends");
    outcome = call(operation);
  }
  operation.cancel();
  return outcome;
}

function has(store: Storage, key: string): boolean {
  const bytes = encoder.encode(key);
  return store.find(bytes, 0, bytes.length) !== 0;
}

function remove(store: Storage, key: string): boolean {
  const bytes = encoder.encode(key);
  return store.delete(bytes, 0, bytes.length);
}

Deno.test("a full store refuses one byte more, and takes it once there is room", () => {
  for (const [name, store] of stores(() => 0)) {
    for (let n = 0; n < 4; n++) assertEquals(put(store, `${n}`, 1024 * 1024 - 1), "stored", name);
    assertEquals(store.usage, limitBytes, name);
    assertEquals(put(store, "x", 0), "out of memory", name);
    assertEquals(put(store, "0", 1024 * 1024), "out of memory", name);
    assertEquals(put(store, "0", 1024 * 1024 - 1), "stored", name);
    assertEquals(put(store, "0", 1024 * 1024 - 3), "stored", name);
    assertEquals(put(store, "xy", 1), "out of memory", name);
    assertEquals(put(store, "x", 1), "stored", name);
    assertEquals(store.usage, limitBytes, name);
    assertEquals(remove(store, "1"), true, name);
    assertEquals(put(store, "large", 1024 * 1024), "out of memory", name);
    assertEquals(put(store, "large", 1024 * 1024 - 5), "stored", name);
    assertEquals(store.stats.evictions, 0, name);
    store.verify();
  }
});

Deno.test("a value of several calls that does not fit is refused, one that does is stored", () => {
  for (const [name, store] of stores(() => 0)) {
    assertEquals(put(store, "a", 2 * 1024 * 1024), "stored", name);
    assertEquals(put(store, "b", 2 * 1024 * 1024), "out of memory", name);
    assertEquals(put(store, "b", 2 * 1024 * 1024 - 2), "stored", name);
    assertEquals(put(store, "c", limitBytes + 1), "too large", name);
    assertEquals([has(store, "a"), has(store, "b")], [true, true], name);
    assertEquals(store.stats.evictions, 0, name);
    store.verify();
  }
});

Deno.test("what has expired makes room", () => {
  let time = 0;
  for (const [name, store] of stores(() => time)) {
    time = 0;
    for (let n = 0; n < 4; n++) put(store, `${n}`, 1024 * 1024 - 1, n < 2 ? 100 : Infinity);
    assertEquals(put(store, "new", 1000), "out of memory", name);
    time = 100;
    assertEquals(put(store, "new", 1000), "stored", name);
    assertEquals([has(store, "0"), has(store, "2")], [false, true], name);
    assertEquals(store.stats.evictions, 0, name);
    store.verify();
  }
});

Deno.test("putNow refuses what does not fit, too", () => {
  for (const [name, store] of stores(() => 0)) {
    const key = encoder.encode("k");
    const value = new Uint8Array(limitBytes);
    store.enterAll();
    assertEquals(store.putNow(key, 0, 1, value, 0, limitBytes - 1, Infinity), "stored", name);
    assertEquals(store.putNow(value, 0, 1, value, 0, 0, Infinity), "out of memory", name);
    assertEquals(store.putNow(value, 0, 1, value, 0, 2_000_000, Infinity), "out of memory", name);
    store.leaveAll();
    assertEquals(store.usage, limitBytes, name);
    store.verify();
  }
});

Deno.test("random puts and deletes are refused exactly when they do not fit", () => {
  for (const [name, store] of stores(() => 0)) {
    const random = new Random(7);
    const model = new Map<string, number>();
    let usage = 0;
    let refused = 0;
    for (let step = 0; step < 20_000; step++) {
      const key = `key${random.next() % 300}`;
      if (random.next() % 4 === 0) {
        assertEquals(remove(store, key), model.has(key), name);
        usage -= model.get(key) ?? 0;
        model.delete(key);
      } else {
        const kind = random.next() % 100;
        const bytes = random.next() % (kind === 0 ? 2_000_000 : kind < 20 ? 100_000 : 1_000);
        const after = usage - (model.get(key) ?? 0) + key.length + bytes;
        const outcome = put(store, key, bytes);
        assertEquals(outcome, after <= limitBytes ? "stored" : "out of memory", `${name} ${step}`);
        if (outcome === "stored") {
          usage = after;
          model.set(key, key.length + bytes);
        } else refused++;
      }
      assertEquals(store.usage, usage, name);
    }
    assert(refused > 100, `${refused} were refused`);
    assertEquals([store.entries, store.stats.evictions], [model.size, 0], name);
    store.verify();
  }
});

Deno.test("a limit below what is held comes true when there is room", () => {
  for (const [name, store] of stores(() => 0)) {
    put(store, "a", 1_000_000);
    put(store, "b", 1_000_000);
    store.setLimit(1_500_000);
    for (let n = 0; n < 100; n++) store.changeLimit();
    for (let n = 0; n < 100; n++) store.sweep();
    assertEquals([has(store, "a"), has(store, "b")], [true, true], name);
    assertEquals(put(store, "c", 1), "out of memory", name);
    remove(store, "b");
    for (let n = 0; n < 100; n++) store.changeLimit();
    assertEquals(store.limitBytes, 1_500_000, name);
    assertEquals(put(store, "b", 400_000), "stored", name);
    store.verify();
  }
});
