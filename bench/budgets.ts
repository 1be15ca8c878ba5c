/**
 * The budgets of the design, and how a comparison meets them.
 *
 * @module
 */

import { durable } from "./durable_names.ts";
import { redisWire } from "./results.ts";
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

const load = (connections: number, pipeline: number): Load => ({ connections, pipeline });

/** Every row of the design's table that the comparison measures. */
export function budgetsOf(results: Results): Budget[] {
  const { stall, start } = results;
  const idle = idleConnections(results);
  return [
    ...speedRows.map((row) => besideRedis(results, row)),
    ...speedRows.map((row) => overRedisWire(results, row)),
    twoThreads(results, "requestsPerSecond", 1.4),
    twoThreads(results, "p99Ms", 1.5),
    lockCost(results),
    ...[1, 16, 64].map((pipeline) => portable(results, load(50, pipeline))),
    ...memoryRows(results),
    ...durability(results),
    absolute("longest stall while 1 GiB churns", "ms", stall?.maxMs, 5),
    absolute("idle connection, epoll", "KB", divided(idle.epoll, 1000), 1.5),
    absolute("idle connection, portable loop", "KB", divided(idle.portable, 1000), 5),
    absolute("start to first reply, deno task serve", "ms", start?.task?.firstReplyMs, 150),
    absolute("start to first reply, executable", "ms", start?.executable?.firstReplyMs, 120),
    absolute("resident memory at start", "MB", divided(start?.blink?.residentBytes, 1e6), 75),
    absolute("resident memory of each further thread", "MB", furtherThread(results), 16),
  ];
}

/** Durable writes beside Redis, reads meanwhile, and loading. */
function durability({ durability: measured }: Results): Budget[] {
  const rows = [[load(50, 1), 1.2], [load(50, 16), 0.6]] as const;
  const reads = measured?.reads;
  return [
    ...[durable.lines, durable.arrays].flatMap((name) =>
      rows.map(([at, bound]) =>
        ratio("requestsPerSecond", {
          where: `SET kept on the disk, ${name.split(", ").slice(0, -1).join(", ")}, ` +
            `${at.connections} × ${at.pipeline}`,
          one: speedOf(measured?.writes[name], at),
          other: speedOf(measured?.writes[durable.redis], at),
          otherName: "Redis",
          bound,
        })
      )
    ),
    ratio("p99Ms", {
      where: "GET while others write to the disk",
      one: reads && { cpuUs: 0, requestsPerSecond: 0, p99Ms: reads.withMs },
      other: reads && { cpuUs: 0, requestsPerSecond: 0, p99Ms: reads.withoutMs },
      otherName: "without a data file",
      bound: 1.5,
    }),
    absolute("loading 1 M entries of 16 + 64 bytes", "s", measured?.loading.seconds, 3),
  ];
}

/** A figure that budgets are about. */
type Figure = "cpuUs" | "requestsPerSecond" | "p99Ms";

/** What has such figures. */
type Figures = Readonly<Record<Figure, number>>;

/** A load, a figure, and how many times that of Redis it may be at most, or must be at least. */
type SpeedRow = readonly [Load, Figure, number];

const speedRows: readonly SpeedRow[] = [
  [load(50, 1), "cpuUs", 0.97],
  [load(50, 16), "cpuUs", 0.87],
  [load(50, 64), "cpuUs", 0.8],
  [load(1, 1), "requestsPerSecond", 1],
  [load(50, 1), "requestsPerSecond", 1.05],
  [load(50, 16), "requestsPerSecond", 1.15],
  [load(50, 64), "requestsPerSecond", 1.2],
  [load(500, 1), "requestsPerSecond", 1.1],
  [load(500, 1), "p99Ms", 1],
  [load(1000, 1), "p99Ms", 1],
];

const figures: Record<Figure, { name: string; unit: string; isMoreBetter: boolean }> = {
  cpuUs: { name: "CPU a request", unit: "µs", isMoreBetter: false },
  requestsPerSecond: { name: "throughput", unit: "requests/s", isMoreBetter: true },
  p99Ms: { name: "p99", unit: "ms", isMoreBetter: false },
};

/** The speed of a server under a load. */
export function speedOf<Measured extends Load>(
  speeds: readonly Measured[] | undefined,
  { connections, pipeline }: Load,
): Measured | undefined {
  return speeds?.find((one) => one.connections === connections && one.pipeline === pipeline);
}

/** A row about a figure of one server, divided by that of another. */
function ratio(
  figure: Figure,
  { where, one, other, otherName, bound }: {
    where: string;
    one: Figures | undefined;
    other: Figures | undefined;
    otherName: string;
    bound: number;
  },
): Budget {
  const { name, unit, isMoreBetter } = figures[figure];
  const what = `${name}, ${where}`;
  const budget = `${isMoreBetter ? "≥" : "≤"} ${bound} × ${otherName}`;
  if (one === undefined || other === undefined) return unmeasured(what, budget);
  const times = one[figure] / other[figure];
  return {
    what,
    budget,
    measured: `${times.toFixed(3)} × (${show(one[figure])} ${unit}, ${otherName} ` +
      `${show(other[figure])})`,
    isMet: isMoreBetter ? times >= bound : times <= bound,
  };
}

/** This server with one thread, beside Redis, which gets arrays as its clients send them. */
function besideRedis({ speed }: Results, [at, figure, bound]: SpeedRow): Budget {
  return ratio(figure, {
    where: `${at.connections} × ${at.pipeline}`,
    one: speedOf(speed.blink, at),
    other: speedOf(speed.redis, at),
    otherName: "Redis",
    bound,
  });
}

/** The same over the Redis wire, where `redis-benchmark` makes the load of both. */
function overRedisWire({ redisBenchmark }: Results, [at, figure, bound]: SpeedRow): Budget {
  return ratio(figure, {
    where: `redis-benchmark, ${at.connections} × ${at.pipeline}`,
    one: speedOf(redisBenchmark?.[redisWire], at),
    other: speedOf(redisBenchmark?.redis, at),
    otherName: "Redis",
    bound,
  });
}

/** Two threads beside one, of the same run. */
function twoThreads({ scaling }: Results, figure: Figure, bound: number): Budget {
  const of = (threads: number) =>
    speedOf(scaling?.blink?.filter((one) => one.threads === threads), load(50, 64));
  return ratio(figure, {
    where: "two threads, 50 × 64",
    one: of(2),
    other: of(1),
    otherName: "one thread",
    bound,
  });
}

/** A load on one of two threads, beside the same load on one thread without locks. */
function lockCost({ lock }: Results): Budget {
  const row = ratio("cpuUs", {
    where: "a lock on the way, 50 × 16",
    one: lock?.with,
    other: lock?.without,
    otherName: "no lock",
    bound: 1.08,
  });
  if (lock === undefined) return row;
  const share = `${(lock.busiestShare * 100).toFixed(0)} % of it in one thread`;
  return { ...row, measured: `${row.measured}; ${share}` };
}

/** What counts as noise between two runs of the same code. */
const noise = 1.05;

/**
 * The portable loop beside that of an earlier file of results. The machine may have been faster or
 * slower then, so each is first divided by Redis in the same run.
 */
function portable({ speed, earlier }: Results, at: Load): Budget {
  const what = `CPU a request, portable loop, ${at.connections} × ${at.pipeline}`;
  const budget = `≤ ${noise} × before`;
  const times = (own: readonly Speed[] | undefined, redis: readonly Speed[] | undefined) =>
    (speedOf(own, at)?.cpuUs ?? NaN) / (speedOf(redis, at)?.cpuUs ?? NaN);
  const now = times(speed["blink portable"], speed.redis);
  const before = times(earlier?.portable, earlier?.redis);
  if (Number.isNaN(now / before)) return unmeasured(what, budget);
  return {
    what,
    budget,
    measured: `${(now / before).toFixed(3)} × (${show(now)} × Redis, before ${show(before)})`,
    isMet: now / before <= noise,
  };
}

/** Before there was another loop, the plain server had the portable one. */
function idleConnections({ idleConnectionBytes: bytes }: Results) {
  const portable = bytes?.["blink portable"];
  return portable === undefined
    ? { epoll: undefined, portable: bytes?.blink }
    : { epoll: bytes.blink, portable };
}

/** In MB, from the start with the most threads. */
function furtherThread({ start }: Results): number | undefined {
  const threads = [4, 2].find((count) => start?.[`blink, ${count} threads`] !== undefined);
  if (threads === undefined || start.blink === undefined) return undefined;
  const all = start[`blink, ${threads} threads`].residentBytes;
  return (all - start.blink.residentBytes) / (threads - 1) / 1e6;
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
  const [empty, full] = [memory?.blink?.[0], memory?.blink?.at(-1)];
  return ["redis", "memcached"].map((peer) => {
    const isAdded = peer === "memcached";
    const what = `resident memory, ${show(full?.entries ?? 0)} entries of 16 + 64 bytes`;
    const budget = isAdded ? `≤ ${peer} + bare process` : `≤ ${peer}`;
    const bare = memory?.[peer]?.[0];
    const other = memory?.[peer]?.find(({ entries }) => entries === full?.entries);
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
