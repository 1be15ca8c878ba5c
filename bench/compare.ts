/**
 * The comparison of this server with Redis and memcached, where they are installed, in one run.
 * Prints tables, writes the results to `bench/results/`, draws the plots and writes the figures
 * into `docs/benchmarks.md`. `--from FILE` renders existing results instead; `--short` measures a
 * little of everything, writes nothing and takes half a minute, to show that all of it runs.
 *
 * @module
 */

// @ts-types="../types/std.d.ts"
import { parseArgs } from "@std/cli/parse-args";
import {
  measureChurn,
  measureIdleConnection,
  measureMemory,
  measureSpeed,
  measureStall,
  measureStart,
  warmUp,
} from "./measures.ts";
import { medianOf } from "./median.ts";
import { measureMissRatios } from "./miss_ratios.ts";
import { installedPeers, type PeerKind, root, type Running, start } from "./processes.ts";
import { drawPlots } from "./plots.ts";
import { renderFigures, renderTables, writeDocument } from "./report.ts";
import type { ByPeer, Churn, Load, MissRatios, Results, Speed, Stall, Start } from "./results.ts";
import { traceNames } from "./traces.ts";

/** How much a comparison measures. */
interface Extent {
  readonly rounds: number;
  readonly secondsPerLoad: number;
  readonly loads: readonly Load[];
  readonly memorySteps: readonly number[];
  readonly churn: { memoryBytes: number; seconds: number };
  readonly idleConnections: number;
  readonly starts: number;
  readonly traces: readonly string[];
  readonly traceKeys: number;
  readonly traceLength: number;
  /** memcached's memory for the miss ratios by size, in MiB; they are of Zipf 1.0. */
  readonly sizesMiB: readonly number[];
}

const mebibyte = 1024 * 1024;
const resultsFolder = `${root}bench/results`;
const plotsFolder = `${root}docs/plots`;

const full: Extent = {
  rounds: 3,
  secondsPerLoad: 1.5,
  loads: [
    ...[1, 10, 50, 200, 500, 1000].map((connections) => ({ connections, pipeline: 1 })),
    ...[4, 16, 64, 256].map((pipeline) => ({ connections: 50, pipeline })),
  ],
  memorySteps: [125_000, 250_000, 500_000, 1_000_000],
  churn: { memoryBytes: 1024 * mebibyte, seconds: 10 },
  idleConnections: 1000,
  starts: 5,
  traces: traceNames,
  traceKeys: 276_000,
  traceLength: 1_500_000,
  sizesMiB: [2, 4, 8, 16],
};

const short: Extent = {
  rounds: 1,
  secondsPerLoad: 0.1,
  loads: [{ connections: 50, pipeline: 1 }, { connections: 50, pipeline: 16 }],
  memorySteps: [10_000],
  churn: { memoryBytes: 8 * mebibyte, seconds: 0.3 },
  idleConnections: 100,
  starts: 1,
  traces: ["zipf-1.0", "mixed"],
  traceKeys: 100_000,
  traceLength: 60_000,
  sizesMiB: [2],
};

if (import.meta.main) await main();

async function main(): Promise<void> {
  const flags = parseArgs(Deno.args, { boolean: ["short"], string: ["from"] });
  if (flags.short === true) {
    const results = await compare(short, await installedPeers());
    console.log(renderTables(results));
    console.log(renderFigures(results, "none").length, "characters of figures");
    console.log(Object.keys(await drawPlots(results)).length, "plots");
    return;
  }
  const file = typeof flags.from === "string" ? flags.from : await measureAll();
  const results: Results = JSON.parse(await Deno.readTextFile(`${resultsFolder}/${file}`));
  console.log(renderTables(results));
  await Deno.mkdir(plotsFolder, { recursive: true });
  for (const [name, svg] of Object.entries(await drawPlots(results))) {
    await Deno.writeTextFile(`${plotsFolder}/${name}.svg`, svg);
  }
  await writeDocument(results, file);
}

/** Measures everything in full and writes the results to a file; returns its name. */
async function measureAll(): Promise<string> {
  const results = await compare(full, await installedPeers());
  await Deno.mkdir(resultsFolder, { recursive: true });
  const file = `${results.date.replaceAll(/[: ]/g, "-")}.json`;
  await Deno.writeTextFile(`${resultsFolder}/${file}`, JSON.stringify(results, null, 2) + "\n");
  return file;
}

/** Measures everything. */
export async function compare(extent: Extent, peers: readonly PeerKind[]): Promise<Results> {
  note(`comparing ${peers.map(({ version }) => version).join(", ")}`);
  return {
    date: new Date().toISOString().slice(0, 16).replace("T", " "),
    machine: machine(),
    versions: {
      deno: Deno.version.deno,
      ...Object.fromEntries(peers.map(({ name, version }) => [name, version])),
    },
    rounds: extent.rounds,
    secondsPerLoad: extent.secondsPerLoad,
    speed: await speeds(extent, peers),
    memory: await eachPeer(
      peers,
      "memory",
      (kind) => measureMemory(kind, extent.memorySteps, extent.rounds),
    ),
    churn: await churns(extent, peers),
    stall: medianOf(await stalls(extent)),
    idleConnectionBytes: await eachPeer(peers, "idle connections", (kind) => {
      return measureIdleConnection(kind, extent.idleConnections);
    }),
    start: await starts(extent, peers),
    missRatios: await missRatios(extent, peers),
    missRatiosBySize: await missRatiosBySize(extent, peers),
  };
}

async function eachPeer<T>(
  peers: readonly PeerKind[],
  what: string,
  measure: (kind: PeerKind) => Promise<T>,
): Promise<ByPeer<T>> {
  const measured: Record<string, T> = {};
  for (const kind of peers) {
    note(`${what}: ${kind.name}`);
    measured[kind.name] = await measure(kind);
  }
  return measured;
}

/** All servers run at the same time; each load goes to one after the other, round by round. */
async function speeds(extent: Extent, peers: readonly PeerKind[]): Promise<ByPeer<Speed[]>> {
  await using servers = new AsyncDisposableStack();
  const running: Running[] = [];
  for (const kind of peers) running.push(servers.use(await start(kind)));
  for (const server of running) await warmUp(server);
  const rounds = new Map(peers.map(({ name }) => [name, extent.loads.map((): Speed[] => [])]));
  for (let round = 1; round <= extent.rounds; round++) {
    for (const [index, load] of extent.loads.entries()) {
      note(`speed: round ${round}, ${load.connections} connections × ${load.pipeline}`);
      for (const server of running) {
        const speed = await measureSpeed(server, load, extent.secondsPerLoad);
        rounds.get(server.kind.name)![index].push(speed);
      }
    }
  }
  return Object.fromEntries([...rounds].map(([name, loads]) => [name, loads.map(medianOf)]));
}

async function churns(extent: Extent, peers: readonly PeerKind[]): Promise<ByPeer<Churn>> {
  return await eachPeer(peers, "churn", (kind) => measureChurn(kind, extent.churn));
}

async function stalls({ rounds, churn }: Extent): Promise<Stall[]> {
  const measured: Stall[] = [];
  while (measured.length < rounds) {
    note("stall: the store alone");
    measured.push(await measureStall(churn));
  }
  return measured;
}

async function starts(extent: Extent, peers: readonly PeerKind[]): Promise<ByPeer<Start>> {
  const rounds = async (kind: PeerKind, command?: (port: number) => readonly string[]) => {
    const measured: Start[] = [];
    while (measured.length < extent.starts) measured.push(await measureStart(kind, command));
    return medianOf(measured);
  };
  const measured: Record<string, Start> = { ...await eachPeer(peers, "start", rounds) };
  const own = peers.find(({ name }) => name === "blink");
  if (own === undefined) return measured;
  const listen = (port: number) => ["--tcp", `127.0.0.1:${port}`];
  const task = [Deno.execPath(), "task", "--quiet", "serve"];
  measured.task = await rounds(own, (port) => [...task, ...listen(port)]);
  const executable = `${root}dist/blink-store`;
  const isThere = await Deno.stat(executable).then(() => true, () => false);
  if (isThere) {
    measured.executable = await rounds(own, (port) => [executable, "serve", ...listen(port)]);
  }
  return measured;
}

async function missRatios(extent: Extent, peers: readonly PeerKind[]): Promise<MissRatios[]> {
  const rows: MissRatios[] = [];
  for (const trace of extent.traces) {
    note(`miss ratios: ${trace}`);
    const mebibytes = hasManySizes(trace) ? 24 : 4;
    rows.push(await measureMissRatios(peers, ratioOptions(extent, trace, mebibytes)));
  }
  return rows;
}

async function missRatiosBySize(extent: Extent, peers: readonly PeerKind[]): Promise<MissRatios[]> {
  const rows: MissRatios[] = [];
  for (const mebibytes of extent.sizesMiB) {
    note(`miss ratios: ${mebibytes} MiB`);
    rows.push(await measureMissRatios(peers, ratioOptions(extent, "zipf-1.0", mebibytes)));
  }
  return rows;
}

/** The share applies where memcached is not installed: about what it would have held. */
function ratioOptions({ traceKeys, traceLength }: Extent, trace: string, mebibytes: number) {
  return {
    trace,
    keys: traceKeys,
    length: traceLength,
    memcachedBytes: mebibytes * mebibyte,
    share: hasManySizes(trace) ? 0.09 : mebibytes / 40,
  };
}

/** Whether a trace has values of many sizes; memcached needs memory for as many size classes. */
function hasManySizes(trace: string): boolean {
  return trace === "mixed" || trace.startsWith("lognormal");
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

function note(line: string): void {
  console.error(`${new Date().toISOString().slice(11, 19)} ${line}`);
}
