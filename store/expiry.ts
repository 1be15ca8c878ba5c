/**
 * Expiry: removes what has expired, a bounded number of records at a time.
 *
 * Each segment knows a time before which none of its records expires. A sweep looks at these times
 * alone, and walks only the segments that are due; a walk removes what has expired and finds the
 * segment's next time. So an expiring entry costs 8 bytes for its time, and nothing for an order by
 * time.
 *
 * @module
 */

import { FIRST_GRANULE } from "./arena.ts";
import type { Entries } from "./entries.ts";
import { DEAD, EXPIRES, recordGranules } from "./record.ts";
import { FREE, SEGMENT_SHIFT, SLAB_MASK, SLAB_SHIFT } from "./slabs.ts";
import { EXPIRATIONS, SWEEP_SEGMENT } from "./state.ts";

/** Records after which a sweep pauses, at the end of a segment. */
const SWEEP_RECORDS_MAX = 2_048;
/** Segments whose times one sweep looks at. */
const SWEEP_SEGMENTS_MAX = 65_536;

/** The sweep for expired entries, which goes on where the last one paused. */
export class Expiry {
  readonly #entries: Entries;

  constructor(entries: Entries) {
    this.#entries = entries;
  }

  /** Removes expired entries; true if it paused and more may be due. */
  sweep(now: number): boolean {
    const arena = this.#entries.arena;
    const { segments } = arena.slabs;
    const state = this.#entries.state;
    let records = 0;
    for (let seen = 0; seen < segments; seen++) {
      if (state[SWEEP_SEGMENT] >= segments) state[SWEEP_SEGMENT] = 0;
      const segment = state[SWEEP_SEGMENT]++;
      if (arena.dueAt[segment] > now || arena.queueOf[segment] === FREE) continue;
      records += this.#walk(segment, now);
      if (records >= SWEEP_RECORDS_MAX || seen >= SWEEP_SEGMENTS_MAX) return seen + 1 < segments;
    }
    return false;
  }

  /** Walks a segment; returns how many records it has. */
  #walk(segment: number, now: number): number {
    const entries = this.#entries;
    const arena = entries.arena;
    const fill = arena.fill[segment];
    let dueAt = Infinity;
    let records = 0;
    arena.pinned[2] = segment;
    for (let at = FIRST_GRANULE; at < fill; records++) {
      const ref = ((segment << SEGMENT_SHIFT) | at) >>> 0;
      const words = arena.words[ref >>> SLAB_SHIFT];
      const word = (ref & SLAB_MASK) << 1;
      const word0 = words[word];
      at += recordGranules(word0, words[word + 1]);
      if ((word0 & (DEAD | EXPIRES)) !== EXPIRES) continue;
      const expiresAt = entries.expiryOf(ref);
      if (expiresAt <= now) {
        entries.state[EXPIRATIONS]++;
        entries.remove(ref);
      } else if (expiresAt < dueAt) {
        dueAt = expiresAt;
      }
    }
    arena.dueAt[segment] = dueAt;
    arena.pinned[2] = -1;
    arena.freeIfEmpty(segment);
    return records;
  }
}
