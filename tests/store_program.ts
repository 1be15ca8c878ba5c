/**
 * Runs programs of operations on a store, and compares each result with the contents that the store
 * must have (store_contents.ts).
 *
 * Contents, expiry and USAGE are known exactly. Which entries an eviction chooses is not known:
 * after a call that evicted, the program checks that space was really needed, and drops the keys
 * that are gone. Puts that take several calls, flushes and failing allocations overlap with the
 * other operations. After each operation the store verifies itself.
 *
 * @module
 */

import { type PutOperation, type PutOutcome, Store, type StoreOptions } from "../store.ts";
import { assert, assertEquals } from "./assert.ts";
import { Contents } from "./store_contents.ts";
import { Rotation } from "./store_rotation.ts";
import { keyNamed, type Operation, type Put, valueOf } from "./store_operations.ts";

/** A put that is under way. */
interface PutUnderWay {
  name: string;
  value: Uint8Array;
  expiresAt: number;
  operation: PutOperation;
}

/** A flush that waits or is under way. */
interface FlushUnderWay {
  prefix: string;
  flush: { step(): number | undefined; readonly removed: number | undefined };
  /** Keys that it covers, with their times of expiry; undefined before it is the first. */
  covered: number[] | undefined;
  /** Evictions so far when it became the first; -1 if their number says nothing any more. */
  evictions: number;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();
/** More calls than any put may need before it is done. */
const CALLS_MAX = 10_000;

/** What a program runs on. */
export interface ProgramOptions extends Partial<StoreOptions> {
  /** Several threads that take turns, on so many shards; one thread and a plain store if absent. */
  rotation?: { threads: number; shards: number };
}

/** A store, and the contents that it must have. */
export class Program {
  readonly store: Store | Rotation;
  /** Bytes below the limit at which eviction may begin. */
  readonly #hasMargin: boolean;
  /** The limit at first, and what it is or is to become. */
  readonly #limitBytes: number;
  #target: number;
  readonly #contents = new Contents();
  readonly #puts: (PutUnderWay | undefined)[] = [];
  readonly #flushes: FlushUnderWay[] = [];
  readonly #verifies: boolean;
  /** Whether memory is bounded, or allocations have failed. */
  #memoryIsShort: boolean;
  /** Allocations that fail next. */
  #failures = 0;

  constructor(limitBytes: number, options: ProgramOptions = {}, verifies = true) {
    this.#verifies = verifies;
    this.#memoryIsShort = options.arenaBytesMax !== undefined;
    const allocate = (bytes: number): ArrayBuffer => {
      if (this.#failures > 0) {
        this.#failures--;
        throw new RangeError("Array buffer allocation failed");
      }
      return new ArrayBuffer(bytes);
    };
    const { rotation } = options;
    const now = () => this.#contents.now;
    this.#hasMargin = rotation !== undefined && rotation.shards > 1;
    this.#limitBytes = this.#target = limitBytes;
    this.store = rotation === undefined
      ? new Store({ limitBytes, now, hashKey: [1, 2], allocate, ...options })
      : new Rotation({ limitBytes, now, allocate, ...rotation });
  }

  /** Puts the keys from 0 on into both, with values of one length. */
  fill(count: number, length: number): void {
    for (let key = 0; key < count; key++) {
      const name = keyNamed(key);
      const bytes = encoder.encode(name);
      const value = valueOf(length, key);
      const put = () =>
        this.store.put(bytes, 0, bytes.length, value, 0, length, Infinity, undefined);
      for (let calls = 0; put() !== "stored"; calls++) assert(calls < CALLS_MAX, "never stored");
      this.#contents.set(name, { value, expiresAt: Infinity });
    }
    this.#dropEvicted();
  }

  /** Runs one operation on both, compares what can be seen, and verifies the store. */
  run(operation: Operation): void {
    this.#run(operation);
    assert(this.store.usage <= this.store.limitBytes, "USAGE above the limit");
    if (this.#verifies) this.store.verify();
  }

  #run(operation: Operation): void {
    switch (operation.do) {
      case "put":
        return this.#put(operation);
      case "startPut":
        return this.#startPut(operation);
      case "stepPut":
        return this.#stepPut(operation.slot);
      case "cancelPut":
        this.#puts[operation.slot]?.operation.cancel();
        this.#puts[operation.slot] = undefined;
        return;
      case "get":
        return this.#get(keyNamed(operation.key));
      case "delete": {
        const name = keyNamed(operation.key);
        const key = encoder.encode(name);
        assertEquals(
          this.store.delete(key, 0, key.length),
          this.#contents.live(name) !== undefined,
        );
        this.#contents.drop(name);
        return;
      }
      case "expire":
        return this.#expire(keyNamed(operation.key), operation.ttl);
      case "wait":
        this.#contents.now += operation.ms;
        return;
      case "sweep":
        return this.compare();
      case "sweepOnce":
        this.store.sweep();
        this.#passFlushes();
        return this.#dropEvicted();
      case "setLimit":
        return this.#setLimit(operation.share);
      case "changeLimit":
        return this.#changeLimit();
      case "scan":
        return this.#scan(operation.count);
      case "flush":
        return this.#flush(operation.prefix);
      case "startFlush":
        this.#startFlush(operation.prefix);
        return;
      case "stepFlush":
        this.#flushes.at(operation.nth % this.#flushes.length)?.flush.step();
        return this.#passFlushes();
      case "flushAll":
        return this.#flushAll();
      case "fail":
        this.#failures = operation.allocations;
        this.#memoryIsShort = true;
        return;
    }
  }

  /** Ends all puts and flushes that are under way, and compares everything once more. */
  finish(): void {
    for (let calls = 0; this.#puts.some((put) => put !== undefined); calls++) {
      assert(calls < CALLS_MAX, "puts block each other");
      for (let slot = 0; slot < this.#puts.length; slot++) this.#stepPut(slot);
    }
    this.compare();
    this.store.verify();
  }

  /** Compares everything: USAGE, the number of entries, and each value. */
  compare(): void {
    this.#sweep();
    this.#contents.dropExpired();
    assertEquals(this.store.usage, this.#contents.usage, "USAGE");
    assertEquals(this.store.entries, this.#contents.size, "entries");
    for (const name of this.#contents.names) this.#check(name, this.store.find.bind(this.store));
    this.store.verify();
  }

  /** Removes what has expired, and ends all flushes. */
  #sweep(): void {
    // A round may have been begun before something expired: so a whole one follows it.
    for (let calls = 0, rounds = 0; rounds < 2; calls++) {
      assert(calls < CALLS_MAX, "sweep never ends");
      if (!this.store.sweep()) rounds++;
      this.#passFlushes();
      this.#dropEvicted();
    }
  }

  /** Sets the limit to a share of the first one. */
  #setLimit(share: number): void {
    this.#target = Math.max(1, Math.floor(this.#limitBytes * share));
    const { usage, limitBytes } = this.store;
    this.store.setLimit(this.#target);
    assertEquals(this.store.usage, usage, "a limit that is set evicts nothing yet");
    // A higher one holds with the next call, a lower one once it is reached.
    assert(this.store.limitBytes <= Math.max(limitBytes, this.#target), "the limit has risen");
  }

  /** A share of the change of the limit, which must never leave more than is allowed. */
  #changeLimit(): void {
    const { limitBytes, stats, usage } = this.store;
    const isDone = this.store.changeLimit();
    const isRaised = this.#target >= limitBytes;
    assert(!isDone || this.store.limitBytes === this.#target, "done before the limit holds");
    assert(isRaised || this.store.limitBytes <= limitBytes, "the limit rises while it is lowered");
    assert(this.store.limitBytes >= Math.min(this.#target, limitBytes), "the limit is too low");
    if (usage <= this.#target) assertEquals(this.store.stats.evictions, stats.evictions);
    this.#dropEvicted();
  }

  #put(operation: Extract<Operation, { do: "put" }>): void {
    const put = this.#newPut(operation);
    let outcome = this.#callPut(put);
    if (outcome !== "unfinished") return;
    const own = { ...put, operation: this.store.startPut() };
    for (let calls = 0; outcome === "unfinished"; calls++) {
      assert(calls < CALLS_MAX, "put never ends");
      for (let slot = 0; slot < this.#puts.length; slot++) this.#stepPut(slot);
      outcome = this.#callPut(own);
    }
  }

  #newPut(put: Put): Omit<PutUnderWay, "operation"> {
    return {
      name: keyNamed(put.key),
      value: valueOf(put.length, put.fill),
      expiresAt: put.ttl === undefined ? Infinity : this.#contents.now + put.ttl,
    };
  }

  #startPut({ slot, ...put }: Extract<Operation, { do: "startPut" }>): void {
    if (this.#puts[slot] !== undefined) return this.#stepPut(slot);
    this.#puts[slot] = { ...this.#newPut(put), operation: this.store.startPut() };
  }

  #stepPut(slot: number): void {
    const put = this.#puts[slot];
    if (put !== undefined && this.#callPut(put) !== "unfinished") this.#puts[slot] = undefined;
  }

  /** One call of a put, on both. */
  #callPut(put: Omit<PutUnderWay, "operation"> & { operation?: PutOperation }): PutOutcome {
    const { store } = this;
    const { name, value, expiresAt, operation } = put;
    const key = encoder.encode(name);
    const before = this.#contents.live(name);
    const space = store.limitBytes - store.usage + (before ? key.length + before.value.length : 0);
    const { evictions } = store.stats;
    const limitBefore = store.limitBytes;
    const outcome = store.put(key, 0, key.length, value, 0, value.length, expiresAt, operation);
    assert(store.usage <= store.limitBytes, "USAGE above the limit between two calls");
    const fits = key.length + value.length <= Math.min(limitBefore, this.#target);
    if (outcome === "stored") {
      this.#contents.set(name, { value, expiresAt });
    }
    if (store.stats.evictions > evictions) {
      const isAlone = this.#puts.every((other) => other === undefined || other === put);
      if (isAlone && !this.#memoryIsShort) {
        const margin = this.#hasMargin ? limitBefore / 100 : 0;
        const needed = key.length + value.length + margin;
        assert(needed > space, "evicted though there was space");
      }
      this.#dropEvicted();
    }
    if (outcome === "out of memory") assert(this.#memoryIsShort, "memory is not short");
    else assertEquals(outcome === "too large", !fits);
    if (outcome !== "unfinished") this.#check(name, store.find.bind(store));
    return outcome;
  }

  #expire(name: string, ttl: number | undefined): void {
    const key = encoder.encode(name);
    const entry = this.#contents.live(name);
    const expiresAt = ttl === undefined ? Infinity : this.#contents.now + ttl;
    const { evictions } = this.store.stats;
    const isThere = this.store.expire(key, 0, key.length, expiresAt);
    if (entry !== undefined) entry.expiresAt = expiresAt;
    if (this.store.stats.evictions > evictions) {
      assert(this.#memoryIsShort, "EXPIRE evicted though memory is not short");
      this.#dropEvicted();
    }
    assertEquals(isThere, this.#contents.live(name) !== undefined);
  }

  /** Drops what the store has evicted. */
  #dropEvicted(): void {
    for (const name of this.#contents.names) {
      const bytes = encoder.encode(name);
      if (this.store.find(bytes, 0, bytes.length) === 0) this.#contents.drop(name);
    }
  }

  #get(name: string): void {
    this.#check(name, this.store.get.bind(this.store));
  }

  #check(name: string, look: Store["get"]): void {
    const { store } = this;
    const key = encoder.encode(name);
    const entry = this.#contents.live(name);
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
    let parts = 0;
    do {
      assert(parts++ < CALLS_MAX, "the scan never ends");
      cursor = this.store.scan(cursor, count, (bytes, start, end) => {
        seen.add(decoder.decode(bytes.slice(start, end)));
      });
    } while (cursor !== 0);
    this.#contents.dropExpired();
    assertEquals([...seen].sort(), this.#contents.names.sort(), "keys that a scan found");
  }

  #flush(prefix: string): void {
    const started = this.#startFlush(prefix);
    for (let calls = 0; started !== undefined && started.flush.removed === undefined; calls++) {
      assert(calls < CALLS_MAX, "flush never ends");
      started.flush.step();
      this.#passFlushes();
    }
  }

  #startFlush(prefix: string): FlushUnderWay | undefined {
    const failures = this.#failures;
    try {
      const flush = this.store.startFlush(encoder.encode(prefix)) as FlushUnderWay["flush"];
      const started = { prefix, flush, covered: undefined, evictions: 0 };
      this.#flushes.push(started);
      if (this.#flushes.length === 1) this.#beginFlush(started);
      return started;
    } catch (error) {
      assert(error instanceof RangeError && failures > 0, `${error}`);
      return undefined;
    }
  }

  /** From here on the flush covers what has its prefix: nobody sees it any more. */
  #beginFlush(flush: FlushUnderWay): void {
    flush.covered = [];
    flush.evictions = this.store.stats.evictions;
    for (const name of this.#contents.names) {
      const entry = this.#contents.live(name);
      if (entry === undefined || !name.startsWith(flush.prefix)) continue;
      flush.covered.push(entry.expiresAt);
      this.#contents.drop(name);
    }
  }

  /** Checks the counts of the flushes that are done, and begins with the next one. */
  #passFlushes(): void {
    for (;;) {
      const first = this.#flushes.at(0);
      const removed = first?.flush.removed;
      if (first?.covered === undefined || removed === undefined) return;
      const expired = first.covered.filter((expiresAt) => expiresAt <= this.#contents.now).length;
      const evicted = first.evictions < 0 ? Infinity : this.store.stats.evictions - first.evictions;
      assert(removed <= first.covered.length, `FLUSH ${first.prefix} removed ${removed}`);
      assert(removed >= first.covered.length - expired - evicted, `FLUSH missed some: ${removed}`);
      this.#flushes.shift();
      const next = this.#flushes.at(0);
      if (next !== undefined) this.#beginFlush(next);
    }
  }

  #flushAll(): void {
    const { entries } = this.store;
    this.#contents.dropExpired();
    assert(entries >= this.#contents.size, "entries");
    assertEquals(this.store.flushAll(), entries);
    for (const flush of this.#flushes) flush.evictions = -1;
    this.#contents.clear();
    assertEquals([this.store.usage, this.store.entries], [0, 0]);
  }
}
