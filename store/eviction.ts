/**
 * Eviction: which entry makes room for a new one.
 *
 * @module
 */

import { MAIN, type Queue, SEGMENT_SHIFT, SLAB_MASK, SLAB_SHIFT, SMALL } from "./arena.ts";
import type { Compaction } from "./compaction.ts";
import type { Entries } from "./entries.ts";
import { Ghost } from "./ghost.ts";
import { DEAD, EXPIRES, recordGranules, VISITS_SHIFT } from "./record.ts";

/** Visits are counted up to this. */
export const VISITS_MAX = 3;
const SMALL_SHARE = 0.1;
const REINSERTIONS_MAX = 20;
const WORD0_REST = (1 << VISITS_SHIFT) - 1;

export class Eviction {
  readonly #entries: Entries;
  readonly #compaction: Compaction;
  readonly #ghost = new Ghost();
  #reinsertions = 0;
  evictions = 0;
  expirations = 0;

  constructor(entries: Entries, compaction: Compaction) {
    this.#entries = entries;
    this.#compaction = compaction;
  }

  get heldBytes(): number {
    return this.#ghost.heldBytes;
  }

  /** The queue that a new entry joins. */
  queueFor(hash: number): Queue {
    return this.#ghost.take(hash) ? MAIN : SMALL;
  }

  clear(): void {
    this.#ghost.clear();
  }

  /** Looks at the next record in turn: passes it by, keeps it, or removes it. */
  step(limitBytes: number, now: number): void {
    const entries = this.#entries;
    const arena = entries.arena;
    const usageOf = entries.usageOf;
    const queue = usageOf[SMALL] > 0 &&
        (usageOf[SMALL] > limitBytes * SMALL_SHARE || usageOf[MAIN] === 0)
      ? SMALL
      : MAIN;
    const segment = arena.oldest[queue];
    this.#compaction.yieldTo(segment);
    const hand = arena.hand[segment];
    if (hand >= arena.fill[segment]) {
      if (segment !== arena.newest[queue]) arena.release(segment);
      return;
    }
    const ref = ((segment << SEGMENT_SHIFT) | hand) >>> 0;
    const words = arena.words[ref >>> SLAB_SHIFT];
    const at = (ref & SLAB_MASK) << 1;
    const word0 = words[at];
    const granules = recordGranules(word0, words[at + 1]);
    arena.hand[segment] = hand + granules;
    if ((word0 & DEAD) !== 0) return;
    if ((word0 & EXPIRES) !== 0 && entries.expiryOf(ref) <= now) {
      this.expirations++;
      entries.remove(ref);
      return;
    }
    const visits = word0 >>> VISITS_SHIFT;
    if (visits > 0 && this.#reinsertions < REINSERTIONS_MAX) {
      this.#reinsertions++;
      const left = queue === SMALL ? 0 : visits - 1;
      const kept = (word0 & WORD0_REST) | (left << VISITS_SHIFT);
      entries.moveTo(arena.append(MAIN, granules), ref, granules, kept >>> 0);
      return;
    }
    this.#reinsertions = 0;
    this.evictions++;
    if (queue === SMALL) {
      this.#ghost.fit(entries.index.entries);
      this.#ghost.add(words[at + 2]);
    }
    entries.remove(ref);
  }
}
