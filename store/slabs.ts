/**
 * Slabs: the memory of the arena, eight segments at a time, and the tables of its segments.
 *
 * Memory is taken in slabs when it is first needed, and given back when all eight segments are
 * free. Memory of this thread alone goes back at once. Shared memory keeps its place, so that the
 * views of other threads stay valid: such a slab is stale until a sweep gives its pages back, or it
 * is used again before that.
 *
 * What always holds: a segment that is free belongs to a slab that is held.
 *
 * @module
 */

import { InvariantError } from "./invariant.ts";
import type { Memory } from "./memory.ts";
import { GRANULE_BYTES } from "./record.ts";
import {
  GENERATION,
  type Root,
  SEGMENTS_FREE,
  SEGMENTS_USED,
  SLAB_HINT,
  SLABS,
  SLABS_STALE,
  type State,
  TABLES_ADDRESS,
  TABLES_SEGMENTS,
} from "./state.ts";

/** Bytes of a segment. The longest key fits one with space to spare. */
export const SEGMENT_BYTES = 131_072;
/** Granules of a segment, and the shift that finds a reference's segment. */
export const SEGMENT_GRANULES = SEGMENT_BYTES / GRANULE_BYTES;
export const SEGMENT_SHIFT = 14;
export const SLAB_SEGMENTS = 8;
const SLAB_SEGMENTS_SHIFT = 3;
const SLAB_ALL_FREE = (1 << SLAB_SEGMENTS) - 1;
/** The shift that finds a reference's slab, and the mask of its granule inside the slab. */
export const SLAB_SHIFT = SEGMENT_SHIFT + SLAB_SEGMENTS_SHIFT;
export const SLAB_MASK = (1 << SLAB_SHIFT) - 1;
/** Bytes of a slab, the unit in which memory is taken from the system. */
export const SLAB_BYTES = SLAB_SEGMENTS * SEGMENT_BYTES;
/** References have 32 bits: the most memory that can be addressed, 32 GiB. */
export const ARENA_BYTES_MAX = 2 ** (32 - SLAB_SHIFT) * SLAB_BYTES;

/** The mark of a segment that is in no queue. */
export const FREE = 3;
/** No segment. */
export const NONE = -1;

/** Free segments are kept up to this share of those in use, and at least a slab of them. */
const SPARE_SHARE = 0.03;
/** Segments that the tables have entries for at first; they double. */
const SEGMENTS_FIRST = 64;
/** Bytes of the tables for each segment, rounded up: see `tablesIn`. */
const TABLE_BYTES = 31;
/** Slabs whose pages one call gives back. */
const DISCARDED_MAX = 8;

/** What a slab's place is in: never taken or dropped, in use, or to be given back. */
const ABSENT = 0;
const HELD = 1;
const STALE = 2;

const NO_WORDS = new Uint32Array(0);
const NO_BYTES = new Uint8Array(0);

/** The tables, with an entry for each segment or for each slab. */
export interface Tables {
  /** For each segment: no record of it expires before this time, in milliseconds. */
  readonly dueAt: Float64Array<ArrayBuffer>;
  /** For each segment: granules of live records, and granules used. */
  readonly live: Uint32Array<ArrayBuffer>;
  readonly fill: Uint32Array<ArrayBuffer>;
  /** For each segment: the granule that eviction looks at next; what lies before it is dead. */
  readonly hand: Uint32Array<ArrayBuffer>;
  /** For each segment: its neighbours in the queue, towards the newest and towards the oldest. */
  readonly newer: Int32Array<ArrayBuffer>;
  readonly older: Int32Array<ArrayBuffer>;
  /** For each segment: the queue it is in. */
  readonly queueOf: Uint8Array<ArrayBuffer>;
  /** For each slab: where it is, which of its segments are free, a bit each, and what it is. */
  readonly address: Float64Array<ArrayBuffer>;
  readonly free: Uint8Array<ArrayBuffer>;
  readonly status: Uint8Array<ArrayBuffer>;
}

/** The arena's memory. */
export class Slabs {
  /** The slabs' memory as 32-bit words, and the same memory as bytes. */
  readonly words: Uint32Array[] = [];
  readonly bytes: Uint8Array[] = [];
  tables: Tables;
  readonly #memory: Memory;
  readonly #slabsMax: number;
  readonly #state: State;

  constructor(memory: Memory, root: Root, bytesMax: number) {
    this.#memory = memory;
    this.#slabsMax = Math.floor(bytesMax / SLAB_BYTES);
    this.#state = root.numbers;
    if (root.isAttached) {
      this.tables = this.#attachedTables();
      this.attach();
      return;
    }
    const { buffer, address } = memory.take(SEGMENTS_FIRST * TABLE_BYTES);
    this.tables = tablesIn(buffer, SEGMENTS_FIRST);
    clearFrom(this.tables, 0);
    this.#state[TABLES_ADDRESS] = address;
    this.#state[TABLES_SEGMENTS] = SEGMENTS_FIRST;
  }

  /** Segments that exist, free ones and those of slabs given back included. */
  get segments(): number {
    return this.#state[SLABS] * SLAB_SEGMENTS;
  }

  /** The most segments that there can be. */
  get segmentsMax(): number {
    return this.#slabsMax * SLAB_SEGMENTS;
  }

  /** Bytes of memory held, free segments and stale slabs included. */
  get heldBytes(): number {
    const state = this.#state;
    return (state[SEGMENTS_USED] + state[SEGMENTS_FREE]) * SEGMENT_BYTES +
      state[SLABS_STALE] * SLAB_BYTES;
  }

  /** Makes the views again, as far as another thread has changed the tables or added slabs. */
  attach(): void {
    const state = this.#state;
    if (this.tables.live.length !== state[TABLES_SEGMENTS]) this.tables = this.#attachedTables();
    for (let slab = this.words.length; slab < state[SLABS]; slab++) {
      this.#view(slab, this.#at(this.tables.address[slab], SLAB_BYTES));
    }
  }

  /** Whether the slab of a segment is in use. */
  isHeld(segment: number): boolean {
    return this.tables.status[segment >>> SLAB_SEGMENTS_SHIFT] === HELD;
  }

  /** Takes memory for eight more segments; false, with nothing changed, if there is none. */
  add(): boolean {
    const state = this.#state;
    let slab = 0;
    while (slab < state[SLABS] && this.tables.status[slab] === HELD) slab++;
    if (slab >= this.#slabsMax) return false;
    if (slab === state[SLABS] || this.words[slab] === NO_WORDS) {
      const block = this.#memory.tryTake(SLAB_BYTES);
      if (block === undefined) return false;
      if ((slab + 1) * SLAB_SEGMENTS > this.tables.live.length && !this.#growTables()) {
        this.#memory.give(block.address, SLAB_BYTES);
        return false;
      }
      this.#view(slab, block.buffer);
      this.tables.address[slab] = block.address;
      if (slab === state[SLABS]) state[SLABS]++;
      state[GENERATION]++;
    }
    if (this.tables.status[slab] === STALE) state[SLABS_STALE]--;
    this.tables.status[slab] = HELD;
    this.tables.free[slab] = SLAB_ALL_FREE;
    state[SEGMENTS_FREE] += SLAB_SEGMENTS;
    if (slab < state[SLAB_HINT]) state[SLAB_HINT] = slab;
    return true;
  }

  /** Takes a free segment, of the lowest slab that has one, so that the highest can empty. */
  takeSegment(): number {
    const state = this.#state;
    if (state[SEGMENTS_FREE] === 0) {
      throw new InvariantError("no segment was provided for a record");
    }
    const { free } = this.tables;
    let slab = state[SLAB_HINT];
    while (free[slab] === 0) slab++;
    state[SLAB_HINT] = slab;
    const bit = 31 - Math.clz32(free[slab] & -free[slab]);
    free[slab] &= ~(1 << bit);
    state[SEGMENTS_FREE]--;
    state[SEGMENTS_USED]++;
    return (slab << SLAB_SEGMENTS_SHIFT) | bit;
  }

  /** Makes a segment free; beyond `reserved` and a few spare ones, memory is given back. */
  freeSegment(segment: number, reserved: number): void {
    const state = this.#state;
    const { free } = this.tables;
    state[SEGMENTS_USED]--;
    state[SEGMENTS_FREE]++;
    const slab = segment >>> SLAB_SEGMENTS_SHIFT;
    free[slab] |= 1 << (segment & (SLAB_SEGMENTS - 1));
    if (slab < state[SLAB_HINT]) state[SLAB_HINT] = slab;
    const spare = Math.max(SLAB_SEGMENTS, state[SEGMENTS_USED] * SPARE_SHARE, reserved);
    if (free[slab] !== SLAB_ALL_FREE || state[SEGMENTS_FREE] - SLAB_SEGMENTS < spare) return;
    free[slab] = 0;
    state[SEGMENTS_FREE] -= SLAB_SEGMENTS;
    this.#drop(slab);
  }

  /** Gives all memory back. */
  clear(): void {
    const state = this.#state;
    if (this.#memory.shared === undefined) {
      this.words.length = this.bytes.length = 0;
      state[SLABS] = 0;
      this.tables.status.fill(ABSENT);
    } else {
      const { status } = this.tables;
      for (let slab = 0; slab < state[SLABS]; slab++) if (status[slab] === HELD) this.#drop(slab);
    }
    clearFrom(this.tables, 0);
    state[SEGMENTS_USED] = state[SEGMENTS_FREE] = state[SLAB_HINT] = 0;
  }

  /** Gives back the pages of some stale slabs; true if there are more. */
  discardStale(): boolean {
    const state = this.#state;
    const { status, address } = this.tables;
    // The highest first: the lowest are used again before others.
    let slab = state[SLABS];
    for (let left = DISCARDED_MAX; left > 0 && state[SLABS_STALE] > 0; left--) {
      do slab--; while (status[slab] !== STALE);
      this.#memory.shared?.discard(address[slab], SLAB_BYTES);
      status[slab] = ABSENT;
      state[SLABS_STALE]--;
    }
    return state[SLABS_STALE] > 0;
  }

  #drop(slab: number): void {
    if (this.#memory.shared === undefined) {
      this.words[slab] = NO_WORDS;
      this.bytes[slab] = NO_BYTES;
      this.tables.status[slab] = ABSENT;
    } else {
      this.tables.status[slab] = STALE;
      this.#state[SLABS_STALE]++;
    }
  }

  #view(slab: number, memory: ArrayBuffer): void {
    this.words[slab] = new Uint32Array(memory);
    this.bytes[slab] = new Uint8Array(memory);
  }

  /** Doubles the tables; false, with nothing changed, if there is no memory for that. */
  #growTables(): boolean {
    const before = this.tables;
    const segments = before.live.length;
    const block = this.#memory.tryTake(segments * 2 * TABLE_BYTES);
    if (block === undefined) return false;
    const tables = tablesIn(block.buffer, segments * 2);
    clearFrom(tables, segments);
    for (const name of Object.keys(tables) as (keyof Tables)[]) tables[name].set(before[name]);
    const state = this.#state;
    const address = state[TABLES_ADDRESS];
    state[TABLES_ADDRESS] = block.address;
    state[TABLES_SEGMENTS] = segments * 2;
    state[GENERATION]++;
    this.tables = tables;
    this.#memory.give(address, segments * TABLE_BYTES);
    return true;
  }

  #attachedTables(): Tables {
    const segments = this.#state[TABLES_SEGMENTS];
    return tablesIn(this.#at(this.#state[TABLES_ADDRESS], segments * TABLE_BYTES), segments);
  }

  #at(address: number, bytes: number): ArrayBuffer {
    const { shared } = this.#memory;
    if (shared === undefined) throw new InvariantError("memory of one thread was attached to");
    return shared.at(address, bytes);
  }
}

/** The tables for so many segments, one behind the other in a block. */
function tablesIn(memory: ArrayBuffer, segments: number): Tables {
  const slabs = segments / SLAB_SEGMENTS;
  let end = 0;
  const next = (bytes: number): number => {
    end += bytes;
    return end - bytes;
  };
  return {
    dueAt: new Float64Array(memory, next(segments * 8), segments),
    address: new Float64Array(memory, next(slabs * 8), slabs),
    live: new Uint32Array(memory, next(segments * 4), segments),
    fill: new Uint32Array(memory, next(segments * 4), segments),
    hand: new Uint32Array(memory, next(segments * 4), segments),
    newer: new Int32Array(memory, next(segments * 4), segments),
    older: new Int32Array(memory, next(segments * 4), segments),
    queueOf: new Uint8Array(memory, next(segments), segments),
    free: new Uint8Array(memory, next(slabs), slabs),
    status: new Uint8Array(memory, next(slabs), slabs),
  };
}

/** Marks segments from `from` on as free and empty. */
function clearFrom(tables: Tables, from: number): void {
  tables.live.fill(0, from);
  tables.queueOf.fill(FREE, from);
  tables.dueAt.fill(Infinity, from);
  tables.newer.fill(NONE, from);
  tables.older.fill(NONE, from);
  tables.free.fill(0, from / SLAB_SEGMENTS);
}
