/**
 * Scanning: a walk over all keys in parts, with no state but the cursor.
 *
 * The cursor is a position in the order of the hashes with their bits reversed. In that order a
 * bucket of the index is one run, and when a bucket is split its run is cut in two; so whatever
 * the index does between two calls, the keys from the cursor on are those that were not visited.
 * The idea is that of P. Noordhuis' SCAN in Redis, made for a table that grows bucket by bucket.
 *
 * @module
 */

import { SLAB_MASK, SLAB_SHIFT } from "./arena.ts";
import type { Entries } from "./entries.ts";

/** Buckets that are looked at for each key asked for, before a scan pauses with fewer keys. */
const BUCKETS_PER_KEY = 8;
const BUCKETS_MIN = 64;

/** The bits of an unsigned 32-bit integer in reverse order. */
export function reversed(n: number): number {
  n = ((n >>> 1) & 0x55555555) | ((n & 0x55555555) << 1);
  n = ((n >>> 2) & 0x33333333) | ((n & 0x33333333) << 2);
  n = ((n >>> 4) & 0x0f0f0f0f) | ((n & 0x0f0f0f0f) << 4);
  n = ((n >>> 8) & 0x00ff00ff) | ((n & 0x00ff00ff) << 8);
  return ((n >>> 16) | (n << 16)) >>> 0;
}

/** What a scan does with each entry: its reference, word 0, and where its key lies. */
export type Visitor = (
  ref: number,
  word0: number,
  bytes: Uint8Array,
  start: number,
  end: number,
) => void;

/**
 * Visits the entries of some buckets from a cursor on, until about `count` were visited; returns
 * the next cursor, 0 at the end. `visit` may remove the entry it is called with, and no other.
 */
export function scan(
  entries: Entries,
  cursor: number,
  count: number,
  prefix: Uint8Array | undefined,
  visit: Visitor,
): number {
  const index = entries.index;
  let buckets = count * BUCKETS_PER_KEY + BUCKETS_MIN;
  let left = count;
  while (left > 0 && buckets-- > 0) {
    const bucket = index.bucketOf(reversed(cursor));
    let ref = index.first(bucket);
    while (ref !== 0) {
      const slab = ref >>> SLAB_SHIFT;
      const words = entries.arena.words[slab];
      const at = (ref & SLAB_MASK) << 1;
      const word0 = words[at];
      const next = words[at + 3];
      if (reversed(words[at + 2]) >= cursor) {
        const bytes = entries.arena.bytes[slab];
        const start = entries.keyAt(ref);
        const end = start + (word0 & 0xffff);
        if (prefix === undefined || startsWith(bytes, start, end, prefix)) {
          visit(ref, word0, bytes, start, end);
          left--;
        }
      }
      ref = next;
    }
    const run = 2 ** (32 - index.bitsOf(bucket));
    cursor = (Math.floor(cursor / run) + 1) * run;
    if (cursor >= 2 ** 32) return 0;
  }
  return cursor;
}

/** Whether `bytes[start, end)` begins with a prefix. */
export function startsWith(
  bytes: Uint8Array,
  start: number,
  end: number,
  prefix: Uint8Array,
): boolean {
  if (end - start < prefix.length) return false;
  for (let n = 0; n < prefix.length; n++) if (bytes[start + n] !== prefix[n]) return false;
  return true;
}
