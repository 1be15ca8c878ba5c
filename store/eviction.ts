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
 * it with fewer: for the room of one, several small ones can stay. A visit of a small entry counts
 * for several, so that it is passed by the more often. Small entries that were not visited join the
 * main queue too, on trial, as long as that pays: a visit of one on trial adds to a score, each time
 * that one comes by unvisited takes from it, so a scan of small entries soon ends the trials. A store
 * that is never read has no main queue to speak of, and no trials.
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
import { DEAD, EXPIRES, recordGranules, TRIED, VISITS_SHIFT } from "./record.ts";
import {
  type Allocate,
  EVICTIONS,
  EXPIRATIONS,
  REINSERTIONS,
  SMALL_BYTES_MAX,
  type State,
  TRIAL_SCORE,
  TRIALS,
} from "./state.ts";

/**
 * Visits are counted up to this: more keeps what is no longer asked for, and gains nothing. But a
 * visit of a small entry counts for up to eight, and two of them count in full.
 */
const VISITS_MAX = 3;
const VISIT_WORTH_MAX = 8;
const VISITS_MAX_SMALL = 2 * VISIT_WORTH_MAX - 1;
/** The small queue's share of the limit: at first, and its bounds. */
const SHARE_FIRST = 1 / 10;
const SHARE_MIN = 1 / 64;
const SHARE_MAX = 9 / 10;
/** From these shares on, recency pays, and an old entry gets two more passes, or one. */
const SHARE_TWO_PASSES = 1 / 20;
const SHARE_ONE_PASS = 1 / 5;
/** A returning key moves the share by so many mean entries, and by this share at most. */
const SHARE_STEP_ENTRIES = 8;
const SHARE_STEP_MAX = 1 / 128;
/** A stamp of the ghost is this share of the limit evicted; a return within so many counts. */
const STAMP_SHARE = 1 / 64;
const STAMPS_SOON = 4;
/** Up to this size, times the mean, an entry is small. */
const SMALL_SIZE = 1 / 2;
/** Small entries are tried while the main queue has more than this share of the limit. */
const TRIAL_MAIN_SHARE = 1 / 64;
/** A visit on trial makes up for so many times that one came by unvisited; the score's bound. */
const TRIAL_VISIT_SCORE = 8;
const TRIAL_SCORE_MAX = 1000;
/** While the score is below 0, every so many-th is tried all the same, to learn of better times. */
const TRIAL_EVERY = 16;
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
    if (visits === VISITS_MAX_SMALL) return;
    let rest = word0 & WORD0_REST;
    if ((rest & TRIED) !== 0) {
      rest &= ~TRIED;
      this.#score(TRIAL_VISIT_SCORE);
    }
    const size = this.#relativeSize((word0 & 0xffff) + words[at + 1]);
    const worth = worthOf(size);
    let most = VISITS_MAX;
    if (worth > 1) most = 2 * worth - 1;
    else if (size <= 1.5) {
      const share = this.#state[SMALL_BYTES_MAX] / this.#limitBytes;
      most = share > SHARE_ONE_PASS ? 1 : share > SHARE_TWO_PASSES ? 2 : VISITS_MAX;
    }
    const after = Math.max(visits, Math.min(visits + worth, most));
    words[at] = rest + after * (1 << VISITS_SHIFT);
  }

  /** The queue that a new entry joins. To be asked before room is made for it. */
  queueFor(hash: number): typeof SMALL | typeof MAIN {
    const remembered = this.#ghost.take(hash);
    if (remembered === -1) return SMALL;
    const queue = Ghost.queueOf(remembered);
    const age = (this.#stamp(queue) - Ghost.stampOf(remembered) + STAMPS) % STAMPS;
    if (age <= STAMPS_SOON) {
      const limit = this.#limitBytes;
      // All by the same: it was a miss, whatever its size.
      const mean = this.#entries.usage / Math.max(this.#entries.index.entries, 1);
      const step = Math.min(mean * SHARE_STEP_ENTRIES, limit * SHARE_STEP_MAX);
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
    if ((word0 & TRIED) !== 0) this.#score(-1);
    const bytes = (word0 & 0xffff) + words[at + 1];
    const visits = word0 >>> VISITS_SHIFT;
    const size = this.#relativeSize(bytes);
    const earned = visits >= (size > 4 ? 3 : size > 1.5 ? 2 : 1);
    const tried = !earned && queue === SMALL && size <= SMALL_SIZE && this.#tries();
    if ((earned || tried) && this.#state[REINSERTIONS] < REINSERTIONS_MAX) {
      if (queue === MAIN) this.#state[REINSERTIONS]++;
      const left = queue === MAIN ? visits - 1 : tried ? worthOf(size) >> 1 : 0;
      const kept = (word0 & WORD0_REST | (tried ? TRIED : 0)) + left * (1 << VISITS_SHIFT);
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

  /** Whether a small entry that was not visited is to be tried in the main queue. */
  #tries(): boolean {
    if (this.#entries.usageOf[MAIN] <= this.#limitBytes * TRIAL_MAIN_SHARE) return false;
    return this.#state[TRIAL_SCORE] >= 0 || ++this.#state[TRIALS] % TRIAL_EVERY === 0;
  }

  #score(change: number): void {
    const score = this.#state[TRIAL_SCORE] + change;
    this.#state[TRIAL_SCORE] = Math.max(-TRIAL_SCORE_MAX, Math.min(score, TRIAL_SCORE_MAX));
  }

  /** How many times the mean entry's bytes these are. */
  #relativeSize(bytes: number): number {
    return bytes * this.#entries.index.entries / this.#entries.usage;
  }

  #stamp(queue: number): number {
    return Math.floor(this.#evictedBytes[queue] / (this.#limitBytes * STAMP_SHARE)) % STAMPS;
  }
}

/** What a visit of an entry of such a size counts for: the smaller it is, the more. */
function worthOf(relativeSize: number): number {
  if (relativeSize > SMALL_SIZE) return 1;
  return relativeSize > 1 / 4 ? 2 : relativeSize > 1 / 8 ? 4 : VISIT_WORTH_MAX;
}
