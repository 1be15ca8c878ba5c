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
  /** Logarithmic; else linear and from zero. */
  readonly isYLog?: boolean;
  readonly isXLog?: boolean;
  readonly xPercent?: boolean;
  readonly yPercent?: boolean;
}

/** A plot to draw. */
export interface Plot {
  readonly points: readonly Point[];
  readonly axes: Axes;
}

const thousands = ({ requestsPerSecond }: Speed) => requestsPerSecond / 1000;

/** Draws every plot; returns SVG by the name of its file. */
export async function drawPlots(results: Results): Promise<Record<string, string>> {
  const shown: Record<string, Plot> = {
    ...speedPlots(results, "connections", "one request in flight on each connection"),
    ...speedPlots(results, "pipeline", "50 connections"),
    "memory-by-entries": {
      points: memoryPoints(results),
      axes: { title: "Resident memory, 16 + 64 bytes an entry", x: "entries", y: "megabytes" },
    },
    "miss-ratio-by-size": {
      points: missRatioPoints(results),
      axes: {
        title: "Miss ratio, Zipf 1.0",
        x: "cache size, share of all keys",
        y: "misses",
        isXLog: true,
        xPercent: true,
        yPercent: true,
      },
    },
  };
  if (results.scaling !== undefined) {
    shown["throughput-by-threads"] = {
      points: scalingPoints(results.scaling),
      axes: {
        title: `Throughput by threads on ${results.machine.cores} cores, 50 connections × 64`,
        x: "threads",
        y: "thousand requests/s",
      },
    };
  }
  return await drawAll(shown);
}

/** The plots of throughput, CPU and latency by one side of the load. */
function speedPlots(
  results: Results,
  by: "connections" | "pipeline",
  fixed: string,
): Record<string, Plot> {
  const x = by === "connections" ? "connections" : "requests in flight on each connection";
  const plot = (figure: (speed: Speed) => number, axes: Omit<Axes, "x">): Plot => ({
    points: speedPoints(results, by, figure),
    axes: { x, isXLog: true, ...axes },
  });
  return {
    [`throughput-by-${by}`]: plot(thousands, {
      title: `Throughput, ${fixed}`,
      y: "thousand requests/s",
    }),
    [`cpu-by-${by}`]: plot(({ cpuUs }) => cpuUs, {
      title: `CPU of the server, ${fixed}`,
      y: "microseconds a request",
      isYLog: true,
    }),
    [`p99-by-${by}`]: plot(({ p99Ms }) => p99Ms, {
      title: `99th percentile, ${fixed}`,
      y: "milliseconds",
      isYLog: true,
    }),
  };
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

/** With the longest pipeline that was measured. */
function scalingPoints(scaling: NonNullable<Results["scaling"]>): Point[] {
  return Object.entries(scaling).flatMap(([series, speeds]) => {
    const pipeline = Math.max(...speeds.map((one) => one.pipeline));
    return speeds.filter((one) => one.pipeline === pipeline)
      .map((one) => ({ series, x: one.threads, y: thousands(one) }))
      .sort((a, b) => a.x - b.x);
  });
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
