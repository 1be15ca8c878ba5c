/**
 * The store's state: blocks of memory that several threads could share. All data is in typed
 * arrays: records in slabs, tables in arrays, and single numbers in one fixed block whose fields
 * this file names. JavaScript objects are views of that memory. The only other state is the queues
 * of puts and of flushes.
 *
 * @module
 */

/**
 * Takes a zeroed block of memory, or throws a RangeError if there is none. The system provides its
 * pages when they are first written.
 */
export type Allocate = (bytes: number) => ArrayBuffer;

/** A block of memory, or undefined if there is none. */
export function tryAllocate(allocate: Allocate, bytes: number): ArrayBuffer | undefined {
  try {
    return allocate(bytes);
  } catch (error) {
    // V8 throws a RangeError if it cannot allocate an array buffer; any other error is a fault.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** Memory of this thread alone. */
export const allocate: Allocate = (bytes) => new ArrayBuffer(bytes);

/** Memory that can be handed to other threads. */
export const allocateShared: Allocate = (bytes) =>
  // Typed arrays work on both kinds of buffer; only the standard types differ.
  new SharedArrayBuffer(bytes) as unknown as ArrayBuffer;

/** The fixed block: single numbers, in the fields named below. */
export type State = Float64Array<ArrayBuffer>;

let fields = 0;

/** Bytes of keys and values of all entries. */
export const USAGE = fields++;
/** Granules of live records in all segments. */
export const LIVE_GRANULES = fields++;
/** Segments that are in a queue, and segments that exist but are in none. */
export const SEGMENTS_USED = fields++;
export const SEGMENTS_FREE = fields++;
/** No slab below this one has a free segment. */
export const SLAB_HINT = fields++;
/** 1 after an attempt to add a slab has failed, until one succeeds. */
export const SLAB_REFUSED = fields++;
/** Entries in the index, and slots of its table. */
export const ENTRIES = fields++;
export const SLOTS = fields++;
/** While the table moves: slots of the old one, slots moved, and the first hash not yet moved. */
export const SLOTS_OLD = fields++;
export const SLOTS_MOVED = fields++;
export const FRONTIER = fields++;
/** Bytes that the small queue may have before its oldest entry has to leave. */
export const SMALL_BYTES_MAX = fields++;
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
/** The first flush by prefix: its cursor, or -1 if there is none, and the entries it removed. */
export const FLUSH_CURSOR = fields++;
export const FLUSH_REMOVED = fields++;
/** The fragments copied for the first put of the queue: first, last, and bytes so far. */
export const STAGED_FIRST = fields++;
export const STAGED_LAST = fields++;
export const STAGED_BYTES = fields++;
/** What is reserved for the first put of the queue: bytes under the limit, and free segments. */
export const RESERVED_BYTES = fields++;
export const RESERVED_SEGMENTS = fields++;

/** A fixed block of zeros. */
export function newState(allocate: Allocate): State {
  return new Float64Array(allocate(fields * 8));
}
