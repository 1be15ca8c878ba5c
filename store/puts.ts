/**
 * Puts: store a value, in one call or in several.
 *
 * What always holds: space is ensured before anything is changed, so a call that does not store the
 * value leaves an older one as it was, unless eviction removed it.
 *
 * @module
 */

import { BULK, type Queue } from "./arena.ts";
import type { Compaction } from "./compaction.ts";
import type { Entries } from "./entries.ts";
import { type Eviction, NOT_RECALLED } from "./eviction.ts";
import type { Flush } from "./flush.ts";
import { InvariantError } from "./invariant.ts";
import type { Limit } from "./limit.ts";
import type { LiveEntries } from "./live_entries.ts";
import { type LargePut, PutQueue, STAGED_PART_BYTES } from "./put_queue.ts";
import {
  EXEMPT,
  EXPIRES,
  FRAGMENTED,
  granulesOf,
  KEY_BYTES_MAX,
  recordGranules,
  VISITS_SHIFT,
} from "./record.ts";
import {
  FULL,
  NO_SLOT,
  OUT_OF_MEMORY,
  type Reservation,
  STARVED,
  UNFINISHED,
} from "./reservation.ts";
import type { Handle, Milliseconds, PutOperation, PutOutcome } from "./storage.ts";

/** Bounded shares of eviction in a row after which something is wrong. */
const GAIN_TRIES_MAX = 100_000_000;

/** The parts of a store that puts work on. */
export interface PutParts {
  readonly entries: Entries;
  readonly live: LiveEntries;
  readonly compaction: Compaction;
  readonly eviction: Eviction;
  readonly reservation: Reservation;
  readonly flush: Flush;
  /** The most bytes of a key and its value: the limit of the whole store. */
  readonly limit: Limit;
  /** Whether other shards have a part of the limit. */
  readonly isShard: boolean;
  /** Removes some entries that have expired; true if there were some, or may be more. */
  readonly reclaim: () => boolean;
}

/** Inserts and replaces entries, under a limit. */
export class Puts {
  readonly #entries: Entries;
  readonly #live: LiveEntries;
  readonly #compaction: Compaction;
  readonly #eviction: Eviction;
  readonly #reservation: Reservation;
  readonly #flush: Flush;
  readonly #queue: PutQueue;
  readonly #limit: Limit;
  readonly #isShard: boolean;
  readonly #reclaim: () => boolean;

  constructor(parts: PutParts) {
    this.#entries = parts.entries;
    this.#live = parts.live;
    this.#compaction = parts.compaction;
    this.#eviction = parts.eviction;
    this.#reservation = parts.reservation;
    this.#flush = parts.flush;
    this.#queue = new PutQueue(parts.entries.fragments, parts.reservation);
    this.#limit = parts.limit;
    this.#isShard = parts.isShard;
    this.#reclaim = parts.reclaim;
  }

  /** Whether a put that takes several calls waits or is under way. */
  get isUnderWay(): boolean {
    return this.#queue.first !== undefined;
  }

  /** Takes a place in the queue of puts that take several calls. */
  start(): LargePut {
    return this.#queue.start();
  }

  /** The put under way, if there is one, begins from its beginning again. */
  restart(): void {
    this.#queue.restart();
  }

  /** One call of a put that has an operation: see `Store.put`. */
  proceed(
    hash: number,
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    value: Uint8Array,
    valueStart: number,
    valueEnd: number,
    expiresAt: Milliseconds,
    operation: PutOperation,
  ): PutOutcome {
    const large = this.#queue.own(operation, valueEnd - valueStart);
    const isFirst = large === this.#queue.first;
    const isTooLarge = keyEnd - keyStart + valueEnd - valueStart > this.#limit.entryBytesMax;
    if (!isFirst && !isTooLarge) return "unfinished";
    // The reservation is for this call, which reserves again what it still needs.
    if (isFirst) this.#reservation.release();
    // deno-fmt-ignore: one line shows that the arguments are handed on
    const outcome = this.put(hash, key, keyStart, keyEnd, value, valueStart, valueEnd, expiresAt, large);
    if (outcome !== "unfinished") large.cancel();
    return outcome;
  }

  /**
   * A put that ends in this call, however many steps it takes. A put under way begins again from
   * its beginning. `gain` raises the shard's part of the limit, where it has only a part.
   */
  putNow(
    hash: number,
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    value: Uint8Array,
    valueStart: number,
    valueEnd: number,
    expiresAt: Milliseconds,
    gain?: () => boolean | "full",
  ): Exclude<PutOutcome, "unfinished"> {
    // deno-fmt-ignore: one line shows that the arguments are handed on
    const outcome = this.put(hash, key, keyStart, keyEnd, value, valueStart, valueEnd, expiresAt, undefined);
    if (outcome !== "unfinished") return outcome;
    const large = this.#queue.startFirst();
    for (;;) {
      for (let tries = 0;; tries++) {
        const gained = gain?.();
        if (gained === "full") {
          large.cancel();
          return "out of memory";
        }
        if (gained !== false) break;
        if (tries === GAIN_TRIES_MAX) {
          throw new InvariantError("a put that must end gains no space");
        }
      }
      // deno-fmt-ignore: one line shows that the arguments are handed on
      const outcome = this.proceed(hash, key, keyStart, keyEnd, value, valueStart, valueEnd, expiresAt, large);
      if (outcome !== "unfinished") return outcome;
    }
  }

  /** One call of a put: all of it, or one part of the put whose turn it is. */
  put(
    hash: number,
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    value: Uint8Array,
    valueStart: number,
    valueEnd: number,
    expiresAt: Milliseconds,
    large: LargePut | undefined,
  ): PutOutcome {
    const entries = this.#entries;
    const keyBytes = keyEnd - keyStart;
    const valueBytes = valueEnd - valueStart;
    const bytes = keyBytes + valueBytes;
    if (keyBytes > KEY_BYTES_MAX) throw keyError(keyBytes);
    if (bytes > this.#limit.entryBytesMax) return "too large";
    if (large === undefined && valueBytes > STAGED_PART_BYTES) return "unfinished";
    const due = Math.ceil(expiresAt);
    let ref = this.#live.find(hash, key, keyStart, keyEnd);
    if (ref !== 0 && this.#overwrite(hash, ref, bytes, value, valueStart, valueEnd, due)) {
      return "stored";
    }
    const flags = (due === Infinity ? 0 : EXPIRES) | (this.#flush.exempts(hash) ? EXEMPT : 0);
    const word0 = entries.newWord0(keyBytes, valueBytes, flags);
    const recalled = this.#recall(hash, ref, large);
    if (large !== undefined) {
      const outcome = this.#stage(large, ref, word0, hash, value, valueStart, valueEnd);
      if (outcome !== undefined) return outcome;
    }
    const staged = large === undefined ? 0 : entries.fragments.stagedBytes;
    const granules = recordGranules(word0, valueBytes);
    const fragmentBytes = (word0 & FRAGMENTED) === 0 ? 0 : valueBytes - staged;
    let queue: Queue;
    for (;;) {
      queue = ref === 0 ? this.#eviction.queueFor(recalled, bytes) : entries.queueOf(ref);
      const bytesMore = bytes - (ref === 0 ? 0 : entries.bytesOf(ref));
      const slot = ref === 0 ? hash : NO_SLOT;
      // deno-fmt-ignore: one line shows all that must be available
      const steps = this.#reservation.ensure(bytes, bytesMore, queue, granules, fragmentBytes, slot);
      if (steps < 0) return this.#giveUp(steps, hash, recalled, large, bytesMore, fragmentBytes);
      if (steps === 0 || ref === 0) break;
      // Eviction may have moved the entry that is to be replaced, or evicted it.
      ref = entries.find(hash, key, keyStart, keyEnd);
    }
    if (ref === 0) this.#eviction.admit(recalled, bytes);
    else if (this.#overwrite(hash, ref, bytes, value, valueStart, valueEnd, due)) return "stored";
    else this.#eviction.touch(ref);
    const visits = ref === 0 ? 0 : entries.visitsOf(ref);
    const visited = word0 + visits * (1 << VISITS_SHIFT);
    entries.changed(hash);
    // deno-fmt-ignore: one line shows where the bytes come from
    entries.insert(queue, ref, hash, visited, due, key, keyStart, keyEnd, value, valueStart + staged, valueEnd, staged > 0);
    this.#compaction.schedule(granulesOf(bytes));
    return "stored";
  }

  /** Writes a value in place of the old one, if it fits the limit and the record. */
  #overwrite(
    hash: number,
    ref: Handle,
    bytes: number,
    value: Uint8Array,
    valueStart: number,
    valueEnd: number,
    due: Milliseconds,
  ): boolean {
    const entries = this.#entries;
    if (!this.#reservation.fits(bytes - entries.bytesOf(ref))) return false;
    if (!entries.overwrite(ref, value, valueStart, valueEnd, due)) return false;
    entries.changed(hash);
    this.#eviction.touch(ref);
    return true;
  }

  /** What eviction remembers of the key of a new entry, from the first call of its put. */
  #recall(hash: number, ref: Handle, large: LargePut | undefined): number {
    if (large?.recalled !== undefined) return large.recalled;
    const recalled = ref === 0 ? this.#eviction.recall(hash) : NOT_RECALLED;
    if (large !== undefined) large.recalled = recalled;
    return recalled;
  }

  /**
   * Copies one part of a large value, or gains space for it. Undefined if what is left of the value
   * can be written together with its entry.
   */
  #stage(
    large: LargePut,
    ref: Handle,
    word0: number,
    hash: number,
    value: Uint8Array,
    valueStart: number,
    valueEnd: number,
  ): PutOutcome | undefined {
    const { fragments } = this.#entries;
    const valueBytes = valueEnd - valueStart;
    const recalled = large.recalled ?? NOT_RECALLED;
    const bytes = (word0 & 0xffff) + valueBytes;
    const bytesMore = bytes - (ref === 0 ? 0 : this.#entries.bytesOf(ref));
    const inFragments = (word0 & FRAGMENTED) === 0 ? 0 : valueBytes;
    const granules = recordGranules(word0, valueBytes);
    const start = valueStart + fragments.stagedBytes;
    const part = STAGED_PART_BYTES;
    // If there is no memory for the whole value, nothing must be evicted for it.
    const nextBytes = Math.min(part, inFragments, valueEnd - start);
    this.#reservation.prepare(granules, inFragments, nextBytes);
    if (!this.#reservation.canEverPlace(granules, inFragments)) {
      return this.#giveUp(OUT_OF_MEMORY, hash, recalled, large, bytesMore, 0);
    }
    if (valueEnd - start <= part) return undefined;
    const steps = this.#reservation.ensure(bytes, bytesMore, BULK, 0, part, NO_SLOT);
    if (steps < 0) return this.#giveUp(steps, hash, recalled, large, bytesMore, part);
    fragments.stage(value, start, start + part);
    this.#compaction.schedule(granulesOf(part));
    return this.#giveUp(UNFINISHED, hash, recalled, large, bytesMore, part);
  }

  /** Ends a call that has stored nothing; a large put keeps the space gained so far. */
  #giveUp(
    reason: number,
    hash: number,
    recalled: number,
    large: LargePut | undefined,
    bytesMore: number,
    fragmentBytes: number,
  ): PutOutcome {
    // A shard with nothing left to evict may get a larger part of the limit.
    if (reason === FULL && !this.#isShard && !this.#reclaim()) {
      this.#eviction.restore(hash, recalled);
      return "out of memory";
    }
    const isAlone = large !== undefined || !this.#isShard && this.#queue.first === undefined;
    if (reason === OUT_OF_MEMORY || (reason === STARVED && isAlone)) {
      this.#eviction.restore(hash, recalled);
      return "out of memory";
    }
    if (large === undefined) this.#eviction.restore(hash, recalled);
    else this.#reservation.reserve(bytesMore, fragmentBytes);
    return "unfinished";
  }
}

function keyError(keyBytes: number): RangeError {
  return new RangeError(`Cannot store a key of ${keyBytes} bytes: the most are ${KEY_BYTES_MAX}`);
}
