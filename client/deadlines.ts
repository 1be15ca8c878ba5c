/**
 * Waiting with an end: one timer for all the deadlines of a client, and promises that are given up
 * at a time or by a signal. Times are on the clock of `performance.now()`, in milliseconds.
 *
 * @module
 */

/** The longest time that a timer of the runtime can be set to, in milliseconds. */
const timerMsMax = 2 ** 31 - 1;

/** How late the timer may come, in milliseconds, before the program is taken to have been busy. */
const lateMsMax = 100;
/** How long replies that came while the program was busy have to be read, in milliseconds. */
const graceMs = 50;

/** One timer for many deadlines, so that a call costs no timer of its own. */
export class Deadlines {
  readonly #check: (nowMs: number) => number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #dueMs = Infinity;

  /** @param check Does what is due at the time it is given, and returns the next deadline. */
  constructor(check: (nowMs: number) => number) {
    this.#check = check;
  }

  /** Sees to it that the check runs at this time, or before. */
  expect(deadlineMs: number): void {
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
    // A program that was busy itself could not read the replies that may be there by now.
    if (performance.now() - this.#dueMs > lateMsMax) {
      this.#timer = setTimeout(() => this.#look(), graceMs);
    } else {
      this.#look();
    }
  }

  #look(): void {
    this.stop();
    this.expect(this.#check(performance.now()));
  }
}

/** Resolves after a time; rejects with the signal's reason when it is aborted first. */
export function delay(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    if (ms <= 0) return resolve();
    const stop = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, Math.min(timerMsMax, ms));
    signal?.addEventListener("abort", stop, { once: true });
  });
}

/** The promise's outcome, or an error when the time or the signal comes first. */
export async function within<T>(
  promise: Promise<T>,
  untilMs: number,
  signal?: AbortSignal,
): Promise<T> {
  const done = new AbortController();
  const stop = signal ? AbortSignal.any([signal, done.signal]) : done.signal;
  const waitMs = Math.max(0, untilMs - performance.now());
  const tooLate = delay(waitMs, stop).then(() => {
    throw new Error(`no answer within ${Math.round(waitMs)} ms`);
  });
  tooLate.catch(() => {});
  try {
    return await Promise.race([promise, tooLate]);
  } finally {
    done.abort();
  }
}
