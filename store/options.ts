/**
 * The options of a store, and its figures beyond those of every `Storage`.
 *
 * @module
 */

import type { HashKey } from "../hash.ts";
import type { Allocate } from "./memory.ts";
import type { Milliseconds, StoreStats } from "./storage.ts";

/** The options of a store. */
export interface StoreOptions {
  /** Bytes that all keys and values together may have; at least 1. */
  readonly limitBytes: number;
  /**
   * Whether entries are evicted to make room, which is the default. If not, what does not fit is
   * refused as "out of memory".
   */
  readonly evicts?: boolean;
  /** A clock that never goes back, in milliseconds; `performance.now` if not given. */
  readonly now?: () => Milliseconds;
  /** The key of the hash; random if not given. */
  readonly hashKey?: HashKey;
  /**
   * The most bytes of memory for records, in whole MiB from 1 MiB on; 32 GiB if not given, which is
   * also the most that can be addressed. Entries much smaller than their overhead can reach it
   * before they reach the limit, and are then evicted.
   */
  readonly arenaBytesMax?: number;
  /**
   * Takes each block of memory, zeroed, or throws a RangeError if there is none; for tests. The
   * store's own allocation if not given.
   */
  readonly allocate?: Allocate;
}

/** The figures of {@linkcode StoreStats}, and one for tests and benches. */
export interface DetailedStats extends StoreStats {
  /** Records moved to close holes. */
  readonly moved: number;
}
