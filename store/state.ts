/**
 * The store's state: blocks of memory that several threads can share. All data is in typed arrays:
 * records in slabs, tables in arrays, and single numbers in one fixed block whose fields this file
 * names. JavaScript objects are views of that memory. What views depend on is in the block too: if
 * another thread has replaced a table, its generation has changed, and the views are made again.
 *
 * @module
 */

import type { Block, Memory } from "./memory.ts";

/** The fixed block's numbers, in the fields named below. */
export type State = Float64Array<ArrayBuffer>;

let fields = 0;

// What every search reads comes first, in one line of the processor's cache: nothing in it changes
// with each request, so threads can all have it.

/** While the table of the index moves: the first hash that is not yet moved. */
export const FRONTIER = fields++;
/** Slots of the index's table. */
export const SLOTS = fields++;
/** The flush by prefix under way: its cursor, or -1 if there is none. */
export const FLUSH_CURSOR = fields++;
/** Changes whenever a table or a list of blocks is replaced: other threads then look again. */
export const GENERATION = fields++;
/** Bytes of keys and values that this store may hold: the limit, or a shard's part of it. */
export const BUDGET = fields++;
/** Bytes under the limit that are reserved for the first put of the queue. */
export const RESERVED_BYTES = fields++;
/** Bytes that the small queue may have before its oldest entry has to leave. */
export const SMALL_BYTES_MAX = fields++;
/** The limit, or a shard's equal share of it, which eviction works with. */
export const LIMIT_SHARE = fields++;
/** Bytes of keys and values of all entries, and their number. */
export const USAGE = fields++;
export const ENTRIES = fields++;
/** Granules of live records in all segments. */
export const LIVE_GRANULES = fields++;
/** Segments that are in a queue, and segments that exist but are in none. */
export const SEGMENTS_USED = fields++;
export const SEGMENTS_FREE = fields++;
/** No slab below this one has a free segment. */
export const SLAB_HINT = fields++;
/** 1 after an attempt to add a slab has failed, until one succeeds. */
export const SLAB_REFUSED = fields++;
/** While the table of the index moves: slots of the old one, and slots moved. */
export const SLOTS_OLD = fields++;
export const SLOTS_MOVED = fields++;
/** Entries that the main queue kept since it last evicted one. */
export const REINSERTIONS = fields++;
/** The turns that the main queue has made: bytes that had their turn, each as a share of the queue. */
export const MAIN_TURNS = fields++;
/**
 * The scores of probation and of scans, and the small entries that were seen while the first was
 * below 0.
 */
export const PROBATION_SCORE = fields++;
export const SCAN_SCORE = fields++;
export const PROBATION_PASSED = fields++;
/** Entries that expire. */
export const EXPIRING = fields++;
/** Entries removed because their space was needed, and entries removed because they had expired. */
export const EVICTIONS = fields++;
export const EXPIRATIONS = fields++;
/** After a failed allocation, the ghost is not resized before this many evictions. */
export const GHOST_RETRY_AT = fields++;
/**
 * Compaction: its queue, the segment it empties and where in it, the one it fills; records moved.
 */
export const COMPACTION_QUEUE = fields++;
export const COMPACTION_SOURCE = fields++;
export const COMPACTION_AT = fields++;
export const COMPACTION_TARGET = fields++;
export const RECORDS_MOVED = fields++;
/** The segment that a sweep looks at next. */
export const SWEEP_SEGMENT = fields++;
/** Entries that the flush under way has removed. */
export const FLUSH_REMOVED = fields++;
/** The fragments copied for the first put of the queue: first, last, and bytes so far. */
export const STAGED_FIRST = fields++;
export const STAGED_LAST = fields++;
export const STAGED_BYTES = fields++;
/** Free segments that are reserved for the first put of the queue. */
export const RESERVED_SEGMENTS = fields++;

/** Bytes of keys and values of the entries in each queue. */
export const USAGE_OF = take(3);
/** Bytes ever evicted from the small and from the main queue. */
export const EVICTED_BYTES = take(2);
/** The arena's tables: where they are, and how many segments they have entries for. */
export const TABLES_ADDRESS = fields++;
export const TABLES_SEGMENTS = fields++;
/** Slabs that were ever taken, and those whose pages are still to be given back. */
export const SLABS = fields++;
export const SLABS_STALE = fields++;
/** The list of the index's pages: where it is, its length, and the pages in it. */
export const PAGE_LIST_ADDRESS = fields++;
export const PAGE_LIST_LENGTH = fields++;
export const PAGES = fields++;
export const PAGES_OLD = fields++;
export const PAGES_SPARE = fields++;
/** Counts changes of all keys at once: each flush. */
export const EPOCH = fields++;
/** The ghost's table. */
export const GHOST_ADDRESS = fields++;
export const GHOST_SLOTS = fields++;

function take(count: number): number {
  fields += count;
  return fields - count;
}

/** The ends of the three queues, and the segments that are pinned, behind the numbers. */
const ENDS = 9;
/** Counters of changes: keys share one whose hashes have the same first bits. */
export const VERSIONS = 1024;
/** The shift that finds the counter of a hash. */
export const VERSIONS_SHIFT = 22;
const ROOT_BYTES = fields * 8 + (ENDS + VERSIONS) * 4;

/** The fixed block of a store. */
export class Root {
  readonly numbers: State;
  /** The oldest and the newest segment of each queue, and pinned segments: three words each. */
  readonly ends: Int32Array<ArrayBuffer>;
  /** The counters of changes. */
  readonly versions: Uint32Array<ArrayBuffer>;
  /** Whether another thread has set it up. */
  readonly isAttached: boolean;
  /** Where other threads find it. */
  readonly address: number;

  /** A new block of zeros, or the one at an address. */
  constructor(memory: Memory, address?: number) {
    const block = blockAt(memory, address);
    this.isAttached = address !== undefined;
    this.address = block.address;
    this.numbers = new Float64Array(block.buffer, 0, fields);
    this.ends = new Int32Array(block.buffer, fields * 8, ENDS);
    this.versions = new Uint32Array(block.buffer, fields * 8 + ENDS * 4, VERSIONS);
  }
}

function blockAt(memory: Memory, address: number | undefined): Block {
  if (address === undefined) return memory.take(ROOT_BYTES);
  if (memory.shared === undefined) throw new Error("Cannot attach to memory that is not shared");
  return { buffer: memory.shared.at(address, ROOT_BYTES), address };
}
