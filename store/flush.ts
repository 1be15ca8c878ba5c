/**
 * A flush by prefix: removes the keys that have a prefix, a bounded number at a time, as if at
 * once.
 *
 * A cursor walks all entries as a scan does. The flush covers an entry that has the prefix and lies
 * ahead of the cursor: no request sees that entry any more. An entry that is written ahead of the
 * cursor meanwhile is marked as exempt; the cursor clears the mark when it passes.
 *
 * What always holds: no entry is marked as exempt while no flush is under way.
 *
 * @module
 */

import type { Entries } from "./entries.ts";
import { EXEMPT, KEY_BYTES_MAX } from "./record.ts";
import { scan, startsWith } from "./scan.ts";
import { SLAB_SHIFT } from "./slabs.ts";
import { EXPIRATIONS, FLUSH_CURSOR, FLUSH_REMOVED, type Root } from "./state.ts";

/** No key begins with more bytes than the longest key has: one byte more than that is enough. */
export const PREFIX_BYTES_MAX = KEY_BYTES_MAX + 1;
/** Entries that one step looks at. */
const STEP_ENTRIES = 1_024;
const NONE = -1;

/** The flush that is under way, if any. */
export class Flush {
  /** The prefix of the keys that it removes. */
  prefix: Uint8Array = new Uint8Array(0);
  readonly #entries: Entries;
  readonly #now: () => number;

  constructor(entries: Entries, root: Root, now: () => number) {
    this.#entries = entries;
    this.#now = now;
    if (!root.isAttached) entries.state[FLUSH_CURSOR] = NONE;
  }

  /** Whether a flush is under way. */
  get active(): boolean {
    return this.#entries.state[FLUSH_CURSOR] !== NONE;
  }

  /** How many entries it has removed. */
  get removed(): number {
    return this.#entries.state[FLUSH_REMOVED];
  }

  /** Begins to remove the keys that are there now and have a prefix, which is not copied. */
  begin(prefix: Uint8Array): void {
    this.prefix = prefix;
    const { state } = this.#entries;
    this.#entries.allChanged();
    state[FLUSH_CURSOR] = state[FLUSH_REMOVED] = 0;
  }

  /** Does a bounded share of the flush; true once it is done. */
  advance(): boolean {
    const entries = this.#entries;
    const { state } = entries;
    const covered: number[] = [];
    const next = scan(entries, state[FLUSH_CURSOR], STEP_ENTRIES, undefined, (ref, word0) => {
      if ((word0 & EXEMPT) !== 0) entries.setWord0(ref, (word0 & ~EXEMPT) >>> 0);
      else if (this.covers(ref)) covered.push(ref);
    });
    for (const ref of covered) this.remove(ref);
    state[FLUSH_CURSOR] = next === 0 ? NONE : next;
    return next === 0;
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
    if (!startsWith(bytes, keyAt, keyAt + (word0 & 0xffff), this.prefix)) return false;
    return entries.hashOf(ref) >= entries.state[FLUSH_CURSOR];
  }

  /** Removes an entry that the flush covers; one that had expired counts as expired. */
  remove(ref: number): void {
    const entries = this.#entries;
    const expired = entries.expiryOf(ref) <= this.#now();
    entries.state[expired ? EXPIRATIONS : FLUSH_REMOVED]++;
    entries.remove(ref);
  }
}
