/**
 * The pages of the index's tables: takes them, and lists them where other threads find them.
 *
 * What always holds: with shared memory, the list shows the pages as `publish` was last told.
 *
 * @module
 */

import { InvariantError } from "./invariant.ts";
import type { Memory } from "./memory.ts";
import {
  GENERATION,
  PAGE_LIST_ADDRESS,
  PAGE_LIST_LENGTH,
  PAGES,
  PAGES_OLD,
  PAGES_SPARE,
  type State,
} from "./state.ts";

/** Slots of a page, two words each. */
export const PAGE_SLOTS = 8_192;
/** Bytes of a page. */
export const PAGE_BYTES = PAGE_SLOTS * 8;
/** In the place of a page that was moved out of the old table. */
export const NO_PAGE: Uint32Array<ArrayBuffer> = new Uint32Array(0);

/** Slots in pages: two words each, reference and hash; reference 0 is an empty slot. */
export type Pages = Uint32Array<ArrayBuffer>[];

/** Pages that the list has room for at first; it doubles. */
const LIST_FIRST = 512;

/** Where the pages of a table come from, and the list of them. */
export class PageList {
  readonly #memory: Memory;
  readonly #state: State;
  /** Where other threads find the pages that this thread has a view of, and the views by that. */
  readonly #addressOf = new Map<Uint32Array, number>();
  readonly #viewAt = new Map<number, Uint32Array<ArrayBuffer>>();
  /** The list of addresses: the table's pages, the old table's, the spare ones. */
  #list = new Float64Array(0);

  constructor(memory: Memory, state: State) {
    this.#memory = memory;
    this.#state = state;
  }

  /** A page of zeros; undefined if there is no memory for one. */
  take(): Uint32Array<ArrayBuffer> | undefined {
    if (!this.#hasRoom()) return undefined;
    const block = this.#memory.tryTake(PAGE_BYTES);
    if (block === undefined) return undefined;
    const page = new Uint32Array(block.buffer, 0, PAGE_SLOTS * 2);
    if (block.address !== 0) this.#note(block.address, page);
    return page;
  }

  /** Gives a page back, which is published no more. */
  give(page: Uint32Array<ArrayBuffer>): void {
    const address = this.#addressOf.get(page);
    if (address === undefined) return;
    this.#addressOf.delete(page);
    this.#viewAt.delete(address);
    this.#memory.give(address, PAGE_BYTES);
  }

  /** Shows other threads which pages there are. */
  publish(pages: Pages, old: Pages, spare: Pages): void {
    if (this.#memory.shared === undefined) return;
    let at = 0;
    for (const list of [pages, old, spare]) {
      for (const page of list) this.#list[at++] = this.#addressOf.get(page) ?? 0;
    }
    const state = this.#state;
    state[PAGES] = pages.length;
    state[PAGES_OLD] = old.length;
    state[PAGES_SPARE] = spare.length;
    state[GENERATION]++;
  }

  /** The pages that another thread has published. */
  read(): { pages: Pages; old: Pages; spare: Pages } {
    const state = this.#state;
    const { shared } = this.#memory;
    if (shared === undefined) throw new InvariantError("an index of one thread was attached to");
    const length = state[PAGE_LIST_LENGTH];
    this.#list = new Float64Array(shared.at(state[PAGE_LIST_ADDRESS], length * 8), 0, length);
    let at = 0;
    const next = (count: number): Pages => {
      const pages: Pages = [];
      for (const end = at + count; at < end; at++) pages.push(this.#at(this.#list[at]));
      return pages;
    };
    const pages = next(state[PAGES]);
    const old = next(state[PAGES_OLD]);
    const spare = next(state[PAGES_SPARE]);
    this.#forgetAllBut([...pages, ...old, ...spare]);
    return { pages, old, spare };
  }

  #at(address: number): Uint32Array<ArrayBuffer> {
    if (address === 0) return NO_PAGE;
    const known = this.#viewAt.get(address);
    if (known !== undefined) return known;
    const memory = this.#memory.shared?.at(address, PAGE_BYTES);
    if (memory === undefined) throw new InvariantError("an index of one thread was attached to");
    const page = new Uint32Array(memory, 0, PAGE_SLOTS * 2);
    this.#note(address, page);
    return page;
  }

  #note(address: number, page: Uint32Array<ArrayBuffer>): void {
    this.#addressOf.set(page, address);
    this.#viewAt.set(address, page);
  }

  /** Drops the views of pages that were given back: their memory may be another's by now. */
  #forgetAllBut(pages: Pages): void {
    if (this.#addressOf.size <= pages.length) return;
    const listed = new Set(pages);
    for (const [page, address] of this.#addressOf) {
      if (listed.has(page as Uint32Array<ArrayBuffer>)) continue;
      this.#addressOf.delete(page);
      this.#viewAt.delete(address);
    }
  }

  /** Makes sure that one more page can be listed; false if there is no memory for that. */
  #hasRoom(): boolean {
    const { shared } = this.#memory;
    const state = this.#state;
    const length = state[PAGE_LIST_LENGTH];
    const pages = state[PAGES] + state[PAGES_OLD] + state[PAGES_SPARE];
    if (shared === undefined || pages + 1 < length) return true;
    const larger = Math.max(LIST_FIRST, length * 2);
    const block = this.#memory.tryTake(larger * 8);
    if (block === undefined) return false;
    const list = new Float64Array(block.buffer, 0, larger);
    list.set(this.#list);
    this.#list = list;
    this.#memory.give(state[PAGE_LIST_ADDRESS], length * 8);
    state[PAGE_LIST_ADDRESS] = block.address;
    state[PAGE_LIST_LENGTH] = larger;
    state[GENERATION]++;
    return true;
  }
}
