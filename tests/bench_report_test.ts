import { drawPlots } from "../bench/plots.ts";
import { documentPath, figuresOf, renderFigures, renderTables } from "../bench/report.ts";
import {
  budgetsOf,
  median,
  medianOf,
  missRatioStanding,
  type Results,
  show,
} from "../bench/results.ts";
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
    blink: speed(300_000, 2),
    redis: speed(400_000, 1),
    "redis inline": speed(200_000, 4),
  },
  memory: {
    blink: [{ entries: 0, residentBytes: 50e6 }, { entries: 1e6, residentBytes: 150e6 }],
    redis: [{ entries: 0, residentBytes: 10e6 }, { entries: 1e6, residentBytes: 149e6 }],
  },
  churn: {
    blink: { megabytesWritten: 100, p99Ms: 1, p999Ms: 2, maxMs: 3 },
    redis: { megabytesWritten: 100, p99Ms: 1, p999Ms: 2, maxMs: 3 },
  },
  stall: { puts: 1000, megabytesWritten: 1, p9999Ms: 0.5, maxMs: 5.01 },
  idleConnectionBytes: { blink: 9000, redis: 10_000 },
  start: {
    blink: { firstReplyMs: 100, residentBytes: 61e6 },
    task: { firstReplyMs: 249, residentBytes: 1 },
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

Deno.test("a median is the middle, of each figure on its own", () => {
  assertEquals(median([3, 1, 2]), 2);
  assertEquals(median([4, 1, 2, 3]), 2.5);
  assertEquals(medianOf([{ a: 1, b: 9 }, { a: 2, b: 7 }, { a: 3, b: 8 }]), { a: 2, b: 8 });
});

Deno.test("a budget is met at its bound and not beyond", () => {
  const met = budgetsOf(results).map(({ isMet }) => isMet);
  assertEquals(met, [
    true, // CPU: 0.5 of Redis
    true,
    true, // throughput: 1.5 of Redis
    true, // p99
    false, // memory: 150 MB against 149
    undefined, // memcached did not take part
    false, // stall: 5.01 ms of 5
    true, // idle connection: 9 KB of 9
    true, // start: 249 ms of 250
    undefined, // no executable
    false, // 61 MB of 60
  ]);
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
  assertEquals(Object.keys(plots).length, 6);
  for (const [name, svg] of Object.entries(plots)) {
    assertMatch(svg, /^<svg [^>]*xmlns="http:\/\/www\.w3\.org\/2000\/svg"/, name);
    assertStringIncludes(svg, ">blink</text>", name);
    const path = `../docs/plots/${name}.svg`;
    assertStringIncludes(renderFigures(results, "a.json"), path.slice("../docs/".length), name);
  }
});

Deno.test("the page shows the figures of the file that it names, and its plots are there", async () => {
  const page = await Deno.readTextFile(documentPath);
  const figures = figuresOf(page);
  assert(figures !== undefined, "the page has its marks");
  const file = new URL(`../bench/results/${figures.file}`, import.meta.url);
  const kept: Results = JSON.parse(await Deno.readTextFile(file));
  assertEquals(figures.text, renderFigures(kept, figures.file));
  for (const [, path] of page.matchAll(/\]\((plots\/[^)]+)\)/g)) {
    await Deno.stat(new URL(`../docs/${path}`, import.meta.url));
  }
});
