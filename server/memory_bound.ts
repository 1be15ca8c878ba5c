/**
 * A bound on the memory that all connections together may hold for one purpose: requests that are
 * not finished, or replies that are not sent. Whoever finds it exhausted can wait until it is not.
 *
 * @module
 */

/** Counts bytes against a bound. */
export class MemoryBound {
  /** The most bytes that all may hold. */
  readonly bytesMax: number;
  /** The bytes that all hold. */
  bytes = 0;
  /** Who waits, and for how many bytes. */
  readonly #waiting = new Map<() => void, number>();

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax;
  }

  /** The bytes that all who wait want. */
  get wantedBytes(): number {
    let sum = 0;
    for (const bytes of this.#waiting.values()) sum += bytes;
    return sum;
  }

  /** Whether so many bytes more would still be within the bound. */
  fits(bytesMore: number): boolean {
    return this.bytes + bytesMore <= this.bytesMax;
  }

  /** Counts bytes that are held now, or with a minus bytes that are not held any more. */
  add(bytes: number): void {
    this.bytes += bytes;
    if (bytes < 0) this.wake();
  }

  /** Calls back once, when bytes were given back; returns how to stop waiting. */
  whenFreed(bytes: number, callback: () => void): () => void {
    this.#waiting.set(callback, bytes);
    return () => this.#waiting.delete(callback);
  }

  /** Lets everybody who waits try again. */
  wake(): void {
    if (this.#waiting.size === 0) return;
    const waiting = [...this.#waiting.keys()];
    this.#waiting.clear();
    for (const callback of waiting) callback();
  }
}
