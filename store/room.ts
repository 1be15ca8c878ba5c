/**
 * Room: makes sure that what is about to be stored fits the limit, a bounded number of steps at a
 * time.
 *
 * A small value needs a step or two. A large one may need more than one call is allowed; what was
 * gained for it is then reserved for a while. Meanwhile others who write make the room that they
 * need themselves, so the large value gets nearer to its goal with each of its calls.
 *
 * @module
 */

import type { Entries } from "./entries.ts";
import type { Eviction } from "./eviction.ts";
import { RESERVED_BYTES, RESERVED_HASH, RESERVED_UNTIL } from "./state.ts";

/** Records that one call looks at to make room; then it lets others have their turn. */
export const EVICTION_STEPS_MAX = 128;
/** How long room made for a large value is kept for it between two calls, in milliseconds. */
export const RESERVATION_MS = 1_000;

/** Makes room under a limit; see the top of this file. */
export class Room {
  readonly #entries: Entries;
  readonly #eviction: Eviction;
  readonly #limitBytes: number;

  constructor(entries: Entries, eviction: Eviction, limitBytes: number) {
    this.#entries = entries;
    this.#eviction = eviction;
    this.#limitBytes = limitBytes;
  }

  /** Whether so many bytes more can be stored without any further thought. */
  has(bytesMore: number): boolean {
    const entries = this.#entries;
    return entries.usage + bytesMore <= this.#limitBytes && entries.state[RESERVED_BYTES] === 0;
  }

  /**
   * Evicts until so many bytes more fit, or a fixed number of records was looked at. False if that
   * was not enough; then the room is reserved for the hash, if it is not for another one yet.
   */
  make(hash: number, bytesMore: number, now: number): boolean {
    const entries = this.#entries;
    const { state } = entries;
    if (hash === state[RESERVED_HASH] || now > state[RESERVED_UNTIL]) state[RESERVED_BYTES] = 0;
    const usageMax = this.#limitBytes - bytesMore;
    // Beside a reservation, a writer need not do more than not to take from it.
    const ownShare = entries.usage - Math.max(bytesMore, 0);
    const goal = Math.min(usageMax, Math.max(usageMax - state[RESERVED_BYTES], ownShare));
    let steps = 0;
    while (entries.usage > goal && steps++ < EVICTION_STEPS_MAX) this.#eviction.step(now);
    if (entries.usage <= usageMax) return true;
    this.hold(hash, bytesMore, now);
    return false;
  }

  /** Reserves room for a hash until it asks again, if nobody else has a reservation. */
  hold(hash: number, bytesMore: number, now: number): void {
    const { state } = this.#entries;
    if (state[RESERVED_BYTES] !== 0 || bytesMore <= 0) return;
    state[RESERVED_BYTES] = bytesMore;
    state[RESERVED_HASH] = hash;
    state[RESERVED_UNTIL] = now + RESERVATION_MS;
  }

  /** Forgets a reservation. */
  clear(): void {
    this.#entries.state[RESERVED_BYTES] = 0;
  }
}
