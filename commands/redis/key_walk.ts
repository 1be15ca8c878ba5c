/**
 * A walk over the keys that match a pattern, for KEYS and SCAN.
 *
 * Each step does a bounded amount of work. The store is asked for a few entries at a time. Where
 * its filter by prefix cannot tell whether a key matches, the key is copied, and compared once the
 * store is left, so that a slow comparison keeps nobody from the store.
 *
 * @module
 */

import type { Context } from "../context.ts";
import { FoundKeys } from "./found_keys.ts";
import type { Glob } from "./glob.ts";

/** Entries that one call of the store visits; the reply's size is checked between two calls. */
export const entriesPerCall = 64;

/** Calls of the store in one step, which look at some 6,000 slots of its index. */
export const stepCallsMax = 4;

/** Elements of the pattern that one step compares: a millisecond or two. */
export const stepComparisonsMax = 256 * 1024;

/**
 * The same for a whole walk that must end in one call, as in a transaction, while everybody waits.
 */
export const atomicComparisonsMax = 64 * 1024 * 1024;

/** A walk over the keys that match a pattern. */
export class KeyWalk {
  /** The keys that were found. */
  readonly found: FoundKeys;
  /** Where the walk goes on; 0 once it is at its end. */
  cursor: number;
  readonly #glob: Glob;
  readonly #prefix: Uint8Array | undefined;
  /** Keys that were visited and are not yet compared. */
  #visited: Uint8Array = new Uint8Array(0);
  readonly #ends: number[] = [];
  #compared = 0;
  #isComparing = false;
  #comparisons = 0;
  readonly #visit: (bytes: Uint8Array, start: number, end: number) => void;

  constructor(context: Context, glob: Glob, cursor: number) {
    this.found = new FoundKeys(context);
    this.cursor = cursor;
    this.#glob = glob;
    this.#prefix = glob.prefix.length > 0 ? glob.prefix : undefined;
    this.#visit = glob.isPrefix
      ? (bytes, start, end) => this.found.add(bytes, start, end)
      : (bytes, start, end) => this.#copy(bytes, start, end);
  }

  /** Bytes of memory that the walk holds. */
  get heldBytes(): number {
    return this.found.heldBytes + this.#visited.length + this.#glob.heldBytes;
  }

  /** Whether all keys that were visited are compared. */
  get isCompared(): boolean {
    return this.#ends.length === 0;
  }

  /** How many elements of the pattern were compared. */
  get comparisons(): number {
    return this.#comparisons;
  }

  /** Sets how many elements of the pattern may be compared until the next call. */
  allow(comparisons: number): void {
    this.#glob.budget = comparisons;
  }

  /** Visits about `count` entries. What was visited before must be compared. */
  visit({ store }: Context, count: number): void {
    // A cursor that the store has not returned is somewhere in its order of keys, or at the end.
    this.cursor = store.scan(this.cursor, count, this.#visit, this.#prefix);
  }

  /** Compares the keys that were visited, as far as is allowed; true when that was all. */
  compare(): boolean {
    const glob = this.#glob;
    const ends = this.#ends;
    const before = glob.budget;
    let isDone = true;
    for (; this.#compared < ends.length; this.#compared++) {
      const start = this.#compared === 0 ? 0 : ends[this.#compared - 1];
      const end = ends[this.#compared];
      if (!this.#isComparing) glob.begin(start);
      const isMatch = glob.goOn(this.#visited, end);
      this.#isComparing = isMatch === undefined;
      if (isMatch === undefined) {
        isDone = false;
        break;
      }
      if (isMatch) this.found.add(this.#visited, start, end);
    }
    this.#comparisons += before - glob.budget;
    if (isDone) {
      ends.length = 0;
      this.#compared = 0;
    }
    return isDone;
  }

  /** Gives back what the walk holds. */
  clear(): void {
    this.found.clear();
    this.#visited = new Uint8Array(0);
    this.#ends.length = 0;
  }

  #copy(bytes: Uint8Array, start: number, end: number): void {
    const length = this.#ends.at(-1) ?? 0;
    const newLength = length + end - start;
    if (newLength > this.#visited.length) {
      const larger = new Uint8Array(Math.max(1024, 2 * newLength));
      larger.set(this.#visited.subarray(0, length));
      this.#visited = larger;
    }
    this.#visited.set(bytes.subarray(start, end), length);
    this.#ends.push(newLength);
  }
}
