/**
 * Programs of store operations, and a plain Map that says what each must have done.
 *
 * The Map knows contents, expiry and USAGE exactly. What it cannot know is which entries an eviction
 * chose, so after a put that evicted it drops the keys that are gone, having checked that room was
 * really needed.
 *
 * @module
 */

import { Store } from "../store.ts";
import { assert, assertEquals } from "./assert.ts";

/** One operation; keys are numbered, lengths are in bytes, times in milliseconds. */
export type Operation =
  | { do: "put"; key: number; length: number; fill: number; ttl: number | undefined }
  | { do: "get"; key: number }
  | { do: "delete"; key: number }
  | { do: "expire"; key: number; ttl: number | undefined }
  | { do: "wait"; ms: number }
  | { do: "sweep" }
  | { do: "scan"; count: number }
  | { do: "flush"; prefix: string }
  | { do: "flushAll" };

interface Entry {
  value: Uint8Array;
  expiresAt: number;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();
/** More calls than any put may need before it is done. */
const CALLS_MAX = 10_000;

/** The name of a numbered key: most are short, one in 31 is long. */
export function keyNamed(key: number): string {
  return `k${key.toString(36)}${key % 31 === 7 ? "-long".repeat(50 + key % 400) : ""}`;
}

function valueOf(length: number, fill: number): Uint8Array {
  const value = new Uint8Array(length).fill(fill & 0xff);
  if (length > 1) value[length - 1] = fill >>> 8;
  return value;
}

/** A store and the Map it is held against. */
export class Program {
  readonly store: Store;
  readonly #model = new Map<string, Entry>();
  #usage = 0;
  #now = 0;

  constructor(limitBytes: number, shared = false) {
    this.store = new Store({ limitBytes, shared, now: () => this.#now, hashKey: [1, 2] });
  }

  /** Runs one operation on both, and compares what can be seen. */
  run(operation: Operation): void {
    switch (operation.do) {
      case "put":
        return this.#put(operation);
      case "get":
        return this.#get(keyNamed(operation.key));
      case "delete": {
        const name = keyNamed(operation.key);
        const key = encoder.encode(name);
        assertEquals(this.store.delete(key, 0, key.length), this.#live(name) !== undefined);
        this.#drop(name);
        return;
      }
      case "expire": {
        const name = keyNamed(operation.key);
        const key = encoder.encode(name);
        const entry = this.#live(name);
        const expiresAt = operation.ttl === undefined ? Infinity : this.#now + operation.ttl;
        assertEquals(this.store.expire(key, 0, key.length, expiresAt), entry !== undefined);
        if (entry !== undefined) entry.expiresAt = expiresAt;
        return;
      }
      case "wait":
        this.#now += operation.ms;
        return;
      case "sweep":
        return this.compare();
      case "scan":
        return this.#scan(operation.count);
      case "flush":
        return this.#flush(operation.prefix);
      case "flushAll":
        this.#dropExpired();
        this.#sweep();
        assertEquals(this.store.flushAll(), this.#model.size);
        this.#model.clear();
        this.#usage = 0;
        return;
    }
  }

  /** Compares everything: USAGE, the number of entries, and each value. */
  compare(): void {
    this.#sweep();
    this.#dropExpired();
    assertEquals(this.store.usage, this.#usage, "USAGE");
    assertEquals(this.store.entries, this.#model.size, "entries");
    for (const name of this.#model.keys()) this.#check(name, this.store.find.bind(this.store));
    this.store.verify();
  }

  #sweep(): void {
    for (let calls = 0; this.store.sweep(); calls++) assert(calls < CALLS_MAX, "sweep never ends");
  }

  #put(operation: Extract<Operation, { do: "put" }>): void {
    const { store } = this;
    const name = keyNamed(operation.key);
    const key = encoder.encode(name);
    const value = valueOf(operation.length, operation.fill);
    const expiresAt = operation.ttl === undefined ? Infinity : this.#now + operation.ttl;
    const before = this.#live(name);
    const room = store.limitBytes - store.usage + (before ? key.length + before.value.length : 0);
    const evictions = store.stats.evictions;
    const owner = {};
    let outcome = store.put(key, 0, key.length, value, 0, value.length, expiresAt, owner);
    for (let calls = 0; outcome === "again"; calls++) {
      assert(calls < CALLS_MAX, "put never ends");
      assert(store.usage <= store.limitBytes, "USAGE above the limit between two calls");
      outcome = store.put(key, 0, key.length, value, 0, value.length, expiresAt, owner);
    }
    assert(store.usage <= store.limitBytes, "USAGE above the limit");
    const fits = key.length + value.length <= store.limitBytes;
    assertEquals(outcome, fits ? "stored" : "too large");
    if (!fits) return this.#check(name, store.find.bind(store));
    this.#drop(name);
    this.#model.set(name, { value, expiresAt });
    this.#usage += key.length + value.length;
    if (store.stats.evictions > evictions) {
      assert(key.length + value.length > room, "evicted though there was room");
      for (const other of [...this.#model.keys()]) {
        const bytes = encoder.encode(other);
        if (store.find(bytes, 0, bytes.length) === 0) this.#drop(other);
      }
    }
    this.#check(name, store.find.bind(store));
  }

  #get(name: string): void {
    this.#check(name, this.store.get.bind(this.store));
  }

  #check(name: string, look: Store["get"]): void {
    const { store } = this;
    const key = encoder.encode(name);
    const entry = this.#live(name);
    const handle = look(key, 0, key.length);
    assertEquals(handle !== 0, entry !== undefined, `presence of ${name.slice(0, 20)}`);
    if (entry === undefined) return;
    assertEquals(store.lengthOf(handle), entry.value.length);
    assertEquals(store.expiryOf(handle), entry.expiresAt);
    const copy = new Uint8Array(entry.value.length + 2);
    store.copyTo(handle, copy, 1);
    for (let n = 0; n < entry.value.length; n++) {
      if (copy[n + 1] !== entry.value[n]) throw new Error(`byte ${n} of ${name} differs`);
    }
    assertEquals([copy[0], copy[copy.length - 1]], [0, 0], "bytes beside the value");
    assert(store.equals(handle, entry.value, 0, entry.value.length));
    if (entry.value.length > 0) {
      entry.value[0] ^= 1;
      assert(!store.equals(handle, entry.value, 0, entry.value.length));
      entry.value[0] ^= 1;
    }
  }

  #scan(count: number): void {
    const seen = new Set<string>();
    let cursor = 0;
    do {
      cursor = this.store.scan(cursor, count, (bytes, start, end) => {
        seen.add(decoder.decode(bytes.slice(start, end)));
      });
    } while (cursor !== 0);
    this.#dropExpired();
    assertEquals([...seen].sort(), [...this.#model.keys()].sort(), "keys that a scan found");
  }

  #flush(prefix: string): void {
    this.#sweep();
    this.#dropExpired();
    const bytes = encoder.encode(prefix);
    let removed = 0;
    for (const name of [...this.#model.keys()]) {
      if (!name.startsWith(prefix)) continue;
      this.#drop(name);
      removed++;
    }
    let flushed = this.store.flushPrefix(bytes);
    for (let calls = 0; flushed === undefined; calls++) {
      assert(calls < CALLS_MAX, "flush never ends");
      flushed = this.store.flushPrefix(bytes);
    }
    assertEquals(flushed, removed, `entries that FLUSH ${prefix} removed`);
  }

  #live(name: string): Entry | undefined {
    const entry = this.#model.get(name);
    if (entry === undefined || entry.expiresAt > this.#now) return entry;
    this.#drop(name);
    return undefined;
  }

  #dropExpired(): void {
    for (const name of [...this.#model.keys()]) this.#live(name);
  }

  #drop(name: string): void {
    const entry = this.#model.get(name);
    if (entry === undefined) return;
    this.#usage -= encoder.encode(name).length + entry.value.length;
    this.#model.delete(name);
  }
}
