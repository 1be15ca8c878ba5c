/**
 * What the comparison measures of a running server, one function to a measure. Each starts its own
 * server, so that none finds the traces of another.
 *
 * @module
 */

import { medianOf } from "./results.ts";
import { type BenchOptions, runBench } from "./load.ts";
import {
  cpuTimeUs,
  type PeerKind,
  residentBytes,
  root,
  type Running,
  start,
  startCommand,
} from "./processes.ts";
import type { Stall } from "./stall.ts";

/** How fast a server is under one load. */
export interface Speed {
  readonly connections: number;
  readonly pipeline: number;
  readonly requestsPerSecond: number;
  /** User and system time of the server, divided by the requests. */
  readonly cpuUs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  readonly maxMs: number;
}

/** A load: so many connections, with so many requests in flight on each. */
export interface Load {
  readonly connections: number;
  readonly pipeline: number;
}

const keys = 100_000;
const valueBytes = 64;

/** Makes a server ready for {@linkcode measureSpeed}: all keys are there, and its code is warm. */
export async function warmUp(server: Running): Promise<void> {
  await loadOn(server, { connections: 50, pipeline: 16, requests: 200_000, fill: true });
}

/** Measures a server that was warmed up for so many seconds. */
export async function measureSpeed(server: Running, load: Load, seconds: number): Promise<Speed> {
  const before = cpuTimeUs(server.pid);
  const result = await loadOn(server, { ...load, seconds });
  const { p50, p99, p999, max } = result.latencyMs;
  return {
    ...load,
    requestsPerSecond: result.requestsPerSecond,
    cpuUs: (cpuTimeUs(server.pid) - before) / result.requests,
    p50Ms: p50,
    p99Ms: p99,
    p999Ms: p999,
    maxMs: max,
  };
}

async function loadOn({ dialect, port, kind }: Running, options: BenchOptions) {
  const result = await runBench({ dialect, port, keys, valueBytes, ...options });
  if (result.errors > 0) {
    throw new Error(`Cannot measure ${kind.name}: it answered ${result.errors} errors`);
  }
  return result;
}

/** The memory of a server with some number of entries. */
export interface Memory {
  readonly entries: number;
  readonly residentBytes: number;
}

/** Fills a server with more and more entries of 16 + 64 bytes. */
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

/** The latencies of a server that evicts at every write. */
export interface Churn {
  readonly megabytesWritten: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  /** The longest that a request waited, as the generator saw it. */
  readonly maxMs: number;
}

/** Fills a server to its limit with values of 1 KiB, and then goes on writing. */
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

/** Churns the store alone, in a process of its own. */
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
 * What an idle connection costs a server, in bytes of memory: the growth from as many connections
 * to twice as many, so that what a server takes once with its first connections is not counted.
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

/** How a server starts. */
export interface Start {
  readonly firstReplyMs: number;
  /** The memory that it holds before it was asked for anything. */
  readonly residentBytes: number;
}

/** Starts a server, by its own command or by another, and stops it. */
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

/** A process that has answered still tidies up for a moment, which its memory shows. */
async function settle(): Promise<void> {
  const settleMs = 300;
  await new Promise((resolve) => setTimeout(resolve, settleMs));
}
