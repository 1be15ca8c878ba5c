/**
 * A bound on the memory that all connections together may hold for one purpose: unfinished
 * requests, or unsent replies. Callers that find it exhausted can wait until memory is freed.
 *
 * @module
 */

/** Counts bytes against a bound. */
export class MemoryBound {
  /** The most bytes that all connections may hold together. */
  readonly bytesMax: number;
  /** The bytes that all connections hold now. */
  bytes = 0;
  /** Who waits, and for how many bytes. */
  readonly #waiting = new Map<() => void, number>();

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax;
  }

  /** The bytes that all waiting callers want. */
  get wantedBytes(): number {
    let sum = 0;
    for (const bytes of this.#waiting.values()) sum += bytes;
    return sum;
  }

  /** Whether `bytesMore` more bytes are within the bound. */
  fits(bytesMore: number): boolean {
    return this.bytes + bytesMore <= this.bytesMax;
  }

  /** Counts bytes that are held now; a negative number of bytes is given back. */
  add(bytes: number): void {
    this.bytes += bytes;
    if (bytes < 0) this.wake();
  }

  /** Calls back once, when bytes were given back; returns a function that stops waiting. */
  whenFreed(bytes: number, callback: () => void): () => void {
    this.#waiting.set(callback, bytes);
    return () => this.#waiting.delete(callback);
  }

  /** Calls back every waiting caller, which then tries again. */
  wake(): void {
    if (this.#waiting.size === 0) return;
    const waiting = [...this.#waiting.keys()];
    this.#waiting.clear();
    for (const callback of waiting) callback();
  }
}
