/**
 * The class `Store`: the store of one thread, which `store.ts` at the top describes.
 *
 * @module
 */

import { FlushQueue } from "./flush_queue.ts";
import { type HashKey, hashOf, randomHashKey } from "../hash.ts";
import { HASHES } from "./index.ts";
import { checkLimit, OwnLimit } from "./limit.ts";
import { allocate, Memory } from "./memory.ts";
import type { DetailedStats, StoreOptions } from "./options.ts";
import { Shard } from "./shard.ts";
import { ARENA_BYTES_MAX, SLAB_BYTES } from "./slabs.ts";
import { BUDGET, Root } from "./state.ts";
import type { FlushOperation, Handle, Milliseconds } from "./storage.ts";
import type { ObservableStorage, PutOperation, PutOutcome, StoreObserver } from "./storage.ts";

/**
 * An in-memory store of byte strings.
 *
 * Keys and values are given as a buffer and offsets, and are copied in. Keys have up to 65,535
 * bytes.
 *
 * @example
 * ```ts
 * import { Store } from "./store.ts";
 *
 * const store = new Store({ limitBytes: 1024 });
 * const line = new TextEncoder().encode("user alice");
 * console.assert(store.put(line, 0, 4, line, 5, 10, Infinity) === "stored");
 * const handle = store.get(line, 0, 4);
 * console.assert(store.lengthOf(handle) === 5 && store.usage === 9);
 * ```
 */
export class Store implements ObservableStorage {
  /** False while `get` does not count a visit. */
  countsReads = true;
  /** The clock, in milliseconds. */
  readonly now: () => Milliseconds;
  readonly #limit: OwnLimit;
  readonly #shard: Shard;
  readonly #hashKey: HashKey;
  readonly #flushes: FlushQueue;

  constructor(options: StoreOptions) {
    const { limitBytes, arenaBytesMax = ARENA_BYTES_MAX, evicts = true } = options;
    checkLimit(limitBytes);
    if (!(arenaBytesMax >= SLAB_BYTES && arenaBytesMax <= ARENA_BYTES_MAX)) {
      throw new RangeError(`Cannot make a store: ${arenaBytesMax} bytes for records`);
    }
    this.#limit = new OwnLimit(limitBytes);
    this.now = options.now ?? (() => performance.now());
    this.#hashKey = options.hashKey ?? randomHashKey();
    const memory = new Memory(options.allocate ?? allocate);
    this.#shard = new Shard({
      memory,
      root: new Root(memory),
      limit: this.#limit,
      shards: 1,
      hashKey: this.#hashKey,
      arenaBytesMax,
      evicts,
      now: this.now,
    });
    this.#flushes = new FlushQueue(this.#shard.parts.flush);
  }

  /** Bytes that all keys and values together may have now. */
  get limitBytes(): number {
    return this.#limit.bytes;
  }

  /**
   * Changes the limit: `changeLimit` is to be called until the new one holds.
   *
   * @throws {RangeError} when the limit is below 1.
   */
  setLimit(limitBytes: number): void {
    checkLimit(limitBytes);
    this.#limit.target = limitBytes;
  }

  /** Does a bounded share of the change of the limit; true once it is done. */
  changeLimit(): boolean {
    const limit = this.#limit;
    const { bytes, target } = limit;
    if (target === bytes) return true;
    limit.bytes = target > bytes ? target : Math.max(target, this.#shard.shrink(target));
    this.#shard.state[BUDGET] = limit.bytes;
    this.#shard.parts.eviction.limitChanged(limit.bytes);
    return limit.bytes === target;
  }

  /** Bytes of all keys and values held. */
  get usage(): number {
    return this.#shard.usage;
  }

  /** How many entries there are. */
  get entries(): number {
    return this.#shard.entries;
  }

  /** Figures about the store. */
  get stats(): DetailedStats {
    return this.#shard.stats;
  }

  /** The memory in which {@linkcode Store.view} found a value. */
  get viewBytes(): Uint8Array {
    return this.#shard.viewBytes;
  }

  /** Where in that memory the value begins. */
  get viewStart(): number {
    return this.#shard.viewStart;
  }

  /** Tells an observer of evictions, and of flushes by prefix that begin. */
  observe(observer: StoreObserver): void {
    this.#shard.parts.eviction.observer = observer;
    this.#flushes.observer = observer;
  }

  /** Does nothing: no other thread has this store. */
  enter(): void {}

  /** Does nothing. */
  leave(): void {}

  /** The entry of the key `bytes[start, end)`, or 0; it does not count as a visit. */
  find(bytes: Uint8Array, start: number, end: number): Handle {
    return this.#shard.find(hashOf(this.#hashKey, bytes, start, end), bytes, start, end);
  }

  /** The entry of the key `bytes[start, end)`, or 0; it counts as a visit. */
  get(bytes: Uint8Array, start: number, end: number): Handle {
    const hash = hashOf(this.#hashKey, bytes, start, end);
    return this.countsReads
      ? this.#shard.get(hash, bytes, start, end)
      : this.#shard.find(hash, bytes, start, end);
  }

  /** Bytes of an entry's value. */
  lengthOf(handle: Handle): number {
    return this.#shard.lengthOf(handle);
  }

  /**
   * Points `viewBytes` and `viewStart` at an entry's value, if it lies in one piece; they are valid
   * until the next call that changes the store. False if it does not: use `copyTo`.
   */
  view(handle: Handle): boolean {
    return this.#shard.view(handle);
  }

  /** Copies an entry's whole value to `target` at `at`. */
  copyTo(handle: Handle, target: Uint8Array, at: number): void {
    this.#shard.copyTo(handle, target, at);
  }

  /** Whether an entry's value is `bytes[start, end)`. */
  equals(handle: Handle, bytes: Uint8Array, start: number, end: number): boolean {
    return this.#shard.equals(handle, bytes, start, end);
  }

  /** When an entry expires, on the store's clock; Infinity if never. */
  expiryOf(handle: Handle): Milliseconds {
    return this.#shard.expiryOf(handle);
  }

  /**
   * Inserts or replaces an entry, which expires at `expiresAt` on the store's clock, or never if
   * that is Infinity. Replacing counts as a visit.
   *
   * A value over 1 MiB, or one for which much must be evicted, takes several calls: see
   * {@linkcode PutOutcome}. Throws a RangeError for a key of no bytes or more than 65,535, and an
   * Error for an operation that has ended.
   */
  put(
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    value: Uint8Array,
    valueStart: number,
    valueEnd: number,
    expiresAt: Milliseconds,
    operation?: PutOperation,
  ): PutOutcome {
    const hash = hashOf(this.#hashKey, key, keyStart, keyEnd);
    // deno-fmt-ignore: one line shows that the arguments are handed on
    return this.#shard.put(hash, key, keyStart, keyEnd, value, valueStart, valueEnd, expiresAt, operation);
  }

  /** Takes a place in the queue of puts that need several calls. */
  startPut(): PutOperation {
    return this.#shard.startPut();
  }

  /** Removes a key; false if it does not exist. */
  delete(bytes: Uint8Array, start: number, end: number): boolean {
    return this.#shard.delete(hashOf(this.#hashKey, bytes, start, end), bytes, start, end);
  }

  /**
   * Sets when a key expires, Infinity for never; false if the key does not exist. If memory is
   * short, this may evict the key itself; the result is then false, too.
   */
  expire(bytes: Uint8Array, start: number, end: number, expiresAt: Milliseconds): boolean {
    const hash = hashOf(this.#hashKey, bytes, start, end);
    return this.#shard.expire(hash, bytes, start, end, expiresAt);
  }

  /**
   * Visits about `count` entries' keys, and returns the cursor to go on with: start at 0, finished
   * when it is 0 again. A key that exists from the start to the end is visited at least once,
   * whatever is written meanwhile. The key's bytes are valid only during `visit`, which must not
   * change the store. With a prefix, keys that do not have it are passed over.
   */
  scan(
    cursor: number,
    count: number,
    visit: (bytes: Uint8Array, start: number, end: number) => void,
    prefix?: Uint8Array,
  ): number {
    return this.#shard.scan(cursor, count, visit, prefix);
  }

  /**
   * Removes everything at once; returns how many entries there were. The count includes expired
   * entries that no sweep or request has removed, since leaving them out would mean to look at each
   * entry. A put under way starts over, a flush under way goes on.
   */
  flushAll(): number {
    return this.#shard.flushAll();
  }

  /**
   * Starts to remove the keys that have a prefix, behind the flushes that were started before. When
   * its turn comes, which is at once if no other is unfinished, the flush covers the keys that
   * exist then. From then on no request sees them, and entries written later stay. Expired entries
   * are not counted. Throws a RangeError, having changed nothing, if there is no memory for the
   * copy of the prefix.
   */
  startFlush(prefix: Uint8Array): FlushOperation {
    return this.#flushes.start(prefix);
  }

  /**
   * Removes a bounded number of expired entries, and does a bounded share of the first unfinished
   * flush; true if more is due now.
   */
  sweep(): boolean {
    // What is reserved for a put under way is waited for, without work.
    const isChanging = !this.changeLimit() && this.usage > this.#limit.target &&
      this.#shard.parts.reservation.evicts;
    const flushing = this.#flushes.step();
    return this.#shard.sweep() || flushing || isChanging;
  }

  /** One more than the largest cursor of `scan`. */
  readonly cursors: number = HASHES;

  /** Does nothing: no other thread has this store. */
  enterAll(): void {}

  /** Does nothing. */
  leaveAll(): void {}

  /**
   * A put that ends in this call, however much it has to evict or to copy. A put under way begins
   * again from its beginning. Only between `enterAll` and `leaveAll`.
   */
  putNow(
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    value: Uint8Array,
    valueStart: number,
    valueEnd: number,
    expiresAt: Milliseconds,
  ): Exclude<PutOutcome, "unfinished"> {
    const hash = hashOf(this.#hashKey, key, keyStart, keyEnd);
    const { puts } = this.#shard.parts;
    return puts.putNow(hash, key, keyStart, keyEnd, value, valueStart, valueEnd, expiresAt);
  }

  /**
   * A number that is another one once the key has changed: set, even to the same value; removed by
   * whatever; or given another expiry. It may be another one although this key has not changed.
   */
  version(bytes: Uint8Array, start: number, end: number): number {
    return this.#shard.version(hashOf(this.#hashKey, bytes, start, end));
  }

  /** Checks everything that must always hold; throws an InvariantError if something does not. */
  verify(): void {
    this.#shard.verify(this.#shard.parts.puts.isUnderWay);
  }
}
