import { drawPlots } from "../bench/plots.ts";
import {
  documentPath,
  figuresOf,
  readmePath,
  renderFigures,
  renderHeadline,
  renderTables,
} from "../bench/report.ts";
import { merged } from "../bench/compare.ts";
import { budgetsOf, missRatioStanding, show } from "../bench/budgets.ts";
import { median, medianOf } from "../bench/median.ts";
import { durable } from "../bench/durable_names.ts";
import { redisWire, type Results } from "../bench/results.ts";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "./assert.ts";

const speed = (requestsPerSecond: number, cpuUs: number) =>
  [[50, 1], [50, 16], [500, 1]].map(([connections, pipeline]) => ({
    connections,
    pipeline,
    requestsPerSecond,
    cpuUs,
    p50Ms: 1,
    p99Ms: cpuUs * 2,
    p999Ms: 4,
    maxMs: 5,
  }));

const results: Results = {
  date: "2026-01-02 03:04",
  machine: { cpu: "a CPU", cores: 2, memoryGiB: 8, kernel: "6.1" },
  versions: { deno: "2.9.6", blink: "blink-store 0.1.0", redis: "Redis 7" },
  rounds: 3,
  secondsPerLoad: 1,
  speed: {
    blink: speed(115_000, 0.87),
    redis: speed(100_000, 1),
    "redis inline": speed(1, 400),
  },
  memory: {
    blink: [{ entries: 0, residentBytes: 50e6 }, { entries: 1e6, residentBytes: 150e6 }],
    redis: [{ entries: 0, residentBytes: 10e6 }, { entries: 1e6, residentBytes: 149e6 }],
    memcached: [{ entries: 0, residentBytes: 10e6 }, { entries: 1e6, residentBytes: 110e6 }],
  },
  churn: {
    blink: { megabytesWritten: 100, p99Ms: 1, p999Ms: 2, maxMs: 3 },
    redis: { megabytesWritten: 100, p99Ms: 1, p999Ms: 2, maxMs: 3 },
  },
  stall: { puts: 1000, megabytesWritten: 1, p9999Ms: 0.5, maxMs: 5.01 },
  idleConnectionBytes: { blink: 5000, redis: 10_000, memcached: 1 },
  start: {
    blink: { firstReplyMs: 100, residentBytes: 76e6 },
    task: { firstReplyMs: 149, residentBytes: 1 },
  },
  missRatios: [
    {
      trace: "zipf-1.0",
      title: "Zipf 1.0",
      limitBytes: 1000,
      share: 0.1,
      ratios: { blink: 0.2, "exact LRU": 0.25 },
      held: {},
    },
    {
      trace: "drift",
      title: "a drift",
      limitBytes: 1000,
      share: 0.1,
      ratios: { blink: 0.102, "exact LRU": 0.1 },
      held: {},
    },
  ],
  missRatiosBySize: [
    {
      trace: "zipf-1.0",
      title: "Zipf 1.0",
      limitBytes: 1000,
      share: 0.1,
      ratios: { blink: 0.2, "exact LRU": 0.25 },
      held: {},
    },
  ],
};

const scaled = (threads: number, requestsPerSecond: number, p99Ms: number) => ({
  ...results.speed.blink[0],
  connections: 50,
  pipeline: 64,
  threads,
  requestsPerSecond,
  p99Ms,
});

/** Results of a server with two loops and several threads. */
const threaded: Results = {
  ...results,
  measured: { speed: { date: "2026-01-02 03:04", commit: "abc1234" } },
  generator: "generator",
  threads: { blink: 1, "blink, 2 threads": 2, "blink portable": 1, redis: 1 },
  leftOut: { pogocache: "pogocache is not on the path" },
  speed: {
    blink: speed(115_000, 0.87).map((one) => ({ ...one, generatorCpuUs: 0.25 })),
    "blink portable": speed(100_000, 1.05),
    redis: speed(100_000, 1),
  },
  earlier: { file: "old.json", portable: speed(50_000, 2), redis: speed(50_000, 2) },
  scaling: { blink: [scaled(1, 1_000_000, 2), scaled(2, 1_400_000, 3.01)] },
  lock: { without: speed(1, 1)[1], with: speed(1, 1.08)[1], busiestShare: 0.97 },
  idleConnectionBytes: { blink: 1501, "blink portable": 5000 },
  start: {
    ...results.start,
    "blink, 2 threads": { firstReplyMs: 1, residentBytes: 1e9 },
    "blink, 4 threads": { firstReplyMs: 1, residentBytes: 124e6 },
  },
};

Deno.test("a median is the middle, of each figure on its own", () => {
  assertEquals(median([3, 1, 2]), 2);
  assertEquals(median([4, 1, 2, 3]), 2.5);
  assertEquals(medianOf([{ a: 1, b: 9 }, { a: 2, b: 7 }, { a: 3, b: 8 }]), { a: 2, b: 8 });
});

Deno.test("a budget is met at its bound and not beyond, against Redis sent arrays", () => {
  const met = budgetsOf(results).map(({ what, isMet }) => [what, isMet] as const);
  const others = met.filter(([what]) => !what.includes("redis-benchmark"));
  assertEquals(met.length - others.length, 10);
  assertEquals(others, [
    ["CPU a request, 50 × 1", true], // 0.87 of Redis
    ["CPU a request, 50 × 16", true], // at the bound
    ["CPU a request, 50 × 64", undefined], // not measured
    ["throughput, 1 × 1", undefined],
    ["throughput, 50 × 1", true], // 1.15 of Redis
    ["throughput, 50 × 16", true], // at the bound
    ["throughput, 50 × 64", undefined],
    ["throughput, 500 × 1", true],
    ["p99, 500 × 1", true],
    ["p99, 1000 × 1", undefined],
    ["throughput, two threads, 50 × 64", undefined],
    ["p99, two threads, 50 × 64", undefined],
    ["CPU a request, a lock on the way, 50 × 16", undefined],
    ["CPU a request, portable loop, 50 × 1", undefined],
    ["CPU a request, portable loop, 50 × 16", undefined],
    ["CPU a request, portable loop, 50 × 64", undefined],
    ["resident memory, 1,000,000 entries of 16 + 64 bytes", false], // 150 MB, Redis 149
    ["resident memory, 1,000,000 entries of 16 + 64 bytes", true], // 150, memcached 110 + 40
    ["throughput, SET kept on the disk, blink, 50 × 1", undefined],
    ["throughput, SET kept on the disk, blink, 50 × 16", undefined],
    ["throughput, SET kept on the disk, blink, Redis wire, 50 × 1", undefined],
    ["throughput, SET kept on the disk, blink, Redis wire, 50 × 16", undefined],
    ["p99, GET while others write to the disk", undefined],
    ["loading 1 M entries of 16 + 64 bytes", undefined],
    ["longest stall while 1 GiB churns", false], // 5.01 ms of 5
    ["idle connection, epoll", undefined],
    ["idle connection, portable loop", true], // 5 KB of 5, by the only loop that there was
    ["start to first reply, deno task serve", true], // 149 ms of 150
    ["start to first reply, executable", undefined], // no executable
    ["resident memory at start", false], // 76 MB of 75
    ["resident memory of each further thread", undefined],
  ]);
});

Deno.test("over the Redis wire the budgets are the same, under redis-benchmark", () => {
  const redisBenchmark = { [redisWire]: speed(115_000, 0.88), redis: speed(100_000, 1) };
  const rows = budgetsOf({ ...results, redisBenchmark })
    .filter(({ what }) => what.includes("redis-benchmark"));
  const met = Object.fromEntries(rows.map(({ what, isMet }) => [what, isMet]));
  assertEquals(met["CPU a request, redis-benchmark, 50 × 1"], true);
  assertEquals(met["CPU a request, redis-benchmark, 50 × 16"], false); // 0.88 of 0.87
  assertEquals(met["throughput, redis-benchmark, 50 × 16"], true);
  assertEquals(met["throughput, redis-benchmark, 1 × 1"], undefined);
  const page = renderFigures({ ...results, redisBenchmark }, "a.json");
  assertStringIncludes(page, "## redis-benchmark");
  assert(!renderFigures(results, "a.json").includes("## redis-benchmark"));
});

Deno.test("the budgets of threads and loops compare servers of the same run", () => {
  const row = (what: string) => budgetsOf(threaded).find((budget) => budget.what === what)!;
  assertEquals(row("throughput, two threads, 50 × 64").isMet, true); // 1.4 at the bound
  assertEquals(row("p99, two threads, 50 × 64").isMet, false); // 3.01 ms of 2 × 1.5
  assertEquals(row("CPU a request, a lock on the way, 50 × 16").isMet, true); // 1.08
  assertStringIncludes(row("CPU a request, a lock on the way, 50 × 16").measured, "97 % of it");
  // 1.05 × Redis now and 1 × Redis before, on a machine that was half as fast.
  assertEquals(row("CPU a request, portable loop, 50 × 16").isMet, true);
  assertStringIncludes(row("CPU a request, portable loop, 50 × 16").measured, "1.050 ×");
  assertEquals(row("idle connection, epoll").isMet, false); // 1.501 KB of 1.5
  assertEquals(row("idle connection, portable loop").isMet, true);
  // 124 − 76 MB, of three further threads.
  assertEquals(row("resident memory of each further thread").isMet, true);
});

Deno.test("what it costs to keep data on the disk has its budgets and its section", () => {
  const [one] = speed(1, 1);
  const writes = (requestsPerSecond: number, pipelined: number) => [
    { ...one, requestsPerSecond },
    { ...one, pipeline: 16, requestsPerSecond: pipelined },
  ];
  const durability = {
    writes: {
      [durable.lines]: writes(1200, 6000),
      [durable.arrays]: writes(1199, 5999),
      [durable.redis]: writes(1000, 10_000),
      [durable.interval]: writes(7777, 1),
      [durable.everysec]: writes(8888, 1),
    },
    reads: { withMs: 1.51, withoutMs: 1, setsPerSecond: { with: 1998, without: 2001 } },
    loading: { entries: 1_000_000, seconds: 3 },
  };
  const met = Object.fromEntries(
    budgetsOf({ ...results, durability }).map(({ what, isMet }) => [what, isMet]),
  );
  const written = "throughput, SET kept on the disk";
  assertEquals(met[`${written}, blink, 50 × 1`], true); // 1.2 of Redis, at the bound
  assertEquals(met[`${written}, blink, 50 × 16`], true); // 0.6, at the bound
  assertEquals(met[`${written}, blink, Redis wire, 50 × 1`], false);
  assertEquals(met[`${written}, blink, Redis wire, 50 × 16`], false);
  assertEquals(met["p99, GET while others write to the disk"], false);
  assertEquals(met["loading 1 M entries of 16 + 64 bytes"], true);
  const page = renderFigures({ ...results, durability }, "a.json").replaceAll(/\s+/g, " ");
  for (
    const text of [
      "## Keeping data on the disk",
      "| blink, interval | 7,777 |",
      "| redis, everysec | 8,888 |",
      "p99 1.51 ms with a data file, at 1,998 SET/s, and 1.00 ms without, at 2,001.",
      "Loading 1,000,000 entries takes 3.00 s.",
    ]
  ) assertStringIncludes(page, text);
  assert(!renderFigures(results, "a.json").includes("## Keeping data on the disk"));
});

Deno.test("the page shows threads, what the load cost, and who is left out", () => {
  const page = renderFigures(threaded, "a.json");
  for (
    const text of [
      "## Threads",
      "throughput-by-threads.svg",
      "0.25 µs at 50 × 16",
      "pogocache is not on the path",
      "Commit abc1234.",
      "- p99, two threads, 50 × 64: 1.505 ×",
    ]
  ) assertStringIncludes(page, text);
  assert(!page.includes("Not all in one run"));
});

Deno.test("parts that are measured again replace their own figures, and the page says when", () => {
  const first = { date: "2026-01-02 03:04", commit: "abc1234" };
  const before = { ...threaded, measured: { speed: first, start: first } };
  const start = { blink: { firstReplyMs: 7, residentBytes: 7 } };
  const part: Partial<Results> = {
    date: "2026-03-04 05:06",
    measured: { start: { date: "2026-03-04 05:06", commit: "def5678" } },
    rounds: 9,
    start,
  };
  const again = merged(before, part);
  const { measured, ...figures } = again;
  const { measured: _, ...others } = before;
  assertEquals(figures, { ...others, start });
  assertEquals(measured?.speed, first);
  assertEquals(measured?.start, part.measured!.start);
  const page = renderFigures(again, "a.json").replaceAll("\n", " ");
  assertStringIncludes(page, "Not all in one run: speed of commit abc1234 on 2026-01-02;");
  assertStringIncludes(page, "start of commit def5678 on 2026-03-04");
  // Of files from before there was a record, the run of the other parts is known by its date.
  assertStringIncludes(page, "durability of commit (not recorded) on 2026-01-02");
});

Deno.test("a budget beyond its bound is not met", () => {
  const slower = { ...results, speed: { ...results.speed, blink: speed(114_000, 0.88) } };
  const row = (what: string) => budgetsOf(slower).find((budget) => budget.what === what)?.isMet;
  assertEquals(row("CPU a request, 50 × 16"), false);
  assertEquals(row("throughput, 50 × 16"), false);
  assertEquals(row("throughput, 500 × 1"), true);
});

Deno.test("the standing on miss ratios is by the best of the others", () => {
  const { best, worst } = missRatioStanding(results.missRatios);
  assertEquals(best, 1);
  assert(Math.abs(worst - 0.02) < 1e-9);
});

Deno.test("tables show every budget and every trace, in the terminal and on the page", () => {
  for (const text of [renderTables(results), renderFigures(results, "a.json")]) {
    for (const { what, measured } of budgetsOf(results)) {
      assertStringIncludes(text, what);
      assertStringIncludes(text, measured);
    }
    assert(!text.includes("redis inline"), "no client sends inline lines");
    assertStringIncludes(text, "+2.0 %");
    assertStringIncludes(
      text,
      "lowest miss ratio of all on 1 of 2 traces, and at most 2.0 % behind",
    );
  }
  assertEquals([show(1234.5), show(12.34), show(0.5)], ["1,235", "12.3", "0.50"]);
});

Deno.test("the plots are SVG, with a line and a name for each server", async () => {
  const plots = await drawPlots(results);
  assertEquals(Object.keys(plots).length, 8);
  for (const [name, svg] of Object.entries(plots)) {
    assertMatch(svg, /^<svg [^>]*xmlns="http:\/\/www\.w3\.org\/2000\/svg"/, name);
    assertStringIncludes(svg, ">blink</text>", name);
    assertStringIncludes(svg, "prefers-color-scheme: dark", name);
    const path = `../docs/plots/${name}.svg`;
    assertStringIncludes(renderFigures(results, "a.json"), path.slice("../docs/".length), name);
  }
});

Deno.test("the page and the README show the figures of one file, and the plots are there", async () => {
  const page = await Deno.readTextFile(documentPath);
  const figures = figuresOf(page);
  assert(figures !== undefined, "the page has its marks");
  const file = new URL(`../bench/results/${figures.file}`, import.meta.url);
  const kept: Results = JSON.parse(await Deno.readTextFile(file));
  assertEquals(figures.text, renderFigures(kept, figures.file));
  const headline = figuresOf(await Deno.readTextFile(readmePath));
  assert(headline !== undefined, "the README has its marks");
  assertEquals(headline.file, figures.file, "the README is as old as the page");
  assertEquals(headline.text, renderHeadline(kept, figures.file));
  for (const [, path] of page.matchAll(/\]\((plots\/[^)]+)\)/g)) {
    await Deno.stat(new URL(`../docs/${path}`, import.meta.url));
  }
});
