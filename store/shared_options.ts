/**
 * What a shared store is made from, and what another thread needs to find it.
 *
 * @module
 */

import { THREADS_MAX } from "./control.ts";
import type { HashKey } from "../hash.ts";
import { checkLimit } from "./limit.ts";
import type { SharedMemory } from "./memory.ts";
import type { Milliseconds } from "./storage.ts";

/** A shard has at least this much of the limit. */
export const SHARD_BYTES_MIN = 1024 * 1024;
/** Shards for each thread, so that threads seldom meet, and shards at most. */
const SHARDS_PER_THREAD = 8;
export const SHARDS_MAX = 64;

/** What the first thread makes a shared store from. */
export interface SharedStoreOptions {
  /** Bytes that all keys and values together may have; at least 1. */
  readonly limitBytes: number;
  /** See `StoreOptions`. */
  readonly evicts?: boolean;
  /** How many threads there will be, 1 to 64. */
  readonly threads: number;
  /** The memory for it. */
  readonly memory: SharedMemory;
  /** A clock that never goes back, in milliseconds, the same in all threads. */
  readonly now: () => Milliseconds;
  /** How many shards; a power of two. By default, what suits the limit and the threads. */
  readonly shards?: number;
  /** The key of the hash; random if not given. */
  readonly hashKey?: HashKey;
}

/** What another thread needs to find the store: it can be posted to a Worker. */
export interface SharedStoreHandle {
  readonly threads: number;
  readonly evicts: boolean;
  readonly hashKey: HashKey;
  readonly control: SharedArrayBuffer;
  /** Where the shards are. */
  readonly addresses: readonly number[];
}

/** What a thread adds to the handle. */
export interface AttachOptions {
  /** The number of this thread, from 0 on; no two threads have the same. */
  readonly thread: number;
  /** As for the first thread. */
  readonly memory: SharedMemory;
  /** As for the first thread. */
  readonly now: () => Milliseconds;
}

/** How many shards the store has; throws a RangeError for options that no store can have. */
export function shardsOf({ limitBytes, threads, shards }: SharedStoreOptions): number {
  checkLimit(limitBytes);
  if (!(threads >= 1 && threads <= THREADS_MAX)) {
    throw new RangeError(`Cannot make a store for ${threads} threads: 1 to ${THREADS_MAX} it is`);
  }
  const count = shards ?? suitableShards(limitBytes, threads);
  if (!(count >= 1 && count <= SHARDS_MAX && (count & (count - 1)) === 0)) {
    throw new RangeError(`Cannot make a store of ${count} shards`);
  }
  return count;
}

/** How many shards suit a limit and a number of threads. */
function suitableShards(limitBytes: number, threads: number): number {
  const most = Math.min(SHARDS_MAX, threads * SHARDS_PER_THREAD, limitBytes / SHARD_BYTES_MIN);
  return most < 2 ? 1 : 2 ** Math.floor(Math.log2(most));
}
