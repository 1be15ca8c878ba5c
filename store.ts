/**
 * The store: keys and values in memory, with a limit that holds to the byte.
 *
 * @module
 */

import { type Queue, SLAB_MASK, SLAB_SHIFT, SMALL } from "./store/arena.ts";
import { Compaction } from "./store/compaction.ts";
import { copyBytes, Entries } from "./store/entries.ts";
import { Eviction } from "./store/eviction.ts";
import { Expiry } from "./store/expiry.ts";
import { Flush } from "./store/flush.ts";
import { type HashKey, hashOf, randomHashKey } from "./store/hash.ts";
import {
  EXPIRES,
  FRAGMENTED,
  headerBytesOf,
  KEY_BYTES_MAX,
  recordGranules,
  SPARED,
  VISITS_SHIFT,
} from "./store/record.ts";
import { scan } from "./store/scan.ts";
import {
  allocate,
  allocateShared,
  EVICTIONS,
  EXPIRATIONS,
  RECORDS_MOVED,
  RESERVED_BYTES,
  RESERVED_HASH,
  RESERVED_UNTIL,
} from "./store/state.ts";
import { verify } from "./store/verify.ts";

/** A time or a duration in milliseconds. */
export type Milliseconds = number;

/**
 * A live entry, as a number; 0 is none. It is valid until the next call that changes the store.
 */
export type Handle = number;

/**
 * What became of a put. `again`: a bounded share of the work of making room was done, and nothing
 * stored yet; the caller lets others have their turn and calls again with the same arguments.
 */
export type PutOutcome = "stored" | "too large" | "again";

/** How a store is made. */
export interface StoreOptions {
  /** Bytes that all keys and values together may have; at least 1. */
  readonly limitBytes: number;
  /** A clock that never goes back, in milliseconds; `performance.now` unless told otherwise. */
  readonly now?: () => Milliseconds;
  /** True: all state lies in memory that can be shared with other threads. */
  readonly shared?: boolean;
  /** The key of the hash; random unless told otherwise. */
  readonly hashKey?: HashKey;
}

/** Figures about a store, all since its start or as they are now. */
export interface StoreStats {
  /** Entries removed to make room. */
  readonly evictions: number;
  /** Entries removed because their time had come. */
  readonly expirations: number;
  /** Bytes in use beyond keys and values: headers, padding and index. */
  readonly overheadBytes: number;
  /** Bytes of memory that the store holds, free segments included. */
  readonly residentBytes: number;
  /** Records moved to close holes. */
  readonly moved: number;
}

/** Records that one request looks at to make room; then it lets others have their turn. */
export const EVICTION_STEPS_MAX = 4_096;
/** How long room made for a large value is kept for it between two calls. */
const RESERVATION_MS = 1_000;

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
export class Store {
  /** Bytes that all keys and values together may have. */
  readonly limitBytes: number;
  /** The clock, in milliseconds. */
  readonly now: () => Milliseconds;
  /** Where {@linkcode Store.view} found a value: the memory, and where in it the value begins. */
  viewBytes: Uint8Array = new Uint8Array(0);
  /** See {@linkcode Store.viewBytes}. */
  viewStart = 0;
  readonly #entries: Entries;
  readonly #compaction: Compaction;
  readonly #eviction: Eviction;
  readonly #expiry: Expiry;
  readonly #flush: Flush;
  readonly #hashKey: HashKey;

  constructor(options: StoreOptions) {
    if (!(options.limitBytes >= 1)) {
      throw new RangeError(`Cannot make a store: the limit is ${options.limitBytes} bytes`);
    }
    this.limitBytes = options.limitBytes;
    const memory = options.shared ? allocateShared : allocate;
    this.#entries = new Entries(memory);
    this.#compaction = new Compaction(this.#entries);
    this.#eviction = new Eviction(this.#entries, this.#compaction, memory, options.limitBytes);
    this.#expiry = new Expiry(this.#entries);
    this.#flush = new Flush(this.#entries, memory);
    this.now = options.now ?? (() => performance.now());
    this.#hashKey = options.hashKey ?? randomHashKey();
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
  get stats(): StoreStats {
    const ghostBytes = this.#eviction.heldBytes;
    return {
      evictions: this.#entries.state[EVICTIONS],
      expirations: this.#entries.state[EXPIRATIONS],
      overheadBytes: this.#entries.overheadBytes + ghostBytes,
      residentBytes: this.#entries.heldBytes + ghostBytes,
      moved: this.#entries.state[RECORDS_MOVED],
    };
  }

  /** The entry of the key `bytes[start, end)`, or 0. Eviction does not hear of it. */
  find(bytes: Uint8Array, start: number, end: number): Handle {
    return this.#find(hashOf(this.#hashKey, bytes, start, end), bytes, start, end);
  }

  /** The entry of the key `bytes[start, end)`, or 0; it counts as a visit. */
  get(bytes: Uint8Array, start: number, end: number): Handle {
    const ref = this.#find(hashOf(this.#hashKey, bytes, start, end), bytes, start, end);
    if (ref !== 0) this.#eviction.visit(ref);
    return ref;
  }

  /** Bytes of an entry's value. */
  lengthOf(handle: Handle): number {
    return this.#entries.word(handle, 1);
  }

  /**
   * Where an entry's value lies, if it lies in one piece: then `viewBytes` and `viewStart` tell,
   * until the next call that changes the store. False if it does not: see `copyTo`.
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
    const stored = this.viewBytes;
    const from = this.viewStart - start;
    for (let at = start; at < end; at++) if (stored[from + at] !== bytes[at]) return false;
    return true;
  }

  /** When an entry expires, on the store's clock; Infinity if never. */
  expiryOf(handle: Handle): Milliseconds {
    return this.#entries.expiryOf(handle);
  }

  /**
   * Stores a value under a key, whether or not the key is there; it expires at `expiresAt` on the
   * store's clock, or never if that is Infinity. A visit is counted for a key that was there.
   */
  put(
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    value: Uint8Array,
    valueStart: number,
    valueEnd: number,
    expiresAt: Milliseconds,
  ): PutOutcome {
    const keyBytes = keyEnd - keyStart;
    const valueBytes = valueEnd - valueStart;
    if (keyBytes < 1 || keyBytes > KEY_BYTES_MAX) {
      throw new RangeError(`Cannot store a key of ${keyBytes} bytes: 1 to ${KEY_BYTES_MAX} it is`);
    }
    if (keyBytes + valueBytes > this.limitBytes) return "too large";
    const entries = this.#entries;
    const hash = hashOf(this.#hashKey, key, keyStart, keyEnd);
    let ref = this.#find(hash, key, keyStart, keyEnd);
    let queue: Queue = ref === 0 ? this.#eviction.queueFor(hash, keyBytes + valueBytes) : SMALL;
    for (;;) {
      const bytesMore = keyBytes + valueBytes - (ref === 0 ? 0 : entries.bytesOf(ref));
      const fits = entries.usage + bytesMore <= this.limitBytes;
      if (fits && entries.state[RESERVED_BYTES] === 0) break;
      if (!this.#makeRoom(hash, bytesMore)) return "again";
      if (ref === 0) break;
      // The entry that is to be replaced may have been evicted itself: then more room is needed.
      ref = entries.find(hash, key, keyStart, keyEnd);
      if (ref !== 0) break;
    }
    const expires = expiresAt === Infinity ? 0 : EXPIRES;
    const due = Math.ceil(expiresAt);
    let word0 = 0;
    if (ref !== 0) {
      this.#eviction.visit(ref);
      word0 = entries.word(ref, 0);
      const hasRoom = (word0 & EXPIRES) !== 0;
      if ((expires === 0 || hasRoom) && entries.overwrite(ref, value, valueStart, valueEnd)) {
        if (hasRoom) entries.setExpiry(ref, due);
        return "stored";
      }
      queue = entries.queueOf(ref);
      entries.remove(ref);
    }
    const flags = expires | (this.#flush.spares(hash) ? SPARED : 0);
    ref = entries.insert(
      queue,
      hash,
      word0 >>> VISITS_SHIFT,
      flags,
      due,
      key,
      keyStart,
      keyEnd,
      value,
      valueStart,
      valueEnd,
    );
    this.#compaction.owe((keyBytes + valueBytes) >>> 3);
    return "stored";
  }

  /** Removes a key; false if it is not there. */
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

  /** Sets when a key expires, Infinity for never; false if it is not there. */
  expire(bytes: Uint8Array, start: number, end: number, expiresAt: Milliseconds): boolean {
    const entries = this.#entries;
    const ref = this.find(bytes, start, end);
    if (ref === 0) return false;
    const word0 = entries.word(ref, 0);
    if ((word0 & EXPIRES) !== 0) entries.setExpiry(ref, Math.ceil(expiresAt));
    else if (expiresAt !== Infinity) this.#addExpiry(ref, word0, Math.ceil(expiresAt));
    return true;
  }

  /**
   * Visits about `count` entries' keys, and returns the cursor to go on with: start at 0, finished
   * when it is 0 again. A key that is there from the start to the end is visited at least once,
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
    const flush = this.#flush;
    return scan(this.#entries, cursor, count, prefix, (ref, word0, bytes, start, end) => {
      if ((word0 & EXPIRES) !== 0 && this.#entries.expiryOf(ref) <= now) return;
      if (flush.dooms(ref)) return;
      visit(bytes, start, end);
    });
  }

  /** Removes everything at once; returns how many entries there were. */
  flushAll(): number {
    const entries = this.entries;
    this.#compaction.stop();
    this.#flush.stop();
    this.#entries.clear();
    this.#eviction.clear();
    return entries;
  }

  /**
   * Removes the keys that have a prefix: those that are there when it is first called with that
   * prefix. From then on no request sees them. Undefined: not done yet, call again with the same
   * prefix after others had their turn; a number: done, so many entries were removed.
   */
  flushPrefix(prefix: Uint8Array): number | undefined {
    return this.#flush.step(prefix, this.now());
  }

  /** Removes expired entries, a bounded number of them; true if more may be due right now. */
  sweep(): boolean {
    const now = this.now();
    this.#flush.finishAbandoned(now);
    return this.#expiry.sweep(now);
  }

  /** Checks everything that must always hold; throws an Error if something does not. For tests. */
  verify(): void {
    verify(this.#entries);
  }

  /** The live entry of a key, or 0. An expired one is removed. */
  #find(hash: number, bytes: Uint8Array, start: number, end: number): number {
    const entries = this.#entries;
    const ref = entries.find(hash, bytes, start, end);
    if (ref === 0) return 0;
    if ((entries.word(ref, 0) & EXPIRES) !== 0 && entries.expiryOf(ref) <= this.now()) {
      entries.state[EXPIRATIONS]++;
      entries.remove(ref);
      return 0;
    }
    if (this.#flush.active && this.#flush.dooms(ref)) {
      this.#flush.remove(ref);
      return 0;
    }
    return ref;
  }

  /** Moves an entry to the end of its queue, to give it room for a time of expiry. */
  #addExpiry(ref: number, word0: number, expiresAt: number): void {
    const entries = this.#entries;
    const length = entries.word(ref, 1);
    const keyAt = entries.keyAt(ref);
    const record = new Uint8Array((word0 & 0xffff) + length);
    const stored = entries.arena.bytes[ref >>> SLAB_SHIFT];
    copyBytes(stored, keyAt, keyAt + (word0 & 0xffff), record, 0);
    this.copyTo(ref, record, word0 & 0xffff);
    const hash = entries.word(ref, 2);
    const queue = entries.queueOf(ref);
    entries.remove(ref);
    const keyEnd = word0 & 0xffff;
    const flags = EXPIRES | (word0 & SPARED);
    const visits = word0 >>> VISITS_SHIFT;
    const end = record.length;
    entries.insert(queue, hash, visits, flags, expiresAt, record, 0, keyEnd, record, keyEnd, end);
    this.#compaction.owe(recordGranules(word0, length));
  }

  /**
   * Evicts until `bytesMore` fit, or a fixed number of records was looked at. False if that was
   * not enough: what was gained is then reserved for the hash for a while, so that other writers,
   * who each make the room they need, cannot take it.
   */
  #makeRoom(hash: number, bytesMore: number): boolean {
    const entries = this.#entries;
    const { state } = entries;
    const now = this.now();
    if (
      state[RESERVED_BYTES] > 0 && (hash === state[RESERVED_HASH] || now > state[RESERVED_UNTIL])
    ) {
      state[RESERVED_BYTES] = 0;
    }
    const usageMax = this.limitBytes - bytesMore;
    const goal = Math.min(
      usageMax,
      Math.max(usageMax - state[RESERVED_BYTES], entries.usage - Math.max(bytesMore, 0)),
    );
    let steps = 0;
    while (entries.usage > goal && steps++ < EVICTION_STEPS_MAX) {
      this.#eviction.step(now);
    }
    if (entries.usage <= usageMax) return true;
    if (state[RESERVED_BYTES] === 0) {
      state[RESERVED_BYTES] = bytesMore;
      state[RESERVED_HASH] = hash;
      state[RESERVED_UNTIL] = now + RESERVATION_MS;
    }
    return false;
  }
}
