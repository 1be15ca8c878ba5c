/**
 * The arena: memory off the JavaScript heap, cut into segments, with three queues of segments.
 *
 * A segment is 128 KiB. Records are appended to the newest segment of a queue and never cross a
 * segment's end; so the order of a queue, from its oldest segment to its newest, is the order in
 * which its records were written. Memory is taken in slabs of eight segments when it is first
 * needed, and given back when all eight are free.
 *
 * A segment is provided before anything is written: what needs one asks `provide`, which may fail,
 * and only then appends, which may not.
 *
 * What always holds: `live` of a segment is the sum of its live records' granules, `fill` is where
 * its next record would go, and every granule from the first to `fill` belongs to one record.
 *
 * @module
 */

import { InvariantError } from "./invariant.ts";
import { DEAD, GRANULE_BYTES } from "./record.ts";
import {
  type Allocate,
  LIVE_GRANULES,
  RESERVED_SEGMENTS,
  SEGMENTS_FREE,
  SEGMENTS_USED,
  SLAB_HINT,
  SLAB_REFUSED,
  type State,
  tryAllocate,
} from "./state.ts";

/** Bytes of a segment. The longest key fits one with space to spare. */
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
/** References have 32 bits: the most memory that can be addressed, 32 GiB. */
export const ARENA_BYTES_MAX = 2 ** (32 - SLAB_SHIFT) * SLAB_BYTES;

/** The queue of entries that were visited at most once since they were written. */
export const SMALL = 0;
/** The queue of entries that were visited more often. */
export const MAIN = 1;
/** The queue of fragments of large values. Eviction does not use its order. */
export const BULK = 2;
/** The mark of a segment that is in no queue. */
export const FREE = 3;
/** The number of one of the three queues. */
export type Queue = typeof SMALL | typeof MAIN | typeof BULK;

const NONE = -1;
/** Free segments are kept up to this share of those in use, and at least a slab of them. */
const SPARE_SHARE = 0.03;
/** Segments that can stay in a queue without a live record: the newest of each queue. */
const STUCK_SEGMENTS_MAX = 3;
/** Segments that the tables have entries for at first; they double. */
const SEGMENTS_FIRST = 64;
const NO_WORDS = new Uint32Array(0);
const NO_BYTES = new Uint8Array(0);

/** Memory in segments, each of which is free or in one of three queues. */
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
  readonly #slabsMax: number;
  readonly #state: State;

  constructor(allocate: Allocate, state: State, bytesMax: number) {
    this.#allocate = allocate;
    this.#slabsMax = Math.floor(bytesMax / SLAB_BYTES);
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

  /** Free segments of the slabs held. */
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
      if (!this.#addSlab()) {
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
    if (state[SLAB_REFUSED] === 0 || !this.#addSlab()) return false;
    state[SLAB_REFUSED] = 0;
    return true;
  }

  /** Whether this many segments could be free if every entry were removed. */
  canEverHold(segments: number): boolean {
    if (this.#state[SLAB_REFUSED] === 1) return this.hasSlabsFor(segments);
    return segments + STUCK_SEGMENTS_MAX <= this.#slabsMax * SLAB_SEGMENTS;
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
    const state = this.#state;
    state[SEGMENTS_USED]--;
    state[SEGMENTS_FREE]++;
    const slab = segment >>> SLAB_SEGMENTS_SHIFT;
    this.#slabFree[slab] |= 1 << (segment & (SLAB_SEGMENTS - 1));
    if (slab < state[SLAB_HINT]) state[SLAB_HINT] = slab;
    const spare = Math.max(
      SLAB_SEGMENTS,
      state[SEGMENTS_USED] * SPARE_SHARE,
      state[RESERVED_SEGMENTS],
    );
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
      state[SLAB_REFUSED] =
      state[RESERVED_SEGMENTS] =
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
    if (state[SEGMENTS_FREE] === 0) {
      throw new InvariantError("no segment was provided for a record");
    }
    let slab = state[SLAB_HINT];
    while (this.#slabFree[slab] === 0) slab++;
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

  /** Takes memory for eight more segments; false, with nothing changed, if there is none. */
  #addSlab(): boolean {
    let slab = this.words.indexOf(NO_WORDS);
    if (slab < 0) slab = this.words.length;
    if (slab >= this.#slabsMax) return false;
    const memory = tryAllocate(this.#allocate, SLAB_BYTES);
    if (memory === undefined) return false;
    if ((slab + 1) * SLAB_SEGMENTS > this.live.length && !this.#growTables()) return false;
    this.words[slab] = new Uint32Array(memory);
    this.bytes[slab] = new Uint8Array(memory);
    this.#slabFree[slab] = SLAB_ALL_FREE;
    this.#state[SEGMENTS_FREE] += SLAB_SEGMENTS;
    if (slab < this.#state[SLAB_HINT]) this.#state[SLAB_HINT] = slab;
    return true;
  }

  #dropSlab(slab: number): void {
    this.words[slab] = NO_WORDS;
    this.bytes[slab] = NO_BYTES;
    this.#slabFree[slab] = 0;
    this.#state[SEGMENTS_FREE] -= SLAB_SEGMENTS;
  }

  /** Doubles the tables: all of them, or none if there is no memory for one. */
  #growTables(): boolean {
    const size = this.live.length * 2;
    const memory: ArrayBuffer[] = [];
    for (const bytes of [4, 4, 4, 1, 4, 4, 8, 1 / SLAB_SEGMENTS]) {
      const block = tryAllocate(this.#allocate, size * bytes);
      if (block === undefined) return false;
      memory.push(block);
    }
    const grown = <T extends { set(from: T): void }>(to: T, from: T): T => {
      to.set(from);
      return to;
    };
    this.live = grown(new Uint32Array(memory[0]), this.live);
    this.fill = grown(new Uint32Array(memory[1]), this.fill);
    this.hand = grown(new Uint32Array(memory[2]), this.hand);
    this.queueOf = grown(new Uint8Array(memory[3]).fill(FREE), this.queueOf);
    this.newer = grown(new Int32Array(memory[4]), this.newer);
    this.older = grown(new Int32Array(memory[5]), this.older);
    this.dueAt = grown(new Float64Array(memory[6]).fill(Infinity), this.dueAt);
    this.#slabFree = grown(new Uint8Array(memory[7]), this.#slabFree);
    return true;
  }
}
