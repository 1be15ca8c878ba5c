/**
 * The parts of a store, or of a shard of a store, and how they are put together.
 *
 * @module
 */

import { Compaction } from "./compaction.ts";
import { Entries } from "./entries.ts";
import { Eviction } from "./eviction.ts";
import { Expiry } from "./expiry.ts";
import { Flush } from "./flush.ts";
import type { HashKey } from "../hash.ts";
import type { Limit } from "./limit.ts";
import { LiveEntries } from "./live_entries.ts";
import type { Memory } from "./memory.ts";
import { Puts } from "./puts.ts";
import { type BudgetSource, Reservation } from "./reservation.ts";
import { BUDGET, type Root, type State } from "./state.ts";
import type { Milliseconds } from "./storage.ts";

/** What the parts are made from. */
export interface PartOptions {
  readonly memory: Memory;
  /** The fixed block: a new one, or one that another thread has set up. */
  readonly root: Root;
  /** Bytes that all keys and values of the whole store may have. */
  readonly limit: Limit;
  /** How many shards the limit is for. */
  readonly shards: number;
  /** Where a shard gets its part of the limit; undefined where there is only one. */
  readonly pool?: BudgetSource;
  readonly hashKey: HashKey;
  readonly arenaBytesMax: number;
  /** Whether entries are evicted to make room. */
  readonly evicts: boolean;
  readonly now: () => Milliseconds;
}

/** The parts. */
export interface Parts {
  readonly state: State;
  readonly entries: Entries;
  readonly compaction: Compaction;
  readonly eviction: Eviction;
  readonly reservation: Reservation;
  readonly flush: Flush;
  readonly live: LiveEntries;
  readonly puts: Puts;
  readonly expiry: Expiry;
}

/** Makes the parts. Throws a RangeError if there is no memory for them. */
export function makeParts(options: PartOptions): Parts {
  const { memory, root, limit, shards, pool, hashKey, arenaBytesMax, evicts, now } = options;
  const isShard = pool !== undefined;
  if (!root.isAttached) root.numbers[BUDGET] = isShard ? 0 : limit.bytes;
  const entries = new Entries(memory, root, hashKey, arenaBytesMax);
  const compaction = new Compaction(entries, root);
  // Eviction works with shares of what a shard holds when the store is full.
  const eviction = new Eviction(entries, compaction, memory, root, limit.bytes / shards);
  const reservation = new Reservation(entries, eviction, compaction, now, evicts, pool);
  const flush = new Flush(entries, root, now);
  const live = new LiveEntries(entries, flush, now);
  const expiry = new Expiry(entries);
  const puts = new Puts({
    entries,
    reclaim: () => reclaim(entries, expiry, now()),
    live,
    compaction,
    eviction,
    reservation,
    flush,
    limit,
    isShard,
  });
  return {
    state: root.numbers,
    entries,
    compaction,
    eviction,
    reservation,
    flush,
    live,
    puts,
    expiry,
  };
}

/** Removes some entries that have expired; true if there were some, or may be more. */
export function reclaim(entries: Entries, expiry: Expiry, now: Milliseconds): boolean {
  const { usage } = entries;
  return expiry.sweep(now) || entries.usage < usage;
}
