/**
 * The ghost: which keys were evicted not long ago, by the hashes of their keys.
 *
 * A key that comes back while it is remembered was evicted too early, and is let in to the main
 * queue at once. A set of four slots is shared by all hashes that lead to it; the newest pushes out
 * the oldest. Forgetting, or two keys with one fingerprint, costs a misjudged entry and no more.
 *
 * @module
 */

const WAYS = 4;
const SLOTS_MIN = 256;

/** Fingerprints of evicted keys; see the top of this file. */
export class Ghost {
  #slots = new Uint32Array(0);
  #setMask = 0;

  /** Bytes of the table. */
  get heldBytes(): number {
    return this.#slots.byteLength;
  }

  /** Makes room for about as many fingerprints as there are entries; forgets them if it grows. */
  fit(entries: number): void {
    if (entries <= this.#slots.length) return;
    let slots = SLOTS_MIN;
    while (slots < entries) slots *= 2;
    this.#slots = new Uint32Array(slots);
    this.#setMask = slots / WAYS - 1;
  }

  /** Remembers the hash of an evicted key. */
  add(hash: number): void {
    const slots = this.#slots;
    const at = (hash & this.#setMask) * WAYS;
    slots[at + 3] = slots[at + 2];
    slots[at + 2] = slots[at + 1];
    slots[at + 1] = slots[at];
    slots[at] = hash;
  }

  /** Whether a hash is remembered; if so it no longer is. */
  take(hash: number): boolean {
    const slots = this.#slots;
    if (slots.length === 0) return false;
    const at = (hash & this.#setMask) * WAYS;
    for (let way = 0; way < WAYS; way++) {
      if (slots[at + way] === hash) {
        slots[at + way] = 0;
        return true;
      }
    }
    return false;
  }

  /** Forgets everything. */
  clear(): void {
    this.#slots = new Uint32Array(0);
    this.#setMask = 0;
  }
}
