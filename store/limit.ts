/**
 * The limit of a store, which can change while the store is used.
 *
 * A higher limit holds at once. A lower one is a target: the store evicts a bounded share a call,
 * and the limit falls with what it holds. So at no moment does it hold more than the limit, and
 * others write meanwhile.
 *
 * @module
 */

/** The limit as the parts of a store see it. */
export interface Limit {
  /** Bytes that all keys and values of the store may have now. */
  readonly bytes: number;
  /** Bytes that one entry may have: it must fit a lower limit that is to come, too. */
  readonly entryBytesMax: number;
}

/** The limit of a store of one thread. */
export class OwnLimit implements Limit {
  bytes: number;
  /** What it is to become. */
  target: number;

  constructor(bytes: number) {
    this.bytes = this.target = bytes;
  }

  get entryBytesMax(): number {
    return Math.min(this.bytes, this.target);
  }
}

/** Checks a limit; throws a RangeError for one that no store can have. */
export function checkLimit(limitBytes: number): void {
  if (limitBytes >= 1 && limitBytes <= Number.MAX_SAFE_INTEGER) return;
  throw new RangeError(`Cannot make a store: the limit is ${limitBytes} bytes`);
}
