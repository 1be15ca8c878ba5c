/**
 * The results of a comparison, as `bench/results/` keeps them: types, and the names of its parts.
 *
 * @module
 */

/** The name of this server as clients of Redis use it. */
export const redisWire = "blink, Redis wire";

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
  /** The same of the generator, where it measures its own. */
  readonly generatorCpuUs?: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  readonly maxMs: number;
}

/** The speed under a load of `redis-benchmark`; each percentile is the longer one of SET and GET. */
export type BenchmarkSpeed = Omit<Speed, "generatorCpuUs" | "p999Ms" | "maxMs">;

/** The speed of a server with a number of threads. */
export interface Scaled extends Speed {
  readonly threads: number;
}

/** What a lock costs that no other thread wants. */
export interface LockCost {
  /** One thread, and the same load on one of two threads. */
  readonly without: Speed;
  readonly with: Speed;
  /** The share of the second server's CPU that its busiest thread had. */
  readonly busiestShare: number;
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

/** What it costs to keep data on a disk. */
export interface Durability {
  /** SET alone, by server. */
  readonly writes: ByPeer<readonly Speed[]>;
  /**
   * The 99th percentile of GET while other clients write, with a data file and without, in
   * milliseconds; and what the others wrote, which is the same unless a server could not keep up.
   */
  readonly reads: {
    readonly withMs: number;
    readonly withoutMs: number;
    readonly setsPerSecond: { readonly with: number; readonly without: number };
  };
  /** From the start of the process to its first reply, less the same with an empty data file. */
  readonly loading: { readonly entries: number; readonly seconds: number };
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

/** What can be measured on its own. */
export const parts = [
  "speed",
  "redis-benchmark",
  "threads",
  "memory",
  "churn",
  "stall",
  "idle",
  "start",
  "misses",
  "durability",
] as const;

/** One of {@linkcode parts}. */
export type Part = typeof parts[number];

/** When a part was measured, and what. */
export interface Measured {
  /** In UTC, to the minute. */
  readonly date: string;
  /** The commit of this repository, with a "+" where files had changed since. */
  readonly commit: string;
}

/** The speeds of an earlier file of results, to compare with. */
export interface Earlier {
  readonly file: string;
  /** This server's, on the portable loop. */
  readonly portable: readonly Speed[];
  readonly redis: readonly Speed[];
}

/**
 * The results of a comparison; each figure is the median of its rounds. What is optional is not in
 * files from before it was measured.
 */
export interface Results {
  /** The time of the first run in UTC, to the minute. */
  readonly date: string;
  /** Each part's run. */
  readonly measured?: Readonly<Partial<Record<Part, Measured>>>;
  readonly machine: {
    readonly cpu: string;
    readonly cores: number;
    readonly memoryGiB: number;
    readonly kernel: string;
  };
  readonly versions: ByPeer<string>;
  readonly rounds: number;
  readonly secondsPerLoad: number;
  /** What made the load of the speeds: `bench/generator.ts` or `loadgen/`. */
  readonly generator?: "generator" | "loadgen";
  /** The threads of each server whose speed was measured. */
  readonly threads?: ByPeer<number>;
  /** Servers that did not take part, and why. */
  readonly leftOut?: ByPeer<string>;
  readonly speed: ByPeer<readonly Speed[]>;
  /** Over the Redis wire, under the load of `redis-benchmark`. */
  readonly redisBenchmark?: ByPeer<readonly BenchmarkSpeed[]>;
  /** By program, not by kind. */
  readonly scaling?: ByPeer<readonly Scaled[]>;
  readonly lock?: LockCost;
  readonly earlier?: Earlier;
  readonly memory: ByPeer<readonly Memory[]>;
  readonly churn: ByPeer<Churn>;
  readonly stall: Stall;
  readonly idleConnectionBytes: ByPeer<number>;
  readonly durability?: Durability;
  /** By server; `task` and `executable` are this one, by `deno task serve` and compiled. Some are
   * in no other part: this server with further threads. */
  readonly start: ByPeer<Start>;
  /** Every trace at one size. */
  readonly missRatios: readonly MissRatios[];
  /** One trace at several sizes. */
  readonly missRatiosBySize: readonly MissRatios[];
}
