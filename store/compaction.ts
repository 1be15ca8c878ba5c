/**
 * Compaction: gives back the space of dead records, a few records at a time, without changing the
 * order of any queue.
 *
 * Eviction frees whole segments by itself. Deletes and overwrites leave holes; once these are more
 * than a fixed share of the memory in use, a pass slides over the queues: the live records of
 * segments with holes move, in their order, into fresh segments that take their place in the
 * queue. Each write does a share of the pass in proportion to the space it takes, so the pass keeps
 * ahead of the writes and no request pays for much of it.
 *
 * What always holds: between two steps every record is whole and found, and a pass may be dropped
 * at any time.
 *
 * @module
 */

import { BULK, FIRST_GRANULE, type Queue } from "./arena.ts";
import type { Entries } from "./entries.ts";
import { FREE, NONE, SEGMENT_GRANULES, SEGMENT_SHIFT, SLAB_MASK, SLAB_SHIFT } from "./slabs.ts";
import {
  COMPACTION_AT,
  COMPACTION_QUEUE,
  COMPACTION_SOURCE,
  COMPACTION_TARGET,
  RECORDS_MOVED,
  type Root,
  type State,
} from "./state.ts";
import { DEAD, recordGranules } from "./record.ts";

/** A pass begins when holes exceed this share of the live granules, */
const HOLES_SHARE_MAX = 0.08;
/** and this many segments in addition, so that a small store is not compacted all the time. */
const HOLES_SEGMENTS_MAX = 4;
/** A pass leaves a segment as it is when its holes are less than this share of it. */
const SEGMENT_HOLES_SHARE_MIN = 0.04;
/** Granules that a pass walks for each granule written, and for each write besides. */
const WALK_PER_GRANULE = 12;
const WALK_PER_WRITE = 64;
/** Granules that one write walks at most. */
const WALK_MAX = SEGMENT_GRANULES;

/** Closes holes by passes over the queues, of which at most one is under way. */
export class Compaction {
  readonly #entries: Entries;
  readonly #state: State;

  constructor(entries: Entries, root: Root) {
    this.#entries = entries;
    this.#state = entries.state;
    if (root.isAttached) return;
    this.#state[COMPACTION_QUEUE] = FREE;
    this.#state[COMPACTION_SOURCE] = this.#state[COMPACTION_TARGET] = NONE;
  }

  /** Whether there are enough holes for a pass. */
  get due(): boolean {
    const arena = this.#entries.arena;
    const holes = arena.segmentsUsed * SEGMENT_GRANULES - arena.liveGranules;
    return holes > arena.liveGranules * HOLES_SHARE_MAX + HOLES_SEGMENTS_MAX * SEGMENT_GRANULES;
  }

  /** Does a share of a pass, if one is due, in proportion to the granules that were written. */
  schedule(granules: number): void {
    if (this.#state[COMPACTION_QUEUE] === FREE) {
      if (this.#entries.arena.segmentsFree > HOLES_SEGMENTS_MAX * 2 || !this.due) return;
      this.#enter(0);
    }
    let left = Math.min(granules * WALK_PER_GRANULE + WALK_PER_WRITE, WALK_MAX);
    while (left > 0 && this.#state[COMPACTION_QUEUE] !== FREE) left -= this.#step();
  }

  /** Drops a pass that works on this segment, because eviction is about to walk it. */
  stopAt(segment: number): void {
    if (segment === this.#state[COMPACTION_SOURCE] || segment === this.#state[COMPACTION_TARGET]) {
      this.stop();
    }
  }

  /** Drops the pass. */
  stop(): void {
    this.#leave();
    this.#state[COMPACTION_QUEUE] = FREE;
  }

  /** Begins with the queue `queue`, or the first after it that has something to do. */
  #enter(queue: number): void {
    const arena = this.#entries.arena;
    for (; queue <= BULK; queue++) {
      const oldest = arena.oldest[queue];
      if (oldest === NONE) continue;
      this.#state[COMPACTION_QUEUE] = queue;
      // The oldest segment of the other queues is being walked by eviction.
      this.#choose(queue === BULK ? oldest : arena.newer[oldest]);
      if (this.#state[COMPACTION_SOURCE] !== NONE) return;
    }
    this.#state[COMPACTION_QUEUE] = FREE;
  }

  /** Takes the first segment from `segment` on that is worth emptying; NONE at the queue's end. */
  #choose(segment: number): void {
    const arena = this.#entries.arena;
    const newest = arena.newest[this.#state[COMPACTION_QUEUE]];
    while (segment !== NONE && segment !== newest) {
      const holes = SEGMENT_GRANULES - arena.live[segment];
      if (holes > SEGMENT_GRANULES * SEGMENT_HOLES_SHARE_MIN) break;
      this.#close();
      segment = arena.newer[segment];
    }
    if (segment === newest) segment = NONE;
    this.#state[COMPACTION_SOURCE] = segment;
    this.#state[COMPACTION_AT] = FIRST_GRANULE;
    arena.pinned[0] = segment;
  }

  /** Passes one record, and moves it if it is live; returns the granules walked. */
  #step(): number {
    const entries = this.#entries;
    const arena = entries.arena;
    const source = this.#state[COMPACTION_SOURCE];
    if (this.#state[COMPACTION_AT] >= arena.fill[source]) {
      this.#finishSource();
      return 1;
    }
    const ref = ((source << SEGMENT_SHIFT) | this.#state[COMPACTION_AT]) >>> 0;
    const words = arena.words[ref >>> SLAB_SHIFT];
    const at = (ref & SLAB_MASK) << 1;
    const word0 = words[at];
    const granules = recordGranules(word0, words[at + 1]);
    if ((word0 & DEAD) !== 0) {
      this.#state[COMPACTION_AT] += granules;
      return 1;
    }
    let target = this.#state[COMPACTION_TARGET];
    if (target === NONE || arena.fill[target] + granules > SEGMENT_GRANULES) {
      this.#close();
      if (!arena.provide(1, false)) {
        this.stop();
        return granules;
      }
      target = this.#state[COMPACTION_TARGET] = arena.insertBefore(
        this.#state[COMPACTION_QUEUE] as Queue,
        source,
      );
      arena.pinned[1] = target;
    }
    this.#state[COMPACTION_AT] += granules;
    entries.moveTo(arena.appendTo(target, granules), ref, granules, word0);
    this.#state[RECORDS_MOVED]++;
    return granules + 8;
  }

  #finishSource(): void {
    const arena = this.#entries.arena;
    const source = this.#state[COMPACTION_SOURCE];
    const next = arena.newer[source];
    arena.pinned[0] = NONE;
    arena.freeIfEmpty(source);
    this.#choose(next);
    if (this.#state[COMPACTION_SOURCE] === NONE) {
      const queue = this.#state[COMPACTION_QUEUE];
      this.#leave();
      this.#enter(queue + 1);
    }
  }

  /** The segment being filled takes no more. */
  #close(): void {
    const arena = this.#entries.arena;
    const target = this.#state[COMPACTION_TARGET];
    this.#state[COMPACTION_TARGET] = arena.pinned[1] = NONE;
    if (target !== NONE) arena.freeIfEmpty(target);
  }

  #leave(): void {
    const arena = this.#entries.arena;
    const source = this.#state[COMPACTION_SOURCE];
    this.#close();
    this.#state[COMPACTION_SOURCE] = arena.pinned[0] = NONE;
    if (source !== NONE) arena.freeIfEmpty(source);
  }
}
