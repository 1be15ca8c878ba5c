/**
 * The load of `redis-benchmark`, which comes with Redis, on servers that speak its wire: SET and
 * then GET of 64-byte values to 100,000 keys, as many requests of each. What it does not print is
 * left out of the result.
 *
 * @module
 */

import { cpuTimeUs, type Running } from "./processes.ts";
import type { BenchmarkSpeed, Load } from "./results.ts";

/** A run has so many requests of each command that it takes about a second. */
const requestsPerSecond = [[1, 1, 15_000], [1000, 1, 60_000], [1000, 16, 400_000]] as const;
const requestsMax = 800_000;

/** Whether the program is installed. */
export async function hasRedisBenchmark(): Promise<boolean> {
  try {
    const { success } = await new Deno.Command("redis-benchmark", {
      args: ["--version"],
      stdout: "null",
      stderr: "null",
    }).output();
    return success;
  } catch {
    return false;
  }
}

/** How many requests of each command a run has. */
function requestsFor({ connections, pipeline }: Load, seconds: number): number {
  const row = requestsPerSecond.find((one) => connections <= one[0] && pipeline <= one[1]);
  return Math.ceil((row?.[2] ?? requestsMax) * seconds);
}

/** Measures a server under one load. */
export async function measureByRedisBenchmark(
  { kind, port, pid }: Running,
  load: Load,
  seconds: number,
): Promise<BenchmarkSpeed> {
  const requests = requestsFor(load, seconds);
  const before = cpuTimeUs(pid);
  const { success, stdout } = await new Deno.Command("redis-benchmark", {
    args: ["-h", "127.0.0.1", "-p", `${port}`, "-t", "set,get", "-d", "64", "-r", "100000"]
      .concat("-n", `${requests}`, "-c", `${load.connections}`, "-P", `${load.pipeline}`, "--csv"),
    stdout: "piped",
    stderr: "null",
  }).output();
  const cpuUs = (cpuTimeUs(pid) - before) / (2 * requests);
  const rows = new TextDecoder().decode(stdout).trim().split("\n").slice(1)
    .map((row) => row.split(",").map((cell) => cell.replaceAll('"', "")));
  if (!success || rows.length !== 2) {
    throw new Error(`Cannot measure ${kind.name}: redis-benchmark failed`);
  }
  // Each row has the command, its rate, and latencies: mean, least, median, p95, p99, most.
  const [rates, p50s, p99s] = [1, 4, 6].map((n) => rows.map((row) => Number(row[n])));
  return {
    ...load,
    requestsPerSecond: rates.length / rates.reduce((sum, rate) => sum + 1 / rate, 0),
    cpuUs,
    p50Ms: Math.max(...p50s),
    p99Ms: Math.max(...p99s),
  };
}
