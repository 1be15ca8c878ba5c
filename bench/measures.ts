/**
 * The measures of the comparison, one function each. All but the speed start a server of their own,
 * so that none is affected by another.
 *
 * @module
 */

import { type LoadOptions, runBench } from "../loadgen/mod.ts";
import type { GeneratorOptions, GeneratorResult } from "./generator.ts";
import { GeneratorSockets } from "./generator_sockets.ts";
import { medianOf } from "./median.ts";
import {
  cpuTimeUs,
  type PeerKind,
  residentBytes,
  root,
  type Running,
  start,
  startCommand,
} from "./processes.ts";
import type { Churn, Load, Memory, Speed, Stall, Start } from "./results.ts";

const keys = 100_000;
const valueBytes = 64;

/** Whether the light generator can run here; else `loadgen/` makes the load of the speeds. */
export function hasGenerator(): boolean {
  const sockets = GeneratorSockets.open();
  sockets?.close();
  return sockets !== undefined;
}

/** How to measure a speed. */
export interface SpeedOptions {
  /** Whether the light generator makes the load. */
  readonly isLight: boolean;
  readonly seconds: number;
  /** Idle connections opened after each of the busy ones, by the light generator. */
  readonly idleBetween?: number;
  /** See `BatchOptions`; with the light generator alone. */
  readonly only?: "set" | "get";
}

/** Prepares a server for {@linkcode measureSpeed}: sets all keys, and warms its code up. */
export async function warmUp(server: Running, { isLight }: SpeedOptions): Promise<void> {
  const load = { connections: 50, pipeline: 16 };
  if (isLight) await generate(server, { ...load, fill: true, warmUpSeconds: 0, seconds: 0.3 });
  else await loadOn(server, { ...load, requests: 200_000, fill: true });
}

/** Measures a server that was warmed up, under one load for some seconds. */
export async function measureSpeed(
  server: Running,
  load: Load,
  { isLight, seconds, idleBetween, only }: SpeedOptions,
): Promise<Speed> {
  if (!isLight) return await measureSpeedByLoadgen(server, load, seconds);
  const warmUpSeconds = Math.min(0.2, seconds);
  const result = await generate(server, { ...load, warmUpSeconds, seconds, idleBetween, only });
  const { requestsPerSecond, serverCpuUs, generatorCpuUs, latencyMs } = result;
  return {
    ...load,
    requestsPerSecond,
    cpuUs: serverCpuUs,
    generatorCpuUs,
    ...latenciesOf(latencyMs),
  };
}

async function measureSpeedByLoadgen(
  server: Running,
  load: Load,
  seconds: number,
): Promise<Speed> {
  const before = cpuTimeUs(server.pid);
  const result = await loadOn(server, { ...load, seconds });
  return {
    ...load,
    requestsPerSecond: result.requestsPerSecond,
    cpuUs: (cpuTimeUs(server.pid) - before) / result.requests,
    ...latenciesOf(result.latencyMs),
  };
}

function latenciesOf({ p50, p99, p999, max }: GeneratorResult["latencyMs"]) {
  return { p50Ms: p50, p99Ms: p99, p999Ms: p999, maxMs: max };
}

/** Runs the light generator, in a process of its own. */
export async function generate(
  { kind, port, pid }: Running,
  options: Omit<GeneratorOptions, "dialect" | "port" | "pid" | "keys" | "valueBytes">,
): Promise<GeneratorResult> {
  const all: GeneratorOptions = {
    ...options,
    dialect: kind.dialect.name,
    port,
    pid,
    keys,
    valueBytes,
  };
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--allow-ffi", `${root}bench/generator.ts`, JSON.stringify(all)],
    stdout: "piped",
    stderr: "piped",
  }).output();
  if (success) return JSON.parse(new TextDecoder().decode(stdout));
  throw new Error(`${kind.name}: ${new TextDecoder().decode(stderr).trim()}`);
}

async function loadOn({ kind, port }: Running, options: LoadOptions) {
  const result = await runBench({ dialect: kind.dialect, port, keys, valueBytes, ...options });
  if (result.errors > 0) {
    throw new Error(`Cannot measure ${kind.name}: it answered ${result.errors} errors`);
  }
  return result;
}

/** Fills a server with entries of 16 + 64 bytes in steps; the medians of several starts. */
export async function measureMemory(
  kind: PeerKind,
  steps: readonly number[],
  starts: number,
): Promise<Memory[]> {
  const runs: Memory[][] = [];
  for (let n = 0; n < starts; n++) runs.push(await memoryOfOne(kind, steps));
  return runs[0].map((_, step) => medianOf(runs.map((run) => run[step])));
}

async function memoryOfOne(kind: PeerKind, steps: readonly number[]): Promise<Memory[]> {
  await using server = await start(kind);
  const memory: Memory[] = [{ entries: 0, residentBytes: residentBytes(server.pid) }];
  for (const entries of steps) {
    await loadOn(server, { connections: 4, requests: 0, keys: entries, fill: true });
    memory.push({ entries, residentBytes: residentBytes(server.pid) });
  }
  return memory;
}

/** Fills a server to its limit with values of 1 KiB, then measures further writes. */
export async function measureChurn(
  kind: PeerKind,
  { memoryBytes, seconds }: { memoryBytes: number; seconds: number },
): Promise<Churn> {
  await using server = await start(kind, { memoryBytes });
  const churnBytes = 1024;
  const options = {
    connections: 8,
    pipeline: 4,
    valueBytes: churnBytes,
    keys: Math.ceil(memoryBytes / churnBytes) * 2,
    mix: { set: 100 },
  };
  await loadOn(server, { ...options, requests: 0, keys: options.keys / 2, fill: true });
  const { requests, latencyMs } = await loadOn(server, { ...options, seconds });
  return {
    megabytesWritten: requests * churnBytes / 1e6,
    p99Ms: latencyMs.p99,
    p999Ms: latencyMs.p999,
    maxMs: latencyMs.max,
  };
}

/** Churns the store alone, in a separate process. */
export async function measureStall(
  { memoryBytes, seconds }: { memoryBytes: number; seconds: number },
): Promise<Stall> {
  const args = ["run", "--quiet", `${root}bench/stall.ts`, `${memoryBytes}`, `${seconds}`];
  const { success, stdout } = await new Deno.Command(Deno.execPath(), {
    args,
    stdout: "piped",
    stderr: "inherit",
  }).output();
  if (!success) throw new Error("Cannot measure the longest stall: the store's process failed");
  return JSON.parse(new TextDecoder().decode(stdout));
}

/**
 * The memory of an idle connection, in bytes: the growth from `connections` to twice as many, so
 * that what a server allocates once with its first connections does not count.
 */
export async function measureIdleConnection(kind: PeerKind, connections: number): Promise<number> {
  await using server = await start(kind);
  const open = async () => {
    const socket = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
    await socket.write(new TextEncoder().encode(kind.ping));
    await socket.read(new Uint8Array(64));
    return socket;
  };
  const sockets: Deno.Conn[] = [];
  const openMany = async (count: number) => {
    while (sockets.length < count) sockets.push(await open());
    await settle();
    return residentBytes(server.pid);
  };
  try {
    const before = await openMany(connections);
    return (await openMany(2 * connections) - before) / connections;
  } finally {
    for (const socket of sockets) socket.close();
  }
}

/** Starts a server, by the command given or the kind's own, and stops it. */
export async function measureStart(
  kind: PeerKind,
  command?: (port: number) => readonly string[],
): Promise<Start> {
  await using server = command === undefined ? await start(kind) : await startOn(kind, command);
  await settle();
  return { firstReplyMs: server.firstReplyMs, residentBytes: residentBytes(server.pid) };
}

async function startOn(kind: PeerKind, command: (port: number) => readonly string[]) {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  return await startCommand(kind, port, command(port));
}

/** Waits until a process that has just answered has also released what its start needed. */
async function settle(): Promise<void> {
  const settleMs = 300;
  await new Promise((resolve) => setTimeout(resolve, settleMs));
}
