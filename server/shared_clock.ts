/**
 * A clock that all threads of the process share. `performance.now()` begins at zero in each Worker,
 * but times of expiry are shared, so they are counted from one origin: that of the system's
 * monotonic clock.
 *
 * @module
 */

import { CLOCK_MONOTONIC, type Libc, outside } from "./libc.ts";

/** How often the two clocks are compared; the closest comparison counts. */
const comparisons = 16;

/** `CLOCK_MONOTONIC`, in milliseconds. */
function monotonicMs(libc: Libc, timespec: BigInt64Array<ArrayBuffer>): number {
  if (libc.clock_gettime(CLOCK_MONOTONIC, timespec) !== 0) {
    throw new Error("Cannot read the monotonic clock");
  }
  return Number(timespec[0]) * 1000 + Number(timespec[1]) / 1e6;
}

/**
 * Makes a clock in milliseconds that never goes back. Those of two threads show the same time, to
 * within a few microseconds. It reads the system's clock only here: what it adds to
 * `performance.now()` does not change, since both count the same seconds.
 */
export function sharedClock(libc: Libc): () => number {
  const timespec = new BigInt64Array(outside(16).buffer);
  let offsetMs = 0;
  let closestMs = Infinity;
  for (let n = 0; n < comparisons; n++) {
    const before = performance.now();
    const systemMs = monotonicMs(libc, timespec);
    const after = performance.now();
    if (after - before >= closestMs) continue;
    closestMs = after - before;
    offsetMs = systemMs - (before + after) / 2;
  }
  return () => performance.now() + offsetMs;
}
