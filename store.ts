/**
 * The store: keys and values in memory, under a limit that holds to the byte.
 *
 * ## What it promises
 *
 * - `usage` is the sum of the bytes of all keys and values, always, and never above the limit.
 * - Nothing is evicted while a new value fits.
 * - No call does more than a bounded amount of work, whatever the store holds: nothing here stops
 *   the world to rehash, to compact, to expire or to make room.
 * - A store that is only written keeps what was written last.
 *
 * ## How it lies in memory
 *
 * ```text
 *  index                     arena: slabs of 8 segments, each in one of three queues or free
 *  hash ref
 * +----+---+  small queue    oldest                               newest
 * | 03 | *-|-----------.     +---------------+  +---------------+  +---------------+
 * | 17 | *-|--------.  |     |xxxx hand> k=v |--| k=v xx k=v kv |--| k=v k=v k=v > |<- new keys
 * |    |   |        |  |     +---------------+  +---------------+  +---------------+
 * | 2c | *-|-----.  |  `------------------^           ^  |
 * | 2d | *-|---. |  `---------------------------------'  | visited
 * |    |   |   | |                                       v
 * | .. |   |   | |  main queue +-------------+  +---------------+  +---------------+
 * | f1 | *-|-. | `-----------> |xx hand> k=v |--| k=v k=v k=v   |--| k=v k=v >     |<- kept, with
 * |    |   | | |               +-------------+  +---------------+  +---------------+   a visit less
 * +----+---+ | `----------------------------------------^              ^
 *            `---------------------------------------------------------'
 *              bulk queue    +---------------+  +---------------+
 *                            | frag frag xxx |--| frag frag >   |<- pieces of large values
 *                            +---------------+  +---------------+
 *                              x: dead   hand: eviction's next   >: where the next record goes
 * ```
 *
 * The *arena* (store/arena.ts) is memory cut into segments of 128 KiB. An entry is a record
 * (store/record.ts): 8 bytes of header, the key, the value, rounded up to 8 bytes. Records are
 * appended to the newest segment of a queue and never cross a segment's end. So the place of an
 * entry in memory is also its place in the order of eviction, and no entry pays for links to say
 * so. A value over 8 KiB is cut into fragments that lie in a queue of their own; the entry itself
 * stays small enough to move.
 *
 * The *index* (store/index.ts) finds an entry by the keyed hash of its key (store/hash.ts): open
 * addressing in the order of the hashes, 8 bytes a slot, 64 to 80 % full. It grows by a quarter,
 * moving a few slots with each change, so there is no moment at which it is rebuilt. With header
 * and rounding an entry costs some 23 bytes beyond its key and value, and 4 more in the ghost once
 * the store is full.
 *
 * ## How room is made
 *
 * *Eviction* (store/eviction.ts) looks at the old end of the small or of the main queue. What was
 * visited moves on, what was not leaves: the hand passes each record once, and a segment whose
 * records are all passed is free again. A call that finds no room after a fixed number of steps
 * says `again`, keeps what it gained reserved, and lets others have their turn; a value of many
 * megabytes is copied in parts in the same way (store/staging.ts). So even a value as large as the
 * store is taken without a pause.
 *
 * *Overwriting* with a value that takes no more room happens in place. Otherwise the entry is
 * written anew at the end of its queue, and leaves a hole, as a delete does. *Compaction*
 * (store/compaction.ts) closes holes when they are more than a twelfth of what is live: each write
 * moves a few records, in their order, into fresh segments in the same place of the queue.
 *
 * ## How time passes
 *
 * An entry that expires has 8 bytes more in its header, one that does not has none. An expired
 * entry is gone for whoever asks. Its bytes are given back by a *sweep* (store/expiry.ts): each
 * segment knows a time before which nothing in it expires, and only segments whose time has come
 * are walked. The clock is passed in and never goes back, so a jump of the system's clock is not
 * noticed.
 *
 * ## What is shared
 *
 * Everything the store knows lies in typed arrays: slabs, tables, and one fixed block of numbers
 * (store/state.ts). With `shared` they are made on memory that other threads can see.
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
  granulesOf,
  headerBytesOf,
  KEY_BYTES_MAX,
  SPARED,
} from "./store/record.ts";
import { Room } from "./store/room.ts";
import { scan } from "./store/scan.ts";
import { allocate, allocateShared, EVICTIONS, EXPIRATIONS, RECORDS_MOVED } from "./store/state.ts";
import { STAGED_PART_BYTES, Staging } from "./store/staging.ts";
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
  readonly #room: Room;
  readonly #staging: Staging;
  readonly #expiry: Expiry;
  readonly #flush: Flush;
  readonly #hashKey: HashKey;

  constructor(options: StoreOptions) {
    if (!(options.limitBytes >= 1)) {
      throw new RangeError(`Cannot make a store: the limit is ${options.limitBytes} bytes`);
    }
    this.limitBytes = options.limitBytes;
    this.#hashKey = options.hashKey ?? randomHashKey();
    const memory = options.shared ? allocateShared : allocate;
    this.#entries = new Entries(memory, this.#hashKey);
    this.#compaction = new Compaction(this.#entries);
    this.#eviction = new Eviction(this.#entries, this.#compaction, memory, options.limitBytes);
    this.#room = new Room(this.#entries, this.#eviction, options.limitBytes);
    this.#staging = new Staging(this.#entries);
    this.#expiry = new Expiry(this.#entries);
    this.#flush = new Flush(this.#entries, memory);
    this.now = options.now ?? (() => performance.now());
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
   *
   * With an `owner`, an object that stands for this one put, a very large value is copied in parts,
   * each of which is answered by `again`.
   */
  put(
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    value: Uint8Array,
    valueStart: number,
    valueEnd: number,
    expiresAt: Milliseconds,
    owner?: object,
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
    const bytes = keyBytes + valueBytes;
    let queue: Queue = ref === 0 ? this.#eviction.queueFor(hash) : SMALL;
    for (;;) {
      const bytesMore = bytes - (ref === 0 ? 0 : entries.bytesOf(ref));
      if (this.#room.has(bytesMore)) break;
      if (!this.#room.make(hash, bytesMore, this.now())) return "again";
      if (ref === 0) break;
      // The entry that is to be replaced may have been evicted itself: then more room is needed.
      ref = entries.find(hash, key, keyStart, keyEnd);
      if (ref !== 0) break;
    }
    if (owner !== undefined && valueBytes > STAGED_PART_BYTES) {
      const now = this.now();
      if (!this.#staging.stage(owner, value, valueStart, valueEnd, now)) {
        this.#room.hold(hash, bytes - (ref === 0 ? 0 : entries.bytesOf(ref)), now);
        return "again";
      }
    }
    const due = Math.ceil(expiresAt);
    let visits = 0;
    if (ref !== 0) {
      this.#eviction.visit(ref);
      if (entries.overwrite(ref, value, valueStart, valueEnd, due)) return "stored";
      queue = entries.queueOf(ref);
      visits = entries.visitsOf(ref);
      entries.remove(ref);
    }
    const flags = (due === Infinity ? 0 : EXPIRES) | (this.#flush.spares(hash) ? SPARED : 0);
    // deno-fmt-ignore: one line tells where the bytes come from
    ref = entries.insert(queue, hash, visits, flags, due, key, keyStart, keyEnd, value, valueStart, valueEnd);
    this.#compaction.owe(granulesOf(bytes));
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
    const due = Math.ceil(expiresAt);
    if ((entries.word(ref, 0) & EXPIRES) !== 0) {
      entries.setExpiry(ref, due);
    } else if (due !== Infinity) {
      const moved = entries.addExpiry(ref, due);
      this.#compaction.owe(granulesOf(entries.bytesOf(moved)));
    }
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
    this.#staging.drop();
    this.#entries.clear();
    this.#eviction.clear();
    this.#room.clear();
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
    this.#staging.dropAbandoned(now);
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
}
