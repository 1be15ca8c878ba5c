/**
 * The bounds on memory that hold for all threads of a server together. Each thread shows the others
 * how much it holds, in a place of its own in shared memory; what is compared with a bound is the
 * sum over the places.
 *
 * A place is written only when its figure has changed by a grain, so that small replies, which come
 * and go with each request, write nothing that another thread reads. And a check and what shows its
 * outcome are not one step: two threads that check within the same few nanoseconds both find that
 * there is room. So all threads together can pass a bound by up to
 *
 * - a 64th of it, for the grains of all, and
 * - what one connection may take after one check, for each further thread. That is a read, the
 *   replies of one run, or a large reply; large replies are announced before they are made.
 *
 * A thread that holds less than a grain counts as one that holds nothing: beside it, the only
 * connection with large replies may still hold a reply of any size.
 *
 * @module
 */

import type { BoundShare } from "./memory_bound.ts";
import type { ThreadLink } from "./thread_link.ts";
import { type BoundName, lineNumbers } from "./thread_state.ts";

/** Places in the line of a thread. */
const HELD = 0;
const WANTED = 1;
const LARGEST_STALLED = 2;

/** The largest grain, in bytes. */
const grainBytesMax = 64 * 1024;

/** The grains of all threads are together at most this share of the bound. */
const grainsShare = 1 / 64;

/** One thread's part in a bound. */
export class ThreadBound implements BoundShare {
  readonly #link: ThreadLink;
  readonly #lines: Float64Array;
  readonly #grainBytes: number;
  readonly #own: number;
  #shownBytes = 0;

  constructor(link: ThreadLink, name: BoundName, bytesMax: number) {
    const { threads } = link.state;
    this.#link = link;
    this.#lines = link.state.boundOf(name);
    this.#own = link.thread * lineNumbers;
    const grainBytes = Math.floor(bytesMax * grainsShare / threads);
    this.#grainBytes = Math.min(grainBytesMax, Math.max(1, grainBytes));
  }

  get othersBytes(): number {
    return this.#others(HELD);
  }

  get othersWantedBytes(): number {
    return this.#others(WANTED);
  }

  hold(bytes: number): void {
    const shown = bytes < this.#grainBytes ? 0 : bytes;
    if (shown === this.#shownBytes) return;
    if (shown > 0 && Math.abs(shown - this.#shownBytes) < this.#grainBytes) return;
    this.#shownBytes = shown;
    this.#lines[this.#own + HELD] = shown;
  }

  want(bytes: number): void {
    this.#lines[this.#own + WANTED] = bytes;
    // Memory that is freed at this very moment may go unnoticed; the next tick tries again.
    if (bytes > 0) this.#link.state.waitForMemory(this.#link.thread);
  }

  freed(): void {
    const { state, thread } = this.#link;
    if (!state.isAnyWaiting) return;
    for (const waiting of state.takeWaiting()) {
      if (waiting !== thread) this.#link.wake(waiting);
    }
  }

  /**
   * Shows how many bytes the largest connection of this thread holds whose client takes nothing, 0
   * for none. True when no other thread has shown a larger one: the largest is closed first. The
   * others have a tick to show theirs, so the first time it is false.
   */
  isLargestStalled(bytes: number): boolean {
    const wasShown = this.#lines[this.#own + LARGEST_STALLED] > 0;
    this.#lines[this.#own + LARGEST_STALLED] = bytes;
    if (!wasShown) return false;
    for (let at = LARGEST_STALLED; at < this.#lines.length; at += lineNumbers) {
      if (this.#lines[at] > bytes) return false;
    }
    return true;
  }

  #others(place: number): number {
    let sum = -this.#lines[this.#own + place];
    for (let at = place; at < this.#lines.length; at += lineNumbers) sum += this.#lines[at];
    return sum;
  }
}
