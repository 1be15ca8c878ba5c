/**
 * The plots of a comparison, as points and axes taken from the results. `draw.ts` draws them.
 *
 * @module
 */

import { comparedSpeeds } from "./budgets.ts";
import type { Results, Speed } from "./results.ts";

/** One point of a line. */
export interface Point {
  readonly series: string;
  readonly x: number;
  readonly y: number;
}

/** The title and the axes of a plot. */
export interface Axes {
  readonly title: string;
  readonly x: string;
  readonly y: string;
  readonly isYLog?: boolean;
  readonly xPercent?: boolean;
  readonly yPercent?: boolean;
}

/** A plot to draw. */
export interface Plot {
  readonly points: readonly Point[];
  readonly axes: Axes;
}

/** Draws every plot; returns SVG by the name of its file. */
export async function drawPlots(results: Results): Promise<Record<string, string>> {
  const shown: Record<string, [Point[], Axes]> = {
    "throughput-by-connections": [
      speedPoints(results, "connections", ({ requestsPerSecond }) => requestsPerSecond / 1000),
      {
        title: "Throughput, one request in flight on each connection",
        x: "connections",
        y: "thousand requests/s",
      },
    ],
    "p99-by-connections": [
      speedPoints(results, "connections", ({ p99Ms }) => p99Ms),
      {
        title: "99th percentile, one request in flight on each connection",
        x: "connections",
        y: "milliseconds",
        isYLog: true,
      },
    ],
    "throughput-by-pipeline": [
      speedPoints(results, "pipeline", ({ requestsPerSecond }) => requestsPerSecond / 1000),
      { title: "Throughput, 50 connections", x: "requests in flight", y: "thousand requests/s" },
    ],
    "p99-by-pipeline": [
      speedPoints(results, "pipeline", ({ p99Ms }) => p99Ms),
      {
        title: "99th percentile, 50 connections",
        x: "requests in flight",
        y: "milliseconds",
        isYLog: true,
      },
    ],
    "memory-by-entries": [
      memoryPoints(results),
      { title: "Resident memory, 16 + 64 bytes an entry", x: "entries", y: "megabytes" },
    ],
    "miss-ratio-by-size": [
      missRatioPoints(results),
      {
        title: "Miss ratio, Zipf 1.0",
        x: "cache size, share of all keys",
        y: "misses",
        xPercent: true,
        yPercent: true,
      },
    ],
  };
  const plots = Object.entries(shown).map(([name, [points, axes]]) => [name, { points, axes }]);
  return await drawAll(Object.fromEntries(plots));
}

/** By connections, with one request in flight on each; or by pipeline, with 50 connections. */
function speedPoints(
  results: Results,
  by: "connections" | "pipeline",
  figure: (speed: Speed) => number,
): Point[] {
  const isShown = by === "connections"
    ? (one: Speed) => one.pipeline === 1
    : (one: Speed) => one.connections === 50;
  return Object.entries(comparedSpeeds(results)).flatMap(([series, speeds]) =>
    speeds.filter(isShown)
      .map((one) => ({ series, x: one[by], y: figure(one) }))
      .sort((a, b) => a.x - b.x)
  );
}

function memoryPoints({ memory }: Results): Point[] {
  return Object.entries(memory).flatMap(([series, rows]) =>
    rows.map(({ entries, residentBytes }) => ({
      series,
      x: entries,
      y: residentBytes / 1e6,
    }))
  );
}

function missRatioPoints({ missRatiosBySize }: Results): Point[] {
  return missRatiosBySize.flatMap(({ share, ratios }) =>
    Object.entries(ratios).map(([series, y]) => ({ series, x: share, y }))
  ).sort((a, b) => a.x - b.x);
}

/** Draws in a separate process, so that only this downloads the plotting libraries. */
async function drawAll(plots: Record<string, Plot>): Promise<Record<string, string>> {
  const script = new URL("draw.ts", import.meta.url).pathname;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-lock", "--allow-read", "--allow-env", script],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(JSON.stringify(plots)));
  await writer.close();
  const { success, stdout } = await child.output();
  if (!success) throw new Error("Cannot draw the plots: see the error above");
  return JSON.parse(new TextDecoder().decode(stdout));
}
