/**
 * The class `Shard`: a part of a store's keys, with an index, memory and eviction of its own. A
 * store of one thread is one shard; a store that threads share has several, each behind a lock.
 *
 * What always holds between two calls: usage is the sum of the bytes of all keys and values, and at
 * most the budget; each key has one entry, which the index finds.
 *
 * @module
 */

import { copyBytes, sameBytes } from "./bytes.ts";
import type { DetailedStats } from "./options.ts";
import { makeParts, type PartOptions, type Parts } from "./parts.ts";
import { EXPIRES, FRAGMENTED, headerBytesOf } from "./record.ts";
import { EVICTION_STEPS_MAX, NO_SLOT, UNFINISHED } from "./reservation.ts";
import { scan } from "./scan.ts";
import { SLAB_MASK, SLAB_SHIFT } from "./slabs.ts";
import {
  EVICTIONS,
  EXPIRATIONS,
  EXPIRING,
  GENERATION,
  RECORDS_MOVED,
  RESERVED_BYTES,
  type State,
  USAGE,
} from "./state.ts";
import type { Handle, Milliseconds, PutOperation, PutOutcome } from "./storage.ts";
import { verify } from "./verify.ts";

/** The most shares of eviction that one `expire` does: together the records of a segment. */
const EXPIRE_TRIES_MAX = 64;

/** A part of a store. Its methods take the hash of a key beside the key. */
export class Shard {
  /** The memory in which {@linkcode Shard.view} found a value. */
  viewBytes: Uint8Array = new Uint8Array(0);
  /** Where in that memory the value begins. */
  viewStart = 0;
  /** Its parts, for those that work on several shards. */
  readonly parts: Parts;
  readonly state: State;
  /** Where other threads find the shard. */
  readonly address: number;
  readonly #now: () => Milliseconds;
  /** The state of the shared tables that this thread's views are of. */
  #generation: number;

  /** Throws a RangeError if there is no memory for it. */
  constructor(options: PartOptions) {
    this.parts = makeParts(options);
    this.state = this.parts.state;
    this.address = options.root.address;
    this.#now = options.now;
    this.#generation = this.state[GENERATION];
  }

  /**
   * Looks at what other threads have changed; to be called when the shard has been locked. True if
   * anything but entries has.
   */
  attach(): boolean {
    if (this.#generation === this.state[GENERATION]) return false;
    this.#generation = this.state[GENERATION];
    this.parts.entries.attach();
    this.parts.eviction.attach();
    return true;
  }

  /** Notes that the views of this thread are up to date; to be called before it is unlocked. */
  detach(): void {
    this.#generation = this.state[GENERATION];
  }

  /** Bytes of all keys and values held. */
  get usage(): number {
    return this.parts.entries.usage;
  }

  /** How many entries there are. */
  get entries(): number {
    return this.parts.entries.index.entries;
  }

  /** Figures about the store. */
  get stats(): DetailedStats {
    const ghostBytes = this.parts.eviction.heldBytes;
    return {
      evictions: this.parts.entries.state[EVICTIONS],
      expirations: this.parts.entries.state[EXPIRATIONS],
      expiring: this.parts.entries.state[EXPIRING],
      overheadBytes: this.parts.entries.overheadBytes + ghostBytes,
      residentBytes: this.parts.entries.heldBytes + ghostBytes,
      moved: this.parts.entries.state[RECORDS_MOVED],
    };
  }

  /** The entry of the key `bytes[start, end)`, or 0; it does not count as a visit. */
  find(hash: number, bytes: Uint8Array, start: number, end: number): Handle {
    return this.parts.live.find(hash, bytes, start, end);
  }

  /** The entry of the key `bytes[start, end)`, or 0; it counts as a visit. */
  get(hash: number, bytes: Uint8Array, start: number, end: number): Handle {
    const ref = this.parts.live.find(hash, bytes, start, end);
    if (ref !== 0) this.parts.eviction.touch(ref);
    return ref;
  }

  /** Bytes of an entry's value. */
  lengthOf(handle: Handle): number {
    return this.parts.entries.word(handle, 1);
  }

  /**
   * Points `viewBytes` and `viewStart` at an entry's value, if it lies in one piece; they are valid
   * until the next call that changes the store. False if it does not: use `copyTo`.
   */
  view(handle: Handle): boolean {
    const slab = handle >>> SLAB_SHIFT;
    const arena = this.parts.entries.arena;
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
      this.parts.entries.fragments.read(handle, target, at);
    }
  }

  /** Whether an entry's value is `bytes[start, end)`. */
  equals(handle: Handle, bytes: Uint8Array, start: number, end: number): boolean {
    const length = this.lengthOf(handle);
    if (length !== end - start) return false;
    if (!this.view(handle)) return this.parts.entries.fragments.equals(handle, bytes, start);
    return sameBytes(this.viewBytes, this.viewStart, bytes, start, length);
  }

  /** When an entry expires, on the store's clock; Infinity if never. */
  expiryOf(handle: Handle): Milliseconds {
    return this.parts.entries.expiryOf(handle);
  }

  /** Inserts or replaces an entry: see `Store.put`. */
  put(
    hash: number,
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    value: Uint8Array,
    valueStart: number,
    valueEnd: number,
    expiresAt: Milliseconds,
    operation: PutOperation | undefined,
  ): PutOutcome {
    return operation === undefined
      // deno-fmt-ignore: one line shows that the arguments are handed on
      ? this.parts.puts.put(hash, key, keyStart, keyEnd, value, valueStart, valueEnd, expiresAt, undefined)
      // deno-fmt-ignore: one line shows that the arguments are handed on
      : this.parts.puts.proceed(hash, key, keyStart, keyEnd, value, valueStart, valueEnd, expiresAt, operation);
  }

  /** A number that is another one once a key with this hash has changed. */
  version(hash: number): number {
    return this.parts.entries.versionOf(hash);
  }

  /** Takes a place in the queue of puts that need several calls. */
  startPut(): PutOperation {
    return this.parts.puts.start();
  }

  /** Removes a key; false if it does not exist. */
  delete(hash: number, bytes: Uint8Array, start: number, end: number): boolean {
    const ref = this.find(hash, bytes, start, end);
    if (ref === 0) return false;
    this.parts.entries.remove(ref);
    return true;
  }

  /**
   * Sets when a key expires, Infinity for never; false if the key does not exist. If memory is
   * short, this may evict the key itself; the result is then false, too.
   */
  expire(
    hash: number,
    bytes: Uint8Array,
    start: number,
    end: number,
    expiresAt: Milliseconds,
  ): boolean {
    const { entries } = this.parts;
    let ref = this.parts.live.find(hash, bytes, start, end);
    if (ref === 0) return false;
    const due = Math.ceil(expiresAt);
    if ((entries.word(ref, 0) & EXPIRES) !== 0) {
      entries.changed(hash);
      entries.setExpiry(ref, due);
      return true;
    }
    if (due === Infinity) return true;
    entries.changed(hash);
    for (let tries = EXPIRE_TRIES_MAX;;) {
      const granules = entries.granulesWithExpiry(ref);
      const steps = this.parts.reservation.ensure(
        0,
        0,
        entries.queueOf(ref),
        granules,
        0,
        NO_SLOT,
      );
      if (steps === 0) break;
      // Eviction may have moved the entry, or evicted it.
      ref = entries.find(hash, bytes, start, end);
      if (ref === 0) return false;
      if (steps > 0 || (steps === UNFINISHED && --tries > 0)) continue;
      if (!this.parts.reservation.evicts) throw new RangeError("There is no memory for an expiry");
      this.parts.eviction.evict(ref);
      return false;
    }
    const granules = entries.granulesWithExpiry(ref);
    entries.addExpiry(ref, due);
    // Compaction moves records: not before the entry is where it belongs.
    this.parts.compaction.schedule(granules);
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
    const now = this.#now();
    const live = this.parts.live;
    return scan(this.parts.entries, cursor, count, prefix, (ref, word0, bytes, start, end) => {
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
    this.parts.compaction.stop();
    this.parts.puts.restart();
    this.parts.entries.clear();
    this.parts.eviction.clear();
    return entries;
  }

  /** Removes a bounded number of expired entries; true if more may be due now. */
  sweep(): boolean {
    return this.parts.expiry.sweep(this.#now());
  }

  /**
   * Evicts towards a number of bytes of keys and values, by a bounded amount of work. Returns how
   * many there are then, with those that are reserved for the put under way.
   */
  shrink(bytes: number): number {
    const { state, parts } = this;
    const now = this.#now();
    const stepsMax = parts.reservation.evicts ? EVICTION_STEPS_MAX : 0;
    for (let step = 0; step < stepsMax && state[USAGE] > bytes; step++) {
      parts.eviction.step(now);
    }
    return state[USAGE] + state[RESERVED_BYTES];
  }

  /** Gives back some of the memory that nothing uses; true if there is more. */
  trim(): boolean {
    const { arena, index } = this.parts.entries;
    const hasPages = index.trim();
    return arena.slabs.discardStale() || hasPages;
  }

  /** Checks everything that must always hold; throws an InvariantError if something does not. */
  verify(isPutUnderWay: boolean): void {
    verify(this.parts.entries, isPutUnderWay);
  }
}
