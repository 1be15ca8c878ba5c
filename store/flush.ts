/**
 * Flush by prefix: removes the keys that have a prefix, a bounded number at a time, as if at once.
 *
 * Flushes wait in a queue, first in, first out, and only the first one is under way. A cursor walks
 * all entries as a scan does. The flush covers an entry that has the prefix and lies ahead of the
 * cursor: no request sees that entry any more. An entry that is written ahead of the cursor
 * meanwhile is marked as exempt; the cursor clears the mark when it passes.
 *
 * What always holds: no entry is marked as exempt while no flush is under way.
 *
 * @module
 */

import { SLAB_SHIFT } from "./arena.ts";
import type { Entries } from "./entries.ts";
import { EXEMPT, KEY_BYTES_MAX } from "./record.ts";
import { scan, startsWith } from "./scan.ts";
import { EXPIRATIONS, FLUSH_CURSOR, FLUSH_REMOVED } from "./state.ts";
import type { FlushOperation } from "./storage.ts";

/** Entries that one step looks at. */
const STEP_ENTRIES = 1_024;
const NONE = -1;

/** The queue of flushes by prefix, of which the first is under way. */
export class FlushQueue {
  readonly #entries: Entries;
  readonly #now: () => number;
  readonly #waiting: PrefixFlush[] = [];
  /** The prefix of the first flush. */
  #prefix = new Uint8Array(0);

  constructor(entries: Entries, now: () => number) {
    this.#entries = entries;
    this.#now = now;
    entries.state[FLUSH_CURSOR] = NONE;
  }

  /** Whether a flush is under way. */
  get active(): boolean {
    return this.#entries.state[FLUSH_CURSOR] !== NONE;
  }

  /** Adds a flush at the end of the queue. */
  start(prefix: Uint8Array): PrefixFlush {
    // No key begins with more bytes than the longest key has, so one byte more than that is enough.
    const bytes = Math.min(prefix.length, KEY_BYTES_MAX + 1);
    const copy = prefix.slice(0, bytes);
    const flush = new PrefixFlush(this, copy);
    this.#waiting.push(flush);
    if (this.#waiting.length === 1) this.#begin(flush);
    return flush;
  }

  /** Does a bounded share of the first flush; true if a flush is unfinished after it. */
  step(): boolean {
    const first = this.#waiting.at(0);
    if (first === undefined) return false;
    if (!this.#advance()) return true;
    const { state } = this.#entries;
    first.removed = state[FLUSH_REMOVED];
    state[FLUSH_CURSOR] = NONE;
    this.#waiting.shift();
    const next = this.#waiting.at(0);
    if (next === undefined) return false;
    this.#begin(next);
    return true;
  }

  /** Whether an entry with this hash that is written now must be marked as exempt. */
  exempts(hash: number): boolean {
    return this.active && hash >= this.#entries.state[FLUSH_CURSOR];
  }

  /** Whether the flush covers an entry: no request sees it, and it will be removed. */
  covers(ref: number): boolean {
    if (!this.active) return false;
    const entries = this.#entries;
    const word0 = entries.word(ref, 0);
    if ((word0 & EXEMPT) !== 0) return false;
    const keyAt = entries.keyAt(ref);
    const bytes = entries.arena.bytes[ref >>> SLAB_SHIFT];
    if (!startsWith(bytes, keyAt, keyAt + (word0 & 0xffff), this.#prefix)) return false;
    return entries.hashOf(ref) >= entries.state[FLUSH_CURSOR];
  }

  /** Removes an entry that the flush covers; one that had expired counts as expired. */
  remove(ref: number): void {
    const entries = this.#entries;
    const expired = entries.expiryOf(ref) <= this.#now();
    entries.state[expired ? EXPIRATIONS : FLUSH_REMOVED]++;
    entries.remove(ref);
  }

  #begin(flush: PrefixFlush): void {
    const { state } = this.#entries;
    this.#prefix = flush.prefix;
    state[FLUSH_CURSOR] = state[FLUSH_REMOVED] = 0;
  }

  /** Moves the cursor on; true at the end. */
  #advance(): boolean {
    const entries = this.#entries;
    const { state } = entries;
    const covered: number[] = [];
    const next = scan(entries, state[FLUSH_CURSOR], STEP_ENTRIES, undefined, (ref, word0) => {
      if ((word0 & EXEMPT) !== 0) entries.setWord0(ref, (word0 & ~EXEMPT) >>> 0);
      else if (this.covers(ref)) covered.push(ref);
    });
    for (const ref of covered) this.remove(ref);
    if (next === 0) return true;
    state[FLUSH_CURSOR] = next;
    return false;
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
