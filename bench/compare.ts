/**
 * The comparison of this server with Redis, memcached and pogocache, where they are installed.
 * Prints tables, writes the results to `bench/results/`, draws the plots and writes the figures
 * into `docs/benchmarks.md` and `README.md`.
 *
 * `--only speed,start` measures these parts again and puts them into the newest file of results, or
 * into that of `--into FILE`; the file says when each part was measured. `--from FILE` renders
 * existing results. `--short` measures a little of everything, writes nothing and takes less than a
 * minute, to show that all of it runs.
 *
 * @module
 */

// @ts-types="../types/std.d.ts"
import { parseArgs } from "@std/cli/parse-args";
import { hasGenerator } from "./measures.ts";
import { note } from "./note.ts";
import type { Extent } from "./extent.ts";
import { measurePart } from "./parts.ts";
import { availablePeers, type Peers } from "./peers.ts";
import { root } from "./processes.ts";
import { drawPlots } from "./plots.ts";
import { renderFigures, renderTables, writeFigures } from "./report.ts";
import {
  type Earlier,
  type Measured,
  type Part,
  parts as allParts,
  type Results,
} from "./results.ts";
import { traceNames } from "./traces.ts";

const mebibyte = 1024 * 1024;
const resultsFolder = `${root}bench/results`;
const plotsFolder = `${root}docs/plots`;

const full: Extent = {
  rounds: 3,
  secondsPerLoad: 1.2,
  loads: [
    ...[1, 10, 50, 200, 500, 1000].map((connections) => ({ connections, pipeline: 1 })),
    ...[4, 16, 64, 256].map((pipeline) => ({ connections: 50, pipeline })),
  ],
  redisBenchmarkLoads: [[1, 1], [50, 1], [500, 1], [1000, 1], [50, 16], [50, 64]]
    .map(([connections, pipeline]) => ({ connections, pipeline })),
  threads: [1, 2, 4],
  threadLoads: [16, 64].map((pipeline) => ({ connections: 50, pipeline })),
  memorySteps: [125_000, 250_000, 500_000, 1_000_000],
  churn: { memoryBytes: 1024 * mebibyte, seconds: 10 },
  idleConnections: 4000,
  starts: 5,
  traces: traceNames,
  traceKeys: 276_000,
  traceLength: 1_500_000,
  readsRounds: 7,
  loadedEntries: 1_000_000,
  sizesMiB: [2, 4, 8, 16],
};

const short: Extent = {
  rounds: 1,
  secondsPerLoad: 0.1,
  loads: [{ connections: 50, pipeline: 1 }, { connections: 50, pipeline: 16 }],
  redisBenchmarkLoads: [{ connections: 50, pipeline: 16 }],
  threads: [1, 2],
  threadLoads: [{ connections: 50, pipeline: 64 }],
  memorySteps: [10_000],
  churn: { memoryBytes: 8 * mebibyte, seconds: 0.3 },
  idleConnections: 100,
  starts: 1,
  traces: ["zipf-1.0", "mixed"],
  traceKeys: 100_000,
  traceLength: 60_000,
  readsRounds: 1,
  loadedEntries: 20_000,
  sizesMiB: [2],
};

if (import.meta.main) await main();

async function main(): Promise<void> {
  const flags = parseArgs(Deno.args, { boolean: ["short"], string: ["from", "only", "into"] });
  if (flags.short === true) {
    const results = await compare(short, await availablePeers(short.threads));
    console.log(renderTables(results));
    console.log(renderFigures(results, "none").length, "characters of figures");
    console.log(Object.keys(await drawPlots(results)).length, "plots");
    return;
  }
  const [from, only, into] = [flags.from, flags.only, flags.into]
    .map((flag) => typeof flag === "string" ? flag : undefined);
  const file = from ?? await measureIntoFile(readParts(only), into);
  const results = await readResults(file);
  console.log(renderTables(results));
  await Deno.mkdir(plotsFolder, { recursive: true });
  for (const [name, svg] of Object.entries(await drawPlots(results))) {
    await Deno.writeTextFile(`${plotsFolder}/${name}.svg`, svg);
  }
  await writeFigures(results, file);
}

/** Reads the names of parts; undefined for all. */
function readParts(text: string | undefined): Part[] | undefined {
  return text?.split(",").map((name) => {
    const part = allParts.find((one) => one === name);
    if (part !== undefined) return part;
    console.error(`Cannot measure "${name}": it is none of ${allParts.join(", ")}`);
    Deno.exit(2);
  });
}

/** Measures everything into a new file, or some parts into an existing one; returns its name. */
async function measureIntoFile(only: Part[] | undefined, into?: string): Promise<string> {
  const newest = await newestFile();
  if (only === undefined) {
    const earlier = newest === undefined ? undefined : earlierOf(newest, await readResults(newest));
    const results = { ...await compare(full, await availablePeers(full.threads)), earlier };
    const file = `${results.date.replaceAll(/[: ]/g, "-")}.json`;
    await writeResults(file, results);
    return file;
  }
  const file = into ?? newest;
  if (file === undefined) throw new Error("Cannot measure parts: there is no file of results");
  const before = await readResults(file);
  if (JSON.stringify(before.machine) !== JSON.stringify(machine())) {
    throw new Error(`Cannot measure parts of ${file}: it is of another machine`);
  }
  const peers = await availablePeers(full.threads);
  await writeResults(file, merged(before, await compare(full, peers, only)));
  return file;
}

/** Puts parts into earlier results, which keep what was measured about the others. */
export function merged(before: Results, { date: _, ...parts }: Partial<Results>): Results {
  // Older files have one run and no record of it.
  const run = { date: before.date, commit: "(not recorded)" };
  const unrecorded = Object.fromEntries(allParts.map((part) => [part, run]));
  // These two are said of the speeds.
  const { rounds, secondsPerLoad } = parts.measured?.speed === undefined
    ? before
    : { ...before, ...parts };
  return {
    ...before,
    ...parts,
    rounds,
    secondsPerLoad,
    versions: { ...before.versions, ...parts.versions },
    measured: { ...unrecorded, ...before.measured, ...parts.measured },
  };
}

/** What later results are compared with: the portable loop, beside Redis. */
function earlierOf(file: string, { speed, earlier }: Results): Earlier | undefined {
  // Before there was another loop, the plain server had this one.
  const isOld = speed["blink portable"] === undefined;
  const portable = isOld ? speed.blink : speed["blink portable"];
  if (portable === undefined || speed.redis === undefined) return earlier;
  return { file, portable, redis: speed.redis };
}

/** Measures everything, or some parts. */
export async function compare(
  extent: Extent,
  { kinds, threaded, leftOut }: Peers,
  only: readonly Part[] = allParts,
): Promise<Results> {
  note(`comparing ${kinds.map(({ name, version }) => `${name} (${version})`).join(", ")}`);
  for (const [name, why] of Object.entries(leftOut)) note(`${name} is left out: ${why}`);
  const isLight = hasGenerator();
  if (!isLight) note("FFI is not available, so loadgen/ makes the load, with more CPU a request");
  const date = now();
  const measured: Partial<Record<Part, Measured>> = {};
  let results: Partial<Results> = {};
  for (const part of allParts.filter((one) => only.includes(one))) {
    measured[part] = { date: now(), commit: await commit() };
    const options = { extent, peers: kinds, threaded, isLight };
    results = { ...results, ...await measurePart[part](options) };
  }
  return {
    date,
    measured,
    machine: machine(),
    versions: {
      deno: Deno.version.deno,
      ...Object.fromEntries(kinds.map(({ name, version }) => [name, version])),
    },
    leftOut,
    rounds: extent.rounds,
    secondsPerLoad: extent.secondsPerLoad,
    ...results,
  } as Results;
}

async function newestFile(): Promise<string | undefined> {
  await Deno.mkdir(resultsFolder, { recursive: true });
  const files = (await Array.fromAsync(Deno.readDir(resultsFolder))).map(({ name }) => name);
  return files.filter((name) => name.endsWith(".json")).sort().at(-1);
}

async function readResults(file: string): Promise<Results> {
  return JSON.parse(await Deno.readTextFile(`${resultsFolder}/${file}`));
}

async function writeResults(file: string, results: Results): Promise<void> {
  await Deno.writeTextFile(`${resultsFolder}/${file}`, JSON.stringify(results, null, 2) + "\n");
}

/** In UTC, to the minute. */
function now(): string {
  return new Date().toISOString().slice(0, 16).replace("T", " ");
}

/** The commit that is measured, with a "+" where files have changed since. */
async function commit(): Promise<string> {
  const git = async (...args: string[]) => {
    const { stdout } = await new Deno.Command("git", { args, cwd: root, stderr: "null" }).output();
    return new TextDecoder().decode(stdout).trim();
  };
  try {
    const changes = await git("status", "--porcelain", "--untracked-files=no");
    return await git("rev-parse", "--short", "HEAD") + (changes === "" ? "" : "+");
  } catch {
    return "unknown";
  }
}

function machine(): Results["machine"] {
  const cpu = /^model name\s*:\s*(.+)$/m.exec(Deno.readTextFileSync("/proc/cpuinfo"))?.[1];
  return {
    cpu: cpu ?? "unknown",
    cores: navigator.hardwareConcurrency,
    memoryGiB: Math.round(Deno.systemMemoryInfo().total / 1024 ** 3),
    kernel: Deno.osRelease(),
  };
}
