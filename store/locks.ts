/**
 * Locks between threads: a compare-and-swap where nobody else is, a short spin, then a wait that
 * the system ends.
 *
 * A thread holds at most one lock, or takes several in ascending order while it holds none, or
 * tries without waiting. So no two threads wait for each other.
 *
 * What always holds: a lock's word is 0 if it is free, 1 if a thread holds it, 2 if others may wait
 * for it besides.
 *
 * Source: Drepper, "Futexes are tricky", 2011, the second mutex.
 *
 * @module
 */

import { InvariantError } from "./invariant.ts";

const FREE = 0;
const HELD = 1;
const CONTENDED = 2;

/** A lock has a line of the processor's cache to itself: 64 bytes, in words. */
const LOCK_WORDS = 16;
/** Looks at a held lock before the thread sleeps: a few microseconds, longer than most requests. */
const SPINS = 200;
/** How long a thread sleeps before it looks whether another thread has failed. */
const WAIT_MS = 100;
/** After so many waits in a row for one lock, ten seconds, the thread that has it hangs or is gone. */
const WAITS_MAX = 100;

/** Bytes that so many locks take. */
export function lockBytes(count: number): number {
  return count * LOCK_WORDS * 4;
}

/** A row of locks in memory that threads share. */
export class Locks {
  /** How often this thread has found a lock held by another. */
  waits = 0;
  readonly #words: Int32Array<SharedArrayBuffer>;
  readonly #hasFailed: () => boolean;

  /** Locks in `words`; `hasFailed` says whether a thread has died, perhaps with a lock. */
  constructor(words: Int32Array<SharedArrayBuffer>, hasFailed: () => boolean) {
    this.#words = words;
    this.#hasFailed = hasFailed;
  }

  /**
   * Takes a lock; waits until it is free. Throws an InvariantError once a thread has failed, or has
   * kept the lock for ten seconds.
   */
  lock(n: number): void {
    const at = n * LOCK_WORDS;
    if (Atomics.compareExchange(this.#words, at, FREE, HELD) !== FREE) this.#wait(at);
  }

  /** Takes a lock if it is free; false if it is not. */
  tryLock(n: number): boolean {
    return Atomics.compareExchange(this.#words, n * LOCK_WORDS, FREE, HELD) === FREE;
  }

  /** Gives a lock back. */
  unlock(n: number): void {
    const at = n * LOCK_WORDS;
    if (Atomics.exchange(this.#words, at, FREE) === CONTENDED) Atomics.notify(this.#words, at, 1);
  }

  #wait(at: number): void {
    const words = this.#words;
    this.waits++;
    for (let spin = 0; spin < SPINS; spin++) {
      if (Atomics.load(words, at) !== FREE) continue;
      if (Atomics.compareExchange(words, at, FREE, HELD) === FREE) return;
    }
    for (let waits = 0; Atomics.exchange(words, at, CONTENDED) !== FREE;) {
      // Waits are counted, not time: a process that was stopped for an hour goes on.
      if (Atomics.wait(words, at, CONTENDED, WAIT_MS) === "timed-out") waits++;
      if (this.#hasFailed()) throw new InvariantError("another thread has failed");
      if (waits === WAITS_MAX) throw new InvariantError("a thread does not give back its lock");
    }
  }
}
