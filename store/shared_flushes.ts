/**
 * Flushes by prefix of a shared store: they begin in all shards at the same moment, and every
 * thread carries on the one that is under way.
 *
 * @module
 */

import type { Control } from "./control.ts";
import { PrefixFlush } from "./prefix_flush.ts";
import type { Shards } from "./shards.ts";
import { FLUSH_REMOVED, GENERATION } from "./state.ts";
import type { StoreObserver } from "./storage.ts";

/** The flushes that one thread has started, first in, first out. */
export class SharedFlushes {
  readonly #shards: Shards;
  readonly #control: Control;
  readonly #waiting: PrefixFlush[] = [];
  /** The shard that this thread looks at next; threads begin at different ones. */
  #next: number;
  /** Is told of each flush that begins in this thread. */
  observer: StoreObserver | undefined;

  constructor(shards: Shards, control: Control, thread: number) {
    this.#shards = shards;
    this.#control = control;
    this.#next = thread % shards.all.length;
  }

  /** Starts a flush, which begins at once if no other is unfinished. */
  start(prefix: Uint8Array): PrefixFlush {
    const flush = new PrefixFlush(prefix, () => this.step());
    this.#waiting.push(flush);
    this.#tryBegin();
    return flush;
  }

  /** Does a bounded share of the flush under way; true if there is more to do now. */
  step(): boolean {
    if (this.#control.isFlushing) {
      const hasWorked = this.#advance();
      this.#tryEnd();
      if (this.#control.isFlushing) return hasWorked;
    }
    return this.#tryBegin();
  }

  /** Does a bounded share in one shard; false if all shards have done theirs. */
  #advance(): boolean {
    const { all } = this.#shards;
    for (let seen = 0; seen < all.length; seen++) {
      const n = this.#next;
      if (all[n].parts.flush.active) {
        this.#shards.with(n, ({ parts }) => {
          // Another thread may have been faster.
          if (parts.flush.active && parts.flush.advance()) this.#control.flushedShard();
        });
        return true;
      }
      this.#next = (n + 1) % all.length;
    }
    return false;
  }

  /** Ends the flush under way if it is this thread's and no shard has anything left to do. */
  #tryEnd(): void {
    if (!this.#control.isOwnFlushDone) return;
    const first = this.#waiting.shift();
    if (first !== undefined) {
      first.removed = this.#shards.all.reduce((sum, { state }) => sum + state[FLUSH_REMOVED], 0);
    }
    this.#control.endFlush();
  }

  /** Begins the first flush that waits here, unless another one is under way; true if it has. */
  #tryBegin(): boolean {
    const first = this.#waiting.at(0);
    if (first === undefined || this.#control.isFlushing) return false;
    return this.#shards.withAll((all) => {
      if (this.#control.isFlushing) return false;
      this.#control.beginFlush(first.prefix, all.length);
      for (const { parts, state } of all) {
        parts.flush.begin(first.prefix);
        // So that other threads look at the prefix.
        state[GENERATION]++;
      }
      this.observer?.flushBegan(first.prefix);
      return true;
    });
  }
}
