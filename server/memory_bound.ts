/**
 * A bound on the memory that all connections together may hold for one purpose: unfinished
 * requests, or unsent replies. Callers that find it exhausted can wait until memory is freed.
 *
 * @module
 */

/** What the bounds of several threads have in common; a bound of one thread has none. */
export interface BoundShare {
  /** The bytes that connections of other threads hold. */
  readonly othersBytes: number;
  /** The bytes that callers in other threads wait for. */
  readonly othersWantedBytes: number;
  /** Shows the others what this thread holds. */
  hold(bytes: number): void;
  /** Shows the others what this thread waits for, 0 for nothing. */
  want(bytes: number): void;
  /** Wakes the threads that wait: this one has freed memory. */
  freed(): void;
}

/** Counts bytes against a bound. */
export class MemoryBound {
  /** The most bytes that all connections may hold together. */
  readonly bytesMax: number;
  readonly #share: BoundShare | undefined;
  #ownBytes = 0;
  /** The bytes that other threads see this one waiting for. */
  #shownWantedBytes = 0;
  /** Who waits, and for how many bytes. */
  readonly #waiting = new Map<() => void, number>();

  /** `share` is given where the bound holds for several threads together. */
  constructor(bytesMax: number, share?: BoundShare) {
    this.bytesMax = bytesMax;
    this.#share = share;
  }

  /** The bytes that all connections hold now. */
  get bytes(): number {
    return this.#share === undefined ? this.#ownBytes : this.#ownBytes + this.#share.othersBytes;
  }

  /** The bytes that connections of this thread hold now. */
  get ownBytes(): number {
    return this.#ownBytes;
  }

  /** The bytes that all waiting callers want. */
  get wantedBytes(): number {
    return this.#ownWantedBytes + (this.#share?.othersWantedBytes ?? 0);
  }

  /** Whether `bytesMore` more bytes are within the bound. */
  fits(bytesMore: number): boolean {
    return this.bytes + bytesMore <= this.bytesMax;
  }

  /** Counts bytes that are held now; a negative number of bytes is given back. */
  add(bytes: number): void {
    this.#ownBytes += bytes;
    this.#share?.hold(this.#ownBytes);
    if (bytes >= 0) return;
    this.wake();
    this.#share?.freed();
  }

  /**
   * Shows the other threads bytes that are about to be held, until they are counted by `add` or
   * `settle` is called.
   */
  announce(bytes: number): void {
    this.#share?.hold(this.#ownBytes + bytes);
    this.showWanted();
  }

  /** Shows the other threads what callers here wait for now; those just woken no longer count. */
  showWanted(): void {
    const bytes = this.#share === undefined ? 0 : this.#ownWantedBytes;
    if (bytes === this.#shownWantedBytes) return;
    this.#shownWantedBytes = bytes;
    this.#share?.want(bytes);
  }

  /** Shows the other threads what is held, and nothing more. */
  settle(): void {
    this.#share?.hold(this.#ownBytes);
  }

  /** Calls back once, when bytes were given back; returns a function that stops waiting. */
  whenFreed(bytes: number, callback: () => void): () => void {
    this.#waiting.set(callback, bytes);
    if (this.#share !== undefined) {
      this.#shownWantedBytes = this.#ownWantedBytes;
      this.#share.want(this.#shownWantedBytes);
    }
    return () => {
      if (this.#waiting.delete(callback)) this.showWanted();
    };
  }

  /**
   * Calls back every waiting caller, which then tries again. What they want stays shown meanwhile:
   * a thread whose ticks fell into that moment would never make room for them.
   */
  wake(): void {
    if (this.#waiting.size === 0) return;
    const waiting = [...this.#waiting.keys()];
    this.#waiting.clear();
    for (const callback of waiting) callback();
  }

  get #ownWantedBytes(): number {
    let sum = 0;
    for (const bytes of this.#waiting.values()) sum += bytes;
    return sum;
  }
}
