/**
 * The budgets of the design, and how a comparison meets them.
 *
 * @module
 */

import type { Load, MissRatios, Results, Speed } from "./results.ts";

/** One row of the design's table of budgets. */
export interface Budget {
  readonly what: string;
  readonly budget: string;
  /** The measured figure, and that of the peer. */
  readonly measured: string;
  /** Whether the budget is met; undefined if it was not measured. */
  readonly isMet: boolean | undefined;
}

/** Every row of the design's table that the comparison measures. */
export function budgetsOf(results: Results): Budget[] {
  return [
    cpu(results, { connections: 50, pipeline: 1 }, 0.97),
    cpu(results, { connections: 50, pipeline: 16 }, 0.87),
    cpu(results, { connections: 50, pipeline: 64 }, 0.8),
    throughput(results, { connections: 1, pipeline: 1 }, 1),
    throughput(results, { connections: 50, pipeline: 1 }, 1.05),
    throughput(results, { connections: 50, pipeline: 16 }, 1.15),
    throughput(results, { connections: 50, pipeline: 64 }, 1.2),
    throughput(results, { connections: 500, pipeline: 1 }, 1.1),
    p99(results, { connections: 500, pipeline: 1 }),
    p99(results, { connections: 1000, pipeline: 1 }),
    ...memoryRows(results),
    absolute("longest stall while 1 GiB churns", "ms", results.stall.maxMs, 5),
    absolute("idle connection", "KB", divided(results.idleConnectionBytes.blink, 1000), 5),
    absolute("start to first reply, deno task serve", "ms", results.start.task?.firstReplyMs, 150),
    absolute("start to first reply, executable", "ms", results.start.executable?.firstReplyMs, 120),
    absolute(
      "resident memory at start",
      "MB",
      divided(results.start.blink?.residentBytes, 1e6),
      75,
    ),
  ];
}

function cpu(results: Results, load: Load, atMost: number): Budget {
  return ratio(results, load, { what: "CPU a request", unit: "µs", figure: "cpuUs", atMost });
}

function throughput(results: Results, load: Load, atLeast: number): Budget {
  const figure = "requestsPerSecond";
  return ratio(results, load, { what: "throughput", unit: "requests/s", figure, atLeast });
}

function p99(results: Results, load: Load): Budget {
  return ratio(results, load, { what: "p99", unit: "ms", figure: "p99Ms", atMost: 1 });
}

/**
 * A figure of this server, divided by that of Redis, which gets arrays as its clients send them.
 */
function ratio(
  { speed }: Results,
  { connections, pipeline }: Load,
  { what: name, unit, figure, atMost, atLeast }: {
    what: string;
    unit: string;
    figure: keyof Speed;
    atMost?: number;
    atLeast?: number;
  },
): Budget {
  const figureOf = (peer: string) =>
    speed[peer]?.find((one) => one.connections === connections && one.pipeline === pipeline)
      ?.[figure];
  const blink = figureOf("blink");
  const redis = figureOf("redis");
  const what = `${name}, ${connections} × ${pipeline}`;
  const budget = atMost === undefined ? `≥ ${atLeast} × Redis` : `≤ ${atMost} × Redis`;
  if (blink === undefined || redis === undefined) return unmeasured(what, budget);
  const times = blink / redis;
  return {
    what,
    budget,
    measured: `${times.toFixed(3)} × (${show(blink)} ${unit}, Redis ${show(redis)})`,
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

/**
 * Resident memory with the most entries, against each peer. A runtime holds more than memcached
 * before the first entry, so that difference is added to memcached's.
 */
function memoryRows({ memory }: Results): Budget[] {
  const [empty, full] = [memory.blink?.[0], memory.blink?.at(-1)];
  return ["redis", "memcached"].map((peer) => {
    const isAdded = peer === "memcached";
    const what = `resident memory, ${show(full?.entries ?? 0)} entries of 16 + 64 bytes`;
    const budget = isAdded ? `≤ ${peer} + bare process` : `≤ ${peer}`;
    const bare = memory[peer]?.[0];
    const other = memory[peer]?.find(({ entries }) => entries === full?.entries);
    if (full === undefined || other === undefined || bare === undefined) {
      return unmeasured(what, budget);
    }
    const added = isAdded ? empty.residentBytes - bare.residentBytes : 0;
    const megabytes = [full.residentBytes, other.residentBytes, added]
      .map((bytes) => show(bytes / 1e6));
    return {
      what,
      budget,
      measured: `${megabytes[0]} MB, ${peer} ${megabytes[1]}${isAdded ? ` + ${megabytes[2]}` : ""}`,
      isMet: full.residentBytes <= other.residentBytes + added,
    };
  });
}

function divided(value: number | undefined, by: number): number | undefined {
  return value === undefined ? undefined : value / by;
}

/**
 * The speeds of the servers, each fed the way its clients feed it. Older results also have those of
 * Redis fed inline lines, which no client sends.
 */
export function comparedSpeeds({ speed }: Results): Results["speed"] {
  return Object.fromEntries(Object.entries(speed).filter(([peer]) => peer !== "redis inline"));
}

/** A number in three significant digits or all of its integer digits, grouped by commas. */
export function show(value: number): string {
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return value.toLocaleString("en-US", {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
}

/**
 * On how many traces this store has the lowest miss ratio, and how far it is behind the best other
 * cache at worst, as a share of that cache's ratio.
 */
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
