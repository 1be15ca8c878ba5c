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
import { KEY_BYTES_MAX, SPARED } from "./record.ts";
import { scan, startsWith } from "./scan.ts";
import {
  type Allocate,
  FLUSH_CURSOR,
  FLUSH_PREFIX_BYTES,
  FLUSH_REMOVED,
  FLUSH_STEPPED_AT,
} from "./state.ts";

/** Entries that one step looks at. */
const STEP_ENTRIES = 1_024;
/** A flush whose caller has not come back for so long is finished by others. */
const ABANDONED_MS = 1_000;
const NONE = -1;

/** The flush by prefix that is under way, if one is; see the top of this file. */
export class Flush {
  readonly #entries: Entries;
  readonly #allocate: Allocate;
  /** Room for a prefix, taken when the first flush needs it. */
  #prefix = new Uint8Array(0);

  constructor(entries: Entries, allocate: Allocate) {
    this.#entries = entries;
    this.#allocate = allocate;
    this.stop();
  }

  /** Whether a flush is under way. */
  get active(): boolean {
    return this.#entries.state[FLUSH_PREFIX_BYTES] !== NONE;
  }

  /**
   * Begins a flush or goes on with it: how many entries were removed when it is done, undefined
   * before. Another flush, begun by somebody else, comes first; its own caller carries it on.
   */
  step(prefix: Uint8Array, now: number): number | undefined {
    const state = this.#entries.state;
    if (!this.active) {
      if (this.#prefix.length === 0) this.#prefix = new Uint8Array(this.#allocate(KEY_BYTES_MAX));
      this.#prefix.set(prefix.subarray(0, KEY_BYTES_MAX));
      state[FLUSH_PREFIX_BYTES] = prefix.length;
      state[FLUSH_CURSOR] = state[FLUSH_REMOVED] = 0;
    } else if (!this.#isPrefix(prefix)) {
      this.finishAbandoned(now);
      return undefined;
    }
    state[FLUSH_STEPPED_AT] = now;
    return this.#advance();
  }

  /** Carries on with a flush whose caller did not come back. */
  finishAbandoned(now: number): void {
    const abandoned = now - this.#entries.state[FLUSH_STEPPED_AT] > ABANDONED_MS;
    if (abandoned && this.active) this.#advance();
  }

  /** Drops the flush that is under way. */
  stop(): void {
    this.#entries.state[FLUSH_PREFIX_BYTES] = NONE;
  }

  /** Whether an entry that is written now must be marked as spared. */
  spares(hash: number): boolean {
    return this.active && hash >= this.#entries.state[FLUSH_CURSOR];
  }

  /** Whether an entry is only waiting to be removed. */
  dooms(ref: number): boolean {
    if (!this.active) return false;
    const entries = this.#entries;
    const { state } = entries;
    const word0 = entries.word(ref, 0);
    if ((word0 & SPARED) !== 0) return false;
    const prefix = this.#prefix.subarray(0, state[FLUSH_PREFIX_BYTES]);
    const keyAt = entries.keyAt(ref);
    const bytes = entries.arena.bytes[ref >>> SLAB_SHIFT];
    if (!startsWith(bytes, keyAt, keyAt + (word0 & 0xffff), prefix)) return false;
    return entries.hashOf(ref) >= state[FLUSH_CURSOR];
  }

  /** Removes a doomed entry. */
  remove(ref: number): void {
    this.#entries.state[FLUSH_REMOVED]++;
    this.#entries.remove(ref);
  }

  #advance(): number | undefined {
    const { state } = this.#entries;
    const doomed: number[] = [];
    const next = scan(this.#entries, state[FLUSH_CURSOR], STEP_ENTRIES, undefined, (ref, word0) => {
      if ((word0 & SPARED) !== 0) this.#entries.setWord0(ref, (word0 & ~SPARED) >>> 0);
      else if (this.dooms(ref)) doomed.push(ref);
    });
    for (const ref of doomed) this.remove(ref);
    state[FLUSH_CURSOR] = next;
    if (next !== 0) return undefined;
    this.stop();
    return state[FLUSH_REMOVED];
  }

  #isPrefix(prefix: Uint8Array): boolean {
    const length = this.#entries.state[FLUSH_PREFIX_BYTES];
    return prefix.length === length && startsWith(this.#prefix, 0, length, prefix);
  }
}
