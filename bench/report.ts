/**
 * Renders a comparison: tables for the terminal, and the same in Markdown between two marks of
 * `docs/benchmarks.md`, and one sentence between the same marks of `README.md`. So the figures of
 * both are those of one file of results.
 *
 * @module
 */

import { budgetsOf, comparedSpeeds, missRatioStanding, show, speedOf } from "./budgets.ts";
import { root } from "./processes.ts";
import { type Load, type Part, parts, type Results, type Scaled, type Speed } from "./results.ts";
import { columns, listItem, markdown, type Table, wrapped } from "./tables.ts";

/** The page that shows the figures. */
export const documentPath: string = `${root}docs/benchmarks.md`;
/** The page that shows one of them. */
export const readmePath: string = `${root}README.md`;

const begin = "<!-- figures: from here on written by `deno task bench` from bench/results/";
const end = "<!-- end of the figures -->";

interface Section {
  readonly title: string;
  readonly table: Table;
  /** A paragraph after the table. */
  readonly text?: string;
  /** A list after the paragraph, of one line each. */
  readonly list?: readonly string[];
  /** Names of plots to show. */
  readonly plots?: readonly string[];
}

/** Renders the tables for a terminal. */
export function renderTables(results: Results): string {
  return sectionsOf(results).map(({ title, table, text, list = [] }) =>
    [
      title,
      columns(table).join("\n"),
      ...(text === undefined ? [] : [text]),
      ...(list.length === 0 ? [] : [list.map((line) => `- ${line}`).join("\n")]),
    ].join("\n\n")
  ).join("\n\n");
}

/** Renders the generated part of the page, marks included. */
export function renderFigures(results: Results, file: string): string {
  const sections = sectionsOf(results).map(({ title, table, text, list = [], plots }) =>
    [
      `## ${title}`,
      markdown(table),
      ...(text === undefined ? [] : [wrapped(text)]),
      ...(list.length === 0 ? [] : [list.map(listItem).join("\n")]),
      ...(plots ?? []).map((name) => `![${name.replaceAll("-", " ")}](plots/${name}.svg)`),
    ].join("\n\n")
  );
  return [`${begin}${file} -->`, wrapped(origin(results)), ...sections, end].join("\n\n");
}

/** The file of results that a page shows, and its generated part; undefined without marks. */
export function figuresOf(page: string): { file: string; text: string } | undefined {
  const from = page.indexOf(begin);
  const to = page.indexOf(end);
  if (from < 0 || to < 0) return undefined;
  const file = page.slice(from + begin.length, page.indexOf(" -->", from));
  return { file, text: page.slice(from, to + end.length) };
}

/** Renders the sentence of the README, marks included. */
export function renderHeadline({ machine, versions, speed }: Results, file: string): string {
  const load = { connections: 50, pipeline: 16 };
  const [blink, redis] = [speedOf(speed.blink, load), speedOf(speed.redis, load)];
  const cpu = ({ cpuUs }: Speed) => `at ${show(cpuUs)} µs of CPU each`;
  const millions = ({ requestsPerSecond }: Speed) => `${show(requestsPerSecond / 1e6)} million`;
  const sentences = [
    ...(blink === undefined ? [] : [
      `With 50 connections and 16 requests in flight on each, one thread answers ` +
      `${millions(blink)} requests a second, ${cpu(blink)}.`,
    ]),
    ...(redis === undefined ? [] : [
      `${shortName(versions.redis)}, in the same run: ${millions(redis)}, ${cpu(redis)}.`,
    ]),
    `(${machine.cores} cores of ${machine.cpu}, which the load shares;`,
    `[all figures](docs/benchmarks.md))`,
  ];
  return [`${begin}${file} -->`, wrapped(sentences.join(" ")), end].join("\n\n");
}

/** "Redis 7.0.15", of all that its version says. */
function shortName(version: string): string {
  const found = /v=([\d.]+)/.exec(version);
  return found === null ? "Redis" : `Redis ${found[1]}`;
}

/** Writes the figures into both pages. Throws if one has no marks. */
export async function writeFigures(results: Results, file: string): Promise<void> {
  await write(documentPath, renderFigures(results, file));
  await write(readmePath, renderHeadline(results, file));
}

async function write(path: string, figures: string): Promise<void> {
  const page = await Deno.readTextFile(path);
  const before = figuresOf(page);
  if (before === undefined) throw new Error(`Cannot write the figures: no marks in ${path}`);
  await Deno.writeTextFile(path, page.replace(before.text, () => figures));
}

function origin(results: Results): string {
  const { date, machine, versions, rounds, secondsPerLoad, leftOut = {} } = results;
  const software = Object.entries(versions)
    .map(([name, version]) => name === "deno" ? `Deno ${version}` : version);
  const missing = Object.entries(leftOut).map(([name, why]) => `${name} (${why})`);
  return `Measured ${date} UTC on ${machine.cores} cores of ${machine.cpu}, ` +
    `${machine.memoryGiB} GiB, Linux ${machine.kernel}; ${[...new Set(software)].join(", ")}. ` +
    `Medians of ${rounds} rounds of ${secondsPerLoad} s a load.` +
    (missing.length === 0 ? "" : ` Left out: ${missing.join("; ")}.`) +
    ` ${runs(results)}${generatorText(results)}`.trimEnd();
}

/** Which parts were measured in which run, if there was more than one; and what was measured. */
function runs({ measured = {} }: Results): string {
  const known = parts.filter((part) => measured[part] !== undefined);
  const byCommit = Map.groupBy(known, (part: Part) => measured[part]!.commit);
  if (byCommit.size === 0) return "";
  if (byCommit.size === 1) return `Commit ${[...byCommit.keys()][0]}. `;
  const lists = [...byCommit].map(([commit, some]) => {
    const dates = [...new Set(some.map((part) => measured[part]!.date.slice(0, 10)))];
    return `${some.join(", ")} of commit ${commit} on ${dates.join(" and ")}`;
  });
  return `Not all in one run: ${lists.join("; ")}. `;
}

/** What the load itself cost. */
function generatorText({ generator, speed }: Results): string {
  if (generator === "loadgen") {
    return "FFI was not available: `loadgen/` made the load, which takes about 1 µs of CPU a " +
      "request.";
  }
  const costs = [1, 16, 64].flatMap((pipeline) => {
    const cpuUs = speedOf(speed.blink, { connections: 50, pipeline })?.generatorCpuUs;
    return cpuUs === undefined ? [] : [`${show(cpuUs)} µs at 50 × ${pipeline}`];
  });
  if (costs.length === 0) return "";
  return `The generator's own CPU a request, the kernel's share included: ${costs.join(", ")}.`;
}

function sectionsOf(results: Results): Section[] {
  return [
    { title: "Budgets", table: budgetTable(results), ...unmet(results) },
    {
      title: "Throughput, requests a second",
      table: speedTable(results, "requestsPerSecond"),
      plots: ["throughput-by-connections", "throughput-by-pipeline"],
    },
    {
      title: "CPU of the server, µs a request",
      table: speedTable(results, "cpuUs"),
      plots: ["cpu-by-connections", "cpu-by-pipeline"],
    },
    ...redisBenchmarkSections(results),
    ...scalingSections(results),
    { title: "Latency, median, ms", table: speedTable(results, "p50Ms") },
    {
      title: "Latency, 99th percentile, ms",
      table: speedTable(results, "p99Ms"),
      plots: ["p99-by-connections", "p99-by-pipeline"],
    },
    { title: "Latency, 99.9th percentile, ms", table: speedTable(results, "p999Ms") },
    { title: "Memory", table: memoryTable(results), plots: ["memory-by-entries"] },
    { title: "Writing to a full store", table: churnTable(results), text: stallText(results) },
    { title: "Starting", table: startTable(results) },
    ...durabilitySections(results),
    {
      title: "Miss ratios",
      table: missRatioTable(results.missRatios),
      text: standing(results.missRatios),
    },
    {
      title: "Miss ratios by size",
      table: missRatioTable(results.missRatiosBySize),
      plots: ["miss-ratio-by-size"],
    },
  ];
}

function budgetTable(results: Results): Table {
  return [
    ["what", "budget", "measured", "met"],
    ...budgetsOf(results).map(({ what, budget, measured, isMet }) => [
      what,
      budget,
      measured,
      isMet === undefined ? "–" : isMet ? "yes" : "**no**",
    ]),
  ];
}

/** Names the budgets that are not met. */
function unmet(results: Results): Pick<Section, "text" | "list"> {
  const budgets = budgetsOf(results).filter(({ isMet }) => isMet !== undefined);
  const missed = budgets.filter(({ isMet }) => isMet === false);
  if (missed.length === 0) return { text: `All ${budgets.length} measured budgets are met.` };
  return {
    text: `Not met, ${missed.length} of ${budgets.length}:`,
    list: missed.map(({ what, measured }) => `${what}: ${measured}`),
  };
}

/** What it costs to keep data on a disk. */
function durabilitySections({ durability }: Results): Section[] {
  if (durability === undefined) return [];
  const { writes, reads, loading } = durability;
  const rows = Object.entries(writes).map(([name, speeds]) => [
    name,
    ...speeds.flatMap(({ requestsPerSecond, p50Ms, p99Ms }) => [
      show(requestsPerSecond),
      show(p50Ms),
      show(p99Ms),
    ]),
  ]);
  const heads = Object.values(writes)[0].flatMap(({ connections, pipeline }) => [
    `${connections} × ${pipeline}, SET/s`,
    "p50 ms",
    "p99 ms",
  ]);
  return [{
    title: "Keeping data on the disk",
    table: [["server", ...heads], ...rows],
    text:
      "SET alone, of 100,000 keys of 16 bytes and values of 64; `always`: a reply leaves after " +
      "its commit has reached the disk. All on the same disk. " +
      `GET of 50 clients while ten others write: p99 ${show(reads.withMs)} ms with a data file, ` +
      `at ${show(reads.setsPerSecond.with)} SET/s, and ${show(reads.withoutMs)} ms without, ` +
      `at ${show(reads.setsPerSecond.without)}. Loading ${
        loading.entries.toLocaleString("en")
      } entries ` +
      `takes ${show(loading.seconds)} s.`,
  }];
}

/** The figures of `redis-benchmark`, where it is installed. */
function redisBenchmarkSections({ redisBenchmark }: Results): Section[] {
  if (redisBenchmark === undefined) return [];
  const rows = Object.entries(redisBenchmark);
  const loads = rows[0][1];
  const cells = (load: Load) =>
    rows.flatMap(([, speeds]) => {
      const speed = speedOf(speeds, load);
      if (speed === undefined) return ["–", "–", "–"];
      return [show(speed.requestsPerSecond), show(speed.cpuUs), show(speed.p99Ms)];
    });
  return [{
    title: "redis-benchmark",
    table: [
      [
        "connections × in flight",
        ...rows.flatMap(([peer]) =>
          ["requests/s", "CPU µs", "p99 ms"].map((what) => `${peer}: ${what}`)
        ),
      ],
      ...loads.map((load) => [`${load.connections} × ${load.pipeline}`, ...cells(load)]),
    ],
    text:
      "SET and then GET of 64-byte values to 100,000 keys, by the program that comes with Redis. " +
      "It takes more CPU a request than the generator of the other figures.",
  }];
}

/** Throughput and CPU by threads, of each server that can have more than one. */
function scalingSections({ scaling, machine }: Results): Section[] {
  if (scaling === undefined) return [];
  const rows = Object.entries(scaling);
  const loads = rows[0][1].filter(({ threads }) => threads === rows[0][1][0].threads);
  const cells = (speeds: readonly Scaled[], threads: number) =>
    loads.flatMap((load) => {
      const speed = speedOf(speeds.filter((one) => one.threads === threads), load);
      if (speed === undefined) return ["–", "–", "–"];
      return [show(speed.requestsPerSecond), show(speed.cpuUs), show(speed.p99Ms)];
    });
  const heads = loads.flatMap(({ connections, pipeline }) =>
    ["requests/s", "CPU µs", "p99 ms"].map((what) => `${connections} × ${pipeline}: ${what}`)
  );
  const counts = (speeds: readonly Scaled[]) => [...new Set(speeds.map(({ threads }) => threads))];
  return [{
    title: "Threads",
    table: [
      ["server", "threads", ...heads],
      ...rows.flatMap(([server, speeds]) =>
        counts(speeds).map((threads) => [server, `${threads}`, ...cells(speeds, threads)])
      ),
    ],
    text: `The server's threads and the generator share ${machine.cores} cores, so the generator ` +
      `takes its CPU a request from what the threads could use, and threads beyond the cores add ` +
      `nothing but switches between them.`,
    plots: ["throughput-by-threads"],
  }];
}

function speedTable(results: Results, figure: keyof Speed): Table {
  const speed = comparedSpeeds(results);
  const peers = Object.keys(speed);
  const loads = speed[peers[0]] ?? [];
  return [
    ["connections × in flight", ...peers],
    ...loads.map(({ connections, pipeline }, index) => [
      `${connections} × ${pipeline}`,
      ...peers.map((peer) => show(speed[peer][index][figure] ?? NaN)),
    ]),
  ];
}

function memoryTable({ memory, idleConnectionBytes }: Results): Table {
  const peers = [...new Set([...Object.keys(memory), ...Object.keys(idleConnectionBytes)])];
  const rows = Object.values(memory)[0] ?? [];
  const shown = (value: number | undefined) => value === undefined ? "–" : show(value);
  return [
    ["resident MB", ...peers],
    ...rows.map(({ entries }, index) => [
      `${entries.toLocaleString("en-US")} entries`,
      ...peers.map((peer) => shown(mega(memory[peer]?.[index].residentBytes))),
    ]),
    [
      "KB an idle connection",
      ...peers.map((peer) => {
        const bytes = idleConnectionBytes[peer];
        return shown(bytes === undefined ? undefined : bytes / 1000);
      }),
    ],
  ];
}

function mega(bytes: number | undefined): number | undefined {
  return bytes === undefined ? undefined : bytes / 1e6;
}

function churnTable({ churn }: Results): Table {
  return [
    ["server", "MB written", "p99 ms", "p99.9 ms", "max ms"],
    ...Object.entries(churn).map(([peer, { megabytesWritten, p99Ms, p999Ms, maxMs }]) => [
      peer,
      ...[megabytesWritten, p99Ms, p999Ms, maxMs].map(show),
    ]),
  ];
}

function stallText({ stall: { puts, megabytesWritten, p9999Ms, maxMs } }: Results): string {
  return `Latencies as clients see them, the generator's own included. The store alone, ` +
    `${puts.toLocaleString("en-US")} puts of ${show(megabytesWritten)} MB into a full one: ` +
    `99.99 % of the steps took at most ${show(p9999Ms)} ms, the longest ${show(maxMs)} ms.`;
}

function startTable({ start }: Results): Table {
  const names: Record<string, string> = {
    task: "blink, deno task serve",
    executable: "blink, executable",
    blink: "blink, deno run",
  };
  return [
    ["server", "ms to the first reply", "resident MB"],
    ...Object.entries(start).map(([name, { firstReplyMs, residentBytes }]) => [
      names[name] ?? name,
      show(firstReplyMs),
      // The process that `deno task` starts first is not the server.
      name === "task" ? "–" : show(residentBytes / 1e6),
    ]),
  ];
}

function missRatioTable(rows: Results["missRatios"]): Table {
  const caches = [...new Set(rows.flatMap(({ ratios }) => Object.keys(ratios)))]
    .sort((a, b) => Number(b === "blink") - Number(a === "blink"));
  return [
    ["trace", "size", ...caches, "blink to the best other"],
    ...rows.map(({ title, share, ratios }) => {
      const rival = Math.min(
        ...Object.entries(ratios).filter(([cache]) => cache !== "blink").map(([, value]) => value),
      );
      return [
        title,
        `${(share * 100).toFixed(1)} %`,
        ...caches.map((cache) => ratios[cache]?.toFixed(4) ?? "–"),
        signed((ratios.blink / rival - 1) * 100),
      ];
    }),
  ];
}

function signed(percent: number): string {
  return `${percent > 0 ? "+" : "−"}${Math.abs(percent).toFixed(1)} %`;
}

function standing(rows: Results["missRatios"]): string {
  const { best, worst } = missRatioStanding(rows);
  const behind = worst <= 0 ? "nowhere behind" : `at most ${(worst * 100).toFixed(1)} % behind`;
  return `The lowest miss ratio of all on ${best} of ${rows.length} traces, and ${behind} the best.`;
}
