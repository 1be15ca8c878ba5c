/**
 * Values too large for one record: a chain of fragments in the arena's third queue.
 *
 * The entry stays a small record that can be promoted or reinserted without copying its value; the
 * fragments lie elsewhere and move only when their segment is compacted. A fragment knows its
 * neighbours on both sides, so that moving it mends the chain in constant time.
 *
 * For a very large value a chain is staged before its entry is written, over several calls. There
 * is one staged chain at a time; its first fragment has no neighbour before it.
 *
 * What always holds: each fragment belongs to one entry, or to the staged chain.
 *
 * @module
 */

import { type Arena, BULK, FIRST_GRANULE } from "./arena.ts";
import { sameBytes } from "./bytes.ts";
import { SEGMENT_GRANULES, SLAB_MASK, SLAB_SHIFT } from "./slabs.ts";
import { STAGED_BYTES, STAGED_FIRST, STAGED_LAST, type State } from "./state.ts";
import { EXPIRES, FRAGMENT, FRAGMENT_HEADER_BYTES, GRANULE_BYTES, granulesOf } from "./record.ts";

/** The most value bytes in one fragment. */
export const FRAGMENT_BYTES_MAX = 8_192;
/** What is left of a segment is filled with a shorter fragment if it is at least this long. */
const FRAGMENT_BYTES_MIN = 512;

/** The least value bytes that an empty segment takes: full fragments, and one in what is left. */
const SEGMENT_BYTES_MIN = (() => {
  const space = (SEGMENT_GRANULES - FIRST_GRANULE) * GRANULE_BYTES;
  const whole = Math.floor(space / (FRAGMENT_HEADER_BYTES + FRAGMENT_BYTES_MAX));
  const rest = space - whole * (FRAGMENT_HEADER_BYTES + FRAGMENT_BYTES_MAX) - FRAGMENT_HEADER_BYTES;
  return whole * FRAGMENT_BYTES_MAX + (rest >= FRAGMENT_BYTES_MIN ? rest : 0);
})();

/** The chains of fragments that hold large values. */
export class Fragments {
  readonly #arena: Arena;
  readonly #state: State;

  constructor(arena: Arena, state: State) {
    this.#arena = arena;
    this.#state = state;
  }

  /** Bytes of the value that is being staged. */
  get stagedBytes(): number {
    return this.#state[STAGED_BYTES];
  }

  /** Segments that this many bytes need at most, beyond the granules left in the newest one. */
  segmentsFor(valueBytes: number, granulesLeft: number): number {
    const left = granulesLeft * GRANULE_BYTES - FRAGMENT_HEADER_BYTES;
    if (valueBytes <= left && valueBytes <= FRAGMENT_BYTES_MAX) return 0;
    return Math.ceil(valueBytes / SEGMENT_BYTES_MIN);
  }

  /** Appends `value[start, end)` to the staged chain. */
  stage(value: Uint8Array, start: number, end: number): void {
    const state = this.#state;
    state[STAGED_LAST] = this.#append(state[STAGED_LAST], value, start, end);
    state[STAGED_BYTES] += end - start;
  }

  /**
   * Writes the value of an entry: `value[start, end)` follows what is staged of it, if anything.
   */
  write(entry: number, value: Uint8Array, start: number, end: number, isStaged: boolean): void {
    let last = entry;
    if (isStaged) {
      const state = this.#state;
      this.#setNext(entry, state[STAGED_FIRST]);
      this.headMoved(entry);
      last = state[STAGED_LAST];
      this.#unstage();
    }
    this.#append(last, value, start, end);
  }

  /** Drops the staged chain, if there is one. */
  dropStaged(): void {
    this.#markDeadFrom(this.#state[STAGED_FIRST]);
    this.#unstage();
  }

  /** Forgets the staged chain, whose memory has been given back. */
  clear(): void {
    this.#unstage();
  }

  /** Copies the whole value of an entry to `target` at `at`. */
  read(entry: number, target: Uint8Array, at: number): void {
    this.#walk(entry, (bytes, start, length) => {
      target.set(bytes.subarray(start, start + length), at);
      at += length;
      return true;
    });
  }

  /** Whether the value of an entry is `other` from `at` on, as far as the value reaches. */
  equals(entry: number, other: Uint8Array, at: number): boolean {
    let same = true;
    this.#walk(entry, (bytes, start, length) => {
      same = sameBytes(bytes, start, other, at, length);
      at += length;
      return same;
    });
    return same;
  }

  /** Marks every fragment of an entry dead. */
  markDead(entry: number): void {
    this.#markDeadFrom(this.first(entry));
  }

  /** A fragment was copied from one place to another: its neighbours refer to the new one. */
  moved(from: number, to: number): void {
    const state = this.#state;
    const words = this.#arena.words[to >>> SLAB_SHIFT];
    const at = (to & SLAB_MASK) << 1;
    if (words[at + 2] === 0) state[STAGED_FIRST] = to;
    else this.#setNext(words[at + 2], to);
    if (from === state[STAGED_LAST]) state[STAGED_LAST] = to;
    const next = words[at + 3];
    if (next !== 0) this.#arena.words[next >>> SLAB_SHIFT][((next & SLAB_MASK) << 1) + 2] = to;
  }

  /** An entry was copied to a new place: its first fragment refers to the new one. */
  headMoved(entry: number): void {
    const first = this.first(entry);
    this.#arena.words[first >>> SLAB_SHIFT][((first & SLAB_MASK) << 1) + 2] = entry;
  }

  /**
   * Appends a chain of fragments to an entry or a fragment, or begins the staged chain if that is
   * 0. Returns its last fragment. The segments have been provided.
   */
  #append(previous: number, value: Uint8Array, start: number, end: number): number {
    const arena = this.#arena;
    while (start < end) {
      let length = Math.min(end - start, FRAGMENT_BYTES_MAX);
      const left = arena.granulesLeft(BULK) * GRANULE_BYTES - FRAGMENT_HEADER_BYTES;
      if (left < length && left >= FRAGMENT_BYTES_MIN) length = left;
      const ref = arena.append(BULK, granulesOf(FRAGMENT_HEADER_BYTES + length));
      const words = arena.words[ref >>> SLAB_SHIFT];
      const at = (ref & SLAB_MASK) << 1;
      words[at] = FRAGMENT;
      words[at + 1] = length;
      words[at + 2] = previous;
      words[at + 3] = 0;
      const bytes = arena.bytes[ref >>> SLAB_SHIFT];
      bytes.set(value.subarray(start, start + length), (at << 2) + FRAGMENT_HEADER_BYTES);
      if (previous === 0) this.#state[STAGED_FIRST] = ref;
      else this.#setNext(previous, ref);
      previous = ref;
      start += length;
    }
    return previous;
  }

  #unstage(): void {
    const state = this.#state;
    state[STAGED_FIRST] = state[STAGED_LAST] = state[STAGED_BYTES] = 0;
  }

  #markDeadFrom(ref: number): void {
    const arena = this.#arena;
    while (ref !== 0) {
      const words = arena.words[ref >>> SLAB_SHIFT];
      const at = (ref & SLAB_MASK) << 1;
      const next = words[at + 3];
      arena.markDead(ref, granulesOf(FRAGMENT_HEADER_BYTES + words[at + 1]));
      ref = next;
    }
  }

  /** The first fragment of an entry. */
  first(entry: number): number {
    const words = this.#arena.words[entry >>> SLAB_SHIFT];
    const at = (entry & SLAB_MASK) << 1;
    return words[at + ((words[at] & EXPIRES) === 0 ? 2 : 4)];
  }

  /** Sets what follows an entry or a fragment. */
  #setNext(ref: number, next: number): void {
    const words = this.#arena.words[ref >>> SLAB_SHIFT];
    const at = (ref & SLAB_MASK) << 1;
    if ((words[at] & FRAGMENT) !== 0) words[at + 3] = next;
    else words[at + ((words[at] & EXPIRES) === 0 ? 2 : 4)] = next;
  }

  #walk(
    entry: number,
    visit: (bytes: Uint8Array, start: number, length: number) => boolean,
  ): void {
    const arena = this.#arena;
    let ref = this.first(entry);
    while (ref !== 0) {
      const slab = ref >>> SLAB_SHIFT;
      const words = arena.words[slab];
      const at = (ref & SLAB_MASK) << 1;
      if (!visit(arena.bytes[slab], (at << 2) + FRAGMENT_HEADER_BYTES, words[at + 1])) return;
      ref = words[at + 3];
    }
  }
}
