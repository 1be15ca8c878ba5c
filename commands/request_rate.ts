/**
 * The rate of requests over the last seconds, from samples of their count.
 *
 * @module
 */

/** Samples that the rate is taken over; they are made at each tick of an event loop. */
const samplesMax = 16;

/** The shortest time between two samples. */
const sampleMs = 100;

/** Says how many requests there were a second, lately. */
export class RequestRate {
  /** The count of requests, and when it was taken, the oldest first. */
  readonly #samples: { readonly requests: number; readonly atMs: number }[] = [];

  /** Takes a sample of the count; one that follows the last one too soon is left out. */
  sample(requests: number, atMs: number): void {
    const last = this.#samples.at(-1);
    if (last !== undefined && atMs - last.atMs < sampleMs) return;
    if (this.#samples.length === samplesMax) this.#samples.shift();
    this.#samples.push({ requests, atMs });
  }

  /** The mean from the oldest sample to the latest one; 0 before there are two. */
  get perSecond(): number {
    const first = this.#samples.at(0);
    const last = this.#samples.at(-1);
    if (first === undefined || last === undefined || last.atMs <= first.atMs) return 0;
    return Math.max(0, (last.requests - first.requests) * 1000 / (last.atMs - first.atMs));
  }
}
