/**
 * Entries: keys and values as records of the arena, found through the index.
 *
 * This is the one place that writes and reads records. It knows nothing of limits, eviction or
 * time, and relies on its callers to have ensured the space that it writes to. It keeps the sum of
 * the bytes of keys and values exact, for the whole and for each queue.
 *
 * What always holds: the index refers to each record that is an entry, under its hash. A record
 * that the index does not refer to is dead or a fragment.
 *
 * @module
 */

import { Arena, type Queue } from "./arena.ts";
import { copyBytes } from "./bytes.ts";
import { Fragments } from "./fragments.ts";
import { type HashKey, hashOf } from "../hash.ts";
import { Index } from "./index.ts";
import {
  EXPIRES,
  EXTENSION_BYTES,
  FRAGMENT,
  FRAGMENTED,
  granulesOf,
  headerBytesOf,
  recordGranules,
  VISITS_SHIFT,
} from "./record.ts";
import { SEGMENT_SHIFT, SLAB_MASK, SLAB_SHIFT } from "./slabs.ts";
import type { Memory } from "./memory.ts";
import {
  EPOCH,
  EXPIRING,
  type Root,
  type State,
  USAGE,
  USAGE_OF,
  VERSIONS_SHIFT,
} from "./state.ts";

/** An entry whose key and value need more bytes than this keeps its value in fragments. */
export const INLINE_BYTES_MAX = 8_192;
/** The records of keys and values, with the arena and the index that they are in. */
export class Entries {
  readonly arena: Arena;
  readonly index: Index;
  readonly fragments: Fragments;
  /** The fixed block of the store's numbers. */
  readonly state: State;
  /** Bytes of keys and values of the entries in each queue. */
  readonly usageOf: Float64Array;

  readonly #hashKey: HashKey;
  /** Counters of changes, by the first bits of a hash. */
  readonly #versions: Uint32Array;

  constructor(memory: Memory, root: Root, hashKey: HashKey, arenaBytesMax: number) {
    this.#hashKey = hashKey;
    this.state = root.numbers;
    this.arena = new Arena(memory, root, arenaBytesMax);
    this.index = new Index(memory, root);
    this.fragments = new Fragments(this.arena, this.state);
    this.usageOf = this.state.subarray(USAGE_OF, USAGE_OF + 3);
    this.#versions = root.versions;
  }

  /** Makes the views again that depend on what another thread has changed. */
  attach(): void {
    this.arena.attach();
    this.index.attach();
  }

  /** Bytes of keys and values of all entries. */
  get usage(): number {
    return this.state[USAGE];
  }

  /** A number that is another one once a key with this hash has changed. */
  versionOf(hash: number): number {
    return this.state[EPOCH] * 2 ** 32 + this.#versions[hash >>> VERSIONS_SHIFT];
  }

  /** Notes that a key with this hash changes. */
  changed(hash: number): void {
    this.#versions[hash >>> VERSIONS_SHIFT]++;
  }

  /** Notes that any key may change. */
  allChanged(): void {
    this.state[EPOCH]++;
  }

  /** The entry of a key, or 0. */
  find(hash: number, bytes: Uint8Array, start: number, end: number): number {
    const { arena, index } = this;
    const keyBytes = end - start;
    for (let ref = index.first(hash); ref !== 0; ref = index.next(hash)) {
      const slab = ref >>> SLAB_SHIFT;
      const at = (ref & SLAB_MASK) << 1;
      const word0 = arena.words[slab][at];
      if ((word0 & 0xffff) !== keyBytes) continue;
      const stored = arena.bytes[slab];
      let from = (at << 2) + headerBytesOf(word0);
      let to = start;
      while (to < end && stored[from] === bytes[to]) {
        from++;
        to++;
      }
      if (to === end) return ref;
    }
    return 0;
  }

  /** Word `n` of a record's header. */
  word(ref: number, n: number): number {
    return this.arena.words[ref >>> SLAB_SHIFT][((ref & SLAB_MASK) << 1) + n];
  }

  /** Sets word 0 of an entry: its flags and visits. */
  setWord0(ref: number, word0: number): void {
    this.arena.words[ref >>> SLAB_SHIFT][(ref & SLAB_MASK) << 1] = word0;
  }

  /** The queue that an entry is in. */
  queueOf(ref: number): Queue {
    return this.arena.queueOf[ref >>> SEGMENT_SHIFT] as Queue;
  }

  /** An entry's credit for visits, for eviction. */
  visitsOf(ref: number): number {
    return this.word(ref, 0) >>> VISITS_SHIFT;
  }

  /** Bytes of an entry's key and value. */
  bytesOf(ref: number): number {
    const words = this.arena.words[ref >>> SLAB_SHIFT];
    const at = (ref & SLAB_MASK) << 1;
    return (words[at] & 0xffff) + words[at + 1];
  }

  /** When an entry expires, in milliseconds; Infinity if never. */
  expiryOf(ref: number): number {
    const words = this.arena.words[ref >>> SLAB_SHIFT];
    const at = (ref & SLAB_MASK) << 1;
    if ((words[at] & EXPIRES) === 0) return Infinity;
    const high = words[at + 3];
    return high === 0xffffffff ? Infinity : high * 2 ** 32 + words[at + 2];
  }

  /** Sets when an entry expires whose header has the extension for it. */
  setExpiry(ref: number, expiresAt: number): void {
    if (this.expiryOf(ref) !== Infinity) this.state[EXPIRING]--;
    this.#writeExpiry(ref, expiresAt);
  }

  /** Writes when a new record expires. */
  #writeExpiry(ref: number, expiresAt: number): void {
    if (expiresAt !== Infinity) this.state[EXPIRING]++;
    const words = this.arena.words[ref >>> SLAB_SHIFT];
    const at = (ref & SLAB_MASK) << 1;
    const never = expiresAt === Infinity;
    words[at + 2] = never ? 0xffffffff : expiresAt % 2 ** 32;
    words[at + 3] = never ? 0xffffffff : expiresAt / 2 ** 32;
    const dueAt = this.arena.dueAt;
    const segment = ref >>> SEGMENT_SHIFT;
    if (expiresAt < dueAt[segment]) dueAt[segment] = expiresAt;
  }

  /** The hash of an entry's key. */
  hashOf(ref: number): number {
    const keyAt = this.keyAt(ref);
    const keyEnd = keyAt + (this.word(ref, 0) & 0xffff);
    return hashOf(this.#hashKey, this.arena.bytes[ref >>> SLAB_SHIFT], keyAt, keyEnd);
  }

  /** Offset of an entry's key in the bytes of its slab. */
  keyAt(ref: number): number {
    const at = (ref & SLAB_MASK) << 1;
    return (at << 2) + headerBytesOf(this.arena.words[ref >>> SLAB_SHIFT][at]);
  }

  /** Word 0 of a new entry; `flags` are any of EXPIRES and EXEMPT. */
  newWord0(keyBytes: number, valueBytes: number, flags: number): number {
    const inline = keyBytes + valueBytes <= INLINE_BYTES_MAX || valueBytes === 0;
    return keyBytes | flags | (inline ? 0 : FRAGMENTED);
  }

  /**
   * Writes an entry at the end of a queue, in place of the entry `replaced` of the same key, or of
   * none if that is 0. `word0` is `newWord0` and the visits so far; with `isStaged`, the value
   * begins with what is staged and `value[valueStart, valueEnd)` is the rest.
   */
  insert(
    queue: Queue,
    replaced: number,
    hash: number,
    word0: number,
    expiresAt: number,
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    value: Uint8Array,
    valueStart: number,
    valueEnd: number,
    isStaged: boolean,
  ): number {
    const { arena, state } = this;
    const keyBytes = keyEnd - keyStart;
    const valueBytes = valueEnd - valueStart + (isStaged ? this.fragments.stagedBytes : 0);
    // The replaced record is freed first. The index still refers to it until the end of this
    // method.
    if (replaced !== 0) this.#discard(replaced);
    const ref = arena.append(queue, recordGranules(word0, valueBytes));
    const slab = ref >>> SLAB_SHIFT;
    const words = arena.words[slab];
    const at = (ref & SLAB_MASK) << 1;
    words[at] = word0;
    words[at + 1] = valueBytes;
    if ((word0 & EXPIRES) !== 0) this.#writeExpiry(ref, expiresAt);
    const bytes = arena.bytes[slab];
    const keyAt = (at << 2) + headerBytesOf(word0);
    copyBytes(key, keyStart, keyEnd, bytes, keyAt);
    if ((word0 & FRAGMENTED) === 0) copyBytes(value, valueStart, valueEnd, bytes, keyAt + keyBytes);
    else this.fragments.write(ref, value, valueStart, valueEnd, isStaged);
    state[USAGE] += keyBytes + valueBytes;
    this.usageOf[queue] += keyBytes + valueBytes;
    if (replaced === 0) this.index.insert(hash, ref);
    else this.index.moved(hash, replaced, ref);
    return ref;
  }

  /**
   * Overwrites a value and its time of expiry in place, if the record has the space: the new value
   * takes at most as many granules, and the header has the extension. True if it was done.
   */
  overwrite(
    ref: number,
    value: Uint8Array,
    start: number,
    end: number,
    expiresAt: number,
  ): boolean {
    const arena = this.arena;
    const slab = ref >>> SLAB_SHIFT;
    const words = arena.words[slab];
    const at = (ref & SLAB_MASK) << 1;
    const word0 = words[at];
    if ((word0 & FRAGMENTED) !== 0) return false;
    if ((word0 & EXPIRES) === 0 && expiresAt !== Infinity) return false;
    const before = words[at + 1];
    const keyEnd = headerBytesOf(word0) + (word0 & 0xffff);
    const granulesBefore = granulesOf(keyEnd + before);
    const granules = granulesOf(keyEnd + end - start);
    if (granules > granulesBefore) return false;
    if ((word0 & EXPIRES) !== 0) this.setExpiry(ref, expiresAt);
    copyBytes(value, start, end, arena.bytes[slab], (at << 2) + keyEnd);
    // A line of memory that is not written stays in the caches of other threads.
    if (end - start === before) return true;
    words[at + 1] = end - start;
    if (granules < granulesBefore) arena.shrink(ref, granules, granulesBefore);
    this.state[USAGE] += end - start - before;
    this.usageOf[arena.queueOf[ref >>> SEGMENT_SHIFT]] += end - start - before;
    return true;
  }

  /** Granules of an entry once its header has the extension for a time of expiry. */
  granulesWithExpiry(ref: number): number {
    return recordGranules(this.word(ref, 0) | EXPIRES, this.word(ref, 1));
  }

  /**
   * Moves an entry to the end of its queue, with a time of expiry. Its fragments stay where they
   * are: the new record takes over the chain.
   */
  addExpiry(ref: number, expiresAt: number): void {
    const { arena } = this;
    const word0 = this.word(ref, 0);
    const word1 = this.word(ref, 1);
    const isFragmented = (word0 & FRAGMENTED) !== 0;
    const hash = this.hashOf(ref);
    const keyAt = this.keyAt(ref);
    const to = arena.append(this.queueOf(ref), recordGranules(word0 | EXPIRES, word1));
    const words = arena.words[to >>> SLAB_SHIFT];
    const at = (to & SLAB_MASK) << 1;
    words[at] = (word0 | EXPIRES) >>> 0;
    words[at + 1] = word1;
    this.#writeExpiry(to, expiresAt);
    if (isFragmented) {
      words[at + 2 + EXTENSION_BYTES / 4] = this.fragments.first(ref);
      this.fragments.headMoved(to);
    }
    const end = keyAt + (word0 & 0xffff) + (isFragmented ? 0 : word1);
    const target = arena.bytes[to >>> SLAB_SHIFT];
    copyBytes(arena.bytes[ref >>> SLAB_SHIFT], keyAt, end, target, this.keyAt(to));
    this.index.moved(hash, ref, to);
    arena.markDead(ref, recordGranules(word0, word1));
  }

  /** Removes an entry, which may free its segment. */
  remove(ref: number): void {
    const hash = this.hashOf(ref);
    this.changed(hash);
    this.index.remove(hash, ref);
    this.#discard(ref);
  }

  /** Moves a live record to space that was taken for it, and sets its word 0. */
  moveTo(to: number, ref: number, granules: number, word0: number): void {
    const arena = this.arena;
    const words = arena.words[ref >>> SLAB_SHIFT];
    const at = (ref & SLAB_MASK) << 1;
    const target = arena.words[to >>> SLAB_SHIFT];
    const targetAt = (to & SLAB_MASK) << 1;
    for (let n = granules << 1; --n > 0;) target[targetAt + n] = words[at + n];
    target[targetAt] = word0;
    const segment = ref >>> SEGMENT_SHIFT;
    const targetSegment = to >>> SEGMENT_SHIFT;
    if ((word0 & FRAGMENT) !== 0) {
      this.fragments.moved(ref, to);
    } else {
      this.index.moved(this.hashOf(ref), ref, to);
      if ((word0 & FRAGMENTED) !== 0) this.fragments.headMoved(to);
      if ((word0 & EXPIRES) !== 0) {
        const expiresAt = this.expiryOf(to);
        if (expiresAt < arena.dueAt[targetSegment]) arena.dueAt[targetSegment] = expiresAt;
      }
      const bytes = (word0 & 0xffff) + words[at + 1];
      this.usageOf[arena.queueOf[segment]] -= bytes;
      this.usageOf[arena.queueOf[targetSegment]] += bytes;
    }
    arena.markDead(ref, granules);
  }

  /** Forgets all entries and what is staged, and gives their memory back. */
  clear(): void {
    this.allChanged();
    this.index.clear();
    this.arena.clear();
    this.fragments.clear();
    this.state[USAGE] = this.state[EXPIRING] = 0;
    this.usageOf.fill(0);
  }

  /** Bytes in use beyond keys and values: headers, links, padding and the index. */
  get overheadBytes(): number {
    return this.arena.liveGranules * 8 - this.usage + this.index.slotBytes;
  }

  /** Bytes of memory held for records and index, free segments included. */
  get heldBytes(): number {
    return this.arena.slabs.heldBytes + this.index.heldBytes;
  }

  /** Marks the record of an entry dead, which the index no longer refers to. */
  #discard(ref: number): void {
    const arena = this.arena;
    const words = arena.words[ref >>> SLAB_SHIFT];
    const at = (ref & SLAB_MASK) << 1;
    const word0 = words[at];
    const bytes = (word0 & 0xffff) + words[at + 1];
    if ((word0 & EXPIRES) !== 0 && words[at + 3] !== 0xffffffff) this.state[EXPIRING]--;
    this.state[USAGE] -= bytes;
    this.usageOf[arena.queueOf[ref >>> SEGMENT_SHIFT]] -= bytes;
    if ((word0 & FRAGMENTED) !== 0) this.fragments.markDead(ref);
    arena.markDead(ref, recordGranules(word0, words[at + 1]));
  }
}
