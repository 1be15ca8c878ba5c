/**
 * The parts of the comparison, which can be measured together or one by one. Each returns its own
 * fields of the results.
 *
 * @module
 */

import {
  measureChurn,
  measureIdleConnection,
  measureMemory,
  measureSpeed,
  measureStall,
  measureStart,
  type SpeedOptions,
  warmUp,
} from "./measures.ts";
import { medianOf } from "./median.ts";
import { measureDurability } from "./durability.ts";
import { measureMissRatios } from "./miss_ratios.ts";
import type { Extent, PartOptions } from "./extent.ts";
import { note } from "./note.ts";
import { blinkExecutable, blinkTask } from "./peers.ts";
import { hasRedisBenchmark, measureByRedisBenchmark } from "./redis_benchmark.ts";
import { type PeerKind, type Running, start, threadCpuTimesUs } from "./processes.ts";
import { redisWire } from "./results.ts";
import type {
  BenchmarkSpeed,
  ByPeer,
  Load,
  LockCost,
  MissRatios,
  Part,
  Results,
  Scaled,
  Speed,
  Stall,
  Start,
} from "./results.ts";

const mebibyte = 1024 * 1024;

/** Measures each part. */
export const measurePart: Readonly<
  Record<Part, (options: PartOptions) => Promise<Partial<Results>>>
> = {
  speed: async (options) => ({
    speed: await speeds(options),
    generator: options.isLight ? "generator" : "loadgen",
    threads: Object.fromEntries(options.peers.map(({ name, threads }) => [name, threads])),
  }),
  "redis-benchmark": async (options) => ({ redisBenchmark: await redisBenchmark(options) }),
  threads: async (options) => ({
    scaling: await scaling(options),
    lock: await lockCost(options),
  }),
  memory: async ({ peers, extent: { memorySteps, rounds } }) => ({
    memory: await eachPeer(withoutVariants(peers), "memory", (kind) => {
      return measureMemory(kind, memorySteps, rounds);
    }),
  }),
  churn: async ({ peers, extent: { churn } }) => ({
    churn: await eachPeer(withoutVariants(peers), "churn", (kind) => measureChurn(kind, churn)),
  }),
  stall: async ({ extent }) => ({ stall: medianOf(await stalls(extent)) }),
  idle: async ({ peers, extent: { idleConnections } }) => ({
    idleConnectionBytes: await eachPeer(withoutThreads(peers), "idle connections", (kind) => {
      return measureIdleConnection(kind, idleConnections);
    }),
  }),
  start: async (options) => ({ start: await starts(options) }),
  durability: async (options) => ({ durability: await measureDurability(options) }),
  misses: async (options) => ({
    missRatios: await missRatios(options),
    missRatiosBySize: await missRatiosBySize(options),
  }),
};

/** The servers, each program once: neither other loops nor other numbers of threads. */
function withoutVariants(peers: readonly PeerKind[]): PeerKind[] {
  return peers.filter(({ name }) => !/[ ,]/.test(name));
}

/** The servers with no other number of threads than their name stands for. */
function withoutThreads(peers: readonly PeerKind[]): PeerKind[] {
  return peers.filter(({ name }) => !name.includes(","));
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
async function alternating(
  kinds: readonly PeerKind[],
  loads: readonly Load[],
  { rounds, ...options }: SpeedOptions & { what: string; rounds: number },
): Promise<Map<PeerKind, Speed[]>> {
  await using servers = new AsyncDisposableStack();
  const running: Running[] = [];
  for (const kind of kinds) running.push(servers.use(await start(kind)));
  for (const server of running) await warmUp(server, options);
  const measured = new Map(kinds.map((kind) => [kind, loads.map((): Speed[] => [])]));
  for (let round = 1; round <= rounds; round++) {
    for (const [index, load] of loads.entries()) {
      note(`${options.what}: round ${round}, ${load.connections} connections × ${load.pipeline}`);
      for (const server of running) {
        measured.get(server.kind)![index].push(await measureSpeed(server, load, options));
      }
    }
  }
  return new Map([...measured].map(([kind, byLoad]) => [kind, byLoad.map(medianOf)]));
}

async function speeds({ peers, extent, isLight }: PartOptions): Promise<ByPeer<Speed[]>> {
  const { loads, rounds, secondsPerLoad: seconds } = extent;
  const measured = await alternating(peers, loads, { what: "speed", rounds, seconds, isLight });
  return Object.fromEntries([...measured].map(([{ name }, byLoad]) => [name, byLoad]));
}

/**
 * This server and Redis under the load of `redis-benchmark`, in turns; undefined where one of these
 * programs is missing.
 */
async function redisBenchmark(
  { peers, extent }: PartOptions,
): Promise<ByPeer<BenchmarkSpeed[]> | undefined> {
  const kinds = peers.filter(({ name }) => name === redisWire || name === "redis");
  if (kinds.length < 2 || !await hasRedisBenchmark()) return undefined;
  await using servers = new AsyncDisposableStack();
  const running: Running[] = [];
  for (const kind of kinds) running.push(servers.use(await start(kind)));
  const measured = running.map(() => extent.redisBenchmarkLoads.map((): BenchmarkSpeed[] => []));
  // The round before the first fills the stores and warms code up.
  for (let round = 0; round <= extent.rounds; round++) {
    for (const [index, load] of extent.redisBenchmarkLoads.entries()) {
      note(`redis-benchmark: round ${round}, ${load.connections} connections × ${load.pipeline}`);
      for (const [n, server] of running.entries()) {
        const speed = await measureByRedisBenchmark(server, load, extent.secondsPerLoad);
        if (round > 0) measured[n][index].push(speed);
      }
    }
  }
  return Object.fromEntries(kinds.map(({ name }, n) => [name, measured[n].map(medianOf)]));
}

/** The speeds of each program that can have threads, with 1 thread and more. */
async function scaling({ threaded, extent, isLight }: PartOptions): Promise<ByPeer<Scaled[]>> {
  const { threadLoads, rounds, secondsPerLoad: seconds } = extent;
  const options = { what: "threads", rounds, seconds, isLight };
  const measured = await alternating(threaded, threadLoads, options);
  const scaled: Record<string, Scaled[]> = {};
  for (const [{ name, threads }, byLoad] of measured) {
    const rows = scaled[name.split(",")[0]] ??= [];
    rows.push(...byLoad.map((speed) => ({ ...speed, threads })));
  }
  return scaled;
}

/**
 * One load on a server with one thread, and on one of two threads of another server: each
 * second connection stays idle, and a new one goes to the thread with the fewest. Undefined where
 * there are no two threads.
 */
async function lockCost({ peers, extent, isLight }: PartOptions): Promise<LockCost | undefined> {
  const kinds = ["blink", "blink, 2 threads"].map((name) => peers.find((k) => k.name === name));
  const [one, two] = kinds;
  if (one === undefined || two === undefined || !isLight) return undefined;
  await using without = await start(one);
  await using withLock = await start(two);
  const options = { isLight, seconds: extent.secondsPerLoad, idleBetween: 1 };
  const load = { connections: 50, pipeline: 16 };
  for (const server of [without, withLock]) await warmUp(server, options);
  const rounds: [Speed, Speed][] = [];
  const shares: { share: number }[] = [];
  while (rounds.length < extent.rounds) {
    note(`threads: round ${rounds.length + 1}, a lock that no other thread wants`);
    const speed = await measureSpeed(without, load, options);
    const before = threadCpuTimesUs(withLock.pid);
    rounds.push([speed, await measureSpeed(withLock, load, options)]);
    shares.push({ share: busiestShare(before, threadCpuTimesUs(withLock.pid)) });
  }
  return {
    without: medianOf(rounds.map(([speed]) => speed)),
    with: medianOf(rounds.map(([, speed]) => speed)),
    busiestShare: medianOf(shares).share,
  };
}

/** The share of the CPU time between two readings that one thread had. */
function busiestShare(before: Map<string, number>, after: Map<string, number>): number {
  const spent = [...after].map(([thread, us]) => us - (before.get(thread) ?? 0));
  return Math.max(...spent) / Math.max(1, spent.reduce((sum, us) => sum + us, 0));
}

async function stalls({ rounds, churn }: Extent): Promise<Stall[]> {
  const measured: Stall[] = [];
  while (measured.length < rounds) {
    note("stall: the store alone");
    measured.push(await measureStall(churn));
  }
  return measured;
}

async function starts({ peers, threaded, extent }: PartOptions): Promise<ByPeer<Start>> {
  const rounds = async (kind: PeerKind, command?: (port: number) => readonly string[]) => {
    const measured: Start[] = [];
    while (measured.length < extent.starts) measured.push(await measureStart(kind, command));
    return medianOf(measured);
  };
  const ofBlink = threaded.filter(({ name }) => name.startsWith("blink,"));
  const kinds = [...withoutVariants(peers), ...ofBlink];
  const measured: Record<string, Start> = { ...await eachPeer(kinds, "start", rounds) };
  const own = peers.find(({ name }) => name === "blink");
  if (own === undefined) return measured;
  measured.task = await rounds(own, blinkTask);
  const executable = await blinkExecutable();
  if (executable !== undefined) measured.executable = await rounds(own, executable);
  return measured;
}

async function missRatios({ extent, peers }: PartOptions): Promise<MissRatios[]> {
  const rows: MissRatios[] = [];
  for (const trace of extent.traces) {
    note(`miss ratios: ${trace}`);
    const mebibytes = hasManySizes(trace) ? 24 : 4;
    rows.push(await measureMissRatios(peers, ratioOptions(extent, trace, mebibytes)));
  }
  return rows;
}

async function missRatiosBySize({ extent, peers }: PartOptions): Promise<MissRatios[]> {
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
