/**
 * The class `Store`, which combines the parts of this folder; `store.ts` at the top describes them.
 *
 * What always holds between two calls: usage is the sum of the bytes of all keys and values, and at
 * most the limit; each key has one entry, which the index finds.
 *
 * @module
 */

import { ARENA_BYTES_MAX, SLAB_BYTES, SLAB_MASK, SLAB_SHIFT } from "./arena.ts";
import { copyBytes, sameBytes } from "./bytes.ts";
import { Compaction } from "./compaction.ts";
import { Entries } from "./entries.ts";
import { Eviction } from "./eviction.ts";
import { Expiry } from "./expiry.ts";
import { FlushQueue } from "./flush.ts";
import { type HashKey, hashOf, randomHashKey } from "./hash.ts";
import { LiveEntries } from "./live_entries.ts";
import type { DetailedStats, StoreOptions } from "./options.ts";
import { Puts } from "./puts.ts";
import { EXPIRES, FRAGMENTED, headerBytesOf } from "./record.ts";
import { NO_SLOT, Reservation, UNFINISHED } from "./reservation.ts";
import { scan } from "./scan.ts";
import { allocate, allocateShared, EVICTIONS, EXPIRATIONS, RECORDS_MOVED } from "./state.ts";
import type { FlushOperation, Handle, Milliseconds } from "./storage.ts";
import type { PutOperation, PutOutcome, Storage } from "./storage.ts";
import { verify } from "./verify.ts";

/** The most shares of eviction that one `expire` does: together the records of a segment. */
const EXPIRE_TRIES_MAX = 64;

/**
 * An in-memory store of byte strings.
 *
 * Keys and values are given as a buffer and offsets, and are copied in. Keys have 1 to 65,535
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
export class Store implements Storage {
  /** Bytes that all keys and values together may have. */
  readonly limitBytes: number;
  /** The clock, in milliseconds. */
  readonly now: () => Milliseconds;
  /** The memory in which {@linkcode Store.view} found a value. */
  viewBytes: Uint8Array = new Uint8Array(0);
  /** Where in that memory the value begins. */
  viewStart = 0;
  readonly #entries: Entries;
  readonly #compaction: Compaction;
  readonly #eviction: Eviction;
  readonly #reservation: Reservation;
  readonly #hashKey: HashKey;
  readonly #live: LiveEntries;
  readonly #puts: Puts;
  readonly #expiry: Expiry;
  readonly #flushes: FlushQueue;

  constructor(options: StoreOptions) {
    const { limitBytes, arenaBytesMax = ARENA_BYTES_MAX } = options;
    if (!(limitBytes >= 1)) {
      throw new RangeError(`Cannot make a store: the limit is ${limitBytes} bytes`);
    }
    if (!(arenaBytesMax >= SLAB_BYTES && arenaBytesMax <= ARENA_BYTES_MAX)) {
      throw new RangeError(`Cannot make a store: ${arenaBytesMax} bytes for records`);
    }
    this.limitBytes = limitBytes;
    this.now = options.now ?? (() => performance.now());
    const hashKey = this.#hashKey = options.hashKey ?? randomHashKey();
    const memory = options.allocate ?? (options.shared ? allocateShared : allocate);
    const entries = this.#entries = new Entries(memory, hashKey, arenaBytesMax);
    const compaction = this.#compaction = new Compaction(entries);
    const eviction = this.#eviction = new Eviction(entries, compaction, memory, limitBytes);
    const reservation = new Reservation(entries, eviction, compaction, limitBytes, this.now);
    const flushes = new FlushQueue(entries, this.now);
    const live = new LiveEntries(entries, flushes, this.now);
    this.#puts = new Puts(
      { entries, live, compaction, eviction, reservation, flushes },
      hashKey,
      limitBytes,
    );
    this.#reservation = reservation;
    this.#flushes = flushes;
    this.#live = live;
    this.#expiry = new Expiry(entries);
  }

  /** Bytes of all keys and values held. */
  get usage(): number {
    return this.#entries.usage;
  }

  /** How many entries there are. */
  get entries(): number {
    return this.#entries.index.entries;
  }

  /** Figures about the store. */
  get stats(): DetailedStats {
    const ghostBytes = this.#eviction.heldBytes;
    return {
      evictions: this.#entries.state[EVICTIONS],
      expirations: this.#entries.state[EXPIRATIONS],
      overheadBytes: this.#entries.overheadBytes + ghostBytes,
      residentBytes: this.#entries.heldBytes + ghostBytes,
      moved: this.#entries.state[RECORDS_MOVED],
    };
  }

  /** Does nothing: one thread has this store to itself. */
  enter(_bytes: Uint8Array, _start: number, _end: number): void {}

  /** Does nothing, as `enter`. */
  leave(): void {}

  /** The entry of the key `bytes[start, end)`, or 0; it does not count as a visit. */
  find(bytes: Uint8Array, start: number, end: number): Handle {
    return this.#live.find(hashOf(this.#hashKey, bytes, start, end), bytes, start, end);
  }

  /** The entry of the key `bytes[start, end)`, or 0; it counts as a visit. */
  get(bytes: Uint8Array, start: number, end: number): Handle {
    const ref = this.#live.find(hashOf(this.#hashKey, bytes, start, end), bytes, start, end);
    if (ref !== 0) this.#eviction.touch(ref);
    return ref;
  }

  /** Bytes of an entry's value. */
  lengthOf(handle: Handle): number {
    return this.#entries.word(handle, 1);
  }

  /**
   * Points `viewBytes` and `viewStart` at an entry's value, if it lies in one piece; they are valid
   * until the next call that changes the store. False if it does not: use `copyTo`.
   */
  view(handle: Handle): boolean {
    const slab = handle >>> SLAB_SHIFT;
    const arena = this.#entries.arena;
    const at = (handle & SLAB_MASK) << 1;
    const word0 = arena.words[slab][at];
    if ((word0 & FRAGMENTED) !== 0) return false;
    this.viewBytes = arena.bytes[slab];
    this.viewStart = (at << 2) + headerBytesOf(word0) + (word0 & 0xffff);
    return true;
  }

  /** Copies an entry's whole value to `target` at `at`. */
  copyTo(handle: Handle, target: Uint8Array, at: number): void {
    if (this.view(handle)) {
      copyBytes(this.viewBytes, this.viewStart, this.viewStart + this.lengthOf(handle), target, at);
    } else {
      this.#entries.fragments.read(handle, target, at);
    }
  }

  /** Whether an entry's value is `bytes[start, end)`. */
  equals(handle: Handle, bytes: Uint8Array, start: number, end: number): boolean {
    const length = this.lengthOf(handle);
    if (length !== end - start) return false;
    if (!this.view(handle)) return this.#entries.fragments.equals(handle, bytes, start);
    return sameBytes(this.viewBytes, this.viewStart, bytes, start, length);
  }

  /** When an entry expires, on the store's clock; Infinity if never. */
  expiryOf(handle: Handle): Milliseconds {
    return this.#entries.expiryOf(handle);
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
    return operation === undefined
      // deno-fmt-ignore: one line shows that the arguments are handed on
      ? this.#puts.put(key, keyStart, keyEnd, value, valueStart, valueEnd, expiresAt, undefined)
      // deno-fmt-ignore: one line shows that the arguments are handed on
      : this.#puts.proceed(key, keyStart, keyEnd, value, valueStart, valueEnd, expiresAt, operation);
  }

  /** Takes a place in the queue of puts that need several calls. */
  startPut(): PutOperation {
    return this.#puts.start();
  }

  /** Removes a key; false if it does not exist. */
  delete(bytes: Uint8Array, start: number, end: number): boolean {
    const ref = this.find(bytes, start, end);
    if (ref === 0) return false;
    this.#entries.remove(ref);
    return true;
  }

  /** Removes an entry. */
  remove(handle: Handle): void {
    this.#entries.remove(handle);
  }

  /**
   * Sets when a key expires, Infinity for never; false if the key does not exist. If memory is
   * short, this may evict the key itself; the result is then false, too.
   */
  expire(bytes: Uint8Array, start: number, end: number, expiresAt: Milliseconds): boolean {
    const entries = this.#entries;
    const hash = hashOf(this.#hashKey, bytes, start, end);
    let ref = this.#live.find(hash, bytes, start, end);
    if (ref === 0) return false;
    const due = Math.ceil(expiresAt);
    if ((entries.word(ref, 0) & EXPIRES) !== 0) {
      entries.setExpiry(ref, due);
      return true;
    }
    if (due === Infinity) return true;
    for (let tries = EXPIRE_TRIES_MAX;;) {
      const granules = entries.granulesWithExpiry(ref);
      const steps = this.#reservation.ensure(0, 0, entries.queueOf(ref), granules, 0, NO_SLOT);
      if (steps === 0) break;
      // Eviction may have moved the entry, or evicted it.
      ref = entries.find(hash, bytes, start, end);
      if (ref === 0) return false;
      if (steps > 0 || (steps === UNFINISHED && --tries > 0)) continue;
      this.#eviction.evict(ref);
      return false;
    }
    this.#compaction.schedule(entries.granulesWithExpiry(ref));
    entries.addExpiry(ref, due);
    return true;
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
    const now = this.now();
    const live = this.#live;
    return scan(this.#entries, cursor, count, prefix, (ref, word0, bytes, start, end) => {
      if (live.sees(ref, word0, now)) visit(bytes, start, end);
    });
  }

  /**
   * Removes everything at once; returns how many entries there were. The count includes expired
   * entries that no sweep or request has removed, since leaving them out would mean to look at each
   * entry. A put under way starts over, a flush under way goes on.
   */
  flushAll(): number {
    const entries = this.entries;
    this.#compaction.stop();
    this.#puts.restart();
    this.#entries.clear();
    this.#eviction.clear();
    return entries;
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
    const flushing = this.#flushes.step();
    return this.#expiry.sweep(this.now()) || flushing;
  }

  /** Checks everything that must always hold; throws an InvariantError if something does not. */
  verify(): void {
    verify(this.#entries, this.limitBytes, this.#puts.isUnderWay);
  }
}
