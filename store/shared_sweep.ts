/**
 * The background work of a shared store that belongs to shards: each thread has its part of them,
 * and does a bounded share of work in one at a time.
 *
 * @module
 */

import type { Shards } from "./shards.ts";

/** One thread's part of the sweep. Every shard has a turn as long as each thread sweeps. */
export class SharedSweep {
  readonly #shards: Shards;
  readonly #thread: number;
  readonly #threads: number;
  /** The shard that is looked at next. */
  #next: number;

  /** The thread with this number sweeps each `threads`-th shard from it on. */
  constructor(shards: Shards, thread: number, threads: number) {
    this.#shards = shards;
    this.#thread = this.#next = thread;
    this.#threads = threads;
  }

  /** Removes what has expired and gives back memory, in one shard; true if more is due now. */
  step(): boolean {
    const { length } = this.#shards.all;
    const first = this.#thread;
    if (first >= length) return false;
    const n = this.#next;
    const isDue = this.#shards.with(n, (shard) => {
      const hasMemory = shard.trim();
      return shard.sweep() || hasMemory;
    });
    if (isDue) return true;
    this.#next = n + this.#threads < length ? n + this.#threads : first;
    return this.#next !== first;
  }
}
