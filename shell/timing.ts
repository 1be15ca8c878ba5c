/**
 * Pauses that Ctrl-C ends, and the shell's time-out.
 *
 * @module
 */

// @ts-types="../types/std.d.ts"
import { delay } from "@std/async/delay";

/** Resolves after that many milliseconds, or at once when the signal aborts. Never rejects. */
export function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return delay(milliseconds, { signal }).catch(() => {});
}

/**
 * How long the shell waits for a reply, in milliseconds: longer than a program would, since a large
 * value over a slow line or the removal of millions of keys takes its time.
 */
export const requestTimeoutMs = 60_000;
