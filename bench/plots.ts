/**
 * The plots of a comparison, as SVG: Observable Plot draws them into the document of linkedom. Both
 * are loaded by the first plot.
 *
 * @module
 */

import type { Speed } from "./measures.ts";
import type { Results } from "./results.ts";

/** One point of a line. */
interface Point {
  readonly series: string;
  readonly x: number;
  readonly y: number;
}

interface Axes {
  readonly title: string;
  readonly x: string;
  readonly y: string;
  readonly isYLog?: boolean;
  readonly xPercent?: boolean;
  readonly yPercent?: boolean;
}

const colours: Record<string, string> = {
  blink: "#d62728",
  redis: "#1f77b4",
  "redis allkeys-lru": "#1f77b4",
  "redis allkeys-lfu": "#17becf",
  memcached: "#2ca02c",
  "exact LRU": "#7f7f7f",
};

/** Draws every plot; the names are those of their files. */
export async function drawPlots(results: Results): Promise<Record<string, string>> {
  const plots: Record<string, [Point[], Axes]> = {
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
      { title: "Resident memory, 16 + 64 bytes an entry", x: "thousand entries", y: "megabytes" },
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
  const drawn: Record<string, string> = {};
  for (const [name, [points, axes]] of Object.entries(plots)) {
    drawn[name] = await draw(points, axes);
  }
  return drawn;
}

/** By connections: one in flight on each; by pipeline: 50 connections. */
function speedPoints(
  { speed }: Results,
  by: "connections" | "pipeline",
  figure: (speed: Speed) => number,
): Point[] {
  const isShown = by === "connections"
    ? (one: Speed) => one.pipeline === 1
    : (one: Speed) => one.connections === 50;
  return Object.entries(speed).flatMap(([series, speeds]) =>
    speeds.filter(isShown)
      .map((one) => ({ series, x: one[by], y: figure(one) }))
      .sort((a, b) => a.x - b.x)
  );
}

function memoryPoints({ memory }: Results): Point[] {
  return Object.entries(memory).flatMap(([series, rows]) =>
    rows.map(({ entries, residentBytes }) => ({
      series,
      x: entries / 1000,
      y: residentBytes / 1e6,
    }))
  );
}

function missRatioPoints({ missRatiosBySize }: Results): Point[] {
  return missRatiosBySize.flatMap(({ share, ratios }) =>
    Object.entries(ratios).map(([series, y]) => ({ series, x: share, y }))
  ).sort((a, b) => a.x - b.x);
}

async function draw(points: readonly Point[], axes: Axes): Promise<string> {
  const Plot = await import("@observablehq/plot");
  const { DOMParser } = await import("linkedom");
  const html = "<!doctype html><html><body></body></html>";
  const document = new DOMParser().parseFromString(html, "text/html");
  const isXLog = !axes.xPercent && points.every(({ x }) => x > 0);
  const series = [...new Set(points.map((point) => point.series))];
  const ends = series.map((name) => points.findLast((point) => point.series === name)!);
  const svg = Plot.plot({
    document,
    width: 680,
    height: 380,
    marginLeft: 60,
    marginRight: 120,
    x: {
      type: isXLog ? "log" : "linear",
      label: axes.x,
      tickFormat: axes.xPercent ? "%" : "~s",
      grid: true,
    },
    y: {
      type: axes.isYLog ? "log" : "linear",
      label: `${axes.title} (${axes.y})`,
      tickFormat: axes.yPercent ? "%" : "~g",
      grid: true,
      zero: !axes.isYLog && !axes.yPercent,
    },
    color: { domain: series, range: series.map((name) => colours[name] ?? "#000") },
    marks: [
      Plot.line(points, { x: "x", y: "y", stroke: "series", z: "series" }),
      Plot.dot(points, { x: "x", y: "y", fill: "series" }),
      Plot.text(ends, {
        x: "x",
        y: "y",
        text: "series",
        fill: "series",
        dx: 8,
        textAnchor: "start",
      }),
    ],
  });
  svg.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  return `${svg.outerHTML}\n`;
}
