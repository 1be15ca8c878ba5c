/**
 * The arena: memory off the JavaScript heap, cut into segments, with three queues of segments.
 *
 * A segment is 128 KiB. Records are appended to the newest segment of a queue and never cross a
 * segment's end; so the order of a queue, from its oldest segment to its newest, is the order in
 * which its records were written. Memory is taken in slabs of eight segments when it is first
 * needed, and given back when all eight are free.
 *
 * What always holds: `live` of a segment is the sum of its live records' granules, `fill` is where
 * its next record would go, and every granule from the first to `fill` belongs to one record.
 *
 * @module
 */

import { DEAD, GRANULE_BYTES } from "./record.ts";
import {
  type Allocate,
  LIVE_GRANULES,
  SEGMENTS_FREE,
  SEGMENTS_USED,
  SLAB_HINT,
  type State,
} from "./state.ts";

/** Bytes of a segment. The longest key fits one with room to spare. */
export const SEGMENT_BYTES = 131_072;
/** Granules of a segment, and the shift that finds a reference's segment. */
export const SEGMENT_GRANULES = SEGMENT_BYTES / GRANULE_BYTES;
export const SEGMENT_SHIFT = 14;
const SLAB_SEGMENTS = 8;
const SLAB_SEGMENTS_SHIFT = 3;
const SLAB_ALL_FREE = (1 << SLAB_SEGMENTS) - 1;
/** The shift that finds a reference's slab, and the mask of its granule inside the slab. */
export const SLAB_SHIFT = SEGMENT_SHIFT + SLAB_SEGMENTS_SHIFT;
export const SLAB_MASK = (1 << SLAB_SHIFT) - 1;
/** Bytes of a slab, the unit in which memory is taken from the system. */
export const SLAB_BYTES = SLAB_SEGMENTS * SEGMENT_BYTES;
/** The first granule of a segment that a record may take; reference 0 is thus never a record. */
export const FIRST_GRANULE = 1;
/** References have 32 bits: the most slabs that can be addressed, 32 GiB. */
const SLABS_MAX = 2 ** (32 - SLAB_SHIFT);

/** Entries seen at most once since they came. */
export const SMALL = 0;
/** Entries that proved themselves. */
export const MAIN = 1;
/** Fragments of large values; nothing is evicted by its order. */
export const BULK = 2;
/** A segment of no queue. */
export const FREE = 3;
/** One of the three queues. */
export type Queue = typeof SMALL | typeof MAIN | typeof BULK;

const NONE = -1;
/** Free segments are kept up to this share of those in use, and at least a slab of them. */
const SPARE_SHARE = 0.03;
/** Segments that the tables have room for at first; they double. */
const SEGMENTS_FIRST = 64;
const NO_WORDS = new Uint32Array(0);
const NO_BYTES = new Uint8Array(0);

/** Segments of memory in three queues; see the top of this file. */
export class Arena {
  /** The slabs' memory as 32-bit words, and the same memory as bytes. */
  readonly words: Uint32Array[] = [];
  readonly bytes: Uint8Array[] = [];
  /** For each segment: granules of live records, granules used, and the queue it is in. */
  live: Uint32Array;
  fill: Uint32Array;
  queueOf: Uint8Array;
  /** For each segment: the granule that eviction looks at next; what lies before it is dead. */
  hand: Uint32Array;
  /** For each segment: its neighbours in the queue, towards the newest and towards the oldest. */
  newer: Int32Array;
  older: Int32Array;
  /** For each segment: no record of it expires before this time, in milliseconds. */
  dueAt: Float64Array;
  /** For each queue: its oldest and its newest segment, or -1. */
  readonly oldest: Int32Array;
  readonly newest: Int32Array;
  /** Segments that are being walked and must not be freed meanwhile, or -1. */
  readonly pinned: Int32Array;
  /** For each slab: which of its segments are free, a bit each. */
  #slabFree: Uint8Array;
  readonly #allocate: Allocate;
  readonly #state: State;

  constructor(allocate: Allocate, state: State) {
    this.#allocate = allocate;
    this.#state = state;
    this.live = new Uint32Array(allocate(SEGMENTS_FIRST * 4));
    this.fill = new Uint32Array(allocate(SEGMENTS_FIRST * 4));
    this.hand = new Uint32Array(allocate(SEGMENTS_FIRST * 4));
    this.queueOf = new Uint8Array(allocate(SEGMENTS_FIRST)).fill(FREE);
    this.newer = new Int32Array(allocate(SEGMENTS_FIRST * 4)).fill(NONE);
    this.older = new Int32Array(allocate(SEGMENTS_FIRST * 4)).fill(NONE);
    this.dueAt = new Float64Array(allocate(SEGMENTS_FIRST * 8)).fill(Infinity);
    this.oldest = new Int32Array(allocate(3 * 4)).fill(NONE);
    this.newest = new Int32Array(allocate(3 * 4)).fill(NONE);
    this.pinned = new Int32Array(allocate(3 * 4)).fill(NONE);
    this.#slabFree = new Uint8Array(allocate(SEGMENTS_FIRST / SLAB_SEGMENTS));
  }

  /** Granules of live records in all segments. */
  get liveGranules(): number {
    return this.#state[LIVE_GRANULES];
  }

  /** Segments that are in a queue. */
  get segmentsUsed(): number {
    return this.#state[SEGMENTS_USED];
  }

  /** Segments of slabs that are there but in no queue. */
  get segmentsFree(): number {
    return this.#state[SEGMENTS_FREE];
  }

  /** Bytes of memory held, free segments included. */
  get heldBytes(): number {
    return (this.segmentsUsed + this.segmentsFree) * SEGMENT_BYTES;
  }

  /** Segments that exist, free ones and those of slabs given back included. */
  get segments(): number {
    return this.words.length * SLAB_SEGMENTS;
  }

  /** Takes room for a record at the end of a queue; returns its reference. */
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

  /** Takes room for a record in a segment that is known to have it; returns its reference. */
  appendTo(segment: number, granules: number): number {
    const at = this.fill[segment];
    this.fill[segment] = at + granules;
    this.live[segment] += granules;
    this.#state[LIVE_GRANULES] += granules;
    return ((segment << SEGMENT_SHIFT) | at) >>> 0;
  }

  /** Granules left at the end of a queue's newest segment. */
  roomLeft(queue: Queue): number {
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
  kill(ref: number, granules: number): void {
    const words = this.words[ref >>> SLAB_SHIFT];
    const at = (ref & SLAB_MASK) << 1;
    words[at] = DEAD;
    words[at + 1] = granules;
    const segment = ref >>> SEGMENT_SHIFT;
    this.#state[LIVE_GRANULES] -= granules;
    if ((this.live[segment] -= granules) === 0) this.freeIfEmpty(segment);
  }

  /** A live record gave up its last granules: they become a dead record of their own. */
  shrink(ref: number, granules: number, granulesBefore: number): void {
    this.kill(ref + granules, granulesBefore - granules);
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
    const state = this.#state;
    state[SEGMENTS_USED]--;
    state[SEGMENTS_FREE]++;
    const slab = segment >>> SLAB_SEGMENTS_SHIFT;
    this.#slabFree[slab] |= 1 << (segment & (SLAB_SEGMENTS - 1));
    if (slab < state[SLAB_HINT]) state[SLAB_HINT] = slab;
    const spare = Math.max(SLAB_SEGMENTS, state[SEGMENTS_USED] * SPARE_SHARE);
    if (this.#slabFree[slab] === SLAB_ALL_FREE && state[SEGMENTS_FREE] - SLAB_SEGMENTS >= spare) {
      this.#dropSlab(slab);
    }
  }

  /** Forgets everything and gives all memory back. */
  clear(): void {
    this.words.length = this.bytes.length = 0;
    this.#slabFree.fill(0);
    this.live.fill(0);
    this.queueOf.fill(FREE);
    this.dueAt.fill(Infinity);
    this.oldest.fill(NONE);
    this.newest.fill(NONE);
    this.pinned.fill(NONE);
    const state = this.#state;
    state[LIVE_GRANULES] =
      state[SEGMENTS_USED] =
      state[SEGMENTS_FREE] =
      state[SLAB_HINT] =
        0;
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

  /** Takes a free segment, of the lowest slab that has one, so that the highest can empty. */
  #take(): number {
    const state = this.#state;
    let slab = state[SLAB_HINT];
    if (state[SEGMENTS_FREE] === 0) slab = this.#addSlab();
    else while (this.#slabFree[slab] === 0) slab++;
    state[SLAB_HINT] = slab;
    const free = this.#slabFree[slab];
    const bit = 31 - Math.clz32(free & -free);
    this.#slabFree[slab] = free & ~(1 << bit);
    const segment = (slab << SLAB_SEGMENTS_SHIFT) | bit;
    state[SEGMENTS_FREE]--;
    state[SEGMENTS_USED]++;
    this.fill[segment] = this.hand[segment] = FIRST_GRANULE;
    this.live[segment] = 0;
    this.dueAt[segment] = Infinity;
    return segment;
  }

  #addSlab(): number {
    let slab = this.words.indexOf(NO_WORDS);
    if (slab < 0) slab = this.words.length;
    if (slab >= SLABS_MAX) throw new RangeError("Cannot grow the arena: 32 GiB are in use");
    const memory = this.#allocate(SLAB_BYTES);
    this.words[slab] = new Uint32Array(memory);
    this.bytes[slab] = new Uint8Array(memory);
    if (this.segments > this.live.length) this.#growTables();
    this.#slabFree[slab] = SLAB_ALL_FREE;
    this.#state[SEGMENTS_FREE] += SLAB_SEGMENTS;
    return slab;
  }

  #dropSlab(slab: number): void {
    this.words[slab] = NO_WORDS;
    this.bytes[slab] = NO_BYTES;
    this.#slabFree[slab] = 0;
    this.#state[SEGMENTS_FREE] -= SLAB_SEGMENTS;
  }

  #growTables(): void {
    const size = this.live.length * 2;
    const grown = <T extends { set(from: T): void }>(to: T, from: T): T => {
      to.set(from);
      return to;
    };
    const allocate = this.#allocate;
    this.live = grown(new Uint32Array(allocate(size * 4)), this.live);
    this.fill = grown(new Uint32Array(allocate(size * 4)), this.fill);
    this.hand = grown(new Uint32Array(allocate(size * 4)), this.hand);
    this.queueOf = grown(new Uint8Array(allocate(size)).fill(FREE), this.queueOf);
    this.newer = grown(new Int32Array(allocate(size * 4)), this.newer);
    this.older = grown(new Int32Array(allocate(size * 4)), this.older);
    this.dueAt = grown(new Float64Array(allocate(size * 8)).fill(Infinity), this.dueAt);
    this.#slabFree = grown(new Uint8Array(allocate(size / SLAB_SEGMENTS)), this.#slabFree);
  }
}
