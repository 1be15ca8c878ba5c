/**
 * Numbers for benches: the same seed gives the same numbers on every machine, and drawing one
 * allocates nothing.
 *
 * @module
 */

/** A generator of 32-bit numbers (xorshift128). */
export class Random {
  #a = 0;
  #b = 0;
  #c = 0;
  #d = 0;

  /** Any number is a seed. */
  constructor(seed = 1) {
    let state = seed | 0;
    const next = () => {
      state = (state + 0x9e3779b9) | 0;
      let mixed = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
      mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
      return (mixed ^ (mixed >>> 16)) | 0;
    };
    this.#a = next() | 1;
    this.#b = next();
    this.#c = next();
    this.#d = next();
  }

  /** A whole number from 0 up to 2^32 - 1. */
  next(): number {
    let mixed = this.#d;
    const first = this.#a;
    this.#d = this.#c;
    this.#c = this.#b;
    this.#b = first;
    mixed ^= mixed << 11;
    mixed ^= mixed >>> 8;
    this.#a = mixed ^ first ^ (first >>> 19);
    return this.#a >>> 0;
  }

  /** A number from 0 up to, and without, 1. */
  fraction(): number {
    return this.next() / 0x1_0000_0000;
  }

  /** A whole number from 0 up to, and without, `bound`. */
  below(bound: number): number {
    return Math.floor(this.fraction() * bound);
  }
}

/** Draws ranks, 0 the most popular. */
export type Ranks = () => number;

/** Every rank as likely as any other. */
export function uniformRanks(random: Random, count: number): Ranks {
  return () => random.below(count);
}

/**
 * Ranks of a Zipf law: rank k is drawn in proportion to 1 / (k + 1) ** exponent. A draw takes the
 * same short time whatever the count is: rejection from the law's integral, after Hörmann and
 * Derflinger, "Rejection-inversion to generate variates from monotone discrete distributions".
 */
export function zipfRanks(random: Random, count: number, exponent: number): Ranks {
  const nearOne = Math.abs(1 - exponent) < 1e-9;
  const integral = (x: number) =>
    nearOne ? Math.log(x) : (x ** (1 - exponent) - 1) / (1 - exponent);
  const inverse = (y: number) =>
    nearOne ? Math.exp(y) : (1 + y * (1 - exponent)) ** (1 / (1 - exponent));
  const low = integral(1.5) - 1;
  const high = integral(count + 0.5);
  const squeeze = 2 - inverse(integral(2.5) - 2 ** -exponent);
  return () => {
    for (;;) {
      const y = high + random.fraction() * (low - high);
      const x = inverse(y);
      const rank = Math.min(count, Math.max(1, Math.round(x)));
      if (rank - x <= squeeze || y >= integral(rank + 0.5) - rank ** -exponent) return rank - 1;
    }
  };
}

/** The whole numbers from 0 up to, and without, `count`, in an order that `random` gives. */
export function shuffled(random: Random, count: number): Uint32Array {
  const numbers = Uint32Array.from({ length: count }, (_, index) => index);
  for (let last = count - 1; last > 0; last--) {
    const other = random.below(last + 1);
    const moved = numbers[last];
    numbers[last] = numbers[other];
    numbers[other] = moved;
  }
  return numbers;
}
