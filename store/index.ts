/**
 * The index: from a hash to the entries that have it, by linear hashing.
 *
 * The table of buckets grows by one bucket with each entry. Growing splits a single bucket, so that
 * no request ever pays for a rehash, and the table is never larger than the entries need: 4 bytes
 * an entry, and 4 in its header for the chain. Source: W. Litwin, "Linear hashing: a new tool for
 * file and table addressing", 1980.
 *
 * What always holds: an entry hangs in the chain of the bucket that the low bits of its hash name,
 * and there are at least as many buckets as entries.
 *
 * @module
 */

import type { Arena } from "./arena.ts";
import { SLAB_MASK, SLAB_SHIFT } from "./arena.ts";
import { type Allocate, BUCKET_MASK, BUCKETS, ENTRIES, type State } from "./state.ts";

const PAGE_SHIFT = 14;
const PAGE_BUCKETS = 1 << PAGE_SHIFT;
const PAGE_MASK = PAGE_BUCKETS - 1;
/** Buckets of an empty index. */
const BUCKETS_MIN = 64;

/** Chains of entries by hash; see the top of this file. */
export class Index {
  readonly #arena: Arena;
  /** The first entry of each bucket, in pages. */
  readonly #heads: Uint32Array[] = [];
  readonly #allocate: Allocate;
  readonly #state: State;

  constructor(arena: Arena, allocate: Allocate, state: State) {
    this.#arena = arena;
    this.#allocate = allocate;
    this.#state = state;
    this.clear();
  }

  /** Entries in all chains. */
  get entries(): number {
    return this.#state[ENTRIES];
  }

  /** Buckets there are. */
  get buckets(): number {
    return this.#state[BUCKETS];
  }

  /** Bytes of the table of buckets. */
  get heldBytes(): number {
    return this.#heads.length * PAGE_BUCKETS * 4;
  }

  /** The bucket of a hash. */
  bucketOf(hash: number): number {
    const mask = this.#state[BUCKET_MASK];
    const bucket = hash & mask;
    return bucket < this.#state[BUCKETS] ? bucket : bucket & (mask >>> 1);
  }

  /** How many low bits of a hash decide that it belongs to this bucket. */
  bitsOf(bucket: number): number {
    const mask = this.#state[BUCKET_MASK];
    const bits = 32 - Math.clz32(mask);
    const half = (mask >>> 1) + 1;
    return bucket >= half || bucket + half < this.#state[BUCKETS] ? bits : bits - 1;
  }

  /** The first entry of a bucket, or 0. */
  first(bucket: number): number {
    return this.#heads[bucket >>> PAGE_SHIFT][bucket & PAGE_MASK];
  }

  /** Hangs an entry, whose hash its header already tells, into its chain. */
  insert(hash: number, ref: number): void {
    const bucket = this.bucketOf(hash);
    const page = this.#heads[bucket >>> PAGE_SHIFT];
    this.#arena.words[ref >>> SLAB_SHIFT][((ref & SLAB_MASK) << 1) + 3] = page[bucket & PAGE_MASK];
    page[bucket & PAGE_MASK] = ref;
    if (++this.#state[ENTRIES] > this.#state[BUCKETS]) this.#split();
  }

  /** Takes an entry out of its chain. */
  remove(hash: number, ref: number): void {
    const words = this.#arena.words[ref >>> SLAB_SHIFT];
    this.#swap(hash, ref, words[((ref & SLAB_MASK) << 1) + 3]);
    this.#state[ENTRIES]--;
  }

  /** An entry moved, with its header: whatever pointed to it points to its new place. */
  moved(hash: number, from: number, to: number): void {
    this.#swap(hash, from, to);
  }

  /** Forgets all entries. */
  clear(): void {
    this.#heads.length = 0;
    this.#addPage();
    this.#state[BUCKETS] = BUCKETS_MIN;
    this.#state[BUCKET_MASK] = BUCKETS_MIN - 1;
    this.#state[ENTRIES] = 0;
  }

  #swap(hash: number, from: number, to: number): void {
    const bucket = this.bucketOf(hash);
    const page = this.#heads[bucket >>> PAGE_SHIFT];
    let ref = page[bucket & PAGE_MASK];
    if (ref === from) {
      page[bucket & PAGE_MASK] = to;
      return;
    }
    const slabs = this.#arena.words;
    for (;;) {
      if (ref === 0) throw new Error("Cannot find an entry in its chain: the index is broken");
      const words = slabs[ref >>> SLAB_SHIFT];
      const link = ((ref & SLAB_MASK) << 1) + 3;
      ref = words[link];
      if (ref === from) {
        words[link] = to;
        return;
      }
    }
  }

  #addPage(): void {
    this.#heads.push(new Uint32Array(this.#allocate(PAGE_BUCKETS * 4)));
  }

  /** Adds a bucket, and moves to it what belongs there of the one bucket it is split from. */
  #split(): void {
    const state = this.#state;
    const added = state[BUCKETS]++;
    if (added > state[BUCKET_MASK]) state[BUCKET_MASK] = state[BUCKET_MASK] * 2 + 1;
    if ((added & PAGE_MASK) === 0) this.#addPage();
    const mask = state[BUCKET_MASK];
    const source = added & (mask >>> 1);
    const slabs = this.#arena.words;
    const sourcePage = this.#heads[source >>> PAGE_SHIFT];
    let ref = sourcePage[source & PAGE_MASK];
    let kept = 0;
    let gone = 0;
    while (ref !== 0) {
      const words = slabs[ref >>> SLAB_SHIFT];
      const at = (ref & SLAB_MASK) << 1;
      const next = words[at + 3];
      if ((words[at + 2] & mask) === added) {
        words[at + 3] = gone;
        gone = ref;
      } else {
        words[at + 3] = kept;
        kept = ref;
      }
      ref = next;
    }
    sourcePage[source & PAGE_MASK] = kept;
    this.#heads[added >>> PAGE_SHIFT][added & PAGE_MASK] = gone;
  }
}
