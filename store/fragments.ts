/**
 * Values too large for one record: a chain of fragments in the arena's third queue.
 *
 * The entry stays a small record that can be promoted or reinserted without copying its value; the
 * fragments lie elsewhere and move only when their segment is compacted. A fragment knows its
 * neighbours on both sides, so that moving it mends the chain in constant time.
 *
 * A chain is staged before it belongs to an entry, for a very large value in several calls. There
 * is one staged chain at a time; its first fragment has no neighbour before it.
 *
 * @module
 */

import type { Arena } from "./arena.ts";
import { BULK, SLAB_MASK, SLAB_SHIFT } from "./arena.ts";
import { STAGED_BYTES, STAGED_FIRST, STAGED_LAST, STAGED_READY, type State } from "./state.ts";
import { EXPIRES, FRAGMENT, FRAGMENT_HEADER_BYTES, granulesOf } from "./record.ts";

/** The most value bytes in one fragment. */
export const FRAGMENT_BYTES_MAX = 8_192;
/** What is left of a segment is filled with a shorter fragment if it is at least this long. */
const FRAGMENT_BYTES_MIN = 512;

/** Chains of fragments; see the top of this file. */
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

  /** Appends `value[start, end)` to the chain that no entry has yet. */
  stage(value: Uint8Array, start: number, end: number): void {
    const arena = this.#arena;
    const state = this.#state;
    while (start < end) {
      const left = end - start;
      let length = Math.min(left, FRAGMENT_BYTES_MAX);
      const room = arena.roomLeft(BULK) * 8 - FRAGMENT_HEADER_BYTES;
      if (room < length && room >= FRAGMENT_BYTES_MIN) length = room;
      const ref = arena.append(BULK, granulesOf(FRAGMENT_HEADER_BYTES + length));
      const words = arena.words[ref >>> SLAB_SHIFT];
      const at = (ref & SLAB_MASK) << 1;
      const previous = state[STAGED_LAST];
      words[at] = FRAGMENT;
      words[at + 1] = length;
      words[at + 2] = previous;
      words[at + 3] = 0;
      const bytes = arena.bytes[ref >>> SLAB_SHIFT];
      bytes.set(value.subarray(start, start + length), (at << 2) + FRAGMENT_HEADER_BYTES);
      if (previous === 0) state[STAGED_FIRST] = ref;
      else this.#setNext(previous, ref);
      state[STAGED_LAST] = ref;
      state[STAGED_BYTES] += length;
      start += length;
    }
  }

  /** Writes the value of an entry: all of it, or what is left of it if the rest is staged. */
  write(entry: number, value: Uint8Array, start: number, end: number): void {
    const state = this.#state;
    if (state[STAGED_READY] === 1) {
      state[STAGED_READY] = 0;
      this.stage(value, start + state[STAGED_BYTES], end);
      this.#attach(entry);
      return;
    }
    // The chain that somebody else stages waits meanwhile.
    const first = state[STAGED_FIRST];
    const last = state[STAGED_LAST];
    const bytes = state[STAGED_BYTES];
    this.#unstage();
    this.stage(value, start, end);
    this.#attach(entry);
    state[STAGED_FIRST] = first;
    state[STAGED_LAST] = last;
    state[STAGED_BYTES] = bytes;
  }

  /** Drops the chain that was staged. */
  dropStaged(): void {
    this.#killFrom(this.#state[STAGED_FIRST]);
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

  /** Whether the value of an entry is `other` from `at` on, as far as it reaches. */
  equals(entry: number, other: Uint8Array, at: number): boolean {
    let same = true;
    this.#walk(entry, (bytes, start, length) => {
      for (let n = 0; n < length && same; n++) same = bytes[start + n] === other[at + n];
      at += length;
      return same;
    });
    return same;
  }

  /** Marks every fragment of an entry dead. */
  kill(entry: number): void {
    this.#killFrom(this.#first(entry));
  }

  /** A fragment was copied from one place to another: its neighbours are told. */
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

  /** An entry was copied to a new place: its first fragment is told. */
  headMoved(entry: number): void {
    const first = this.#first(entry);
    this.#arena.words[first >>> SLAB_SHIFT][((first & SLAB_MASK) << 1) + 2] = entry;
  }

  #attach(entry: number): void {
    this.#setNext(entry, this.#state[STAGED_FIRST]);
    this.headMoved(entry);
    this.#unstage();
  }

  #unstage(): void {
    const state = this.#state;
    state[STAGED_FIRST] = state[STAGED_LAST] = state[STAGED_BYTES] = 0;
  }

  #killFrom(ref: number): void {
    const arena = this.#arena;
    while (ref !== 0) {
      const words = arena.words[ref >>> SLAB_SHIFT];
      const at = (ref & SLAB_MASK) << 1;
      const next = words[at + 3];
      arena.kill(ref, granulesOf(FRAGMENT_HEADER_BYTES + words[at + 1]));
      ref = next;
    }
  }

  #first(entry: number): number {
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
    let ref = this.#first(entry);
    while (ref !== 0) {
      const slab = ref >>> SLAB_SHIFT;
      const words = arena.words[slab];
      const at = (ref & SLAB_MASK) << 1;
      if (!visit(arena.bytes[slab], (at << 2) + FRAGMENT_HEADER_BYTES, words[at + 1])) return;
      ref = words[at + 3];
    }
  }
}
