/**
 * The last change of each key among many changes: all that has to be done to bring them to the
 * table.
 *
 * There may be hundreds of thousands of them, and a few are added with each commit. So they are
 * numbers in typed arrays, and not objects in a Map: that takes half of the time, and 21 bytes each.
 *
 * @module
 */

import { hashOf, randomHashKey } from "../hash.ts";
import type { Changes } from "./changes.ts";
import type { Database } from "./database.ts";
import { headerBytes, kinds } from "./record.ts";

/** The most changes: more cannot be ordered, since a double has a number and four bytes of a key. */
export const changesMax: number = 2 ** 21;

/** Changes that there is room for at first. */
const capacityMin = 4096;

/** Collects changes; then brings them to the table, in the order of their keys. */
export class LatestChanges {
  /** How many were added, those of keys that changed again included. */
  count = 0;
  readonly #hashKey = randomHashKey();
  readonly #batches: Changes[] = [];
  /** Of each change: its batch, its place there, the hash of its key, and whether it still counts. */
  #batchOf = new Uint32Array(capacityMin);
  #placeOf = new Uint32Array(capacityMin);
  #hashOf = new Int32Array(capacityMin);
  #isLast = new Uint8Array(capacityMin);
  /** By hash, with linear probing: the number of the last change of a key, plus one. */
  #slots = new Int32Array(2 * capacityMin);
  /** When keys expire that got another expiry after their last change. */
  readonly #expiries = new Map<number, number>();
  /** The prefixes that were flushed, in their order; the empty one for all keys. */
  readonly #flushed: Uint8Array[] = [];
  /** The changes in the order of their keys, once they are ordered. */
  #ordered: Uint32Array | undefined;

  /** Adds changes, none of which has its value in a buffer of its own. */
  add(changes: Changes): void {
    const { views, offsets } = changes;
    this.#batches.push(changes);
    this.#ordered = undefined;
    for (const at of offsets) {
      const kind = views.kindAt(at);
      if (kind >= kinds.groupBegin) continue;
      if (kind === kinds.flushAll || kind === kinds.flushPrefix) this.#flush(views.keyAt(at));
      else this.#add(at, kind === kinds.expire);
    }
  }

  /** Orders the changes; returns how many there are to be brought to the table. */
  order(): number {
    return (this.#ordered ??= this.#inOrder()).length;
  }

  /** Whether there is room for more changes. */
  hasRoomFor({ offsets }: Changes): boolean {
    return this.count + offsets.length <= changesMax;
  }

  /** Brings the changes from one to another to the table, in their order; all if left out. */
  apply(database: Database, from = 0, to = Infinity): void {
    // What was flushed before is not among the changes, so that this comes first.
    if (from === 0) { for (const prefix of this.#flushed) removePrefix(database, prefix); }
    const end = Math.min(to, this.order());
    for (let n = from; n < end; n++) this.#apply(database, this.#ordered![n]);
  }

  #add(at: number, isExpiry: boolean): void {
    const batch = this.#batches.length - 1;
    const { views } = this.#batches[batch];
    const start = at + headerBytes;
    const end = start + views.keyBytesAt(at);
    const hash = hashOf(this.#hashKey, views.bytes, start, end) | 0;
    if (this.count === this.#batchOf.length) this.#grow();
    const slot = this.#slotOf(hash, views.bytes, start, end);
    const before = this.#slots[slot] - 1;
    if (before >= 0 && this.#isLast[before] === 1) {
      if (isExpiry) {
        this.#expiries.set(before, views.expiresAtAt(at));
        return;
      }
      this.#isLast[before] = 0;
      this.#expiries.delete(before);
    }
    const number = this.count++;
    this.#batchOf[number] = batch;
    this.#placeOf[number] = at;
    this.#hashOf[number] = hash;
    this.#isLast[number] = 1;
    this.#slots[slot] = number + 1;
  }

  /** The slot of a key, or the free one where it belongs. */
  #slotOf(hash: number, bytes: Uint8Array, start: number, end: number): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    for (let slot = hash & mask;; slot = slot + 1 & mask) {
      const number = slots[slot] - 1;
      if (number < 0) return slot;
      if (this.#hashOf[number] === hash && this.#isKey(number, bytes, start, end)) return slot;
    }
  }

  #isKey(number: number, bytes: Uint8Array, start: number, end: number): boolean {
    const { views } = this.#batches[this.#batchOf[number]];
    const at = this.#placeOf[number];
    if (views.keyBytesAt(at) !== end - start) return false;
    for (let n = start, other = at + headerBytes; n < end; n++, other++) {
      if (bytes[n] !== views.bytes[other]) return false;
    }
    return true;
  }

  #grow(): void {
    const capacity = 2 * this.count;
    if (capacity > changesMax) {
      throw new RangeError("Too many changes are on their way to the table");
    }
    const grown = <Numbers extends Uint32Array | Int32Array | Uint8Array>(
      from: Numbers,
      to: Numbers,
    ): Numbers => {
      to.set(from);
      return to;
    };
    this.#batchOf = grown(this.#batchOf, new Uint32Array(capacity));
    this.#placeOf = grown(this.#placeOf, new Uint32Array(capacity));
    this.#hashOf = grown(this.#hashOf, new Int32Array(capacity));
    this.#isLast = grown(this.#isLast, new Uint8Array(capacity));
    const slots = new Int32Array(2 * capacity);
    const mask = slots.length - 1;
    for (const number of this.#slots) {
      if (number === 0) continue;
      let slot = this.#hashOf[number - 1] & mask;
      while (slots[slot] !== 0) slot = slot + 1 & mask;
      slots[slot] = number;
    }
    this.#slots = slots;
  }

  #flush(prefix: Uint8Array): void {
    this.#flushed.push(prefix);
    for (let number = 0; number < this.count; number++) {
      if (this.#isLast[number] === 0 || !this.#hasPrefix(number, prefix)) continue;
      this.#isLast[number] = 0;
      this.#expiries.delete(number);
    }
  }

  #hasPrefix(number: number, prefix: Uint8Array): boolean {
    const { views } = this.#batches[this.#batchOf[number]];
    const at = this.#placeOf[number];
    if (views.keyBytesAt(at) < prefix.length) return false;
    for (let n = 0; n < prefix.length; n++) {
      if (views.bytes[at + headerBytes + n] !== prefix[n]) return false;
    }
    return true;
  }

  /**
   * About the order of the keys: by the four bytes behind what all keys have in common. That is
   * enough for keys of one page to come together, and much faster than to compare keys.
   */
  #inOrder(): Uint32Array {
    const last: number[] = [];
    for (let number = 0; number < this.count; number++) {
      if (this.#isLast[number] === 1) last.push(number);
    }
    const skipped = this.#commonBytes(last);
    const sorted = Float64Array.from(last, (number) => {
      const { views } = this.#batches[this.#batchOf[number]];
      const place = this.#placeOf[number];
      const end = place + headerBytes + views.keyBytesAt(place);
      let order = 0;
      for (let n = 0, at = place + headerBytes + skipped; n < 4; n++, at++) {
        order = order * 256 + (at < end ? views.bytes[at] : 0);
      }
      return order * changesMax + number;
    }).sort();
    return Uint32Array.from(sorted, (order) => order % changesMax);
  }

  /** How many bytes the keys of these changes have in common at their beginning. */
  #commonBytes(numbers: readonly number[]): number {
    if (numbers.length === 0) return 0;
    const key = this.#batches[this.#batchOf[numbers[0]]].views.keyAt(this.#placeOf[numbers[0]]);
    let common = key.length;
    for (const number of numbers) {
      const { views } = this.#batches[this.#batchOf[number]];
      const at = this.#placeOf[number];
      common = Math.min(common, views.keyBytesAt(at));
      for (let n = 0; n < common; n++) {
        if (views.bytes[at + headerBytes + n] !== key[n]) common = n;
      }
    }
    return common;
  }

  #apply(database: Database, number: number): void {
    const { views } = this.#batches[this.#batchOf[number]];
    const at = this.#placeOf[number];
    const key = views.keyAt(at);
    const kind = views.kindAt(at);
    if (kind === kinds.remove || kind === kinds.evict) return database.remove(key);
    const expiresAt = this.#expiries.size === 0 ? undefined : this.#expiries.get(number);
    if (kind === kinds.expire) return database.expire(key, expiresAt ?? views.expiresAtAt(at));
    database.put(key, views.valueBytesAt(at), expiresAt ?? views.expiresAtAt(at));
  }
}

function removePrefix(database: Database, prefix: Uint8Array): void {
  if (prefix.length === 0) database.clear();
  else database.removePrefix(prefix);
}
