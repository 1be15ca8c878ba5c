/**
 * Scanning: a walk over all keys in parts, with no state but the cursor.
 *
 * The cursor is a hash: the index is in the order of the hashes, so the keys from the cursor on are
 * exactly those not yet visited, whatever was written, moved or evicted since.
 *
 * @module
 */

import { SLAB_SHIFT } from "./slabs.ts";
import type { Entries } from "./entries.ts";
import { HASHES } from "./index.ts";

/** Slots that are looked at for each key asked for, before a scan pauses with fewer keys. */
const SLOTS_PER_KEY = 8;
/** Slots that are looked at in any case: the smallest index, so that a small store is one part. */
const SLOTS_MIN = 1_024;

/** What a scan does with each entry: its reference, word 0, and where its key lies. */
export type Visitor = (
  ref: number,
  word0: number,
  bytes: Uint8Array,
  start: number,
  end: number,
) => void;

/**
 * Visits entries from a cursor on, until `count` were visited or the index was looked at far
 * enough; returns the next cursor, 0 at the end. `visit` must not change the store.
 */
export function scan(
  entries: Entries,
  cursor: number,
  count: number,
  prefix: Uint8Array | undefined,
  visit: Visitor,
): number {
  if (cursor >= HASHES) return 0;
  const { arena } = entries;
  let left = count;
  const next = entries.index.walk(cursor, count * SLOTS_PER_KEY + SLOTS_MIN, (ref) => {
    const word0 = entries.word(ref, 0);
    const bytes = arena.bytes[ref >>> SLAB_SHIFT];
    const start = entries.keyAt(ref);
    const end = start + (word0 & 0xffff);
    if (prefix === undefined || startsWith(bytes, start, end, prefix)) {
      visit(ref, word0, bytes, start, end);
      left--;
    }
    return left > 0;
  });
  return next === HASHES ? 0 : next;
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
