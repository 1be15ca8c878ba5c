/**
 * Repeats a call that has lost its connection, until it succeeds or the time for it is over. The
 * time counts from the first loss of a call, and begins again with the next call.
 *
 * @module
 */

import { ConnectionLost } from "./ports.ts";

/** The pause before the first repetition, in milliseconds; it doubles up to the longest. */
const pauseMsMin = 50;

/** The longest pause between two attempts, in milliseconds. */
const pauseMsMax = 1000;

/** The time as a copy sees it. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** A clock in milliseconds that does not jump. */
  elapsed(): number;
  /** Resolves after a time, or as soon as the signal is aborted. */
  pause(ms: number, signal: AbortSignal): Promise<void>;
}

/** How long a lost side is tried again. */
export interface Retry {
  /** In milliseconds; 0: not at all. */
  readonly retryMs: number;
  readonly clock: Clock;
  /** Ends the attempts. */
  readonly signal: AbortSignal;
}

/**
 * Runs a call; while it loses its connection, runs it again.
 *
 * @param onLost Called before each repetition; what it throws ends the attempts, but a
 * {@linkcode ConnectionLost} of its own is one more loss.
 * @throws {ConnectionLost} the last one, once the time is over or the signal is aborted.
 */
export async function retrying<T>(
  { retryMs, clock, signal }: Retry,
  call: () => Promise<T>,
  onLost: () => Promise<void> = () => Promise.resolve(),
): Promise<T> {
  let firstLossMs: number | undefined;
  for (let pauseMs = pauseMsMin;; pauseMs = Math.min(2 * pauseMs, pauseMsMax)) {
    try {
      if (firstLossMs !== undefined) await onLost();
      return await call();
    } catch (error) {
      if (!(error instanceof ConnectionLost)) throw error;
      firstLossMs ??= clock.elapsed();
      const restMs = firstLossMs + retryMs - clock.elapsed();
      if (restMs <= 0 || signal.aborted) throw error;
      await clock.pause(Math.min(pauseMs, restMs), signal);
    }
  }
}

/** The system's time. */
export const systemClock: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  pause(ms, signal) {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, ms);
    const end = () => resolve();
    signal.addEventListener("abort", end, { once: true });
    return promise.finally(() => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
    });
  },
};
