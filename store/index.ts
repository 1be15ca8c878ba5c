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
 * A page that is not available only delays the move: the table then fills further, up to a bound.
 *
 * What always holds: the last slot of a table's last page is empty, so that every search ends.
 * `reserve` sees to that before an insertion, which cannot fail.
 *
 * Sources: Amble and Knuth, "Ordered hash tables", 1974; Celis, "Robin Hood hashing", 1986.
 *
 * @module
 */

import { InvariantError } from "./invariant.ts";
import type { Memory } from "./memory.ts";
import { NO_PAGE, PAGE_BYTES, PAGE_SLOTS, PageList, type Pages } from "./page_list.ts";
import {
  ENTRIES,
  FRONTIER,
  type Root,
  SLOTS,
  SLOTS_MOVED,
  SLOTS_OLD,
  type State,
} from "./state.ts";

const PAGE_SHIFT = 13;
const PAGE_MASK = PAGE_SLOTS - 1;
/** Hashes are below this. */
export const HASHES = 2 ** 32;
/** Slots of an empty index. */
const SLOTS_MIN = 1_024;
/** It grows when more than this share of its slots is taken, by this factor. */
const FULL = 0.8;
const GROWTH = 1.25;
/** It takes no more entries than this share, where memory to grow is not available. */
const FULL_MAX = 0.92;
/** A growth that found no memory is tried again once in this many insertions. */
const RETRY_INSERTIONS = 64;
/** It shrinks when less than this share is taken, to where this share is. */
const SPARSE = 0.15;
const SHRUNK = 0.6;
/** Slots that each change moves while the table moves. */
const MOVED_PER_CHANGE = 32;
/** Spare pages that one call gives back. */
const GIVEN_BACK_MAX = 32;

/** References to entries, in the order of the hashes of their keys. */
export class Index {
  readonly #isShared: boolean;
  readonly #state: State;
  readonly #list: PageList;
  /** The table, or while it moves the new one; and the old one. */
  #pages: Pages = [];
  #pagesOld: Pages = [];
  /** The slot in which `first` or `next` found the last entry. */
  slot = 0;
  /** Pages that the tables take first; what is in them is of no use. */
  #spare: Pages = [];

  /** Throws a RangeError if there is no memory for a page. */
  constructor(memory: Memory, root: Root) {
    this.#isShared = memory.shared !== undefined;
    this.#state = root.numbers;
    this.#list = new PageList(memory, root.numbers);
    if (root.isAttached) {
      this.attach();
      return;
    }
    const page = this.#list.take();
    if (page === undefined) throw new RangeError("Cannot make an index: out of memory");
    this.#pages.push(page);
    this.#empty();
  }

  /** Uses the pages that another thread has published. */
  attach(): void {
    const { pages, old, spare } = this.#list.read();
    this.#pages = pages;
    this.#pagesOld = old;
    this.#spare = spare;
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

  /** Bytes of all slots, taken or not. */
  get slotBytes(): number {
    return this.#pagesOld.length === 0 ? this.#state[SLOTS] * 8 : this.heldBytes;
  }

  /** The reference of the first entry with a hash, or 0; it lies in the slot `slot`. */
  first(hash: number): number {
    const isMoved = hash < this.#state[FRONTIER];
    const pages = isMoved ? this.#pages : this.#pagesOld;
    for (let slot = this.#homeOf(hash, isMoved);; slot++) {
      const page = pages[slot >>> PAGE_SHIFT];
      const at = (slot & PAGE_MASK) << 1;
      const ref = page[at];
      if (ref === 0) return 0;
      const there = page[at + 1];
      if (there < hash) continue;
      this.slot = slot;
      return there === hash ? ref : 0;
    }
  }

  /** The reference of the entry with the same hash behind the slot `slot`, or 0. */
  next(hash: number): number {
    const slot = ++this.slot;
    const page = this.#pagesFor(hash)[slot >>> PAGE_SHIFT];
    const at = (slot & PAGE_MASK) << 1;
    return page[at + 1] === hash ? page[at] : 0;
  }

  /** Makes sure that an entry with this hash can be inserted; false if memory is short. */
  reserve(hash: number): boolean {
    const state = this.#state;
    const isMoving = state[FRONTIER] !== HASHES;
    const slots = isMoving ? Math.min(state[SLOTS], state[SLOTS_OLD]) : state[SLOTS];
    if (state[ENTRIES] + 1 > slots * FULL_MAX) {
      if (!isMoving) this.#startMoving(Math.ceil(slots * GROWTH));
      return false;
    }
    const isMoved = hash < state[FRONTIER];
    const pages = isMoved ? this.#pages : this.#pagesOld;
    // The insertion shifts up to the first empty slot: that must not be the last one.
    const page = pages[pages.length - 1];
    if (page[(PAGE_SLOTS - 2) << 1] === 0) {
      if (this.#homeOf(hash, isMoved) < pages.length * PAGE_SLOTS - 1) return true;
    }
    return this.#reach(pages, pages.length * PAGE_SLOTS);
  }

  /** Adds an entry. `reserve` has been called for its hash. */
  insert(hash: number, ref: number): void {
    const state = this.#state;
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
    const entries = ++state[ENTRIES];
    if (state[FRONTIER] !== HASHES) {
      this.#move();
    } else if (entries > state[SLOTS] * FULL) {
      const late = entries > state[SLOTS] * FULL + RETRY_INSERTIONS;
      if (!late || entries % RETRY_INSERTIONS === 0) {
        this.#startMoving(Math.ceil(state[SLOTS] * GROWTH));
      }
    }
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
    if (state[FRONTIER] !== HASHES) {
      // An empty table needs no move, which may be waiting for memory.
      if (entries === 0) this.clear();
      else this.#move();
    } else if (entries < state[SLOTS] * SPARSE && state[SLOTS] > SLOTS_MIN) {
      this.#startMoving(Math.max(SLOTS_MIN, Math.ceil(entries / SHRUNK)));
    }
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
        // No entry behind this slot belongs before it.
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

  /** Forgets all entries. Needs no memory: a page stays. */
  clear(): void {
    const [page, ...others] = this.#pages;
    // Shared pages are given back later, some at a time.
    if (this.#isShared) {
      for (const old of this.#pagesOld) if (old !== NO_PAGE) others.push(old);
      for (const other of others) this.#spare.push(other);
    } else {
      this.#spare.length = 0;
    }
    this.#pages = [page.fill(0)];
    this.#pagesOld = [];
    this.#empty();
  }

  /** Shows a table of one page of zeros. */
  #empty(): void {
    this.#publish();
    const state = this.#state;
    state[ENTRIES] = state[SLOTS_OLD] = state[SLOTS_MOVED] = 0;
    state[SLOTS] = SLOTS_MIN;
    state[FRONTIER] = HASHES;
  }

  /** Gives some of the pages back that nothing uses; true if there are more. */
  trim(): boolean {
    if (this.#spare.length === 0 || this.#pagesOld.length > 0) return false;
    const given = this.#spare.splice(-GIVEN_BACK_MAX);
    this.#publish();
    for (const page of given) this.#list.give(page);
    return this.#spare.length > 0;
  }

  /** Shows other threads the pages as they are now. */
  #publish(): void {
    if (this.#isShared) this.#list.publish(this.#pages, this.#pagesOld, this.#spare);
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
    let there = this.first(hash);
    while (there !== 0 && there !== ref) there = this.next(hash);
    if (there === 0) throw new InvariantError(`entry ${ref} is not found by its hash`);
    return this.slot;
  }

  /** Makes sure that a slot exists; false if memory for it is not available. */
  #reach(pages: Pages, slot: number): boolean {
    while (pages.length <= slot >>> PAGE_SHIFT) {
      const page = this.#takePage();
      if (page === undefined) return false;
      pages.push(page);
      this.#publish();
    }
    return true;
  }

  #takePage(): Uint32Array<ArrayBuffer> | undefined {
    return this.#spare.pop()?.fill(0) ?? this.#list.take();
  }

  /** Begins to move the table to one of another size, unless memory is short. */
  #startMoving(slots: number): void {
    const page = this.#takePage();
    if (page === undefined) return;
    const state = this.#state;
    this.#pagesOld = this.#pages;
    this.#pages = [page];
    state[SLOTS_OLD] = state[SLOTS];
    state[SLOTS_MOVED] = 0;
    state[SLOTS] = slots;
    state[FRONTIER] = 0;
    this.#publish();
    this.#move();
  }

  /**
   * Moves some slots from the old table to the new one, as far as memory for the new one reaches.
   */
  #move(): void {
    const state = this.#state;
    const old = this.#pagesOld;
    for (let moved = 0; moved < MOVED_PER_CHANGE;) {
      const slot = state[SLOTS_MOVED];
      const page = old[slot >>> PAGE_SHIFT];
      const at = (slot & PAGE_MASK) << 1;
      if (page[at] === 0) {
        // Entries behind the last home follow each other without a gap.
        if (slot >= state[SLOTS_OLD]) return this.#finishMoving();
        this.#pass(slot);
        moved++;
        continue;
      }
      // Entries with the same hash stay on the same side of the frontier.
      const run = this.#moveRun(slot, page[at + 1]);
      if (run === 0) return;
      moved += run;
    }
  }

  /** Moves the entries with one hash; returns how many they are, or 0 if memory is short. */
  #moveRun(from: number, hash: number): number {
    const old = this.#pagesOld;
    let run = 1;
    for (;; run++) {
      const page = old[(from + run) >>> PAGE_SHIFT];
      const at = ((from + run) & PAGE_MASK) << 1;
      if (page[at] === 0 || page[at + 1] !== hash) break;
    }
    const pages = this.#pages;
    let target = this.#homeOf(hash, true);
    for (;; target++) {
      if (!this.#reach(pages, target)) return 0;
      if (pages[target >>> PAGE_SHIFT][(target & PAGE_MASK) << 1] === 0) break;
    }
    if (!this.#reach(pages, Math.max(target + run, this.#homeOf(hash + 1, true) + 1))) return 0;
    for (let n = 0; n < run; n++) {
      const page = pages[(target + n) >>> PAGE_SHIFT];
      const at = ((target + n) & PAGE_MASK) << 1;
      page[at] = old[(from + n) >>> PAGE_SHIFT][((from + n) & PAGE_MASK) << 1];
      page[at + 1] = hash;
      this.#pass(from + n);
    }
    this.#state[FRONTIER] = hash + 1;
    return run;
  }

  /** Passes a slot of the old table; a page whose last slot is passed serves the new table. */
  #pass(slot: number): void {
    this.#state[SLOTS_MOVED] = slot + 1;
    if (((slot + 1) & PAGE_MASK) !== 0) return;
    const old = this.#pagesOld;
    this.#spare.push(old[slot >>> PAGE_SHIFT]);
    old[slot >>> PAGE_SHIFT] = NO_PAGE;
    this.#publish();
  }

  /** The new table replaces the old one, unless memory for its last page is short. */
  #finishMoving(): void {
    const state = this.#state;
    if (!this.#reach(this.#pages, state[SLOTS])) return;
    this.#pagesOld = [];
    // Shared ones are given back later, by `trim`.
    if (!this.#isShared) this.#spare.length = 0;
    this.#publish();
    state[FRONTIER] = HASHES;
    state[SLOTS_OLD] = state[SLOTS_MOVED] = 0;
  }
}
