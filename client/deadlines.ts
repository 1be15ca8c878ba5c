/**
 * Deadlines: one timer for all the calls of a client, and a bound on how long to wait for a
 * promise. Times are on the clock of `performance.now()`, in milliseconds.
 *
 * @module
 */

// @ts-types="../types/std.d.ts"
import { delay } from "@std/async/delay";

/** The longest time that a timer of the runtime can be set to, in milliseconds. */
const timerMsMax = 2 ** 31 - 1;

/** How late the timer may fire, in milliseconds, before the program counts as having been busy. */
const lateMsMax = 100;
/** How long the client then still reads replies before it checks, in milliseconds. */
const graceMs = 50;

/** One timer for many deadlines, so that a call costs no timer of its own. */
export class Deadlines {
  readonly #check: (nowMs: number) => number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #dueMs = Infinity;

  /** @param check Does what is due at the given time, and returns the next deadline. */
  constructor(check: (nowMs: number) => number) {
    this.#check = check;
  }

  /** Schedules a check at this time, unless an earlier one is scheduled. */
  schedule(deadlineMs: number): void {
    if (deadlineMs >= this.#dueMs) return;
    this.stop();
    this.#dueMs = deadlineMs;
    const waitMs = Math.min(timerMsMax, Math.max(1, Math.ceil(deadlineMs - performance.now())));
    this.#timer = setTimeout(() => this.#run(), waitMs);
  }

  /** Stops the timer. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#dueMs = Infinity;
  }

  #run(): void {
    // While the program was busy it could not read replies; they may have arrived in time.
    if (performance.now() - this.#dueMs > lateMsMax) {
      this.#timer = setTimeout(() => this.#checkNow(), graceMs);
    } else {
      this.#checkNow();
    }
  }

  #checkNow(): void {
    this.stop();
    this.schedule(this.#check(performance.now()));
  }
}

/**
 * The promise's outcome; rejects when the time comes first, and with the signal's reason when it is
 * aborted first. The standard library's `deadline` needs `Promise.withResolvers`, which Node 20
 * lacks.
 */
export async function within<T>(
  promise: Promise<T>,
  untilMs: number,
  signal?: AbortSignal,
): Promise<T> {
  const done = new AbortController();
  const stop = signal ? AbortSignal.any([signal, done.signal]) : done.signal;
  const waitMs = Math.max(0, untilMs - performance.now());
  const tooLate = delay(waitMs, { signal: stop }).then(() => {
    throw new Error(`no answer within ${Math.round(waitMs)} ms`);
  });
  tooLate.catch(() => {});
  try {
    return await Promise.race([promise, tooLate]);
  } finally {
    done.abort();
  }
}
