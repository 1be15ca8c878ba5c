/**
 * From the store's clock to the one on the wall, and back. The offset is in whole milliseconds and
 * stays the same until somebody sets the clock on the wall, so a time that goes there and back is
 * the same again.
 *
 * @module
 */

/** A wall clock that differs by more than this was set. */
const setClockMs = 500;

let offsetMs = NaN;

/**
 * What is added to a time on the store's clock, where it is `nowMs`, to get one on the other, both in
 * milliseconds.
 */
export function wallOffsetAt(nowMs: number): number {
  const wall = Date.now();
  if (!(Math.abs(wall - nowMs - offsetMs) <= setClockMs)) {
    // The finer clock of this process, so that all threads get the same, unless it is wrong.
    const fine = performance.timeOrigin + performance.now();
    offsetMs = Math.round((Math.abs(fine - wall) <= setClockMs ? fine : wall) - nowMs);
  }
  return offsetMs;
}
