/**
 * A ring of descriptors from the thread that accepts connections to one that serves them. One
 * thread puts them in, another one takes them out; neither waits.
 *
 * @module
 */

/** Descriptors that a ring holds. */
export const ringLength = 256;

const HEAD = 0;
const TAIL = 1;

/** A queue of descriptors in shared memory, with one thread at either end. */
export class DescriptorRing {
  /** How many were put in and taken out, as 32 bits that wrap. */
  readonly #ends: Int32Array;
  readonly #descriptors: Int32Array;

  /** `ends` has two words, `descriptors` has `ringLength`; all are zero at first. */
  constructor(ends: Int32Array, descriptors: Int32Array) {
    this.#ends = ends;
    this.#descriptors = descriptors;
  }

  /** Puts a descriptor in; false if the ring is full. */
  push(fd: number): boolean {
    const tail = Atomics.load(this.#ends, TAIL);
    if ((tail - Atomics.load(this.#ends, HEAD) | 0) === ringLength) return false;
    this.#descriptors[tail & ringLength - 1] = fd;
    Atomics.store(this.#ends, TAIL, tail + 1 | 0);
    return true;
  }

  /** Takes the oldest descriptor out; -1 if there is none. */
  shift(): number {
    const head = Atomics.load(this.#ends, HEAD);
    if (head === Atomics.load(this.#ends, TAIL)) return -1;
    const fd = this.#descriptors[head & ringLength - 1];
    Atomics.store(this.#ends, HEAD, head + 1 | 0);
    return fd;
  }
}
