/**
 * How much a comparison measures, and what each of its parts is given.
 *
 * @module
 */

import type { PeerKind } from "./processes.ts";
import type { Load } from "./results.ts";

/** How much a comparison measures. */
export interface Extent {
  readonly rounds: number;
  readonly secondsPerLoad: number;
  readonly loads: readonly Load[];
  readonly redisBenchmarkLoads: readonly Load[];
  readonly threads: readonly number[];
  readonly threadLoads: readonly Load[];
  readonly memorySteps: readonly number[];
  readonly churn: { memoryBytes: number; seconds: number };
  readonly idleConnections: number;
  readonly starts: number;
  readonly traces: readonly string[];
  readonly traceKeys: number;
  readonly traceLength: number;
  /** Of reads beside durable writes. */
  readonly readsRounds: number;
  /** Entries that are loaded from a data file. */
  readonly loadedEntries: number;
  /** memcached's memory for the miss ratios by size, in MiB; they are of Zipf 1.0. */
  readonly sizesMiB: readonly number[];
}

/** What every part is given. */
export interface PartOptions {
  readonly extent: Extent;
  readonly peers: readonly PeerKind[];
  /** Those that can have threads, with several numbers of them. */
  readonly threaded: readonly PeerKind[];
  /** Whether the light generator makes the load of the speeds. */
  readonly isLight: boolean;
}
