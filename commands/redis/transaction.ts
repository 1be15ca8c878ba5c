/**
 * Transactions: requests that wait between MULTI and EXEC, and the keys that WATCH has named.
 *
 * @module
 */

import { Arguments } from "../../protocol.ts";
import type { Context } from "../context.ts";

/** The most requests of a transaction. */
export const transactionRequestsMax = 1024 * 1024;

/** What a watched key takes beside its bytes, about. */
const watchedKeyBytes = 100;

/** A key that must not change before EXEC. */
interface WatchedKey {
  readonly key: Uint8Array;
  readonly version: number;
}

/** What MULTI and WATCH have begun on one connection. */
export class Transaction {
  /** True between MULTI and EXEC. */
  isOpen = false;
  /** True once a request was refused: EXEC then runs nothing. */
  isRefused = false;
  /** How many requests wait. */
  count = 0;
  readonly #bytesMax: number;
  /** The bytes of all requests. */
  #bytes: Uint8Array = new Uint8Array(256);
  #length = 0;
  /**
   * For each request the number of its command, how many arguments it has, and for each of these
   * where it begins and ends.
   */
  #numbers: Int32Array = new Int32Array(32);
  #numbersLength = 0;
  readonly #watched: WatchedKey[] = [];
  #watchedBytes = 0;

  /** A transaction whose requests have at most `bytesMax` bytes together, and its keys, too. */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** The bytes into which the requests' offsets point. */
  get bytes(): Uint8Array {
    return this.#bytes;
  }

  /** How many keys are watched. */
  get watchedKeys(): number {
    return this.#watched.length;
  }

  /** Bytes of memory that the requests and the watched keys take. */
  get heldBytes(): number {
    const bytes = this.count === 0 ? 0 : this.#bytes.length + this.#numbers.byteLength;
    return bytes + this.#watchedBytes;
  }

  /** Notes that a request was refused. */
  refused(): void {
    if (this.isOpen) this.isRefused = true;
  }

  /** Queues a request. */
  add(context: Context, number: number, args: Arguments, bytes: Uint8Array): void {
    const start = args.starts[0];
    const length = args.ends[args.count - 1] - start;
    if (this.#length + length > this.#bytesMax || this.count === transactionRequestsMax) {
      this.isRefused = true;
      const limit = this.count === transactionRequestsMax
        ? `${transactionRequestsMax} requests`
        : `${this.#bytesMax} bytes`;
      context.failRedis("line_too_long", `ERR the transaction has more than ${limit}`);
      return;
    }
    this.#bytes = withSpace(this.#bytes, this.#length, length);
    this.#bytes.set(bytes.subarray(start, start + length), this.#length);
    this.#numbers = withSpace(this.#numbers, this.#numbersLength, 2 + 2 * args.count);
    let at = this.#numbersLength;
    this.#numbers[at++] = number;
    this.#numbers[at++] = args.count;
    for (let n = 0; n < args.count; n++) {
      this.#numbers[at++] = args.starts[n] - start + this.#length;
      this.#numbers[at++] = args.ends[n] - start + this.#length;
    }
    this.#numbersLength = at;
    this.#length += length;
    this.count++;
    context.redis.queued();
  }

  /** Calls back with the number of the command and the arguments of each request, in order. */
  forEach(run: (number: number, args: Arguments) => void): void {
    const numbers = this.#numbers;
    const args = new Arguments();
    for (let at = 0; at < this.#numbersLength;) {
      const number = numbers[at++];
      const end = at + 1 + 2 * numbers[at++];
      args.count = 0;
      while (at < end) args.add(numbers[at++], numbers[at++]);
      run(number, args);
    }
  }

  /** Remembers the version of a key; false if there are too many. */
  watch(context: Context, bytes: Uint8Array, start: number, end: number): boolean {
    const held = end - start + watchedKeyBytes;
    if (this.#watchedBytes + held > this.#bytesMax) return false;
    const key = bytes.slice(start, end);
    this.#watched.push({ key, version: versionOf(context, key) });
    this.#watchedBytes += held;
    return true;
  }

  /** Forgets all keys that are watched. */
  unwatch(): void {
    this.#watched.length = this.#watchedBytes = 0;
  }

  /** Whether no watched key has changed. */
  isUnchanged(context: Context): boolean {
    return this.#watched.every(({ key, version }) => versionOf(context, key) === version);
  }
}

/** The array itself, or a larger copy of its first `length` elements with space for `more`. */
function withSpace<Elements extends Uint8Array | Int32Array>(
  elements: Elements,
  length: number,
  more: number,
): Elements {
  if (length + more <= elements.length) return elements;
  const Constructor = elements.constructor as new (length: number) => Elements;
  const larger = new Constructor(Math.max(2 * elements.length, length + more));
  larger.set(elements.subarray(0, length));
  return larger;
}

/** The version of a key now. One that has expired has a new one once somebody looks for it. */
function versionOf(context: Context, key: Uint8Array): number {
  const { store } = context;
  return context.withKey(key, 0, key.length, () => {
    store.find(key, 0, key.length);
    return store.version(key, 0, key.length);
  });
}
