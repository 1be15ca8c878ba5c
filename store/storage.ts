/**
 * The interface of a store to the commands. `Store` implements it, and so does the model on a Map
 * in the tests, so that the same requests can run on both.
 *
 * @module
 */

/** A time or a duration in milliseconds. */
export type Milliseconds = number;

/**
 * A live entry, as a number; 0 means that there is none. It is valid until the next call that
 * changes the store.
 */
export type Handle = number;

/**
 * The outcome of a put.
 *
 * - `"stored"`: the value is in the store.
 * - `"too large"`: key and value together are larger than the limit. Nothing has changed.
 * - `"out of memory"`: the memory for it is not available, and evicting other entries would not
 *   free enough. The value is not stored.
 * - `"unfinished"`: one bounded share of the work is done, and nothing is stored yet. The caller
 *   lets others have their turn, and calls again with the same arguments and a {@linkcode
 *   PutOperation}.
 */
export type PutOutcome = "stored" | "too large" | "out of memory" | "unfinished";

/**
 * A put that takes several calls. It waits its turn among the others, first in, first out; once it
 * is the first, space is reserved for it and its value is copied in parts. Any outcome but
 * `"unfinished"` ends it.
 */
export interface PutOperation {
  /**
   * Gives back everything that the operation holds: its place in the queue, reserved space and
   * copied parts. Does nothing once the operation has ended.
   */
  cancel(): void;
}

/**
 * A flush by prefix, which takes several calls. The store finishes it even if no `step` follows.
 */
export interface FlushOperation {
  /**
   * Does a bounded share of the store's first unfinished flush. Returns how many entries this flush
   * removed once it is done, undefined before.
   */
  step(): number | undefined;
}

/** Is told of changes that no caller of the store asks for by themselves. */
export interface StoreObserver {
  /** The entry of the key `bytes[start, end)` is about to be evicted. */
  evicted(bytes: Uint8Array, start: number, end: number): void;
  /**
   * A flush by prefix has begun: no request sees any more the keys with this prefix that exist now.
   * Nobody else can change the store meanwhile.
   */
  flushBegan(prefix: Uint8Array): void;
}

/** Figures about a store: counters since its start, and what it holds now. */
export interface StoreStats {
  /** Entries removed because their space was needed. */
  readonly evictions: number;
  /** Entries removed because they had expired. */
  readonly expirations: number;
  /** Entries that expire, among those that are held. */
  readonly expiring: number;
  /** Bytes in use beyond keys and values: headers, padding and index. */
  readonly overheadBytes: number;
  /** Bytes of memory that the store holds, free segments included. */
  readonly residentBytes: number;
}

/**
 * Keys and values as bytes, with expiry, exact accounting and a bounded amount of work in each
 * call. Buffers are given with offsets, and the store copies what it keeps.
 */
export interface Storage {
  /** The most bytes of keys and values that may be held now. */
  readonly limitBytes: number;
  /** The bytes of keys and values held now, exactly. */
  readonly usage: number;
  /** How many entries are held, expired ones that no sweep has removed included. */
  readonly entries: number;
  /** The memory in which `view` found a value; valid until the next change. */
  readonly viewBytes: Uint8Array;
  /** Where in `viewBytes` the value begins. */
  readonly viewStart: number;
  /** Figures about the store. */
  readonly stats: StoreStats;
  /** The store's clock, which never goes back. */
  now(): Milliseconds;
  /**
   * Keeps other threads away from a key, and from the others of its shard, until `leave`: what is
   * done with the key meanwhile is atomic. One key at a time. A handle is valid until `leave`.
   */
  enter(bytes: Uint8Array, start: number, end: number): void;
  /** Lets other threads go on. */
  leave(): void;
  /**
   * Changes the limit: `changeLimit` is to be called until the new one holds. An earlier change
   * that is under way ends with the new limit, too.
   *
   * @throws {RangeError} when the limit is below 1.
   */
  setLimit(limitBytes: number): void;
  /** Does a bounded share of the change of the limit; true once it is done. So does `sweep`. */
  changeLimit(): boolean;
  /** False while `get` does not count either: the accesses of this thread leave no trace. */
  countsReads: boolean;
  /** Finds a live entry without counting an access. */
  find(bytes: Uint8Array, start: number, end: number): Handle;
  /** Finds a live entry and counts an access. */
  get(bytes: Uint8Array, start: number, end: number): Handle;
  /** Bytes of the value. */
  lengthOf(handle: Handle): number;
  /** Points `viewBytes` at the value and returns true, if the value is contiguous in memory. */
  view(handle: Handle): boolean;
  /** Copies the whole value into `target` from `at` on. */
  copyTo(handle: Handle, target: Uint8Array, at: number): void;
  /** True when the value is exactly `bytes[start, end)`. */
  equals(handle: Handle, bytes: Uint8Array, start: number, end: number): boolean;
  /** When the entry expires, on the store's clock; `Infinity` for never. */
  expiryOf(handle: Handle): Milliseconds;
  /**
   * Inserts or replaces an entry. Without an operation it does what one bounded call can do;
   * `"unfinished"` then means that nothing is stored, reserved or copied.
   */
  put(
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    value: Uint8Array,
    valueStart: number,
    valueEnd: number,
    expiresAt: Milliseconds,
    operation?: PutOperation,
  ): PutOutcome;
  /** Takes the next place in the queue of puts that need several calls. */
  startPut(): PutOperation;
  /** Removes a key; false if it does not exist. */
  delete(bytes: Uint8Array, start: number, end: number): boolean;
  /** Sets when a key expires, `Infinity` for never; false if the key does not exist. */
  expire(bytes: Uint8Array, start: number, end: number, expiresAt: Milliseconds): boolean;
  /** Visits about `count` entries from a cursor on; returns the next cursor, 0 at the end. */
  scan(
    cursor: number,
    count: number,
    visit: (bytes: Uint8Array, start: number, end: number) => void,
    prefix?: Uint8Array,
  ): number;
  /** Removes everything; returns how many entries were held. */
  flushAll(): number;
  /** Takes the next place in the queue of flushes; the prefix is copied. */
  startFlush(prefix: Uint8Array): FlushOperation;
  /**
   * Does a bounded share of background work: removes expired entries, and carries on the first
   * unfinished flush. True when more is due now.
   */
  sweep(): boolean;
  /**
   * Keeps other threads away from all keys until `leaveAll`: what is done meanwhile with any of
   * them is atomic. Single keys may be entered then, which does nothing more.
   */
  enterAll(): void;
  /** Lets other threads go on. */
  leaveAll(): void;
  /**
   * A put that ends in this one call, however much it has to evict or to copy; only between
   * `enterAll` and `leaveAll`. A put that is under way begins again from its beginning.
   */
  putNow(
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    value: Uint8Array,
    valueStart: number,
    valueEnd: number,
    expiresAt: Milliseconds,
  ): Exclude<PutOutcome, "unfinished">;
  /**
   * A number that is another one once the key has changed: set, even to the same value; removed by
   * whatever; or given another expiry. It may be another one although this key has not changed.
   */
  version(bytes: Uint8Array, start: number, end: number): number;
  /** One more than the largest cursor of `scan`. */
  readonly cursors: number;
}

/** A store that tells of the changes that it makes by itself. */
export interface ObservableStorage extends Storage {
  /** Tells an observer from now on, instead of an earlier one, of what this thread does. */
  observe(observer: StoreObserver): void;
}
