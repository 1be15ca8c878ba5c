/**
 * The queue of flushes by prefix of a store of one thread: first in, first out, and only the first
 * one is under way.
 *
 * @module
 */

import { type Flush, PREFIX_BYTES_MAX } from "./flush.ts";
import type { FlushOperation } from "./storage.ts";

/** The flushes that are unfinished. */
export class FlushQueue {
  readonly #flush: Flush;
  readonly #waiting: PrefixFlush[] = [];

  constructor(flush: Flush) {
    this.#flush = flush;
  }

  /** Adds a flush at the end of the queue. */
  start(prefix: Uint8Array): PrefixFlush {
    const flush = new PrefixFlush(this, prefix.slice(0, PREFIX_BYTES_MAX));
    this.#waiting.push(flush);
    if (this.#waiting.length === 1) this.#flush.begin(flush.prefix);
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
    this.#flush.begin(next.prefix);
    return true;
  }
}

/** One flush by prefix, and its count of removed entries. */
export class PrefixFlush implements FlushOperation {
  readonly prefix: Uint8Array<ArrayBuffer>;
  readonly #queue: FlushQueue;
  /** How many entries it removed, once it is done. */
  removed: number | undefined;

  constructor(queue: FlushQueue, prefix: Uint8Array<ArrayBuffer>) {
    this.#queue = queue;
    this.prefix = prefix;
  }

  /** Does a bounded share of the first flush of the queue; the count once this one is done. */
  step(): number | undefined {
    if (this.removed === undefined) this.#queue.step();
    return this.removed;
  }
}
