/**
 * The results of a comparison, as `bench/results/` keeps them. Types only.
 *
 * @module
 */

/** The shape of a load. */
export interface Load {
  readonly connections: number;
  /** Requests in flight on each connection. */
  readonly pipeline: number;
}

/** The speed of a server under one load. */
export interface Speed extends Load {
  readonly requestsPerSecond: number;
  /** User and system time of the server, divided by the requests. */
  readonly cpuUs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  readonly maxMs: number;
}

/** The resident memory of a server with a number of entries. */
export interface Memory {
  readonly entries: number;
  readonly residentBytes: number;
}

/** The latencies of a server that evicts with every write. */
export interface Churn {
  readonly megabytesWritten: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  /** The longest latency, as the generator saw it. */
  readonly maxMs: number;
}

/** The latencies of the store alone, in the process, while it evicts with every put. */
export interface Stall {
  readonly puts: number;
  readonly megabytesWritten: number;
  /** The 99.99th percentile of the steps of puts. */
  readonly p9999Ms: number;
  /** The longest step. */
  readonly maxMs: number;
}

/** The start of a server. */
export interface Start {
  readonly firstReplyMs: number;
  /** Resident memory after the first reply. */
  readonly residentBytes: number;
}

/** The miss ratios of one trace at one size. */
export interface MissRatios {
  readonly trace: string;
  readonly title: string;
  /** The limit of each cache, in bytes of keys and values. */
  readonly limitBytes: number;
  /** The limit as a share of the bytes of all keys of the trace. */
  readonly share: number;
  /** The share of gets that missed, by cache. */
  readonly ratios: Readonly<Record<string, number>>;
  /** Bytes that each real server held at the end, as a share of the limit. */
  readonly held: Readonly<Record<string, number>>;
}

/** A value for each server that took part. */
export type ByPeer<T> = Readonly<Record<string, T>>;

/** The results of one run of the comparison; each figure is the median of its rounds. */
export interface Results {
  /** The time of the run in UTC, to the minute. */
  readonly date: string;
  readonly machine: {
    readonly cpu: string;
    readonly cores: number;
    readonly memoryGiB: number;
    readonly kernel: string;
  };
  readonly versions: ByPeer<string>;
  readonly rounds: number;
  readonly secondsPerLoad: number;
  readonly speed: ByPeer<readonly Speed[]>;
  readonly memory: ByPeer<readonly Memory[]>;
  readonly churn: ByPeer<Churn>;
  readonly stall: Stall;
  readonly idleConnectionBytes: ByPeer<number>;
  /** By server; `task` and `executable` are this one, by `deno task serve` and compiled. */
  readonly start: ByPeer<Start>;
  /** Every trace at one size. */
  readonly missRatios: readonly MissRatios[];
  /** One trace at several sizes. */
  readonly missRatiosBySize: readonly MissRatios[];
}
