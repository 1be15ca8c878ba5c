/**
 * The counters of INFO. Counting a request is one addition to a typed array. Only requests that can
 * be slow are timed.
 *
 * All counters of a thread lie in one block of numbers. The threads of a server have a block each,
 * in memory that all can read. Only its own thread counts in a block, so no addition is lost, and
 * nothing is locked. A sum over the blocks can lack what is counted while it is made.
 *
 * The counts never go back. A reset copies them to the second half of each block, and the figures
 * since the reset are the differences.
 *
 * @module
 */

import { type ErrorKind, errorKinds } from "../protocol.ts";

/** The most verbs that can be counted; more than there are commands. */
const verbsMax = 64;

/** The same for commands of the Redis wire, whose numbers follow those of the verbs. */
const redisVerbsMax = 192;

/** The number of the first command of the Redis wire. */
export const firstRedisVerb = verbsMax;

/** Places in the block. */
const NOW = 0;
const TOTAL = 1;
const REFUSED = 2;
const HITS = 3;
const MISSES = 4;
const SLOWEST_MS = 5;
const SLOWEST_VERB = 6;
const EVICTIONS = 7;
const EXPIRATIONS = 8;
const REQUESTS = 9;
const ERRORS = REQUESTS + verbsMax + redisVerbsMax;

/** The second half: the counts at the last reset, and in the first block those of the store. */
const RESET = ERRORS + errorKinds.length;

/** Numbers in a block. */
export const countersLength: number = 2 * RESET;

const errorPlaces = Object.fromEntries(
  errorKinds.map((kind, number) => [kind, ERRORS + number]),
) as Record<ErrorKind, number>;

/** The counters of one thread. Each starts at zero. */
export class Counters {
  /** Requests by the number of their verb. */
  readonly requests: Float64Array;
  readonly #block: Float64Array;

  /** Counts in a block of {@linkcode countersLength} numbers; in one of its own by default. */
  constructor(block: Float64Array = new Float64Array(countersLength)) {
    this.#block = block;
    this.requests = block.subarray(REQUESTS, ERRORS);
  }

  /** Keys that GET and MGET found. */
  get hits(): number {
    return this.#block[HITS];
  }

  set hits(count: number) {
    this.#block[HITS] = count;
  }

  /** Keys that GET and MGET did not find. */
  get misses(): number {
    return this.#block[MISSES];
  }

  set misses(count: number) {
    this.#block[MISSES] = count;
  }

  /** Counts an error reply. */
  countError(kind: ErrorKind): void {
    this.#block[errorPlaces[kind]]++;
  }

  /** Counts an accepted connection, which is open now. */
  connectionOpened(): void {
    this.#block[NOW]++;
    this.#block[TOTAL]++;
  }

  /** Counts the end of an open connection. */
  connectionClosed(): void {
    this.#block[NOW]--;
  }

  /** Counts a connection that was refused at the limit. */
  connectionRefused(): void {
    this.#block[REFUSED]++;
    this.countError("too_many_connections");
  }

  /** Notes how long a request, or a step of it, held the event loop. */
  time(verb: number, ms: number): void {
    if (ms <= this.#block[SLOWEST_MS]) return;
    this.#block[SLOWEST_VERB] = verb;
    this.#block[SLOWEST_MS] = ms;
  }

  /** Notes the counts of all threads and those of the store, so that what follows is told apart. */
  static reset(all: readonly Counters[], evictions: number, expirations: number): void {
    for (const one of all) one.#block.copyWithin(RESET, 0, RESET);
    all[0].#block[RESET + EVICTIONS] = evictions;
    all[0].#block[RESET + EXPIRATIONS] = expirations;
  }

  /** Requests of both wires, in all threads, since the start. */
  static requestsIn(all: readonly Counters[]): number {
    let sum = 0;
    for (const { requests } of all) for (const count of requests) sum += count;
    return sum;
  }

  /** Sums the counters of all threads, in the threads' order, since the start or the last reset. */
  static totals(all: readonly Counters[], since: "start" | "reset" = "start"): CounterTotals {
    const isSinceReset = since === "reset";
    const count = (one: Counters, place: number) =>
      one.#block[place] - (isSinceReset ? one.#block[RESET + place] : 0);
    const sum = (place: number) => all.reduce((total, one) => total + count(one, place), 0);
    const slowest = all.reduce((one, other) =>
      other.#block[SLOWEST_MS] > one.#block[SLOWEST_MS] ? other : one
    );
    return {
      connections: {
        now: all.reduce((total, one) => total + one.#block[NOW], 0),
        total: sum(TOTAL),
        refused: sum(REFUSED),
        per_thread: all.map((one) => one.#block[NOW]),
      },
      requestsOf: (verb) => sum(REQUESTS + verb),
      errors: Object.fromEntries(errorKinds.map((kind) => [kind, sum(errorPlaces[kind])])),
      hits: sum(HITS),
      misses: sum(MISSES),
      evictionsBefore: isSinceReset ? all[0].#block[RESET + EVICTIONS] : 0,
      expirationsBefore: isSinceReset ? all[0].#block[RESET + EXPIRATIONS] : 0,
      slowestMs: slowest.#block[SLOWEST_MS],
      slowestVerb: slowest.#block[SLOWEST_VERB],
    };
  }
}

/** The sums over all threads. */
export interface CounterTotals {
  /** Open and past connections, and how many are open in each thread. */
  readonly connections: {
    readonly now: number;
    readonly total: number;
    readonly refused: number;
    readonly per_thread: readonly number[];
  };
  /** Requests by the number of their verb. */
  readonly requestsOf: (verb: number) => number;
  /** Error replies by kind. */
  readonly errors: Readonly<Record<string, number>>;
  /** Keys that were found. */
  readonly hits: number;
  /** Keys that were not found. */
  readonly misses: number;
  /** Entries that were evicted, and that expired, before the counts begin. */
  readonly evictionsBefore: number;
  readonly expirationsBefore: number;
  /** The longest time that one timed request, or one step of it, held its event loop. */
  readonly slowestMs: number;
  /** The number of that request's verb. */
  readonly slowestVerb: number;
}
