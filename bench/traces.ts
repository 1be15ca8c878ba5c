/**
 * Traces of requests for comparing caches. A trace is the same for every cache and on every
 * machine: it is a function of its name, its number of keys, its length and a seed.
 *
 * @module
 */

import { keyBytes, Random, shuffled, zipfRanks } from "../loadgen/mod.ts";

/** A sequence of requests. After a get that misses, the key is set. */
export interface Trace {
  readonly name: string;
  /** A short description. */
  readonly title: string;
  /** Keys are numbers below this. */
  readonly keys: number;
  /** For each request twice its key, plus 1 if it is a set. */
  readonly requests: Uint32Array;
  /** The length of each key's value. */
  readonly valueBytes: (key: number) => number;
}

/** The size of a trace, and its seed. */
export interface TraceOptions {
  readonly keys: number;
  readonly length: number;
  readonly seed?: number;
}

/** Draws the next key of a trace; `progress` goes from 0 to 1. */
type Draw = (progress: number) => number;

interface Kind {
  readonly title: string;
  readonly draw: (random: Random, keys: number) => Draw;
  /** The share of requests that are sets. */
  readonly sets?: number;
  readonly valueBytes?: (key: number) => number;
}

const plainValueBytes = 64;

const kinds: Record<string, Kind> = {
  "zipf-0.8": { title: "Zipf 0.8", draw: (random, keys) => zipfRanks(random, keys, 0.8) },
  "zipf-1.0": { title: "Zipf 1.0", draw: (random, keys) => zipfRanks(random, keys, 1) },
  "zipf-1.2": { title: "Zipf 1.2", draw: (random, keys) => zipfRanks(random, keys, 1.2) },
  drift: { title: "a working set that drifts", draw: drifting },
  scan: { title: "scans through a hot set", draw: scanning },
  overwrite: {
    title: "Zipf 1.0, 30 % overwrites",
    draw: (random, keys) => zipfRanks(random, keys, 1),
    sets: 0.3,
  },
  mixed: {
    title: "Zipf 1.0, values of 16 B to 4 KiB",
    draw: (random, keys) => {
      const ranks = zipfRanks(random, keys, 1);
      const keyOf = shuffled(random, keys);
      return () => keyOf[ranks()];
    },
    valueBytes: mixedValueBytes,
  },
  loops: { title: "Zipf 0.9, passed by loops", draw: looping },
  "lognormal-1.5": {
    title: "Zipf 0.9, log-normal values, σ 1.5",
    draw: (random, keys) => zipfRanks(random, keys, 0.9),
    valueBytes: (key) => logNormalValueBytes(key, 1.5),
  },
  "lognormal-2": {
    title: "Zipf 1.0, log-normal values, σ 2",
    draw: (random, keys) => zipfRanks(random, keys, 1),
    valueBytes: (key) => logNormalValueBytes(key, 2),
  },
  "lognormal-drift": {
    title: "a working set that drifts, log-normal values, σ 1.5",
    draw: drifting,
    valueBytes: (key) => logNormalValueBytes(key, 1.5),
  },
};

/** The names of all traces. */
export const traceNames: readonly string[] = Object.keys(kinds);

/** Makes a trace. Throws if there is none of that name. */
export function makeTrace(name: string, { keys, length, seed = 1 }: TraceOptions): Trace {
  const kind = kinds[name];
  if (kind === undefined) {
    throw new Error(`Cannot make the trace ${name}: there are ${traceNames.join(", ")}`);
  }
  const random = new Random(seed);
  const draw = kind.draw(random, keys);
  const sets = kind.sets ?? 0;
  const requests = new Uint32Array(length);
  for (let at = 0; at < length; at++) {
    const key = draw(at / length);
    requests[at] = key * 2 + (sets > 0 && random.fraction() < sets ? 1 : 0);
  }
  const valueBytes = kind.valueBytes ?? (() => plainValueBytes);
  return { name, title: kind.title, keys, requests, valueBytes };
}

/** The bytes of a key and its value. */
export function entryBytes(trace: Trace, key: number): number {
  return keyBytes + trace.valueBytes(key);
}

/** The bytes of all keys and their values. */
export function totalBytes(trace: Trace): number {
  let bytes = 0;
  for (let key = 0; key < trace.keys; key++) bytes += entryBytes(trace, key);
  return bytes;
}

/**
 * A working set of a fifth of the keys, by a Zipf distribution, that slides over all keys: by the
 * end each of its keys has been replaced four times.
 */
function drifting(random: Random, keys: number): Draw {
  const width = Math.floor(keys / 5);
  const ranks = zipfRanks(random, width, 1);
  const placeOf = shuffled(random, width);
  return (progress) => {
    const base = Math.floor(progress * 4 * width);
    const place = placeOf[ranks()];
    return (base + (place + width - base % width) % width) % keys;
  };
}

/**
 * Three of four requests go to the first half of the keys, by a Zipf distribution; the others scan
 * the second half, a twentieth of all keys at a time.
 */
function scanning(random: Random, keys: number): Draw {
  const half = Math.floor(keys / 2);
  const scanLength = Math.floor(keys / 20);
  const ranks = zipfRanks(random, half, 1);
  let at = 0;
  let scanned = 0;
  return () => at++ % (4 * scanLength) < 3 * scanLength ? ranks() : half + scanned++ % half;
}

/**
 * Two of three requests go to the first half of the keys, by a Zipf distribution; the others to
 * one of four loops over other keys, from a 500th to a quarter of all of them.
 */
function looping(random: Random, keys: number): Draw {
  const half = Math.floor(keys / 2);
  const ranks = zipfRanks(random, half, 0.9);
  const lengths = [1 / 500, 1 / 100, 1 / 20, 1 / 4].map((share) => Math.ceil(keys * share));
  const starts = lengths.map((_, loop) =>
    lengths.slice(0, loop).reduce((sum, length) => sum + length, half)
  );
  const turns = lengths.map(() => 0);
  return () => {
    if (random.fraction() >= 1 / 3) return ranks();
    const loop = random.below(lengths.length);
    return starts[loop] + turns[loop]++ % lengths[loop];
  };
}

const logNormalMedian = 128;
const logNormalMax = 16 * 1024;

/**
 * A size from a log-normal distribution with a median of 128 bytes, of 16 KiB at most, from a hash
 * of the key: so it does not depend on how popular the key is. There are four sizes to each
 * doubling.
 */
function logNormalValueBytes(key: number, sigma: number): number {
  const one = (mixed(2 * key) + 1) / 2 ** 32;
  const other = mixed(2 * key + 1) / 2 ** 32;
  const normal = Math.sqrt(-2 * Math.log(one)) * Math.cos(2 * Math.PI * other);
  const steps = Math.round(sigma * normal * Math.LOG2E * 4);
  return Math.min(Math.max(Math.round(logNormalMedian * 2 ** (steps / 4)), 1), logNormalMax);
}

function mixed(number: number): number {
  let hash = Math.imul(number + 1, 0x9e3779b1);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** One of 25 sizes from 16 bytes to 4 KiB, evenly spaced by logarithm, from a hash of the key. */
function mixedValueBytes(key: number): number {
  const hash = Math.imul(key + 1, 0x9e3779b1) >>> 0;
  return Math.round(16 * 2 ** (hash % 25 / 3));
}
