/**
 * The shards of a shared store with their locks, as one thread sees them.
 *
 * A shard is looked at only while its lock is held: taking it makes this thread's views follow what
 * others have changed, and giving it back returns the part of the limit that it does not need.
 *
 * @module
 */

import type { Budgets } from "./budgets.ts";
import type { Control } from "./control.ts";
import { InvariantError } from "./invariant.ts";
import type { Locks } from "./locks.ts";
import { Memory } from "./memory.ts";
import { Shard } from "./shard.ts";
import type { AttachOptions, SharedStoreHandle } from "./shared_options.ts";
import { ARENA_BYTES_MAX } from "./slabs.ts";
import { BUDGET, Root, USAGE } from "./state.ts";
import type { StoreStats } from "./storage.ts";

/** Cursors of one shard: its number is what is above them. */
const CURSORS = 2 ** 32;

/** Where the shards are; undefined for those that are still to be made. */
export type Roots = readonly (number | undefined)[];

/** All shards. */
export class Shards {
  /** The shards, by number. Their states are words that any thread may read at any time. */
  readonly all: readonly Shard[];
  readonly #locks: Locks;
  readonly #control: Control;
  readonly #budgets: Budgets;
  /** True while this thread holds all locks: then each single one counts as taken. */
  holdsAll = false;

  /** Makes the shards, or attaches to those that another thread has made. */
  constructor(
    roots: Roots,
    { hashKey, evicts }: SharedStoreHandle,
    options: AttachOptions,
    control: Control,
    budgets: Budgets,
  ) {
    const { now } = options;
    const { locks } = control;
    const memory = new Memory(options.memory);
    this.all = roots.map((address, n) => {
      // Other threads may be working on it already.
      locks.lock(n);
      const shard = new Shard({
        memory,
        root: new Root(memory, address),
        limit: control,
        shards: roots.length,
        pool: budgets,
        hashKey,
        arenaBytesMax: ARENA_BYTES_MAX,
        evicts,
        now,
      });
      const { flush } = shard.parts;
      if (flush.active) flush.prefix = control.prefix;
      locks.unlock(n);
      return shard;
    });
    this.#locks = locks;
    this.#control = control;
    this.#budgets = budgets;
  }

  /** Bytes of all keys and values held, at one moment. */
  get usage(): number {
    return this.withAll((all) => sumOf(all, ({ state }) => state[USAGE]));
  }

  /** How many entries there are. */
  get entries(): number {
    return sumOf(this.all, ({ entries }) => entries);
  }

  /** Figures about all of them. */
  get stats(): StoreStats {
    const stats = this.all.map((_, n) => this.with(n, (shard) => shard.stats));
    return {
      evictions: sumOf(stats, ({ evictions }) => evictions),
      expirations: sumOf(stats, ({ expirations }) => expirations),
      expiring: sumOf(stats, ({ expiring }) => expiring),
      overheadBytes: sumOf(stats, ({ overheadBytes }) => overheadBytes),
      residentBytes: sumOf(stats, ({ residentBytes }) => residentBytes),
    };
  }

  /** Locks a shard. This thread must hold none. */
  lock(n: number): Shard {
    if (this.holdsAll) return this.all[n];
    this.#locks.lock(n);
    return this.#attached(n);
  }

  /** Locks a shard if it is free; this thread may hold others. */
  tryLock(n: number): Shard | undefined {
    if (this.holdsAll) return this.all[n];
    return this.#locks.tryLock(n) ? this.#attached(n) : undefined;
  }

  /** Unlocks a shard. */
  unlock(n: number): void {
    if (this.holdsAll) return;
    const shard = this.all[n];
    shard.detach();
    this.#budgets.settle(shard.state);
    this.#locks.unlock(n);
  }

  /** Locks all shards, in ascending order. This thread must hold none. */
  lockAll(): void {
    let locked = 0;
    try {
      for (; locked < this.all.length; locked++) this.lock(locked);
      this.holdsAll = true;
    } finally {
      if (!this.holdsAll) { while (locked > 0) this.unlock(--locked); }
    }
  }

  /** Unlocks all shards. */
  unlockAll(): void {
    this.holdsAll = false;
    for (let n = this.all.length - 1; n >= 0; n--) this.unlock(n);
  }

  /** Does some work on one shard. */
  with<Result>(n: number, work: (shard: Shard) => Result): Result {
    const shard = this.lock(n);
    try {
      return work(shard);
    } finally {
      this.unlock(n);
    }
  }

  /** Does some work while no other thread works on any shard. */
  withAll<Result>(work: (shards: readonly Shard[]) => Result): Result {
    if (this.holdsAll) return work(this.all);
    this.lockAll();
    try {
      return work(this.all);
    } finally {
      this.unlockAll();
    }
  }

  /** One more than the largest cursor of `scan`. */
  get cursors(): number {
    return this.all.length * CURSORS;
  }

  /** As `Store.scan`; a call goes on with the next shard where one had too few keys. */
  scan(
    cursor: number,
    count: number,
    visit: (bytes: Uint8Array, start: number, end: number) => void,
    prefix?: Uint8Array,
  ): number {
    const { length } = this.all;
    let left = count;
    const counted: typeof visit = (bytes, start, end) => {
      left--;
      visit(bytes, start, end);
    };
    for (let n = Math.floor(cursor / CURSORS); n < length; n++, cursor = 0) {
      const from = cursor % CURSORS;
      const next = this.with(n, (shard) => shard.scan(from, left, counted, prefix));
      if (next !== 0) return n * CURSORS + next;
      if (left <= 0 && n + 1 < length) return (n + 1) * CURSORS;
    }
    return 0;
  }

  /** Removes everything at once; returns how many entries there were. */
  flushAll(): number {
    return this.withAll((all) => {
      const entries = sumOf(all, (shard) => shard.flushAll());
      for (const { state } of all) this.#budgets.giveSpare(state);
      return entries;
    });
  }

  /** Gives the memory of empty shards back to the system. */
  trim(): void {
    for (let n = 0; n < this.all.length; n++) {
      this.with(n, (shard) => {
        while (shard.trim());
      });
    }
  }

  /** Checks everything that must always hold; throws an InvariantError if something does not. */
  verify(): void {
    this.withAll((all) => {
      const isPutUnderWay = this.#control.hasLine;
      for (const shard of all) shard.verify(isPutUnderWay);
      const bytes = sumOf(all, ({ state }) => state[BUDGET]);
      const given = this.#control.givenBytes;
      if (bytes !== given) {
        throw new InvariantError(`the shards have ${bytes} bytes of the limit instead of ${given}`);
      }
    });
  }

  #attached(n: number): Shard {
    const shard = this.all[n];
    if (shard.attach() && shard.parts.flush.active) shard.parts.flush.prefix = this.#control.prefix;
    return shard;
  }
}

function sumOf<Item>(items: readonly Item[], figure: (item: Item) => number): number {
  return items.reduce((sum, item) => sum + figure(item), 0);
}
