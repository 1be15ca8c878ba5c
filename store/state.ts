/**
 * Where the store's state lives: blocks of memory that several threads could share.
 *
 * Nothing that the store must remember is a JavaScript object or a field of one. Data lies in
 * slabs, tables in typed arrays, and single numbers in one fixed block, of which this file names
 * the places. What objects hold beside them are only views of that memory.
 *
 * @module
 */

/** Takes a zeroed block of memory; the system hands out its pages when they are first written. */
export type Allocate = (bytes: number) => ArrayBuffer;

/** Memory of this thread alone. */
export const allocate: Allocate = (bytes) => new ArrayBuffer(bytes);

/** Memory that can be handed to other threads. */
export const allocateShared: Allocate = (bytes) =>
  // The typed arrays on it are the same; the standard types tell the two kinds of buffer apart.
  new SharedArrayBuffer(bytes) as unknown as ArrayBuffer;

/** The fixed block: single numbers, by the places named below. */
export type State = Float64Array<ArrayBuffer>;

let places = 0;

/** Bytes of keys and values of all entries. */
export const USAGE = places++;
/** Granules of live records in all segments. */
export const LIVE_GRANULES = places++;
/** Segments that are in a queue, and segments that exist but are in none. */
export const SEGMENTS_USED = places++;
export const SEGMENTS_FREE = places++;
/** No slab below this one has a free segment. */
export const SLAB_HINT = places++;
/** Entries in the index, and slots of its table. */
export const ENTRIES = places++;
export const SLOTS = places++;
/** While the table moves: slots of the old one, how many were moved, and which hashes are. */
export const SLOTS_OLD = places++;
export const SLOTS_MOVED = places++;
export const FRONTIER = places++;
/** Bytes that the small queue may have before its oldest entry has to leave. */
export const SMALL_BYTES_MAX = places++;
/** Entries that the main queue kept since it last evicted one. */
export const REINSERTIONS = places++;
/** How well trials of small entries pay, and how many came by while they did not. */
export const TRIAL_SCORE = places++;
export const TRIALS = places++;
/** Entries removed to make room, and entries removed because their time had come. */
export const EVICTIONS = places++;
export const EXPIRATIONS = places++;
/** Compaction: its queue, the segment it empties and where in it, the one it fills; records moved. */
export const COMPACTION_QUEUE = places++;
export const COMPACTION_SOURCE = places++;
export const COMPACTION_AT = places++;
export const COMPACTION_TARGET = places++;
export const RECORDS_MOVED = places++;
/** The segment that a sweep looks at next. */
export const SWEEP_SEGMENT = places++;
/** A flush by prefix: length of its prefix or -1, its cursor, entries removed, time of last step. */
export const FLUSH_PREFIX_BYTES = places++;
export const FLUSH_CURSOR = places++;
export const FLUSH_REMOVED = places++;
export const FLUSH_STEPPED_AT = places++;
/** Fragments of a value that is being written: first and last, bytes so far, and until when. */
export const STAGED_FIRST = places++;
export const STAGED_LAST = places++;
export const STAGED_BYTES = places++;
export const STAGED_UNTIL = places++;
/** 1 when what is staged belongs to the entry that is written next. */
export const STAGED_READY = places++;
/** Room that is being made for one large value: how much, for which hash, until when. */
export const RESERVED_BYTES = places++;
export const RESERVED_HASH = places++;
export const RESERVED_UNTIL = places++;
const PLACES = places;

/** A fixed block with nothing in it yet. */
export function newState(allocate: Allocate): State {
  return new Float64Array(allocate(PLACES * 8));
}
