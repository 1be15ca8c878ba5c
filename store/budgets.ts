/**
 * How shards share one limit: each has a budget, and what no shard has is free.
 *
 * A shard takes what it needs, and a little more, so that it need not come back for each entry; it
 * returns what it does not need. Together these margins are less than the hundredth of the limit by
 * which a store of several shards may begin to evict too early. Once nothing is free, a shard
 * evicts for itself, unless it has much less than others: then the fullest one evicts for it.
 *
 * What always holds: the budgets of all shards and the free bytes together are the limit.
 *
 * @module
 */

import type { Control } from "./control.ts";
import type { BudgetSource } from "./reservation.ts";
import { EVICTION_STEPS_MAX } from "./reservation.ts";
import { reclaim } from "./parts.ts";
import type { Shard } from "./shard.ts";
import { BUDGET, LIMIT_SHARE, RESERVED_BYTES, type State, USAGE } from "./state.ts";
import type { Milliseconds } from "./storage.ts";

/** The share of the limit that all shards together may have beyond what they use. */
const MARGIN_SHARE = 1 / 200;
/** A shard with less than this share of the mean budget does not evict for itself. */
const POOR = 7 / 8;
/** Records that are looked at in one shard before another may be the fullest. */
const STEPS_IN_SHARD = 32;

/** Locks shards. */
export interface ShardLocks {
  /** Does some work on a shard. This thread holds no lock, or all. */
  with<Result>(n: number, work: (shard: Shard) => Result): Result;
  /** Locks a shard if it is free; this thread may hold others. */
  tryLock(n: number): Shard | undefined;
  /** Unlocks it. */
  unlock(n: number): void;
}

/** The parts of the limit that shards have. */
export class Budgets implements BudgetSource {
  readonly #control: Control;
  readonly #now: () => Milliseconds;
  /** The limit that the margin was computed for. */
  #marginFor = 0;
  #marginBytes = 0;
  readonly #evicts: boolean;
  #shards: readonly Shard[] = [];
  #locks: ShardLocks | undefined;

  constructor(control: Control, now: () => Milliseconds, evicts: boolean) {
    this.#evicts = evicts;
    this.#control = control;
    this.#now = now;
  }

  /** The shards, which are made with these budgets. */
  use(shards: readonly Shard[], locks: ShardLocks): void {
    this.#shards = shards;
    this.#locks = locks;
  }

  grow(state: State, wanted: number): void {
    const missing = wanted - state[BUDGET];
    const taken = this.#control.takeBytes(missing + this.#margin);
    state[BUDGET] += taken;
    if (taken >= missing || !this.#evicts) return;
    if (state[BUDGET] >= this.#control.bytes / this.#shards.length * POOR) return;
    const fullest = this.#fullest();
    if (this.#shards[fullest].state === state) return;
    this.#gainFrom(fullest, state, () => wanted - state[BUDGET]);
  }

  /**
   * Raises the budget of a locked shard towards `wanted` bytes, by a bounded amount of eviction
   * from the fullest shards; true once it has them. Other shards are only tried, as this one is
   * locked.
   */
  gain(shard: Shard, wanted: number): boolean {
    const { state } = shard;
    const usage = state[USAGE];
    // Evicting in this shard lowers what is wanted.
    const missing = () => wanted - (usage - state[USAGE]) - state[BUDGET];
    if (missing() > 0) state[BUDGET] += this.#control.takeBytes(missing());
    if (missing() > 0) this.#collectSpare(shard, missing);
    if (!this.#evicts) return missing() <= 0;
    for (let steps = EVICTION_STEPS_MAX; missing() > 0 && steps > 0; steps -= STEPS_IN_SHARD) {
      const fullest = this.#fullest();
      if (this.#shards[fullest].state[USAGE] === 0) return false;
      if (this.#shards[fullest] === shard) this.#evict(shard, missing);
      else if (!this.#gainFrom(fullest, state, missing)) return false;
    }
    return missing() <= 0;
  }

  /**
   * Whether there is no room for so many bytes more in a locked shard, though nothing is to be
   * evicted and no entry that has expired is left. The other shards may be changing.
   */
  isFull(shard: Shard, bytesMore: number): boolean {
    if (this.#evicts) return false;
    const held = this.#shards.reduce((sum, { state }) => sum + state[USAGE], 0);
    return held + bytesMore > this.#control.bytes && !this.#reclaim(shard);
  }

  /** Removes some entries that have expired, in whatever shard; true if there were some. */
  #reclaim(locked: Shard): boolean {
    const now = this.#now();
    let hasRemoved = reclaim(locked.parts.entries, locked.parts.expiry, now);
    for (const [n, shard] of this.#shards.entries()) {
      if (shard === locked || this.#locks?.tryLock(n) === undefined) continue;
      if (reclaim(shard.parts.entries, shard.parts.expiry, now)) hasRemoved = true;
      this.#locks.unlock(n);
    }
    return hasRemoved;
  }

  /** Whether entries are to be evicted since the limit is to be lower; others may be changing that. */
  get exceedTarget(): boolean {
    if (!this.#evicts) return false;
    return this.#shards.reduce((sum, { state }) => sum + state[USAGE], 0) > this.#control.target;
  }

  /** See `Store.changeLimit`. This thread holds no lock, or all. */
  changeLimit(): boolean {
    const control = this.#control;
    if (control.bytes > control.target) this.#lowerLimit();
    const share = control.bytes / this.#shards.length;
    this.#shards.forEach(({ state }, n) => {
      if (state[LIMIT_SHARE] === share) return;
      this.#locks?.with(n, ({ parts }) => parts.eviction.limitChanged(share));
    });
    return control.bytes <= control.target;
  }

  /**
   * Lowers the limit towards its target, by a bounded amount of work: by what is free, then by what
   * shards do not need, then by eviction from the fullest one.
   */
  #lowerLimit(): void {
    const control = this.#control;
    control.lowerByFree();
    for (let n = 0; n < this.#shards.length && control.bytes > control.target; n++) {
      this.#locks?.with(n, ({ state }) => this.#giveUp(state));
    }
    if (control.bytes <= control.target || !this.#evicts) return;
    this.#locks?.with(this.#fullest(), (shard) => {
      shard.shrink(Math.max(0, shard.state[USAGE] - (control.bytes - control.target)));
      this.#giveUp(shard.state);
    });
  }

  /** Gives up what a shard does not need, as far as the limit is to fall. */
  #giveUp(state: State): void {
    const spare = spareBytes(state);
    if (spare > 0) state[BUDGET] -= this.#control.lowerBy(spare);
  }

  /** Bytes that a shard takes beyond its need. It keeps up to twice as many. */
  get #margin(): number {
    const { bytes } = this.#control;
    if (bytes !== this.#marginFor) {
      this.#marginFor = bytes;
      this.#marginBytes = Math.floor(bytes * MARGIN_SHARE / this.#shards.length / 2);
    }
    return this.#marginBytes;
  }

  /** Returns what a shard has beyond its need and the margin. */
  settle(state: State): void {
    const spare = spareBytes(state);
    if (spare > 2 * this.#margin) this.#give(state, spare - this.#margin);
  }

  /** Returns all that a shard has beyond its need. */
  giveSpare(state: State): void {
    const spare = spareBytes(state);
    if (spare > 0) this.#give(state, spare);
  }

  #give(state: State, bytes: number): void {
    state[BUDGET] -= bytes;
    this.#control.giveBytes(bytes);
  }

  /** Evicts a little from another shard, for this one; false if another thread has it. */
  #gainFrom(n: number, to: State, missing: () => number): boolean {
    const other = this.#locks?.tryLock(n);
    if (other === undefined) return false;
    try {
      this.#evict(other, () => missing() - spareBytes(other.state));
      moveSpare(other.state, to, missing());
    } finally {
      this.#locks?.unlock(n);
    }
    return true;
  }

  /** Takes what other shards have beyond their need. */
  #collectSpare(shard: Shard, missing: () => number): void {
    const all = this.#shards;
    for (let n = 0; n < all.length && missing() > 0; n++) {
      if (all[n] === shard || spareBytes(all[n].state) <= 0) continue;
      if (this.#locks?.tryLock(n) === undefined) continue;
      moveSpare(all[n].state, shard.state, missing());
      this.#locks.unlock(n);
    }
  }

  #evict({ state, parts }: Shard, missing: () => number): void {
    const now = this.#now();
    for (let step = 0; step < STEPS_IN_SHARD && state[USAGE] > 0 && missing() > 0; step++) {
      parts.eviction.step(now);
    }
  }

  /** The shard that holds the most; other threads may be changing that. */
  #fullest(): number {
    const all = this.#shards;
    let fullest = 0;
    for (let n = 1; n < all.length; n++) {
      if (all[n].state[USAGE] > all[fullest].state[USAGE]) fullest = n;
    }
    return fullest;
  }
}

/** Bytes that a shard has and neither uses nor has reserved. */
function spareBytes(state: State): number {
  return state[BUDGET] - state[USAGE] - state[RESERVED_BYTES];
}

/** Moves up to `bytes` of what one shard can spare to the budget of another. */
function moveSpare(from: State, to: State, bytes: number): void {
  const moved = Math.min(spareBytes(from), bytes);
  if (moved <= 0) return;
  from[BUDGET] -= moved;
  to[BUDGET] += moved;
}
