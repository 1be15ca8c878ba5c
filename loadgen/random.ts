/**
 * The project's pseudo-random generator, for benches and tests, and the distributions that are
 * drawn from it. A seed gives the same numbers on every machine, and drawing one allocates nothing.
 * Not for secrets.
 *
 * @module
 */

/** A pseudo-random generator of 32-bit numbers: xorshift128, seeded by a hash of one number. */
export class Random {
  #a = 0;
  #b = 0;
  #c = 0;
  #d = 0;

  /** Takes any number as a seed; those that are equal modulo 2^32 give the same sequence. */
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

  /** An integer in [0, 2^32). */
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

  /** A number in [0, 1). */
  fraction(): number {
    return this.next() / 0x1_0000_0000;
  }

  /** An integer in [0, `bound`), for bounds up to 2^32. */
  below(bound: number): number {
    return Math.floor(this.fraction() * bound);
  }
}

/** Draws ranks; 0 is the most popular. */
export type Ranks = () => number;

/** Ranks of a uniform distribution. */
export function uniformRanks(random: Random, count: number): Ranks {
  return () => random.below(count);
}

/**
 * Ranks of a Zipf distribution: the probability of rank k is proportional to
 * 1 / (k + 1) ** exponent. A draw takes constant time. After Hörmann and Derflinger,
 * "Rejection-inversion to generate variates from monotone discrete distributions".
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

/** The integers in [0, `count`), shuffled by `random`. */
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
