/**
 * The index: from the hash of a key to its entry. Open addressing, in the order of the hashes.
 *
 * A slot holds a reference and its hash. The home of a hash is its share of the table: hash 0 at
 * the first slot, the largest at the last. An entry lies at its home or after it, with no empty
 * slot between, and slots are kept in ascending order of their hashes. So a search ends at the
 * first larger hash, without a look at any entry; a scan follows the hashes; and a table can be
 * moved to one of another size from the front to the back, a few slots with each change.
 *
 * That is how it grows: by a quarter once it is 80 % full, and no request pays for a rehash. While
 * it moves, hashes below the frontier are in the new table and the others in the old one. Pages
 * of the old table that were moved serve the new one, so both together need no more than one.
 *
 * Sources: Amble and Knuth, "Ordered hash tables", 1974; Celis, "Robin Hood hashing", 1986.
 *
 * @module
 */

import {
  type Allocate,
  ENTRIES,
  FRONTIER,
  SLOTS,
  SLOTS_MOVED,
  SLOTS_OLD,
  type State,
} from "./state.ts";

const PAGE_SHIFT = 13;
const PAGE_SLOTS = 1 << PAGE_SHIFT;
const PAGE_MASK = PAGE_SLOTS - 1;
const PAGE_BYTES = PAGE_SLOTS * 8;
/** Hashes are below this. */
export const HASHES = 2 ** 32;
/** Slots of an empty index. */
const SLOTS_MIN = 1_024;
/** It grows when more than this share of its slots is taken, by this factor. */
const FULL = 0.8;
const GROWTH = 1.25;
/** It shrinks when less than this share is taken, to where this share is. */
const SPARSE = 0.15;
const SHRUNK = 0.6;
/** Slots that each change moves while the table moves. */
const MOVED_PER_CHANGE = 32;

const NO_PAGE = new Uint32Array(0);

/** Slots in pages: two words each, reference and hash; reference 0 is an empty slot. */
type Pages = Uint32Array[];

/** Entries by hash; see the top of this file. */
export class Index {
  readonly #allocate: Allocate;
  readonly #state: State;
  /** The table, or while it moves the new one; and the old one. */
  #pages: Pages = [];
  #pagesOld: Pages = [];
  readonly #spare: Pages = [];

  constructor(allocate: Allocate, state: State) {
    this.#allocate = allocate;
    this.#state = state;
    this.clear();
  }

  /** Entries in the index. */
  get entries(): number {
    return this.#state[ENTRIES];
  }

  /** Bytes of the tables. */
  get heldBytes(): number {
    const old = this.#pagesOld.length - (this.#state[SLOTS_MOVED] >>> PAGE_SHIFT);
    return (this.#pages.length + old + this.#spare.length) * PAGE_BYTES;
  }

  /** Bytes of the slots that there are, taken or not. */
  get slotBytes(): number {
    return this.#pagesOld.length === 0 ? this.#state[SLOTS] * 8 : this.heldBytes;
  }

  /** The first slot with a hash, or -1. */
  first(hash: number): number {
    const state = this.#state;
    const isMoved = hash < state[FRONTIER];
    const pages = isMoved ? this.#pages : this.#pagesOld;
    for (let slot = this.#homeOf(hash, isMoved);; slot++) {
      const page = pages[slot >>> PAGE_SHIFT];
      const at = (slot & PAGE_MASK) << 1;
      if (page[at] === 0) return -1;
      const there = page[at + 1];
      if (there >= hash) return there === hash ? slot : -1;
    }
  }

  /** The next slot with the same hash, or -1. */
  next(hash: number, slot: number): number {
    const pages = this.#pagesFor(hash);
    const page = pages[++slot >>> PAGE_SHIFT];
    const at = (slot & PAGE_MASK) << 1;
    return page[at] !== 0 && page[at + 1] === hash ? slot : -1;
  }

  /** The reference in a slot that a hash was found in. */
  refAt(hash: number, slot: number): number {
    return this.#pagesFor(hash)[slot >>> PAGE_SHIFT][(slot & PAGE_MASK) << 1];
  }

  /** Adds an entry. */
  insert(hash: number, ref: number): void {
    const state = this.#state;
    if (++state[ENTRIES] > state[SLOTS] * FULL && state[FRONTIER] === HASHES) {
      this.#startMoving(Math.ceil(state[SLOTS] * GROWTH));
    }
    this.#move();
    const isMoved = hash < state[FRONTIER];
    const pages = isMoved ? this.#pages : this.#pagesOld;
    let slot = this.#homeOf(hash, isMoved);
    for (;; slot++) {
      const page = pages[slot >>> PAGE_SHIFT];
      const at = (slot & PAGE_MASK) << 1;
      if (page[at] === 0 || page[at + 1] > hash) break;
    }
    for (;; slot++) {
      const page = pages[slot >>> PAGE_SHIFT];
      const at = (slot & PAGE_MASK) << 1;
      const refThere = page[at];
      const hashThere = page[at + 1];
      page[at] = ref;
      page[at + 1] = hash;
      if (refThere === 0) break;
      ref = refThere;
      hash = hashThere;
    }
    this.#reach(pages, slot + 1);
  }

  /** Removes an entry; those after it that are not at home move up. */
  remove(hash: number, ref: number): void {
    const isMoved = hash < this.#state[FRONTIER];
    const pages = isMoved ? this.#pages : this.#pagesOld;
    const scale = (isMoved ? this.#state[SLOTS] : this.#state[SLOTS_OLD]) / HASHES;
    let slot = this.#slotOf(hash, ref);
    for (;;) {
      const page = pages[slot >>> PAGE_SHIFT];
      const at = (slot & PAGE_MASK) << 1;
      slot++;
      const nextPage = pages[slot >>> PAGE_SHIFT];
      const nextAt = (slot & PAGE_MASK) << 1;
      const next = nextPage[nextAt];
      const nextHash = nextPage[nextAt + 1];
      if (next === 0 || Math.floor(nextHash * scale) >= slot) {
        page[at] = page[at + 1] = 0;
        break;
      }
      page[at] = next;
      page[at + 1] = nextHash;
    }
    const state = this.#state;
    const entries = --state[ENTRIES];
    if (
      entries < state[SLOTS] * SPARSE && state[SLOTS] > SLOTS_MIN && state[FRONTIER] === HASHES
    ) {
      this.#startMoving(Math.max(SLOTS_MIN, Math.ceil(entries / SHRUNK)));
    }
    this.#move();
  }

  /** An entry has another place. */
  moved(hash: number, from: number, to: number): void {
    const slot = this.#slotOf(hash, from);
    this.#pagesFor(hash)[slot >>> PAGE_SHIFT][(slot & PAGE_MASK) << 1] = to;
  }

  /**
   * Visits entries in the order of their hashes, from the hash `from` on, until `slotsMax` slots
   * were looked at or `visit` says false; then to the end of a run of slots with one hash. Returns
   * the hash to go on from, or {@linkcode HASHES} at the end. `visit` must not change the index.
   */
  walk(from: number, slotsMax: number, visit: (ref: number) => boolean): number {
    const state = this.#state;
    let isMoved = from < state[FRONTIER];
    let pages = isMoved ? this.#pages : this.#pagesOld;
    let slot = this.#homeOf(from, isMoved);
    let last = -1;
    let more = true;
    for (let seen = 0;; slot++, seen++) {
      if (slot >>> PAGE_SHIFT >= pages.length) {
        if (!isMoved || state[FRONTIER] === HASHES) return HASHES;
        isMoved = false;
        pages = this.#pagesOld;
        slot = state[SLOTS_MOVED];
        if (slot >>> PAGE_SHIFT >= pages.length) return HASHES;
      }
      const page = pages[slot >>> PAGE_SHIFT];
      const at = (slot & PAGE_MASK) << 1;
      const ref = page[at];
      const stop = !more || seen >= slotsMax;
      if (ref === 0) {
        // Nothing that belongs before this slot lies behind it.
        if (!stop) continue;
        const slots = isMoved ? state[SLOTS] : state[SLOTS_OLD];
        const end = isMoved ? state[FRONTIER] : HASHES;
        return Math.min(end, Math.max(last + 1, from + 1, Math.floor(slot / slots * HASHES)));
      }
      const hash = page[at + 1];
      if (hash < from) continue;
      if (stop && hash !== last && last !== -1) return hash;
      last = hash;
      if (!visit(ref)) more = false;
    }
  }

  /** Forgets all entries. */
  clear(): void {
    this.#pages = [];
    this.#pagesOld = [];
    this.#spare.length = 0;
    const state = this.#state;
    state[ENTRIES] = state[SLOTS_OLD] = state[SLOTS_MOVED] = 0;
    state[SLOTS] = SLOTS_MIN;
    state[FRONTIER] = HASHES;
    this.#reach(this.#pages, SLOTS_MIN);
  }

  #pagesFor(hash: number): Pages {
    return hash < this.#state[FRONTIER] ? this.#pages : this.#pagesOld;
  }

  /** Where the search for a hash begins. What was moved out of the old table is no longer there. */
  #homeOf(hash: number, isMoved: boolean): number {
    const state = this.#state;
    if (isMoved) return Math.floor(hash * (state[SLOTS] / HASHES));
    return Math.max(state[SLOTS_MOVED], Math.floor(hash * (state[SLOTS_OLD] / HASHES)));
  }

  #slotOf(hash: number, ref: number): number {
    let slot = this.first(hash);
    while (slot !== -1 && this.refAt(hash, slot) !== ref) slot = this.next(hash, slot);
    if (slot === -1) throw new Error("Cannot find an entry by its hash: the index is broken");
    return slot;
  }

  /** Makes sure that a slot exists, so that every search meets an empty one. */
  #reach(pages: Pages, slot: number): void {
    while (pages.length <= slot >>> PAGE_SHIFT) {
      pages.push(this.#spare.pop() ?? new Uint32Array(this.#allocate(PAGE_BYTES)));
    }
  }

  #startMoving(slots: number): void {
    const state = this.#state;
    this.#pagesOld = this.#pages;
    this.#pages = [];
    state[SLOTS_OLD] = state[SLOTS];
    state[SLOTS_MOVED] = 0;
    state[SLOTS] = slots;
    state[FRONTIER] = 0;
    this.#reach(this.#pages, 1);
  }

  /** Moves some slots from the old table to the new one, if there is an old one. */
  #move(): void {
    const state = this.#state;
    if (state[FRONTIER] === HASHES) return;
    const old = this.#pagesOld;
    let hash = -1;
    for (let moved = 0;; moved++) {
      const slot = state[SLOTS_MOVED];
      if (slot >>> PAGE_SHIFT >= old.length) return this.#finishMoving();
      const page = old[slot >>> PAGE_SHIFT];
      const at = (slot & PAGE_MASK) << 1;
      const ref = page[at];
      // Entries of one hash stay together on one side of the frontier.
      if (moved >= MOVED_PER_CHANGE && (ref === 0 || page[at + 1] !== hash)) break;
      if (ref !== 0) {
        hash = page[at + 1];
        this.#append(hash, ref);
      }
      state[SLOTS_MOVED] = slot + 1;
      if (((slot + 1) & PAGE_MASK) === 0) {
        this.#spare.push(page.fill(0));
        old[slot >>> PAGE_SHIFT] = NO_PAGE;
      }
    }
    if (hash === -1) return;
    state[FRONTIER] = hash + 1;
    this.#reach(this.#pages, this.#homeOf(hash + 1, true) + 1);
  }

  /** Adds an entry whose hash is the largest of the new table. */
  #append(hash: number, ref: number): void {
    const pages = this.#pages;
    let slot = this.#homeOf(hash, true);
    this.#reach(pages, slot);
    while (pages[slot >>> PAGE_SHIFT][(slot & PAGE_MASK) << 1] !== 0) {
      slot++;
      this.#reach(pages, slot);
    }
    const page = pages[slot >>> PAGE_SHIFT];
    const at = (slot & PAGE_MASK) << 1;
    page[at] = ref;
    page[at + 1] = hash;
    this.#reach(pages, slot + 1);
  }

  #finishMoving(): void {
    const state = this.#state;
    this.#pagesOld = [];
    this.#spare.length = 0;
    state[FRONTIER] = HASHES;
    state[SLOTS_OLD] = state[SLOTS_MOVED] = 0;
    this.#reach(this.#pages, state[SLOTS]);
  }
}
