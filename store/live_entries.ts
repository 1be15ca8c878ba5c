/**
 * The entries that requests may see: those that have neither expired nor been flushed.
 *
 * @module
 */

import type { Entries } from "./entries.ts";
import type { Flush } from "./flush.ts";
import { EXPIRES } from "./record.ts";
import { EXPIRATIONS } from "./state.ts";

/** Finds entries for requests. It removes those that have expired or that a flush covers. */
export class LiveEntries {
  readonly #entries: Entries;
  readonly #flush: Flush;
  readonly #now: () => number;

  constructor(entries: Entries, flush: Flush, now: () => number) {
    this.#entries = entries;
    this.#flush = flush;
    this.#now = now;
  }

  /** The live entry of a key, or 0. */
  find(hash: number, bytes: Uint8Array, start: number, end: number): number {
    const entries = this.#entries;
    const ref = entries.find(hash, bytes, start, end);
    if (ref === 0) return 0;
    if ((entries.word(ref, 0) & EXPIRES) !== 0 && entries.expiryOf(ref) <= this.#now()) {
      entries.state[EXPIRATIONS]++;
      entries.remove(ref);
      return 0;
    }
    if (this.#flush.active && this.#flush.covers(ref)) {
      this.#flush.remove(ref);
      return 0;
    }
    return ref;
  }

  /** Whether a request sees an entry. */
  sees(ref: number, word0: number, now: number): boolean {
    if ((word0 & EXPIRES) !== 0 && this.#entries.expiryOf(ref) <= now) return false;
    return !this.#flush.covers(ref);
  }
}
