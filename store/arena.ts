/**
 * The arena: memory off the JavaScript heap, cut into segments, with three queues of segments.
 *
 * A segment is 128 KiB. Records are appended to the newest segment of a queue and never cross a
 * segment's end; so the order of a queue, from its oldest segment to its newest, is the order in
 * which its records were written.
 *
 * A segment is provided before anything is written: what needs one asks `provide`, which may fail,
 * and only then appends, which may not.
 *
 * What always holds: `live` of a segment is the sum of its live records' granules, `fill` is where
 * its next record would go, and every granule from the first to `fill` belongs to one record.
 *
 * @module
 */

import type { Memory } from "./memory.ts";
import { DEAD } from "./record.ts";
import {
  FREE,
  NONE,
  SEGMENT_GRANULES,
  SEGMENT_SHIFT,
  SLAB_MASK,
  SLAB_SHIFT,
  Slabs,
  type Tables,
} from "./slabs.ts";
import {
  LIVE_GRANULES,
  RESERVED_SEGMENTS,
  type Root,
  SEGMENTS_FREE,
  SEGMENTS_USED,
  SLAB_REFUSED,
  type State,
} from "./state.ts";

/** The first granule of a segment that a record may take; reference 0 is thus never a record. */
export const FIRST_GRANULE = 1;

/** The queue of entries that were visited at most once since they were written. */
export const SMALL = 0;
/** The queue of entries that were visited more often. */
export const MAIN = 1;
/** The queue of fragments of large values. Eviction does not use its order. */
export const BULK = 2;
/** The number of one of the three queues. */
export type Queue = typeof SMALL | typeof MAIN | typeof BULK;

/** Segments that can stay in a queue without a live record: the newest of each queue. */
const STUCK_SEGMENTS_MAX = 3;

/** Memory in segments, each of which is free or in one of three queues. */
export class Arena {
  /** The memory that the segments lie in. */
  readonly slabs: Slabs;
  /** The slabs' memory as 32-bit words, and the same memory as bytes. */
  readonly words: Uint32Array[];
  readonly bytes: Uint8Array[];
  /** For each segment: granules of live records, granules used, and the queue it is in. */
  live!: Uint32Array;
  fill!: Uint32Array;
  queueOf!: Uint8Array;
  /** For each segment: the granule that eviction looks at next; what lies before it is dead. */
  hand!: Uint32Array;
  /** For each segment: its neighbours in the queue, towards the newest and towards the oldest. */
  newer!: Int32Array;
  older!: Int32Array;
  /** For each segment: no record of it expires before this time, in milliseconds. */
  dueAt!: Float64Array;
  /** For each queue: its oldest and its newest segment, or -1. */
  readonly oldest: Int32Array;
  readonly newest: Int32Array;
  /** Segments that are being walked and must not be freed meanwhile, or -1. */
  readonly pinned: Int32Array;
  /** The tables that the fields above are of. */
  #tables: Tables | undefined;
  readonly #state: State;

  constructor(memory: Memory, root: Root, bytesMax: number) {
    this.#state = root.numbers;
    this.slabs = new Slabs(memory, root, bytesMax);
    this.words = this.slabs.words;
    this.bytes = this.slabs.bytes;
    this.oldest = root.ends.subarray(0, 3);
    this.newest = root.ends.subarray(3, 6);
    this.pinned = root.ends.subarray(6, 9);
    if (!root.isAttached) root.ends.fill(NONE);
    this.#useTables();
  }

  /** Granules of live records in all segments. */
  get liveGranules(): number {
    return this.#state[LIVE_GRANULES];
  }

  /** Segments that are in a queue. */
  get segmentsUsed(): number {
    return this.#state[SEGMENTS_USED];
  }

  /** Free segments of the slabs held. */
  get segmentsFree(): number {
    return this.#state[SEGMENTS_FREE];
  }

  /** Makes the views again that depend on what another thread has changed. */
  attach(): void {
    this.slabs.attach();
    this.#useTables();
  }

  /** Whether a record of this size needs no further segment at the end of a queue. */
  fits(queue: Queue, granules: number): boolean {
    const segment = this.newest[queue];
    return segment !== NONE && this.fill[segment] + granules <= SEGMENT_GRANULES;
  }

  /**
   * Makes sure that this many segments are free beyond those that are reserved, and takes memory
   * for them if need be. With `retry` it asks for memory even if the last attempt has failed.
   */
  provide(segments: number, retry: boolean): boolean {
    const state = this.#state;
    while (state[SEGMENTS_FREE] - state[RESERVED_SEGMENTS] < segments) {
      if (state[SLAB_REFUSED] === 1 && !retry) return false;
      if (!this.#add()) {
        state[SLAB_REFUSED] = 1;
        return false;
      }
      state[SLAB_REFUSED] = 0;
    }
    return true;
  }

  /** Asks for memory again, if the last attempt has failed; true if there is some now. */
  retry(): boolean {
    const state = this.#state;
    if (state[SLAB_REFUSED] === 0 || !this.#add()) return false;
    state[SLAB_REFUSED] = 0;
    return true;
  }

  /** Whether this many segments could be free if every entry were removed. */
  canEverHold(segments: number): boolean {
    if (this.#state[SLAB_REFUSED] === 1) return this.hasSlabsFor(segments);
    return segments + STUCK_SEGMENTS_MAX <= this.slabs.segmentsMax;
  }

  /** Whether this many segments could be free if every entry were removed, without another slab. */
  hasSlabsFor(segments: number): boolean {
    const state = this.#state;
    return segments + STUCK_SEGMENTS_MAX <= state[SEGMENTS_FREE] + state[SEGMENTS_USED];
  }

  /** Takes space for a record at the end of a queue; returns its reference. */
  append(queue: Queue, granules: number): number {
    let segment = this.newest[queue];
    if (segment === NONE || this.fill[segment] + granules > SEGMENT_GRANULES) {
      const full = segment;
      segment = this.#take();
      this.#link(queue, segment, full);
      if (full !== NONE) this.freeIfEmpty(full);
    }
    return this.appendTo(segment, granules);
  }

  /** Takes space for a record in a segment that is known to have it; returns its reference. */
  appendTo(segment: number, granules: number): number {
    const at = this.fill[segment];
    this.fill[segment] = at + granules;
    this.live[segment] += granules;
    this.#state[LIVE_GRANULES] += granules;
    return ((segment << SEGMENT_SHIFT) | at) >>> 0;
  }

  /** Granules left at the end of a queue's newest segment. */
  granulesLeft(queue: Queue): number {
    const segment = this.newest[queue];
    return segment === NONE ? 0 : SEGMENT_GRANULES - this.fill[segment];
  }

  /** Takes a free segment and puts it in a queue right before another one. */
  insertBefore(queue: Queue, segment: number): number {
    const taken = this.#take();
    this.#link(queue, taken, this.older[segment]);
    return taken;
  }

  /** Marks a record dead; a segment left without any live one is freed. */
  markDead(ref: number, granules: number): void {
    const words = this.words[ref >>> SLAB_SHIFT];
    const at = (ref & SLAB_MASK) << 1;
    words[at] = DEAD;
    words[at + 1] = granules;
    const segment = ref >>> SEGMENT_SHIFT;
    this.#state[LIVE_GRANULES] -= granules;
    if ((this.live[segment] -= granules) === 0) this.freeIfEmpty(segment);
  }

  /** Shortens a live record: its last granules become a dead record. */
  shrink(ref: number, granules: number, granulesBefore: number): void {
    this.markDead(ref + granules, granulesBefore - granules);
  }

  /** Frees a segment without live records, unless it is being written or walked. */
  freeIfEmpty(segment: number): void {
    if (this.live[segment] !== 0) return;
    const queue = this.queueOf[segment];
    if (queue === FREE || segment === this.newest[queue]) return;
    const pinned = this.pinned;
    if (segment === pinned[0] || segment === pinned[1] || segment === pinned[2]) return;
    this.release(segment);
  }

  /** Takes a segment out of its queue and makes it free. Its live records are gone. */
  release(segment: number): void {
    const queue = this.queueOf[segment];
    const older = this.older[segment];
    const newer = this.newer[segment];
    if (older === NONE) this.oldest[queue] = newer;
    else this.newer[older] = newer;
    if (newer === NONE) this.newest[queue] = older;
    else this.older[newer] = older;
    this.queueOf[segment] = FREE;
    this.dueAt[segment] = Infinity;
    this.#state[LIVE_GRANULES] -= this.live[segment];
    this.live[segment] = 0;
    this.slabs.freeSegment(segment, this.#state[RESERVED_SEGMENTS]);
  }

  /** Forgets everything and gives all memory back. */
  clear(): void {
    this.slabs.clear();
    this.oldest.fill(NONE);
    this.newest.fill(NONE);
    this.pinned.fill(NONE);
    const state = this.#state;
    state[LIVE_GRANULES] = state[SLAB_REFUSED] = state[RESERVED_SEGMENTS] = 0;
  }

  /** Puts a segment into a queue behind `older`, or in front of all if that is -1. */
  #link(queue: Queue, segment: number, older: number): void {
    const newer = older === NONE ? this.oldest[queue] : this.newer[older];
    this.older[segment] = older;
    this.newer[segment] = newer;
    if (older === NONE) this.oldest[queue] = segment;
    else this.newer[older] = segment;
    if (newer === NONE) this.newest[queue] = segment;
    else this.older[newer] = segment;
    this.queueOf[segment] = queue;
  }

  /** Takes a free segment, which has been provided. */
  #take(): number {
    const segment = this.slabs.takeSegment();
    this.fill[segment] = this.hand[segment] = FIRST_GRANULE;
    this.live[segment] = 0;
    this.dueAt[segment] = Infinity;
    return segment;
  }

  #add(): boolean {
    const isAdded = this.slabs.add();
    this.#useTables();
    return isAdded;
  }

  #useTables(): void {
    const { tables } = this.slabs;
    if (tables === this.#tables) return;
    this.#tables = tables;
    this.live = tables.live;
    this.fill = tables.fill;
    this.queueOf = tables.queueOf;
    this.hand = tables.hand;
    this.newer = tables.newer;
    this.older = tables.older;
    this.dueAt = tables.dueAt;
  }
}
