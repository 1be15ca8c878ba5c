/**
 * Draws plots as SVG with Observable Plot, in a document of linkedom. Reads plots by name as JSON
 * from standard input, and prints SVG by name as JSON.
 *
 * The two libraries are imported by a variable and not listed in `deno.json`, so that the lock file
 * does not list them: each start of a server downloads the packages that it lists.
 *
 * @module
 */

import type { Plot } from "./plots.ts";

const plotLibrary = "npm:@observablehq/plot@0.6.17";
const documentLibrary = "npm:linkedom@0.18.15";

/** The used part of Observable Plot. */
interface PlotLibrary {
  plot(options: Record<string, unknown>): Drawing;
  line(data: readonly unknown[], options: Record<string, unknown>): unknown;
  dot(data: readonly unknown[], options: Record<string, unknown>): unknown;
  text(data: readonly unknown[], options: Record<string, unknown>): unknown;
}

/** The used part of linkedom. */
interface DocumentLibrary {
  DOMParser: new () => { parseFromString(html: string, type: string): unknown };
}

interface Drawing {
  readonly outerHTML: string;
  setAttribute(name: string, value: string): void;
}

const colours: Record<string, string> = {
  blink: "#d62728",
  redis: "#1f77b4",
  "redis allkeys-lru": "#1f77b4",
  "redis allkeys-lfu": "#17becf",
  memcached: "#2ca02c",
  "exact LRU": "#7f7f7f",
  "W-TinyLFU": "#9467bd",
  GDSF: "#8c564b",
};

async function draw({ points, axes }: Plot): Promise<string> {
  const plotting: PlotLibrary = await import(plotLibrary);
  const { DOMParser }: DocumentLibrary = await import(documentLibrary);
  const html = "<!doctype html><html><body></body></html>";
  const document = new DOMParser().parseFromString(html, "text/html");
  const isXLog = !axes.xPercent && points.every(({ x }) => x > 0);
  const series = [...new Set(points.map((point) => point.series))];
  const endOf = (name: string) => points.findLast((point) => point.series === name)!.y;
  const highestFirst = series.toSorted((one, other) => endOf(other) - endOf(one));
  const svg = plotting.plot({
    document,
    width: 680,
    height: 380,
    marginLeft: 60,
    marginRight: 130,
    x: {
      type: isXLog ? "log" : "linear",
      label: axes.x,
      tickFormat: axes.xPercent ? "%" : "~s",
      grid: true,
    },
    y: {
      type: axes.isYLog ? "log" : "linear",
      label: `${axes.title} (${axes.y})`,
      tickFormat: axes.yPercent ? "%" : "~r",
      grid: true,
      zero: !axes.isYLog && !axes.yPercent,
    },
    color: { domain: series, range: series.map((name) => colours[name] ?? "#000") },
    marks: [
      plotting.line(points, { x: "x", y: "y", stroke: "series", z: "series" }),
      plotting.dot(points, { x: "x", y: "y", fill: "series" }),
      // A legend beside the lines' ends, in their order.
      ...highestFirst.map((name, place) =>
        plotting.text([name], {
          frameAnchor: "top-right",
          textAnchor: "start",
          fontSize: 12,
          dx: 12,
          dy: place * 18,
          fill: colours[name] ?? "#000",
        })
      ),
    ],
  });
  svg.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  return `${svg.outerHTML}\n`;
}

if (import.meta.main) {
  const plots: Record<string, Plot> = await new Response(Deno.stdin.readable).json();
  const drawn: Record<string, string> = {};
  for (const [name, plot] of Object.entries(plots)) drawn[name] = await draw(plot);
  console.log(JSON.stringify(drawn));
}
