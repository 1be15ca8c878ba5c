/**
 * Latencies, counted in log-linear buckets: 64 to each doubling, so that a percentile is right to
 * 1.6 % from a microsecond up to an hour, in one typed array.
 *
 * @module
 */

/** Buckets to each doubling; the width of a bucket is at most this share of its value. */
const stepsPerDoubling = 64;
const stepBits = 6;
/** Up to 2^32 microseconds, more than an hour. */
const doublings = 32 - stepBits + 1;

/** One bar of {@linkcode Histogram.bars}. */
export interface Bar {
  /** The bar counts latencies from here on, in milliseconds. */
  readonly fromMs: number;
  /** Up to here. */
  readonly toMs: number;
  /** How many. */
  readonly count: number;
}

/** Counts latencies, given in microseconds. */
export class Histogram {
  readonly #counts = new Float64Array(doublings * stepsPerDoubling);
  #count = 0;
  #sumUs = 0;
  #maxUs = 0;

  /** How many were recorded. */
  get count(): number {
    return this.#count;
  }

  /** The largest, in milliseconds, exactly. */
  get maxMs(): number {
    return this.#maxUs / 1000;
  }

  /** The mean, in milliseconds; 0 where nothing was recorded. */
  get meanMs(): number {
    return this.#count === 0 ? 0 : this.#sumUs / this.#count / 1000;
  }

  /** Counts `times` latencies of so many microseconds. */
  record(us: number, times = 1): void {
    this.#counts[bucketOf(us)] += times;
    this.#count += times;
    this.#sumUs += us * times;
    if (us > this.#maxUs) this.#maxUs = us;
  }

  /**
   * The latency, in milliseconds, that this share of the requests did not exceed: 0.5 is the
   * median. 0 where nothing was recorded.
   */
  percentileMs(share: number): number {
    const wanted = Math.max(1, Math.ceil(share * this.#count));
    let counted = 0;
    for (let bucket = 0; bucket < this.#counts.length; bucket++) {
      counted += this.#counts[bucket];
      if (counted >= wanted) return Math.min(endOf(bucket), this.#maxUs) / 1000;
    }
    return this.maxMs;
  }

  /** A bar to each doubling between the first and the last that counted something. */
  bars(): Bar[] {
    const bars: Bar[] = [];
    for (let doubling = 0; doubling < doublings; doubling++) {
      const first = doubling * stepsPerDoubling;
      const count = this.#counts.subarray(first, first + stepsPerDoubling)
        .reduce((sum, one) => sum + one, 0);
      if (count === 0 && bars.length === 0) continue;
      const last = first + stepsPerDoubling - 1;
      bars.push({ fromMs: startOf(first) / 1000, toMs: endOf(last) / 1000, count });
    }
    while (bars.at(-1)?.count === 0) bars.pop();
    return bars;
  }
}

function bucketOf(us: number): number {
  const value = Math.min(0xffff_ffff, Math.max(0, Math.floor(us))) >>> 0;
  const doubling = Math.max(0, 32 - Math.clz32(value) - stepBits);
  if (doubling === 0) return value;
  const step = (value >>> (doubling - 1)) - stepsPerDoubling;
  return Math.min(doubling * stepsPerDoubling + step, doublings * stepsPerDoubling - 1);
}

function startOf(bucket: number): number {
  const doubling = Math.floor(bucket / stepsPerDoubling);
  const step = bucket % stepsPerDoubling;
  return doubling === 0 ? step : (stepsPerDoubling + step) * 2 ** (doubling - 1);
}

function endOf(bucket: number): number {
  return startOf(bucket + 1);
}
