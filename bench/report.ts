/**
 * Renders a comparison: tables for the terminal, and the same in Markdown between two marks of
 * `docs/benchmarks.md`, so that its figures are those of a file of results.
 *
 * @module
 */

import { budgetsOf, comparedSpeeds, missRatioStanding, show } from "./budgets.ts";
import { root } from "./processes.ts";
import type { Results, Speed } from "./results.ts";

/** The page that shows the figures. */
export const documentPath: string = `${root}docs/benchmarks.md`;

const begin = "<!-- figures: from here on written by `deno task bench` from bench/results/";
const end = "<!-- end of the figures -->";

/** A table as rows of cells; the first row is the header. */
type Table = readonly (readonly string[])[];

interface Section {
  readonly title: string;
  readonly table: Table;
  /** A paragraph after the table. */
  readonly text?: string;
  /** Names of plots to show. */
  readonly plots?: readonly string[];
}

/** Renders the tables for a terminal. */
export function renderTables(results: Results): string {
  return sectionsOf(results)
    .map(({ title, table, text }) => [title, "", ...columns(table), ...(text ? ["", text] : [])])
    .map((lines) => lines.join("\n"))
    .join("\n\n");
}

/** Renders the generated part of the page, marks included. */
export function renderFigures(results: Results, file: string): string {
  const sections = sectionsOf(results).map(({ title, table, text, plots }) =>
    [
      `## ${title}`,
      markdown(table),
      ...(text ? [wrapped(text)] : []),
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

/** Writes the figures into the page. Throws if it has no marks. */
export async function writeDocument(results: Results, file: string): Promise<void> {
  const page = await Deno.readTextFile(documentPath);
  const before = figuresOf(page);
  if (before === undefined) {
    throw new Error(`Cannot write the figures: no marks in ${documentPath}`);
  }
  await Deno.writeTextFile(
    documentPath,
    page.replace(before.text, () => renderFigures(results, file)),
  );
}

function origin({ date, machine, versions, rounds, secondsPerLoad }: Results): string {
  const software = Object.entries(versions)
    .map(([name, version]) => name === "deno" ? `Deno ${version}` : version);
  return `Measured ${date} UTC on ${machine.cores} cores of ${machine.cpu}, ` +
    `${machine.memoryGiB} GiB, Linux ${machine.kernel}; ${software.join(", ")}. ` +
    `Medians of ${rounds} rounds of ${secondsPerLoad} s a load.`;
}

function sectionsOf(results: Results): Section[] {
  return [
    { title: "Budgets", table: budgetTable(results) },
    {
      title: "Throughput, requests a second",
      table: speedTable(results, "requestsPerSecond"),
      plots: ["throughput-by-connections", "throughput-by-pipeline"],
    },
    { title: "CPU of the server, µs a request", table: speedTable(results, "cpuUs") },
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
      isMet === undefined ? "–" : isMet ? "yes" : "no",
    ]),
  ];
}

function speedTable(results: Results, figure: keyof Speed): Table {
  const speed = comparedSpeeds(results);
  const peers = Object.keys(speed);
  const loads = speed[peers[0]] ?? [];
  return [
    ["connections × in flight", ...peers],
    ...loads.map(({ connections, pipeline }, index) => [
      `${connections} × ${pipeline}`,
      ...peers.map((peer) => show(speed[peer][index][figure])),
    ]),
  ];
}

function memoryTable({ memory, idleConnectionBytes }: Results): Table {
  const peers = Object.keys(memory);
  const rows = memory[peers[0]] ?? [];
  return [
    ["resident MB", ...peers],
    ...rows.map(({ entries }, index) => [
      `${show(entries)} entries`,
      ...peers.map((peer) => show(memory[peer][index].residentBytes / 1e6)),
    ]),
    ["KB an idle connection", ...peers.map((peer) => show(idleConnectionBytes[peer] / 1000))],
  ];
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
    blink: "blink, deno run",
    task: "blink, deno task serve",
    executable: "blink, executable",
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

/** Pads the cells to columns: the first aligned left, the others right. */
function padded(table: Table): string[][] {
  const widths = table[0].map((_, column) => Math.max(...table.map((row) => row[column].length)));
  return table.map((row) =>
    row.map((cell, column) => column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column]))
  );
}

function columns(table: Table): string[] {
  return padded(table).map((row) => row.join("  ").trimEnd());
}

/** A Markdown table, formatted as by `deno fmt`. */
function markdown(table: Table): string {
  const [head, ...rows] = padded(table);
  const rule = head.map(({ length }, column) =>
    column === 0 ? "-".repeat(length) : `${"-".repeat(length - 1)}:`
  );
  return [head, rule, ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n");
}

/** Wraps a paragraph as `deno fmt` does. */
function wrapped(text: string): string {
  const columnsMax = 100;
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = lines.at(-1)!;
    if (line === "") lines[lines.length - 1] = word;
    else if (line.length + 1 + word.length <= columnsMax) lines[lines.length - 1] += ` ${word}`;
    else lines.push(word);
  }
  return lines.join("\n");
}
