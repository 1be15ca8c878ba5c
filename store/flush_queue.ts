/**
 * The queue of flushes by prefix of a store of one thread: first in, first out, and only the first
 * one is under way.
 *
 * @module
 */

import type { Flush } from "./flush.ts";
import { PrefixFlush } from "./prefix_flush.ts";
import type { StoreObserver } from "./storage.ts";

/** The flushes that are unfinished. */
export class FlushQueue {
  readonly #flush: Flush;
  readonly #waiting: PrefixFlush[] = [];
  /** Is told of each flush that begins. */
  observer: StoreObserver | undefined;

  constructor(flush: Flush) {
    this.#flush = flush;
  }

  /** Adds a flush at the end of the queue. */
  start(prefix: Uint8Array): PrefixFlush {
    const flush = new PrefixFlush(prefix, () => this.step());
    this.#waiting.push(flush);
    if (this.#waiting.length === 1) this.#begin(flush);
    return flush;
  }

  /** Does a bounded share of the first flush; true if a flush is unfinished after it. */
  step(): boolean {
    const first = this.#waiting.at(0);
    if (first === undefined) return false;
    if (!this.#flush.advance()) return true;
    first.removed = this.#flush.removed;
    this.#waiting.shift();
    const next = this.#waiting.at(0);
    if (next === undefined) return false;
    this.#begin(next);
    return true;
  }

  #begin({ prefix }: PrefixFlush): void {
    this.#flush.begin(prefix);
    this.observer?.flushBegan(prefix);
  }
}
