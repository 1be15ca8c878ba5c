/**
 * Space: makes sure that a record fits the limit and the memory before anything is changed for it.
 *
 * Three things must be available: bytes under the limit, segments of the arena, and a slot of the
 * index. What is missing is gained by eviction, a bounded number of steps a call. A put that needs
 * several calls keeps what it has gained as a reservation; other writers evict for themselves.
 *
 * What always holds: usage and reserved bytes together are at most the budget, which is the limit
 * or this shard's part of it, and there are at least as many free segments as are reserved.
 *
 * @module
 */

import { BULK, type Queue } from "./arena.ts";
import type { Compaction } from "./compaction.ts";
import type { Entries } from "./entries.ts";
import type { Eviction } from "./eviction.ts";
import { BUDGET, RESERVED_BYTES, RESERVED_SEGMENTS, SEGMENTS_FREE, type State } from "./state.ts";

/** Records that one call looks at to gain space; then others have their turn. */
export const EVICTION_STEPS_MAX = 128;
/** `ensure` returns this if the bounded share of work was not enough. */
export const UNFINISHED = -1;
/** `ensure` returns this if there is too little memory, even once everything else is evicted. */
export const OUT_OF_MEMORY = -2;
/** `ensure` returns this if nothing is left to evict, and it was not enough. */
export const STARVED = -3;
/** `ensure` returns this if the limit is reached and nothing is to be evicted. */
export const FULL = -4;
/** Passed in place of a hash if the index needs no further slot. */
export const NO_SLOT = -1;

/** Where a shard gets a larger budget from. */
export interface BudgetSource {
  /** Raises the budget of a locked shard towards `wanted` bytes, by a bounded amount of work. */
  grow(state: State, wanted: number): void;
}

/**
 * The space that the next record needs, and what is reserved of it for the first put of the queue.
 */
export class Reservation {
  readonly #entries: Entries;
  readonly #eviction: Eviction;
  readonly #compaction: Compaction;
  readonly #now: () => number;
  /** Whether entries are evicted to make room. */
  readonly evicts: boolean;
  readonly #pool: BudgetSource | undefined;

  constructor(
    entries: Entries,
    eviction: Eviction,
    compaction: Compaction,
    now: () => number,
    evicts: boolean,
    pool: BudgetSource | undefined,
  ) {
    this.#entries = entries;
    this.#eviction = eviction;
    this.#compaction = compaction;
    this.#now = now;
    this.evicts = evicts;
    this.#pool = pool;
  }

  /** Whether this many bytes more stay within the limit, beside what is reserved. */
  fits(bytesMore: number): boolean {
    const { state, usage } = this.#entries;
    return usage + bytesMore + state[RESERVED_BYTES] <= state[BUDGET];
  }

  /**
   * Makes sure that a record of `granules` at the end of a queue, `fragmentBytes` of a value in
   * fragments, and a slot for `hash` are available. The key and value have `bytes`, which is
   * `bytesMore` more than what they replace. Returns the steps of eviction that were needed, or
   * UNFINISHED, OUT_OF_MEMORY, STARVED or FULL.
   */
  ensure(
    bytes: number,
    bytesMore: number,
    queue: Queue,
    granules: number,
    fragmentBytes: number,
    hash: number,
  ): number {
    const entries = this.#entries;
    const { arena } = entries;
    if (this.fits(bytesMore) && (granules === 0 || arena.fits(queue, granules))) {
      // Nearly all puts end here.
      if (fragmentBytes === 0 && (hash === NO_SLOT || entries.index.reserve(hash))) return 0;
    }
    let now = 0;
    let asked = false;
    if (this.#pool !== undefined && !this.fits(bytesMore)) {
      this.#pool.grow(entries.state, entries.usage + bytesMore + entries.state[RESERVED_BYTES]);
    }
    for (let steps = 0;; steps++) {
      const fits = this.fits(bytesMore);
      const segments = this.#segmentsFor(queue, granules, fragmentBytes);
      let placed = segments === 0;
      // Eviction for the limit frees segments, so no memory is taken for more before that.
      if (!placed && (fits || !arena.hasSlabsFor(segments))) {
        placed = arena.provide(segments, !asked);
        if (!placed && !asked) {
          if (!this.canEverPlace(granules, fragmentBytes)) return OUT_OF_MEMORY;
          this.#compaction.stop();
          asked = true;
        }
      }
      if (placed && fits && (hash === NO_SLOT || entries.index.reserve(hash))) return steps;
      if (steps === 0) {
        // Evicting everything else would not be enough while another put has its reservation.
        if (bytes + entries.state[RESERVED_BYTES] > entries.state[BUDGET]) return UNFINISHED;
        now = this.#now();
      }
      if (entries.usage === 0) return STARVED;
      if (!this.evicts) return fits ? OUT_OF_MEMORY : FULL;
      if (steps === EVICTION_STEPS_MAX) return UNFINISHED;
      this.#eviction.step(now);
    }
  }

  /** Whether a record of this size can be placed once everything else is evicted. */
  canEverPlace(granules: number, fragmentBytes: number): boolean {
    const { arena, fragments } = this.#entries;
    const segments = (granules > 0 ? 1 : 0) + fragments.segmentsFor(fragmentBytes, 0);
    return arena.canEverHold(segments) || (arena.retry() && arena.canEverHold(segments));
  }

  /**
   * Takes memory for the next part of a large value, if the memory held cannot hold all of it. So a
   * lack of memory is known before anything is evicted.
   */
  prepare(granules: number, fragmentBytes: number, partBytes: number): void {
    const { arena, fragments } = this.#entries;
    const segments = (granules > 0 ? 1 : 0) + fragments.segmentsFor(fragmentBytes, 0);
    if (arena.hasSlabsFor(segments)) return;
    arena.provide(fragments.segmentsFor(partBytes, 0) + 1, true);
  }

  /** Reserves what is available of the space that the first put of the queue needs next. */
  reserve(bytesMore: number, fragmentBytes: number): void {
    const { state, fragments } = this.#entries;
    this.reserveBytes(bytesMore);
    const segments = fragments.segmentsFor(fragmentBytes, 0) + 1;
    state[RESERVED_SEGMENTS] = Math.min(segments, state[SEGMENTS_FREE]);
  }

  /** Reserves what is available of the bytes that the first put of the queue needs next. */
  reserveBytes(bytesMore: number): void {
    const { state, usage } = this.#entries;
    state[RESERVED_BYTES] = Math.max(0, Math.min(bytesMore, state[BUDGET] - usage));
  }

  /** Gives back what is reserved. */
  release(): void {
    const { state } = this.#entries;
    state[RESERVED_BYTES] = state[RESERVED_SEGMENTS] = 0;
  }

  /** Segments that a record needs beyond the newest ones of the queues. */
  #segmentsFor(queue: Queue, granules: number, fragmentBytes: number): number {
    const { arena, fragments } = this.#entries;
    const segments = granules === 0 || arena.fits(queue, granules) ? 0 : 1;
    if (fragmentBytes === 0) return segments;
    return segments + fragments.segmentsFor(fragmentBytes, arena.granulesLeft(BULK));
  }
}
