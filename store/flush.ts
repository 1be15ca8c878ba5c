/**
 * Flush by prefix: removes the keys that have a prefix, a bounded number at a time, as if at once.
 *
 * A cursor walks all entries as a scan does. An entry that has the prefix and lies ahead of the
 * cursor is doomed: nobody sees it any more. An entry that is written ahead of the cursor
 * meanwhile is marked as spared; the cursor takes the mark away when it passes.
 *
 * @module
 */

import { SLAB_SHIFT } from "./arena.ts";
import type { Entries } from "./entries.ts";
import { SPARED } from "./record.ts";
import { reversed, scan, startsWith } from "./scan.ts";

/** Entries that one step looks at. */
const STEP_ENTRIES = 4_096;
/** A flush whose caller has not come back for so long is finished by others. */
const ABANDONED_MS = 1_000;

/** The flush by prefix that is under way, if one is; see the top of this file. */
export class Flush {
  readonly #entries: Entries;
  #prefix: Uint8Array | undefined;
  #cursor = 0;
  #removed = 0;
  #steppedAt = 0;

  constructor(entries: Entries) {
    this.#entries = entries;
  }

  /** Whether a flush is under way. */
  get active(): boolean {
    return this.#prefix !== undefined;
  }

  /**
   * Begins a flush or goes on with it: how many entries were removed when it is done, undefined
   * before. Another flush, begun by somebody else, comes first; its own caller carries it on.
   */
  step(prefix: Uint8Array, now: number): number | undefined {
    if (this.#prefix === undefined) {
      this.#prefix = prefix.slice();
      this.#cursor = 0;
      this.#removed = 0;
    } else if (!sameBytes(prefix, this.#prefix)) {
      this.finishAbandoned(now);
      return undefined;
    }
    this.#steppedAt = now;
    return this.#advance();
  }

  /** Carries on with a flush whose caller did not come back. */
  finishAbandoned(now: number): void {
    if (this.#prefix !== undefined && now - this.#steppedAt > ABANDONED_MS) this.#advance();
  }

  /** Drops the flush that is under way. */
  stop(): void {
    this.#prefix = undefined;
  }

  /** Whether an entry that is written now must be marked as spared. */
  spares(hash: number): boolean {
    return this.#prefix !== undefined && reversed(hash) >= this.#cursor;
  }

  /** Whether an entry is only waiting to be removed. */
  dooms(ref: number): boolean {
    const prefix = this.#prefix;
    if (prefix === undefined) return false;
    const entries = this.#entries;
    const word0 = entries.word(ref, 0);
    if ((word0 & SPARED) !== 0 || reversed(entries.word(ref, 2)) < this.#cursor) return false;
    const keyAt = entries.keyAt(ref);
    const bytes = entries.arena.bytes[ref >>> SLAB_SHIFT];
    return startsWith(bytes, keyAt, keyAt + (word0 & 0xffff), prefix);
  }

  /** Removes a doomed entry. */
  remove(ref: number): void {
    this.#removed++;
    this.#entries.remove(ref);
  }

  #advance(): number | undefined {
    const doomed: number[] = [];
    const next = scan(this.#entries, this.#cursor, STEP_ENTRIES, undefined, (ref, word0) => {
      if ((word0 & SPARED) !== 0) this.#entries.setWord0(ref, (word0 & ~SPARED) >>> 0);
      else if (this.dooms(ref)) doomed.push(ref);
    });
    for (const ref of doomed) this.remove(ref);
    this.#cursor = next;
    if (next !== 0) return undefined;
    this.#prefix = undefined;
    return this.#removed;
  }
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && startsWith(a, 0, a.length, b);
}
