/**
 * Verification for tests: walks the whole store and checks its invariants. It takes time in
 * proportion to the content.
 *
 * @module
 */

import { BULK, FIRST_GRANULE, MAIN, SMALL } from "./arena.ts";
import type { Entries } from "./entries.ts";
import { demand } from "./invariant.ts";
import { HASHES } from "./index.ts";
import { DEAD, EXEMPT, EXPIRES, FRAGMENT, FRAGMENTED, recordGranules } from "./record.ts";
import { FREE, SEGMENT_GRANULES, SEGMENT_SHIFT } from "./slabs.ts";
import {
  BUDGET,
  EXPIRING,
  FLUSH_CURSOR,
  RESERVED_BYTES,
  RESERVED_SEGMENTS,
  SEGMENTS_FREE,
  STAGED_BYTES,
  STAGED_FIRST,
} from "./state.ts";

/** Throws an InvariantError that says what is broken, if anything is. */
export function verify(entries: Entries, isPutUnderWay: boolean): void {
  verifyReservation(entries, isPutUnderWay);
  const arena = entries.arena;
  const indexed = indexedRefs(entries);
  const usageOf = [0, 0, 0];
  let live = 0;
  let used = 0;
  let expiring = 0;
  let fragments = 0;
  for (const queue of [SMALL, MAIN, BULK]) {
    let previous = -1;
    for (let segment = arena.oldest[queue]; segment !== -1; segment = arena.newer[segment]) {
      demand(arena.queueOf[segment] === queue, `segment ${segment} is in the wrong queue`);
      demand(arena.older[segment] === previous, `segment ${segment} has the wrong neighbour`);
      previous = segment;
      used++;
      let liveHere = 0;
      for (let at = FIRST_GRANULE; at < arena.fill[segment];) {
        const ref = ((segment << SEGMENT_SHIFT) | at) >>> 0;
        const word0 = entries.word(ref, 0);
        const granules = recordGranules(word0, entries.word(ref, 1));
        demand(granules > 0, `record ${ref} has no size`);
        at += granules;
        if ((word0 & DEAD) !== 0) continue;
        liveHere += granules;
        demand(at - granules >= arena.hand[segment], `record ${ref} lies behind the hand`);
        if ((word0 & FRAGMENT) !== 0) {
          fragments += entries.word(ref, 1);
          continue;
        }
        demand(indexed.delete(ref), `record ${ref} is live but not indexed`);
        usageOf[queue] += entries.bytesOf(ref);
        if ((word0 & FRAGMENTED) !== 0) fragments -= entries.word(ref, 1);
        if ((word0 & EXPIRES) !== 0) {
          const due = entries.expiryOf(ref);
          if (due !== Infinity) expiring++;
          demand(due >= arena.dueAt[segment], `record ${ref} expires before its segment is due`);
        }
      }
      demand(arena.fill[segment] <= SEGMENT_GRANULES, `segment ${segment} is overfull`);
      demand(liveHere === arena.live[segment], `segment ${segment} miscounts its live records`);
      live += liveHere;
    }
    demand(arena.newest[queue] === previous, `queue ${queue} has the wrong end`);
    demand(usageOf[queue] === entries.usageOf[queue], `queue ${queue} miscounts its bytes`);
  }
  demand(indexed.size === 0, `${indexed.size} indexed entries are not in the arena`);
  demand(
    fragments === entries.fragments.stagedBytes,
    `fragments and values differ by ${fragments} bytes`,
  );
  demand(expiring === entries.state[EXPIRING], "the entries that expire are miscounted");
  demand(live === arena.liveGranules, "the arena miscounts its live records");
  demand(used === arena.segmentsUsed, "the arena miscounts its segments");
  demand(usageOf[0] + usageOf[1] === entries.usage, "usage is not the sum of keys and values");
  let free = 0;
  for (let segment = 0; segment < arena.slabs.segments; segment++) {
    if (arena.queueOf[segment] === FREE && arena.slabs.isHeld(segment)) free++;
  }
  demand(free === arena.segmentsFree, "the arena miscounts its free segments");
}

/** Checks that reserved and staged space belongs to a put under way, and is within the bounds. */
function verifyReservation(entries: Entries, isPutUnderWay: boolean): void {
  const { state } = entries;
  const reservedBytes = state[RESERVED_BYTES];
  const isWithin = entries.usage + reservedBytes <= state[BUDGET];
  demand(isWithin, "usage and reserved bytes exceed the budget");
  demand(state[RESERVED_SEGMENTS] <= state[SEGMENTS_FREE], "reserved segments are not free");
  if (isPutUnderWay) return;
  demand(reservedBytes === 0 && state[RESERVED_SEGMENTS] === 0, "space is reserved for nobody");
  demand(state[STAGED_FIRST] === 0 && state[STAGED_BYTES] === 0, "nobody's value is staged");
}

/** Checks that the index holds every entry once, under its hash, in the order of the hashes. */
function indexedRefs(entries: Entries): Set<number> {
  const refs = new Set<number>();
  const { index } = entries;
  const cursor = entries.state[FLUSH_CURSOR];
  let last = -1;
  for (let from = 0; from < HASHES;) {
    from = index.walk(from, 1_000, (ref) => {
      demand(!refs.has(ref), `entry ${ref} is indexed twice`);
      refs.add(ref);
      const hash = entries.hashOf(ref);
      if ((entries.word(ref, 0) & EXEMPT) !== 0) {
        const isAhead = cursor !== -1 && hash >= cursor;
        demand(isAhead, `entry ${ref} is marked as exempt from no flush`);
      }
      demand(hash >= last, `entry ${ref} is out of order`);
      last = hash;
      let found = index.first(hash);
      while (found !== 0 && found !== ref) found = index.next(hash);
      demand(found !== 0, `entry ${ref} is not found by its hash`);
      return true;
    });
  }
  demand(refs.size === index.entries, "the index miscounts its entries");
  return refs;
}
