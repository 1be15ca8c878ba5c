/**
 * Draws plots as SVG with Observable Plot, in a document of linkedom. Reads plots by name as JSON
 * from standard input, and prints SVG by name as JSON.
 *
 * The two libraries are imported by a variable and not listed in `deno.json`, so that the lock file
 * does not list them: each start of a server downloads the packages that it lists.
 *
 * @module
 */

import type { Axes, Plot, Point } from "./plots.ts";

const plotLibrary = "npm:@observablehq/plot@0.6.17";
const documentLibrary = "npm:linkedom@0.18.15";

/** The used part of Observable Plot. */
interface PlotLibrary {
  plot(options: Record<string, unknown>): Drawing;
  line(data: readonly unknown[], options: Record<string, unknown>): unknown;
  dot(data: readonly unknown[], options: Record<string, unknown>): unknown;
  gridX(ticks: readonly number[]): unknown;
  gridY(ticks: readonly number[]): unknown;
  axisX(ticks: readonly number[], options: Record<string, unknown>): unknown;
  axisY(ticks: readonly number[], options: Record<string, unknown>): unknown;
}

/** The used part of linkedom. */
interface DocumentLibrary {
  DOMParser: new () => { parseFromString(html: string, type: string): unknown };
}

interface Drawing {
  readonly outerHTML: string;
  setAttribute(name: string, value: string): void;
  /** The scale of an axis, from a value to pixels. */
  scale(axis: "x" | "y"): { apply(value: number): number };
}

/** Of middling lightness, so that they can be read on white and on black. */
const colours: Record<string, string> = {
  blink: "#e5484d",
  "blink, 2 threads": "#d4710a",
  "blink portable": "#c2559d",
  "blink, Redis wire": "#9a8c00",
  redis: "#3b82f6",
  "redis allkeys-lru": "#3b82f6",
  "redis allkeys-lfu": "#1f93a8",
  memcached: "#2e9e4f",
  pogocache: "#8b63e6",
  "pogocache, 2 threads": "#7a7fd0",
  "W-TinyLFU": "#8b63e6",
  GDSF: "#b0762f",
};
const otherColour = "#7d8590";
/** Other forms of a server that has a line of its own. */
const dashed = ["blink, 2 threads", "blink portable", "blink, Redis wire", "pogocache, 2 threads"];

const size = { width: 720, height: 400, marginTop: 52, marginRight: 168, marginBottom: 44 };
const labelHeight = 16;

/** In an image the colour of the page does not apply, so the picture has its own for either. */
const style = `<style>
  svg { color: #6b737c; font-family: system-ui, sans-serif; }
  @media (prefers-color-scheme: dark) { svg { color: #8b949e; } }
</style>`;

async function draw({ points, axes }: Plot): Promise<string> {
  const plotting: PlotLibrary = await import(plotLibrary);
  const { DOMParser }: DocumentLibrary = await import(documentLibrary);
  const html = "<!doctype html><html><body></body></html>";
  const document = new DOMParser().parseFromString(html, "text/html");
  const xs = [...new Set(points.map(({ x }) => x))].sort((a, b) => a - b);
  const series = [...new Set(points.map((point) => point.series))];
  const y = yDomain(points.map((point) => point.y), axes);
  const xTicks = apart(xs, axes.isXLog ?? false);
  const yTicks = axes.isYLog ? logTicks(y) : linearTicks(y);
  const svg = plotting.plot({
    document,
    ...size,
    marginLeft: 56,
    style: { fontSize: "12px", background: "none" },
    x: {
      type: axes.isXLog ? "log" : "linear",
      domain: [xs[0], xs.at(-1)],
      label: null,
      axis: null,
    },
    y: {
      type: axes.isYLog ? "log" : "linear",
      domain: y,
      label: null,
      axis: null,
    },
    marks: [
      plotting.gridX(xTicks),
      plotting.gridY(yTicks),
      // With texts of our own, since a logarithmic axis leaves some of its own out.
      plotting.axisX(xTicks, { text: xTicks.map(axes.xPercent ? percent : short) }),
      plotting.axisY(yTicks, { text: yTicks.map(axes.yPercent ? percent : short) }),
      ...series.flatMap((name) => {
        const own = points.filter((point) => point.series === name);
        const colour = colours[name] ?? otherColour;
        const strokeDasharray = dashed.includes(name) ? "5 3" : undefined;
        return [
          plotting.line(own, { x: "x", y: "y", stroke: colour, strokeWidth: 2, strokeDasharray }),
          plotting.dot(own, { x: "x", y: "y", fill: colour, r: 2.5 }),
        ];
      }),
    ],
  });
  svg.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  const right = size.width - size.marginRight;
  const texts = [
    text(axes.title, { x: 8, y: 18, style: 'font-size="14" font-weight="600"' }),
    text(axes.y, { x: 8, y: 40 }),
    text(axes.x, { x: right, y: size.height - 8, style: 'text-anchor="end"' }),
  ];
  const drawn = `${style}${texts.join("")}${labels(points, series, svg)}</svg>`;
  return `${svg.outerHTML.replace(/<\/svg>$/, () => drawn)}\n`;
}

/** From the least to the most with a small margin; from zero where the axis counts something. */
function yDomain(values: readonly number[], { isYLog, yPercent }: Axes): [number, number] {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  if (isYLog) return [least / 1.1, most * 1.1];
  return [yPercent ? least * 0.95 : 0, most * 1.03];
}

/** A number of at most four digits. */
function short(value: number): string {
  if (value >= 1e6) return `${Number((value / 1e6).toPrecision(3))}M`;
  if (value >= 10_000) return `${Number((value / 1000).toPrecision(3))}k`;
  return `${Number(value.toPrecision(4))}`;
}

function percent(share: number): string {
  return `${Number((share * 100).toPrecision(2))} %`;
}

/** 1, 2, 5, 10, 20 … within a domain; only powers of ten where it is long. */
function logTicks([from, to]: readonly [number, number]): number[] {
  const digits = Math.log10(to / from) > 3 ? [1] : [1, 2, 5];
  const powers = Array.from({ length: 16 }, (_, power) => power - 8);
  return powers.flatMap((power) => digits.map((digit) => Number(`${digit}e${power}`)))
    .filter((tick) => tick >= from && tick <= to);
}

/** Some six round numbers within a domain. */
function linearTicks([from, to]: readonly [number, number]): number[] {
  const power = 10 ** Math.floor(Math.log10((to - from) / 6));
  const step = [1, 2, 2.5, 5, 10].map((digit) => digit * power)
    .find((size) => (to - from) / size <= 7)!;
  const first = Math.ceil(from / step);
  const count = Math.floor(to / step) - first + 1;
  return Array.from({ length: count }, (_, index) => (first + index) * step);
}

/** The values that have space for a tick each. */
function apart(values: readonly number[], isLog: boolean): number[] {
  const place = (value: number) => isLog ? Math.log(value) : value;
  const space = (place(values.at(-1)!) - place(values[0])) / 16;
  const kept: number[] = [];
  for (const value of values.toReversed()) {
    if (kept.length === 0 || place(kept.at(-1)!) - place(value) >= space) kept.push(value);
  }
  return kept.reverse();
}

/** The name of each series beside the end of its line, moved where they would overlap. */
function labels(points: readonly Point[], series: readonly string[], svg: Drawing): string {
  const ends = series.map((name) => {
    const { x, y } = points.findLast((point) => point.series === name)!;
    return { name, x: svg.scale("x").apply(x), y: svg.scale("y").apply(y) };
  }).sort((one, other) => one.y - other.y);
  const places = spread(ends.map(({ y }) => y));
  const x = size.width - size.marginRight + 18;
  return ends.map(({ name, ...end }, index) => {
    const colour = colours[name] ?? otherColour;
    const y = places[index];
    return `<path d="M${round(end.x + 4)},${round(end.y)}L${x - 3},${round(y)}" ` +
      `stroke="${colour}" stroke-opacity="0.6" fill="none"/>` +
      text(name, { x, y, style: `dy="0.35em" fill="${colour}"` });
  }).join("");
}

/** Moves ascending places apart by a label's height, each as little as it takes. */
function spread(wanted: readonly number[]): number[] {
  // Groups of touching labels are centred on what they want, within the plot.
  const groups: { sum: number; count: number }[] = [];
  const top = ({ sum, count }: { sum: number; count: number }) => {
    const height = (count - 1) * labelHeight;
    const lowest = size.height - size.marginBottom - height;
    return Math.max(size.marginTop, Math.min(lowest, sum / count - height / 2));
  };
  for (const place of wanted) {
    let group = { sum: place, count: 1 };
    for (;;) {
      const above = groups.at(-1);
      if (above === undefined || top(above) + above.count * labelHeight <= top(group)) break;
      groups.pop();
      group = { sum: above.sum + group.sum, count: above.count + group.count };
    }
    groups.push(group);
  }
  return groups.flatMap((group) =>
    Array.from({ length: group.count }, (_, index) => top(group) + index * labelHeight)
  );
}

/** A text that begins at a place, in the colour of the page's text, unless `style` differs. */
function text(content: string, { x, y, style = "" }: { x: number; y: number; style?: string }) {
  const fill = style.includes("fill=") ? "" : ' fill="currentColor"';
  const anchor = style.includes("text-anchor=") ? "" : ' text-anchor="start"';
  return `<text x="${x}" y="${round(y)}"${fill}${anchor} ${style}>${escaped(content)}</text>`;
}

function round(pixels: number): string {
  return pixels.toFixed(1);
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}

if (import.meta.main) {
  const plots: Record<string, Plot> = await new Response(Deno.stdin.readable).json();
  const drawn: Record<string, string> = {};
  for (const [name, plot] of Object.entries(plots)) drawn[name] = await draw(plot);
  console.log(JSON.stringify(drawn));
}
