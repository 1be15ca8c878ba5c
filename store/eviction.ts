/**
 * Eviction: which entry leaves when space is needed. S3-FIFO, with a share that adapts.
 *
 * New entries join the small queue. When it is larger than its share of the limit, its oldest
 * entry leaves: to the main queue if it was visited, else out of the store. The main queue's oldest
 * entry leaves the store if it was not visited enough since its last turn, else it joins the end
 * again and pays for the turn. So entries that are asked for once pass through the small queue
 * without displacing entries that are asked for often, and a store that is never read is first in,
 * first out.
 *
 * The ghost remembers recently evicted keys. A key that comes back soon after the small
 * queue dropped it shows that the small queue is too small, one that the main queue dropped shows
 * the opposite: each moves the share a little, and a large entry moves it less. "Soon" is measured
 * in bytes evicted from that queue: it would have been found, had the queue been a sixteenth of the
 * limit larger.
 *
 * The ghost also says where a key that comes back starts. It joins the main queue only if that has
 * made less than half a turn in the meantime: then it will probably be visited before its turn
 * comes. A loop over more keys than the store can hold thus leaves the main queue alone. A large
 * entry must be back much sooner, with the cube of its size: two requests do not pay for its space.
 *
 * Each visit adds to an entry's credit, each turn of the main queue costs a fixed amount of it. A
 * visit of a small entry adds more, and of a large one less, so that several small ones can stay in
 * the space of one: as GDSF does it, but with steps of a turn in place of a priority queue. Small
 * entries that were not visited join the main queue too, on probation, as long as that pays: a
 * visit of one on probation adds to a score, each turn of one without a visit takes from it, so a
 * scan of small entries soon ends the probation. A second score weighs visits more; while it is
 * negative, small entries are a scan, and large ones need not be back sooner than others. A store
 * that is never read has next to no main queue, and no probation.
 *
 * What always holds: entries are chosen only at the old end of a queue, and each step looks at one
 * record. Sources: Yang et al., "FIFO queues are all you need for cache eviction", 2023, for the
 * two queues and the ghost; Cherkasova's GDSF, 1998, for credit by size; Jiang and Zhang's LIRS,
 * 2002, for the admission by reuse distance. The constants were chosen by simulation; see
 * docs/benchmarks.md.
 *
 * @module
 */

import { MAIN, SMALL } from "./arena.ts";
import type { Compaction } from "./compaction.ts";
import type { Entries } from "./entries.ts";
import { Ghost, STAMPS, TURNS } from "./ghost.ts";
import { InvariantError } from "./invariant.ts";
import { DEAD, EXPIRES, headerBytesOf, PROBATION, recordGranules, VISITS_SHIFT } from "./record.ts";
import { SEGMENT_SHIFT, SLAB_MASK, SLAB_SHIFT } from "./slabs.ts";
import type { Memory } from "./memory.ts";
import {
  EVICTED_BYTES,
  EVICTIONS,
  EXPIRATIONS,
  LIMIT_SHARE,
  MAIN_TURNS,
  PROBATION_PASSED,
  PROBATION_SCORE,
  REINSERTIONS,
  type Root,
  SCAN_SCORE,
  SMALL_BYTES_MAX,
  type State,
} from "./state.ts";
import type { StoreObserver } from "./storage.ts";

/** The credit that a turn costs, and that a visit of an entry of about the mean size adds. */
const TURN_CREDIT = 8;
/**
 * A visit of a small entry adds more, up to this; two of them count. Of others, three count: more
 * would keep entries that are no longer asked for, without a gain.
 */
const VISIT_CREDIT_MAX = 64;
const VISITS_MAX_SMALL = 2;
const VISITS_MAX = 3;
const CREDIT_MAX = VISIT_CREDIT_MAX * VISITS_MAX_SMALL;
/** The small queue's share of the limit: at first, and its bounds. */
const SHARE_FIRST = 1 / 10;
const SHARE_MIN = 1 / 64;
const SHARE_MAX = 9 / 10;
/** From these shares on, recency pays, and an old entry gets two more passes, or one. */
const SHARE_TWO_PASSES = 1 / 20;
const SHARE_ONE_PASS = 1 / 5;
/** A returning key moves the share by the bytes of 8 mean entries, and by this share at most. */
const SHARE_STEP_ENTRIES = 8;
const SHARE_STEP_MAX = 1 / 128;
/** A stamp of the ghost is this share of the limit evicted; a return within 4 stamps is soon. */
const STAMP_SHARE = 1 / 64;
const STAMPS_SOON = 4;
/** Times the mean: up to the first, an entry is small, from the second on, large. */
const SIZE_SMALL = 3 / 4;
const SIZE_LARGE = 3 / 2;
/**
 * A key is back in time for the main queue within half a turn of it; that of an entry larger than
 * this, times the mean, sooner. The ghost counts turns in parts.
 */
const SIZE_IN_TIME = 7 / 2;
const TURN_STAMPS = 32;
const TURN_STAMPS_IN_TIME = 16;
/** Probation needs a main queue with more than this share of the limit. */
const PROBATION_MAIN_SHARE = 1 / 64;
/** A visit on probation makes up for 8 turns without one, or 64 in the second score; the bound. */
const PROBATION_HIT_SCORE = 8;
const SCAN_HIT_SCORE = 64;
const SCORE_MAX = 1000;
/** While the score is below 0, one in 16 is still put on probation, to notice when that changes. */
const PROBATION_EVERY = 16;
/** Entries that the main queue keeps in a row before it evicts one regardless of its visits. */
const REINSERTIONS_MAX = 32;
const WORD0_REST = (1 << VISITS_SHIFT) - 1;

/** The result of `recall` for a key that the ghost does not remember. */
export const NOT_RECALLED = -1;
/** Added to the result of `recall` for a key that was evicted a short time ago. */
const SOON = 2 ** 32;
/** Times this, the age of the eviction is added too, in parts of a turn of the main queue. */
const AGE = 2 ** 33;

/** The policy of S3-FIFO: counts visits, chooses queues, and evicts. */
export class Eviction {
  readonly #entries: Entries;
  readonly #compaction: Compaction;
  readonly #ghost: Ghost;
  readonly #state: State;
  /** Bytes ever evicted from the small and from the main queue. */
  readonly #evictedBytes: Float64Array;
  /** Is told of each entry that is evicted. */
  observer: StoreObserver | undefined;

  constructor(
    entries: Entries,
    compaction: Compaction,
    memory: Memory,
    root: Root,
    limitShare: number,
  ) {
    this.#entries = entries;
    this.#compaction = compaction;
    this.#state = entries.state;
    this.#ghost = new Ghost(memory, root);
    this.#evictedBytes = this.#state.subarray(EVICTED_BYTES, EVICTED_BYTES + 2);
    if (root.isAttached) return;
    this.#state[LIMIT_SHARE] = limitShare;
    this.#state[SMALL_BYTES_MAX] = limitShare * SHARE_FIRST;
  }

  /** Makes the views again that depend on what another thread has changed. */
  attach(): void {
    this.#ghost.attach();
  }

  /** The limit has changed: the small queue keeps its part of it. */
  limitChanged(limitShare: number): void {
    const state = this.#state;
    if (limitShare === state[LIMIT_SHARE]) return;
    state[SMALL_BYTES_MAX] *= limitShare / state[LIMIT_SHARE];
    state[LIMIT_SHARE] = limitShare;
  }

  /** Bytes of memory held. */
  get heldBytes(): number {
    return this.#ghost.heldBytes;
  }

  /** Counts a visit of an entry: it was read, or overwritten. */
  touch(ref: number): void {
    const words = this.#entries.arena.words[ref >>> SLAB_SHIFT];
    const at = (ref & SLAB_MASK) << 1;
    const word0 = words[at];
    const credit = word0 >>> VISITS_SHIFT;
    if (credit === CREDIT_MAX) return;
    let rest = word0 & WORD0_REST;
    if ((rest & PROBATION) !== 0) {
      rest &= ~PROBATION;
      this.#score(PROBATION_HIT_SCORE, SCAN_HIT_SCORE);
    }
    const size = this.#relativeSize((word0 & 0xffff) + words[at + 1]);
    const visit = visitCredit(size);
    const smallMax = this.#state[SMALL_BYTES_MAX];
    const limit = this.#state[LIMIT_SHARE];
    const turns = smallMax > limit * SHARE_ONE_PASS
      ? 1
      : smallMax > limit * SHARE_TWO_PASSES
      ? 2
      : VISITS_MAX;
    const most = size <= SIZE_SMALL
      ? Math.min(turns, VISITS_MAX_SMALL) * visit
      : turns * TURN_CREDIT;
    const after = Math.max(credit, Math.min(credit + visit, most));
    const counted = rest + after * (1 << VISITS_SHIFT);
    // A line of memory that is not written stays in the caches of other threads.
    if (counted !== word0) words[at] = counted;
  }

  /**
   * What the ghost remembers of a key, which it then forgets: a number for `queueFor` and `admit`,
   * or NOT_RECALLED. To be called before space is made for the key, which could push it out.
   */
  recall(hash: number): number {
    const slot = this.#ghost.take(hash);
    if (slot === -1) return NOT_RECALLED;
    const age = (this.#stamp(Ghost.queueOf(slot)) - Ghost.stampOf(slot) + STAMPS) % STAMPS;
    const turnAge = (this.#turnStamp() - Ghost.turnsOf(slot)) & (TURNS - 1);
    return slot + (age <= STAMPS_SOON ? SOON : 0) + turnAge * AGE;
  }

  /** Undoes `recall`, for a put that comes to nothing or is tried again. */
  restore(hash: number, recalled: number): void {
    if (recalled !== NOT_RECALLED) this.#ghost.restore(hash, recalled >>> 0);
  }

  /** The queue that a new entry of this many bytes joins, from what was recalled of its key. */
  queueFor(recalled: number, bytes: number): typeof SMALL | typeof MAIN {
    // A key that the main queue dropped starts in the small queue: otherwise a loop over more keys
    // than the store holds would fill the main queue.
    if (recalled === NOT_RECALLED || Ghost.queueOf(recalled >>> 0) === MAIN) return SMALL;
    const age = Math.floor(recalled / AGE);
    const isScanned = this.#state[SCAN_SCORE] < 0;
    const size = isScanned ? 1 : Math.max(this.#relativeSize(bytes) / SIZE_IN_TIME, 1);
    return (age + 1) * size ** 3 < TURN_STAMPS_IN_TIME ? MAIN : SMALL;
  }

  /** An entry was stored: if its key came back soon, the small queue's share moves. */
  admit(recalled: number, bytes: number): void {
    if (recalled % AGE < SOON) return;
    const limit = this.#state[LIMIT_SHARE];
    // One miss is one miss, whatever the size; but what a longer small queue finds of large entries
    // the store would not keep, so these move the share less.
    const mean = Math.max(this.#entries.usage, 1) / Math.max(this.#entries.index.entries, 1);
    const step = Math.min(mean * SHARE_STEP_ENTRIES, limit * SHARE_STEP_MAX) /
      Math.cbrt(Math.max(bytes / mean, 1));
    const moved = this.#state[SMALL_BYTES_MAX] +
      (Ghost.queueOf(recalled >>> 0) === SMALL ? step : -step);
    this.#state[SMALL_BYTES_MAX] = Math.min(
      Math.max(moved, limit * SHARE_MIN),
      limit * SHARE_MAX,
    );
  }

  /** Forgets what was evicted. */
  clear(): void {
    this.#ghost.clear();
  }

  /** Looks at the record whose turn it is: passes it by, keeps it, or removes it. */
  step(now: number): void {
    const arena = this.#entries.arena;
    const queue = this.#queueToShrink();
    const segment = arena.oldest[queue];
    if (segment === -1) throw new InvariantError("there is nothing to evict");
    this.#compaction.stopAt(segment);
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
    if ((word0 & EXPIRES) !== 0 && this.#entries.expiryOf(ref) <= now) {
      this.#state[EXPIRATIONS]++;
      this.#entries.remove(ref);
      return;
    }
    if ((word0 & PROBATION) !== 0) this.#score(-1, -1);
    const bytes = (word0 & 0xffff) + words[at + 1];
    if (queue === MAIN) this.#state[MAIN_TURNS] += bytes / Math.max(this.#entries.usageOf[MAIN], 1);
    if (!this.#keep(ref, queue, word0, bytes, granules)) this.#evict(ref, queue, bytes);
  }

  /** Evicts this entry, wherever it lies. */
  evict(ref: number): void {
    const queue = this.#entries.queueOf(ref) === MAIN ? MAIN : SMALL;
    this.#evict(ref, queue, this.#entries.bytesOf(ref));
  }

  /** Moves an entry to the end of the main queue, if it has earned that and there is memory. */
  #keep(ref: number, queue: number, word0: number, bytes: number, granules: number): boolean {
    const { arena } = this.#entries;
    const credit = word0 >>> VISITS_SHIFT;
    const size = this.#relativeSize(bytes);
    const earned = credit >= TURN_CREDIT;
    const probation = !earned && queue === SMALL && size <= SIZE_SMALL && this.#triesProbation();
    if (!earned && !probation) return false;
    if (this.#state[REINSERTIONS] >= REINSERTIONS_MAX) return false;
    if (!arena.fits(MAIN, granules) && !arena.provide(1, false)) return false;
    if (queue === MAIN) this.#state[REINSERTIONS]++;
    const left = this.#creditLeft(queue, credit, size, probation);
    const kept = (word0 & WORD0_REST | (probation ? PROBATION : 0)) + left * (1 << VISITS_SHIFT);
    this.#entries.moveTo(arena.append(MAIN, granules), ref, granules, kept);
    return true;
  }

  /** What remains of the credit of an entry that joins the end of the main queue. */
  #creditLeft(queue: number, credit: number, size: number, probation: boolean): number {
    if (probation) return this.#state[SCAN_SCORE] < 0 ? 0 : visitCredit(size) >> 1;
    // From the small queue, only small entries bring the credit that they do not need.
    return queue === MAIN || size <= SIZE_SMALL ? credit - TURN_CREDIT : 0;
  }

  #evict(ref: number, queue: typeof SMALL | typeof MAIN, bytes: number): void {
    const entries = this.#entries;
    this.#state[REINSERTIONS] = 0;
    this.#state[EVICTIONS]++;
    if (this.observer !== undefined) this.#report(ref, this.observer);
    this.#ghost.fit(entries.index.entries);
    this.#evictedBytes[queue] += bytes;
    this.#ghost.add(entries.hashOf(ref), queue, this.#stamp(queue), this.#turnStamp());
    entries.remove(ref);
  }

  /** Tells of an entry that is about to be evicted. */
  #report(ref: number, observer: StoreObserver): void {
    const slab = ref >>> SLAB_SHIFT;
    const { arena } = this.#entries;
    const at = (ref & SLAB_MASK) << 1;
    const word0 = arena.words[slab][at];
    const start = (at << 2) + headerBytesOf(word0);
    observer.evicted(arena.bytes[slab], start, start + (word0 & 0xffff));
  }

  /** The small queue if it has more than its share, or if there is nothing else. */
  #queueToShrink(): typeof SMALL | typeof MAIN {
    const usageOf = this.#entries.usageOf;
    const small = usageOf[SMALL];
    if (usageOf[MAIN] === 0) return SMALL;
    return small > this.#state[SMALL_BYTES_MAX] && this.#holdsSeveral() ? SMALL : MAIN;
  }

  /**
   * Whether the small queue has more than one entry, so that a large newcomer is not the victim.
   */
  #holdsSeveral(): boolean {
    const arena = this.#entries.arena;
    const segment = arena.oldest[SMALL];
    const hand = arena.hand[segment];
    if (segment !== arena.newest[SMALL] || hand >= arena.fill[segment]) return true;
    const ref = ((segment << SEGMENT_SHIFT) | hand) >>> 0;
    const dead = (this.#entries.word(ref, 0) & DEAD) !== 0;
    return dead || this.#entries.bytesOf(ref) < this.#entries.usageOf[SMALL];
  }

  /** Whether a small entry that was not visited joins the main queue on probation. */
  #triesProbation(): boolean {
    if (this.#entries.usageOf[MAIN] <= this.#state[LIMIT_SHARE] * PROBATION_MAIN_SHARE) {
      return false;
    }
    if (this.#state[PROBATION_SCORE] >= 0) return true;
    return ++this.#state[PROBATION_PASSED] % PROBATION_EVERY === 0;
  }

  /** Adds to the score of probation and to that of scans. */
  #score(change: number, scanChange: number): void {
    const state = this.#state;
    state[PROBATION_SCORE] = bounded(state[PROBATION_SCORE] + change);
    state[SCAN_SCORE] = bounded(state[SCAN_SCORE] + scanChange);
  }

  /** How many times the mean entry's bytes these are. */
  #relativeSize(bytes: number): number {
    return bytes * this.#entries.index.entries / Math.max(this.#entries.usage, 1);
  }

  #stamp(queue: number): number {
    return Math.floor(this.#evictedBytes[queue] / (this.#state[LIMIT_SHARE] * STAMP_SHARE)) %
      STAMPS;
  }

  #turnStamp(): number {
    return (this.#state[MAIN_TURNS] * TURN_STAMPS) & (TURNS - 1);
  }
}

function bounded(score: number): number {
  return Math.max(-SCORE_MAX, Math.min(score, SCORE_MAX));
}

/** What a visit adds to the credit of an entry: the smaller the entry, the more. */
function visitCredit(relativeSize: number): number {
  if (relativeSize > SIZE_LARGE) {
    // TURN_CREDIT by the cube root of the size, without computing that for each visit.
    if (relativeSize > 8) return relativeSize > 64 ? 1 : relativeSize > 19 ? 2 : 3;
    return relativeSize > 4.1 ? 4 : relativeSize > 2.4 ? 5 : 6;
  }
  if (relativeSize > SIZE_SMALL) return TURN_CREDIT;
  return Math.min(Math.floor(TURN_CREDIT / relativeSize), VISIT_CREDIT_MAX);
}
