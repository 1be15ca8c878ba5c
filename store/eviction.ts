/**
 * Eviction: which entry makes room for a new one. S3-FIFO, with a share that adapts.
 *
 * New entries join the small queue. When it is larger than its share of the limit, its oldest
 * entry leaves: to the main queue if it was visited, else out of the store. The main queue's oldest
 * entry leaves the store if it was not visited since it last came by, else it joins the end again
 * with a visit less. So what is asked for once passes through the small queue without disturbing
 * what is asked for often, and a store that is never read is first in, first out.
 *
 * What was evicted lately is remembered by the ghost. A key that comes back soon after the small
 * queue dropped it tells that the small queue is too small, one that the main queue dropped tells
 * the opposite: each moves the share a little. "Soon" is measured in bytes evicted from that queue:
 * it would have been found, had the queue been a sixteenth of the limit larger.
 *
 * Entries much larger than the mean must earn their place with more visits, and small ones earn
 * it with fewer: for the room of one, several small ones can stay.
 *
 * What always holds: nothing is chosen but at the old end of a queue, and each step looks at one
 * record. Source of the two queues and the ghost: Yang et al., "FIFO queues are all you need for
 * cache eviction", 2023. The constants were chosen by simulation; see docs/benchmarks.md.
 *
 * @module
 */

import { MAIN, SEGMENT_SHIFT, SLAB_MASK, SLAB_SHIFT, SMALL } from "./arena.ts";
import type { Compaction } from "./compaction.ts";
import type { Entries } from "./entries.ts";
import { Ghost, STAMPS } from "./ghost.ts";
import { DEAD, EXPIRES, recordGranules, VISITS_SHIFT } from "./record.ts";
import {
  type Allocate,
  EVICTIONS,
  EXPIRATIONS,
  REINSERTIONS,
  SMALL_BYTES_MAX,
  type State,
} from "./state.ts";

/** Visits are counted up to this: more bits gain nothing, and keep what is no longer asked for. */
const VISITS_MAX = 3;
/** The small queue's share of the limit: at first, and its bounds. */
const SHARE_FIRST = 1 / 10;
const SHARE_MIN = 1 / 64;
const SHARE_MAX = 9 / 10;
/** From these shares on, recency pays, and an old entry gets two more passes, or one. */
const SHARE_TWO_PASSES = 1 / 20;
const SHARE_ONE_PASS = 1 / 5;
/** A returning key moves the share by this many times its bytes, and by this share at most. */
const SHARE_STEP_PER_BYTE = 8;
const SHARE_STEP_MAX = 1 / 128;
/** A stamp of the ghost is this share of the limit evicted; a return within so many counts. */
const STAMP_SHARE = 1 / 64;
const STAMPS_SOON = 4;
/** Entries that the main queue keeps in a row before it evicts one all the same. */
const REINSERTIONS_MAX = 32;
const WORD0_REST = (1 << VISITS_SHIFT) - 1;

/** The queues' old ends, and what leaves by them; see the top of this file. */
export class Eviction {
  readonly #entries: Entries;
  readonly #compaction: Compaction;
  readonly #ghost: Ghost;
  readonly #state: State;
  readonly #limitBytes: number;
  /** Bytes ever evicted from the small and from the main queue. */
  readonly #evictedBytes: Float64Array;

  constructor(
    entries: Entries,
    compaction: Compaction,
    allocate: Allocate,
    limitBytes: number,
  ) {
    this.#entries = entries;
    this.#compaction = compaction;
    this.#limitBytes = limitBytes;
    this.#state = entries.state;
    this.#ghost = new Ghost(allocate);
    this.#evictedBytes = new Float64Array(allocate(2 * 8));
    this.#state[SMALL_BYTES_MAX] = limitBytes * SHARE_FIRST;
  }

  /** Bytes of memory held. */
  get heldBytes(): number {
    return this.#ghost.heldBytes;
  }

  /** Counts a visit of an entry: it was read, or overwritten. */
  visit(ref: number): void {
    const words = this.#entries.arena.words[ref >>> SLAB_SHIFT];
    const at = (ref & SLAB_MASK) << 1;
    const word0 = words[at];
    const visits = word0 >>> VISITS_SHIFT;
    if (visits === VISITS_MAX) return;
    const size = this.#relativeSize((word0 & 0xffff) + words[at + 1]);
    let after = visits + (size <= 0.5 ? 2 : 1);
    if (size > 0.5 && size <= 1.5) {
      const share = this.#state[SMALL_BYTES_MAX] / this.#limitBytes;
      const most = share > SHARE_ONE_PASS ? 1 : share > SHARE_TWO_PASSES ? 2 : VISITS_MAX;
      after = Math.max(visits, Math.min(after, most));
    } else if (after > VISITS_MAX) {
      after = VISITS_MAX;
    }
    words[at] = (word0 & WORD0_REST) + after * (1 << VISITS_SHIFT);
  }

  /** The queue that a new entry joins. To be asked before room is made for it. */
  queueFor(hash: number, bytes: number): typeof SMALL | typeof MAIN {
    const remembered = this.#ghost.take(hash);
    if (remembered === -1) return SMALL;
    const queue = Ghost.queueOf(remembered);
    const age = (this.#stamp(queue) - Ghost.stampOf(remembered) + STAMPS) % STAMPS;
    if (age <= STAMPS_SOON) {
      const limit = this.#limitBytes;
      const step = Math.min(bytes * SHARE_STEP_PER_BYTE, limit * SHARE_STEP_MAX);
      const moved = this.#state[SMALL_BYTES_MAX] + (queue === SMALL ? step : -step);
      this.#state[SMALL_BYTES_MAX] = Math.min(
        Math.max(moved, limit * SHARE_MIN),
        limit * SHARE_MAX,
      );
    }
    // What the main queue dropped starts over: a loop larger than the store would fill it else.
    return queue === SMALL ? MAIN : SMALL;
  }

  /** Forgets what was evicted. */
  clear(): void {
    this.#ghost.clear();
  }

  /** Looks at the record whose turn it is: passes it by, keeps it, or removes it. */
  step(now: number): void {
    const entries = this.#entries;
    const arena = entries.arena;
    const queue = this.#queueToShrink();
    const segment = arena.oldest[queue];
    this.#compaction.yieldTo(segment);
    const hand = arena.hand[segment];
    if (hand >= arena.fill[segment]) {
      if (segment !== arena.newest[queue]) arena.release(segment);
      return;
    }
    const ref = ((segment << SEGMENT_SHIFT) | hand) >>> 0;
    const words = arena.words[ref >>> SLAB_SHIFT];
    const at = (ref & SLAB_MASK) << 1;
    const word0 = words[at];
    const granules = recordGranules(word0, words[at + 1]);
    arena.hand[segment] = hand + granules;
    if ((word0 & DEAD) !== 0) return;
    if ((word0 & EXPIRES) !== 0 && entries.expiryOf(ref) <= now) {
      this.#state[EXPIRATIONS]++;
      entries.remove(ref);
      return;
    }
    const bytes = (word0 & 0xffff) + words[at + 1];
    const visits = word0 >>> VISITS_SHIFT;
    const size = this.#relativeSize(bytes);
    const earned = visits >= (size > 4 ? 3 : size > 1.5 ? 2 : 1);
    if (earned && this.#state[REINSERTIONS] < REINSERTIONS_MAX) {
      if (queue === MAIN) this.#state[REINSERTIONS]++;
      const left = queue === SMALL ? 0 : visits - 1;
      const kept = (word0 & WORD0_REST) + left * (1 << VISITS_SHIFT);
      entries.moveTo(arena.append(MAIN, granules), ref, granules, kept);
      return;
    }
    this.#state[REINSERTIONS] = 0;
    this.#state[EVICTIONS]++;
    this.#ghost.fit(entries.index.entries);
    this.#evictedBytes[queue] += bytes;
    this.#ghost.add(entries.hashOf(ref), queue, this.#stamp(queue));
    entries.remove(ref);
  }

  /** The small queue if it has more than its share, or if there is nothing else. */
  #queueToShrink(): typeof SMALL | typeof MAIN {
    const usageOf = this.#entries.usageOf;
    const small = usageOf[SMALL];
    if (usageOf[MAIN] === 0) return SMALL;
    return small > this.#state[SMALL_BYTES_MAX] && this.#holdsSeveral() ? SMALL : MAIN;
  }

  /** Whether the small queue has more than one entry, so that a large newcomer is not the victim. */
  #holdsSeveral(): boolean {
    const arena = this.#entries.arena;
    const segment = arena.oldest[SMALL];
    const hand = arena.hand[segment];
    if (segment !== arena.newest[SMALL] || hand >= arena.fill[segment]) return true;
    const ref = ((segment << SEGMENT_SHIFT) | hand) >>> 0;
    const dead = (this.#entries.word(ref, 0) & DEAD) !== 0;
    return dead || this.#entries.bytesOf(ref) < this.#entries.usageOf[SMALL];
  }

  /** How many times the mean entry's bytes these are. */
  #relativeSize(bytes: number): number {
    return bytes * this.#entries.index.entries / this.#entries.usage;
  }

  #stamp(queue: number): number {
    return Math.floor(this.#evictedBytes[queue] / (this.#limitBytes * STAMP_SHARE)) % STAMPS;
  }
}
