/**
 * The ghost: which keys were evicted not long ago, from which queue, and when.
 *
 * A set of four slots is shared by all hashes whose high bits lead to it, newest first; one more
 * pushes the last out. A slot holds 16 bits of the hash, the queue, and the time of the eviction by
 * two clocks: that queue's own evictions, and the turns of the main queue. Two keys with the same
 * fingerprint cost one misjudged entry.
 *
 * @module
 */

import { MAIN, SMALL } from "./arena.ts";
import type { Memory } from "./memory.ts";
import {
  EVICTIONS,
  GENERATION,
  GHOST_ADDRESS,
  GHOST_RETRY_AT,
  GHOST_SLOTS,
  type Root,
  type State,
} from "./state.ts";

const WAYS = 4;
/** Slots at least, and slots for each entry: fewer forget too soon, more remember what is stale. */
const SLOTS_MIN = 256;
const SLOTS_PER_ENTRY = 1.4;
/** The table is replaced when this many times its slots would be right, or fewer. */
const CROWDED = 1.3;
const SPARSE = 0.4;
/** Evictions after which a resize that found no memory is tried again. */
const RETRY_EVICTIONS = 1_024;

const FINGERPRINT_MASK = (1 << 16) - 1;
const FROM_MAIN = 1 << 16;
const TURNS_SHIFT = 17;
const STAMP_SHIFT = 25;
/** Stamps count modulo this, and those of the main queue's turns modulo that. */
export const STAMPS = 128;
export const TURNS = 256;

/** The fingerprints of evicted keys, in a table that may be missing when memory is short. */
export class Ghost {
  #slots = new Uint32Array(0);
  #address = 0;
  readonly #memory: Memory;
  readonly #state: State;

  constructor(memory: Memory, root: Root) {
    this.#memory = memory;
    this.#state = root.numbers;
    this.attach();
  }

  /** Makes the view again if another thread has replaced the table. */
  attach(): void {
    const state = this.#state;
    if (this.#address === state[GHOST_ADDRESS]) return;
    this.#address = state[GHOST_ADDRESS];
    const slots = state[GHOST_SLOTS];
    const memory = this.#address === 0
      ? undefined
      : this.#memory.shared?.at(this.#address, slots * 4);
    this.#slots = memory === undefined ? new Uint32Array(0) : new Uint32Array(memory, 0, slots);
  }

  /** Bytes of the table. */
  get heldBytes(): number {
    return this.#slots.byteLength;
  }

  /**
   * Sizes the table for this many entries; if that replaces it, it forgets. Without memory for
   * another one it stays as it is: a ghost that forgets too soon costs hits and nothing else.
   */
  fit(entries: number): void {
    const slots = this.#slots.length;
    const wanted = entries * SLOTS_PER_ENTRY;
    if (slots > 0 && wanted <= slots * CROWDED) {
      if (slots === SLOTS_MIN || wanted >= slots * SPARSE) return;
    }
    const sets = Math.ceil(Math.max(SLOTS_MIN, wanted) / WAYS);
    const state = this.#state;
    if (state[EVICTIONS] < state[GHOST_RETRY_AT]) return;
    const block = this.#memory.tryTake(sets * WAYS * 4);
    if (block === undefined) state[GHOST_RETRY_AT] = state[EVICTIONS] + RETRY_EVICTIONS;
    else this.#use(new Uint32Array(block.buffer), block.address);
  }

  /** Remembers the hash of a key evicted from a queue, with that queue's stamp and that of turns. */
  add(hash: number, queue: number, stamp: number, turns: number): void {
    const slot = (hash & FINGERPRINT_MASK) | (queue === MAIN ? FROM_MAIN : 0) |
      (turns << TURNS_SHIFT) | (stamp << STAMP_SHIFT);
    this.restore(hash, slot >>> 0);
  }

  /** Puts back what `take` returned for a hash. */
  restore(hash: number, slot: number): void {
    const slots = this.#slots;
    if (slots.length === 0) return;
    const at = this.#setOf(hash);
    slots[at + 3] = slots[at + 2];
    slots[at + 2] = slots[at + 1];
    slots[at + 1] = slots[at];
    slots[at] = slot;
  }

  /**
   * What is remembered of a hash, which is then forgotten: a number for {@linkcode queueOf},
   * {@linkcode stampOf} and {@linkcode turnsOf}, or -1 if nothing is.
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

  /** The stamp of the main queue's turns that it was remembered with. */
  static turnsOf(remembered: number): number {
    return (remembered >>> TURNS_SHIFT) % TURNS;
  }

  /** Forgets everything. */
  clear(): void {
    this.#use(new Uint32Array(0), 0);
  }

  /** Replaces the table. */
  #use(slots: Uint32Array<ArrayBuffer>, address: number): void {
    this.#memory.give(this.#address, this.#slots.byteLength);
    this.#slots = slots;
    this.#address = address;
    this.#state[GHOST_ADDRESS] = address;
    this.#state[GHOST_SLOTS] = slots.length;
    this.#state[GENERATION]++;
  }

  #setOf(hash: number): number {
    return Math.floor(hash / 2 ** 32 * (this.#slots.length / WAYS)) * WAYS;
  }
}
