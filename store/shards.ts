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
import type { Locks } from "./locks.ts";
import type { Shard } from "./shard.ts";

/** All shards. */
export class Shards {
  /** The shards, by number. Their states are words that any thread may read at any time. */
  readonly all: readonly Shard[];
  readonly #locks: Locks;
  readonly #control: Control;
  readonly #budgets: Budgets;
  /** True while this thread holds all locks: then each single one counts as taken. */
  holdsAll = false;

  constructor(all: readonly Shard[], control: Control, budgets: Budgets) {
    this.all = all;
    this.#locks = control.locks;
    this.#control = control;
    this.#budgets = budgets;
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

  #attached(n: number): Shard {
    const shard = this.all[n];
    if (shard.attach() && shard.parts.flush.active) shard.parts.flush.prefix = this.#control.prefix;
    return shard;
  }
}
