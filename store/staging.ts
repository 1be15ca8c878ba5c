/**
 * Staging: a very large value is copied into the arena a part at a time, before its entry is
 * written, so that no call copies more than a bounded number of bytes.
 *
 * One value is staged at a time. It belongs to whoever began it, and is dropped when they do not
 * come back: what is staged is only memory, not yet a part of the store.
 *
 * @module
 */

import type { Entries } from "./entries.ts";
import { STAGED_READY, STAGED_UNTIL } from "./state.ts";

/** Bytes that one call copies. */
export const STAGED_PART_BYTES = 1_048_576;
/** How long a staged value waits for its owner's next call, in milliseconds. */
const STAGED_MS = 1_000;

/** The value that is being staged, if one is; see the top of this file. */
export class Staging {
  readonly #entries: Entries;
  #owner: object | undefined;

  constructor(entries: Entries) {
    this.#entries = entries;
  }

  /**
   * Copies the next part of an owner's value. True when what is left is small enough to be copied
   * with the entry; false if the owner has to call again.
   */
  stage(
    owner: object,
    value: Uint8Array,
    valueStart: number,
    valueEnd: number,
    now: number,
  ): boolean {
    const { fragments, state } = this.#entries;
    if (this.#owner !== owner) {
      if (this.#owner !== undefined && now <= state[STAGED_UNTIL]) return false;
      this.drop();
      this.#owner = owner;
    }
    state[STAGED_UNTIL] = now + STAGED_MS;
    const start = valueStart + fragments.stagedBytes;
    if (valueEnd - start <= STAGED_PART_BYTES) {
      this.#owner = undefined;
      state[STAGED_READY] = 1;
      return true;
    }
    fragments.stage(value, start, start + STAGED_PART_BYTES);
    return false;
  }

  /** Drops a value whose owner did not come back. */
  dropAbandoned(now: number): void {
    if (this.#owner !== undefined && now > this.#entries.state[STAGED_UNTIL]) this.drop();
  }

  /** Drops what is staged. */
  drop(): void {
    this.#owner = undefined;
    this.#entries.fragments.dropStaged();
  }
}
