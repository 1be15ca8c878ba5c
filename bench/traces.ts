/**
 * Traces of requests on which caches are compared. A trace is the same for every cache and on
 * every machine: it follows from its name, its number of keys, its length and a seed.
 *
 * @module
 */

import { keyBytes } from "./dialects.ts";
import { Random, shuffled, zipfRanks } from "./random.ts";

/** A sequence of requests: get, and set it on a miss; or set. */
export interface Trace {
  readonly name: string;
  /** What it stands for, in a few words. */
  readonly title: string;
  /** Keys are numbers below this. */
  readonly keys: number;
  /** Twice the key of each request, and 1 more where it is a set. */
  readonly requests: Uint32Array;
  /** The length of each key's value. */
  readonly valueBytes: (key: number) => number;
}

/** How a trace is made. */
export interface TraceOptions {
  readonly keys: number;
  readonly length: number;
  readonly seed?: number;
}

/** Draws the keys of a trace, one after the other; `progress` goes from 0 to 1. */
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
};

/** The names of all traces, those of the comparison. */
export const traceNames: readonly string[] = Object.keys(kinds);

/** Makes a trace. */
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

/** The bytes of a key of a trace with its value. */
export function entryBytes(trace: Trace, key: number): number {
  return keyBytes + trace.valueBytes(key);
}

/** The bytes of all keys of a trace with their values. */
export function totalBytes(trace: Trace): number {
  let bytes = 0;
  for (let key = 0; key < trace.keys; key++) bytes += entryBytes(trace, key);
  return bytes;
}

/**
 * A fifth of the keys is in use, by a Zipf law, and moves over all keys: until the end, every key of
 * it has been replaced four times.
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
 * Three requests of four go to the first half of the keys, by a Zipf law; the fourth are scans of a
 * twentieth of the keys each through the other half.
 */
function scanning(random: Random, keys: number): Draw {
  const half = Math.floor(keys / 2);
  const scanLength = Math.floor(keys / 20);
  const ranks = zipfRanks(random, half, 1);
  let at = 0;
  let scanned = 0;
  return () => at++ % (4 * scanLength) < 3 * scanLength ? ranks() : half + scanned++ % half;
}

/** 25 sizes from 16 bytes to 4 KiB, evenly spread by their logarithm. */
function mixedValueBytes(key: number): number {
  const mixed = Math.imul(key + 1, 0x9e3779b1) >>> 0;
  return Math.round(16 * 2 ** (mixed % 25 / 3));
}
