/**
 * Work on several keys at once: all of them are entered together, puts end in one call, and a
 * key's version says whether it has changed. In a store of one thread and in one that threads share.
 *
 * @module
 */

import { InvariantError, Store } from "../store.ts";
import type { Storage } from "../store.ts";
import { assert, assertEquals, assertThrows } from "./assert.ts";
import { bytesOf } from "./raw_client.ts";
import { Rotation } from "./store_rotation.ts";

const limitBytes = 8 << 20;

/** A clock that a test moves, and both kinds of store on it. */
function stores(): { store: Storage & { verify(): void }; clock: { now: number }; name: string }[] {
  return ["one thread", "three threads"].map((name, n) => {
    const clock = { now: 0 };
    const now = () => clock.now;
    const store = n === 0
      ? new Store({ limitBytes, now })
      : new Rotation({ limitBytes, threads: 3, shards: 8, now });
    return { store, clock, name };
  });
}

function put(store: Storage, key: string, value: Uint8Array | string, expiresAt = Infinity) {
  const bytes = bytesOf(key);
  const valueBytes = bytesOf(value);
  return store.put(bytes, 0, bytes.length, valueBytes, 0, valueBytes.length, expiresAt);
}

function putNow(store: Storage, key: string, value: Uint8Array | string, expiresAt = Infinity) {
  const bytes = bytesOf(key);
  const valueBytes = bytesOf(value);
  return store.putNow(bytes, 0, bytes.length, valueBytes, 0, valueBytes.length, expiresAt);
}

/** The value of a key; undefined if there is none. */
function valueOf(store: Storage, key: string): Uint8Array | undefined {
  const bytes = bytesOf(key);
  store.enter(bytes, 0, bytes.length);
  const handle = store.find(bytes, 0, bytes.length);
  const value = handle === 0 ? undefined : new Uint8Array(store.lengthOf(handle));
  if (value !== undefined) store.copyTo(handle, value, 0);
  store.leave();
  return value;
}

function versionOf(store: Storage, key: string): number {
  const bytes = bytesOf(key);
  store.find(bytes, 0, bytes.length);
  return store.version(bytes, 0, bytes.length);
}

function filled(length: number, seed: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(length).map((_, n) => n * seed + (n >> 8));
}

for (const { store, name } of stores()) {
  Deno.test(`atomic, ${name}: any keys while all are entered`, () => {
    store.enterAll();
    for (let n = 0; n < 100; n++) assertEquals(putNow(store, `key${n}`, `${n}`), "stored");
    for (let n = 0; n < 100; n++) assertEquals(valueOf(store, `key${n}`), bytesOf(`${n}`));
    assertEquals(store.entries, 100);
    assertEquals(store.usage, 10 * (4 + 1) + 90 * (5 + 2));
    let seen = 0;
    for (let cursor = 0;;) {
      cursor = store.scan(cursor, 10, () => seen++);
      assert(cursor < store.cursors);
      if (cursor === 0) break;
    }
    assertEquals(seen, 100);
    assertEquals(store.flushAll(), 100);
    store.leaveAll();
    assertEquals(put(store, "key", "value"), "stored");
    store.verify();
  });
}

for (const { store, name } of stores()) {
  Deno.test(`atomic, ${name}: a put as large as the limit ends in one call`, () => {
    for (let n = 0; n < 20_000; n++) put(store, `key${n}`, "x".repeat(300));
    const value = filled(limitBytes - 3, 7);
    store.enterAll();
    assertEquals(putNow(store, "big", value), "stored");
    assertEquals(store.usage, limitBytes);
    assertEquals(putNow(store, "other", filled(limitBytes - 4, 7)), "too large");
    assertEquals(store.usage, limitBytes);
    store.leaveAll();
    assertEquals(valueOf(store, "big"), value);
    store.verify();
    store.enterAll();
    assertEquals(putNow(store, "small", "again"), "stored");
    store.leaveAll();
    assertEquals(valueOf(store, "big"), undefined);
    store.verify();
  });
}

for (const { store, name } of stores()) {
  Deno.test(`atomic, ${name}: a put under way begins again, and ends well`, () => {
    const key = bytesOf("slow");
    const value = filled(5 << 20, 3);
    const operation = store.startPut();
    const proceed = () =>
      store.put(key, 0, key.length, value, 0, value.length, Infinity, operation);
    for (let n = 0; n < 3; n++) assertEquals(proceed(), "unfinished");
    store.enterAll();
    assertEquals(putNow(store, "fast", filled(6 << 20, 5)), "stored");
    store.leaveAll();
    assertEquals(valueOf(store, "fast"), filled(6 << 20, 5));
    store.verify();
    let outcome = proceed();
    for (let steps = 0; outcome === "unfinished" && steps < 100_000; steps++) outcome = proceed();
    assertEquals(outcome, "stored");
    assertEquals(valueOf(store, "slow"), value);
    assert(store.usage <= limitBytes);
    store.verify();
  });
}

for (const { store, clock, name } of stores()) {
  Deno.test(`atomic, ${name}: a version changes with its key, whatever the change`, () => {
    const changes: readonly (readonly [string, () => void])[] = [
      ["set", () => put(store, "key", "value")],
      ["set to the same", () => put(store, "key", "value")],
      ["set to a longer value", () => put(store, "key", "v".repeat(1000))],
      ["an expiry", () => store.expire(bytesOf("key"), 0, 3, clock.now + 1000)],
      ["another expiry", () => store.expire(bytesOf("key"), 0, 3, clock.now + 2000)],
      ["no expiry", () => store.expire(bytesOf("key"), 0, 3, Infinity)],
      ["removal", () => store.delete(bytesOf("key"), 0, 3)],
      ["set with an expiry", () => put(store, "key", "value", clock.now + 10)],
      ["expired", () => clock.now += 11],
      ["set again", () => put(store, "key", "value")],
      ["flush", () => store.flushAll()],
      ["set after the flush", () => put(store, "key", "value")],
      ["flush by prefix", () => store.startFlush(bytesOf("k"))],
    ];
    for (const [what, change] of changes) {
      const before = versionOf(store, "key");
      change();
      assert(versionOf(store, "key") !== before, what);
    }
  });
}

for (const { store, name } of stores()) {
  Deno.test(`atomic, ${name}: reading changes no version, and few changes are of other keys`, () => {
    put(store, "key", "value");
    const before = versionOf(store, "key");
    for (let n = 0; n < 10; n++) {
      store.get(bytesOf("key"), 0, 3);
      store.scan(0, 100, () => {});
      store.sweep();
      store.delete(bytesOf("none"), 0, 4);
      store.expire(bytesOf("none"), 0, 4, Infinity);
    }
    assertEquals(versionOf(store, "key"), before);
    let changed = 0;
    for (let n = 0; n < 2000; n++) {
      const version = versionOf(store, "key");
      put(store, `other${n}`, "value");
      if (versionOf(store, "key") !== version) changed++;
    }
    assert(changed < 20, `${changed} of 2000 changes of other keys`);
  });
}

Deno.test("atomic: an evicted key has another version", () => {
  const store = new Store({ limitBytes: 1000 });
  put(store, "key", "value");
  const before = versionOf(store, "key");
  for (let n = 0; n < 1000; n++) put(store, `other${n}`, "v".repeat(50));
  assertEquals(valueOf(store, "key"), undefined);
  assert(versionOf(store, "key") !== before);
});

Deno.test("atomic: misuse is a broken invariant", () => {
  const store = new Rotation({ limitBytes, threads: 1, shards: 4, now: () => 0 });
  assertThrows(() => putNow(store, "key", "value"), InvariantError);
  store.enter(bytesOf("key"), 0, 3);
  assertThrows(() => store.enterAll(), InvariantError);
  store.leave();
  store.verify();
});
