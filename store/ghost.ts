/**
 * The ghost: which keys were evicted not long ago, from which queue, and when.
 *
 * A set of four slots is shared by all hashes whose high bits lead to it, newest first; one more
 * pushes the last out. A slot holds 24 bits of the hash, the queue, and the time of the eviction in
 * units of that queue's own evictions. Two keys with one fingerprint cost a misjudged entry, no
 * more.
 *
 * @module
 */

import { MAIN, SMALL } from "./arena.ts";
import type { Allocate } from "./state.ts";

const WAYS = 4;
/** Slots at least, and slots for each entry: fewer forget too soon, more remember what is stale. */
const SLOTS_MIN = 256;
const SLOTS_PER_ENTRY = 1;
/** The table is made anew when there are this many times more entries than slots, or fewer. */
const CROWDED = 1.3;
const SPARSE = 0.4;

const FINGERPRINT_MASK = 0x00ffffff;
const FROM_MAIN = 1 << 24;
const STAMP_SHIFT = 25;
/** Stamps count modulo this. */
export const STAMPS = 128;

/** Fingerprints of evicted keys; see the top of this file. */
export class Ghost {
  #slots = new Uint32Array(0);
  readonly #allocate: Allocate;

  constructor(allocate: Allocate) {
    this.#allocate = allocate;
  }

  /** Bytes of the table. */
  get heldBytes(): number {
    return this.#slots.byteLength;
  }

  /** Sizes the table for so many entries; if that changes it, it forgets. */
  fit(entries: number): void {
    const slots = this.#slots.length;
    if (slots > 0 && entries <= slots * CROWDED) {
      if (slots === SLOTS_MIN || entries >= slots * SPARSE) return;
    }
    const sets = Math.ceil(Math.max(SLOTS_MIN, entries * SLOTS_PER_ENTRY) / WAYS);
    this.#slots = new Uint32Array(this.#allocate(sets * WAYS * 4));
  }

  /** Remembers the hash of a key evicted from a queue, with that queue's stamp. */
  add(hash: number, queue: number, stamp: number): void {
    const slots = this.#slots;
    const at = this.#setOf(hash);
    slots[at + 3] = slots[at + 2];
    slots[at + 2] = slots[at + 1];
    slots[at + 1] = slots[at];
    slots[at] = (hash & FINGERPRINT_MASK) | (queue === MAIN ? FROM_MAIN : 0) |
      (stamp << STAMP_SHIFT);
  }

  /**
   * What is remembered of a hash, which is then forgotten: a number for {@linkcode queueOf} and
   * {@linkcode stampOf}, or -1 if nothing is.
   */
  take(hash: number): number {
    const slots = this.#slots;
    if (slots.length === 0) return -1;
    let at = this.#setOf(hash);
    const last = at + WAYS - 1;
    const fingerprint = hash & FINGERPRINT_MASK;
    for (; at <= last; at++) {
      const slot = slots[at];
      if ((slot & FINGERPRINT_MASK) !== fingerprint || slot === 0) continue;
      for (; at < last; at++) slots[at] = slots[at + 1];
      slots[last] = 0;
      return slot;
    }
    return -1;
  }

  /** The queue that a remembered key was evicted from. */
  static queueOf(remembered: number): typeof SMALL | typeof MAIN {
    return (remembered & FROM_MAIN) === 0 ? SMALL : MAIN;
  }

  /** The stamp that it was remembered with. */
  static stampOf(remembered: number): number {
    return remembered >>> STAMP_SHIFT;
  }

  /** Forgets everything. */
  clear(): void {
    this.#slots = new Uint32Array(0);
  }

  #setOf(hash: number): number {
    return Math.floor(hash / 2 ** 32 * (this.#slots.length / WAYS)) * WAYS;
  }
}
