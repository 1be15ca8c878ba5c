/**
 * Waiting, in a way that Ctrl-C ends.
 *
 * @module
 */

/** Resolves after so many milliseconds, or at once when the signal aborts. Never rejects. */
export function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    signal?.addEventListener("abort", done, { once: true });
  });
}

/**
 * How long the shell waits for a reply, in milliseconds: longer than a program would, since a large
 * value over a slow line or the removal of millions of keys takes its time.
 */
export const requestTimeoutMs = 60_000;
