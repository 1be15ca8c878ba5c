/**
 * What a comparison found, as it is kept in `bench/results/`, and the budgets drawn from it.
 *
 * @module
 */

import type { Churn, Memory, Speed, Start } from "./measures.ts";
import type { MissRatios } from "./miss_ratios.ts";
import type { Stall } from "./stall.ts";

/** A value for each server that took part. */
export type ByPeer<T> = Readonly<Record<string, T>>;

/** What one run of the comparison found; each figure is the median of its rounds. */
export interface Results {
  /** When, to the minute, in UTC. */
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
  /** This store alone, churned in the process. */
  readonly stall: Stall;
  readonly idleConnectionBytes: ByPeer<number>;
  /** Starts of this server by `deno task serve`, from the executable, and of the others. */
  readonly start: ByPeer<Start>;
  /** Each trace at one size. */
  readonly missRatios: readonly MissRatios[];
  /** One trace at several sizes. */
  readonly missRatiosBySize: readonly MissRatios[];
}

/** One row of the design's table of budgets. */
export interface Budget {
  readonly what: string;
  readonly budget: string;
  /** What was measured, with what it is compared with. */
  readonly measured: string;
  /** Undefined where it could not be measured here. */
  readonly isMet: boolean | undefined;
}

/** The middle of some numbers; the mean of the two in the middle of an even count. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return sorted.length % 2 === 1
    ? sorted[Math.floor(middle)]
    : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** The median of each figure of several rounds. */
export function medianOf<T extends { [K in keyof T]: number | undefined }>(
  rounds: readonly T[],
): T {
  const names = Object.keys(rounds[0]) as (keyof T)[];
  return Object.fromEntries(
    names.map((name) => {
      const values = rounds.map((round) => round[name]).filter((value) => value !== undefined);
      return [name, values.length === 0 ? undefined : median(values)];
    }),
  ) as T;
}

/** Every row of the design's table, with what was measured. */
export function budgetsOf(results: Results): Budget[] {
  return [
    ratio("server CPU a request, 50 × 1", "µs", cpu(results, 50, 1), { atMost: 1.15 }),
    ratio("the same, 50 × 16", "µs", cpu(results, 50, 16), { atMost: 0.7 }),
    ratio("throughput, 50 × 16", "requests/s", throughput(results, 50, 16), { atLeast: 1.4 }),
    ratio("p99 at 500 busy connections", "ms", p99(results, 500, 1), { atMost: 2 }),
    ...memoryRows(results),
    absolute("longest stall while 1 GiB churns", "ms", results.stall.maxMs, 5),
    absolute("idle connection", "KB", divided(results.idleConnectionBytes.blink, 1000), 9),
    absolute(
      "start to first reply, deno task serve",
      "ms",
      results.start["task"]?.firstReplyMs,
      250,
    ),
    absolute(
      "start to first reply, executable",
      "ms",
      results.start["executable"]?.firstReplyMs,
      120,
    ),
    absolute(
      "resident memory at start",
      "MB",
      divided(results.start.blink?.residentBytes, 1e6),
      60,
    ),
  ];
}

/** A figure of this server, and of Redis when it gets lines and when it gets arrays. */
interface Figures {
  readonly blink?: number;
  readonly redis?: number;
  readonly redisArrays?: number;
}

function speedOf(results: Results, peer: string, connections: number, pipeline: number) {
  return results.speed[peer]?.find((speed) =>
    speed.connections === connections && speed.pipeline === pipeline
  );
}

function figuresOf(
  results: Results,
  connections: number,
  pipeline: number,
  figure: keyof Speed,
): Figures {
  return {
    blink: speedOf(results, "blink", connections, pipeline)?.[figure],
    redis: speedOf(results, "redis inline", connections, pipeline)?.[figure],
    redisArrays: speedOf(results, "redis", connections, pipeline)?.[figure],
  };
}

const cpu = (results: Results, connections: number, pipeline: number) =>
  figuresOf(results, connections, pipeline, "cpuUs");
const throughput = (results: Results, connections: number, pipeline: number) =>
  figuresOf(results, connections, pipeline, "requestsPerSecond");
const p99 = (results: Results, connections: number, pipeline: number) =>
  figuresOf(results, connections, pipeline, "p99Ms");

/**
 * The budgets were set by a generator that sends lines to both servers, so it is Redis's lines that
 * they are held against; what it takes for arrays is shown beside it.
 */
function ratio(
  what: string,
  unit: string,
  { blink, redis, redisArrays }: Figures,
  bound: { atMost?: number; atLeast?: number },
): Budget {
  const { atMost, atLeast } = bound;
  const budget = atMost === undefined ? `≥ ${atLeast} × Redis` : `≤ ${atMost} × Redis`;
  if (blink === undefined || redis === undefined) return unmeasured(what, budget);
  const times = blink / redis;
  const arrays = redisArrays === undefined ? "" : `; sent arrays ${show(redisArrays)}`;
  return {
    what,
    budget,
    measured: `${times.toFixed(2)} × (${show(blink)} ${unit}, Redis ${show(redis)}${arrays})`,
    isMet: atMost === undefined ? times >= atLeast! : times <= atMost,
  };
}

function absolute(
  what: string,
  unit: string,
  measured: number | undefined,
  atMost: number,
): Budget {
  const budget = `≤ ${atMost} ${unit}`;
  if (measured === undefined) return unmeasured(what, budget);
  return { what, budget, measured: `${show(measured)} ${unit}`, isMet: measured <= atMost };
}

function unmeasured(what: string, budget: string): Budget {
  return { what, budget, measured: "not measured here", isMet: undefined };
}

/** Resident memory with the most entries, against each of the others. */
function memoryRows({ memory }: Results): Budget[] {
  const full = memory.blink?.at(-1);
  return ["redis", "memcached"].map((peer) => {
    const what = `resident memory, ${show(full?.entries ?? 0)} entries of 16 + 64 bytes`;
    const budget = `≤ ${peer}`;
    const other = memory[peer]?.find(({ entries }) => entries === full?.entries);
    if (full === undefined || other === undefined) return unmeasured(what, budget);
    const megabytes = [full, other].map(({ residentBytes }) => show(residentBytes / 1e6));
    return {
      what,
      budget,
      measured: `${megabytes[0]} MB, ${peer} ${megabytes[1]} MB`,
      isMet: full.residentBytes <= other.residentBytes,
    };
  });
}

function divided(value: number | undefined, by: number): number | undefined {
  return value === undefined ? undefined : value / by;
}

/** A number with three digits that matter, and commas. */
export function show(value: number): string {
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return value.toLocaleString("en-US", {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
}

/** How the miss ratios stand: on how many traces this store is best, and the most it is behind. */
export function missRatioStanding(rows: readonly MissRatios[]): { best: number; worst: number } {
  let best = 0;
  let worst = -Infinity;
  for (const { ratios } of rows) {
    const others = Object.entries(ratios).filter(([cache]) => cache !== "blink");
    const rival = Math.min(...others.map(([, value]) => value));
    const behind = ratios.blink / rival - 1;
    if (behind <= 0) best++;
    worst = Math.max(worst, behind);
  }
  return { best, worst };
}
