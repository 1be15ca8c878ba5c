/**
 * Renders a bench as text for people: a progress bar while it runs, then its figures and a small
 * histogram. Pure functions; the caller prints.
 *
 * @module
 */

import type { BenchProgress, BenchResult } from "./load.ts";

const barColumns = 30;
const eighths = " ▏▎▍▌▋▊▉█";

/** The progress of a bench in one line of at most 79 columns, without a line break. */
export function renderProgress({ phase, share, requests, seconds }: BenchProgress): string {
  const rate = seconds > 0 ? requests / seconds : 0;
  const percent = `${Math.floor(share * 100)} %`.padStart(5);
  return `${phase === "fill" ? "filling" : "running"} ${bar(share).padEnd(barColumns)} ${percent}` +
    `  ${showNumber(rate)} requests/s`;
}

/** A result in several lines, without a line break at the end. */
export function renderResult(result: BenchResult): string {
  const { latencyMs, requestsPerSecond, requests, seconds, hits, misses, errors } = result;
  const lines = [
    `${showCount(requests, "request")} in ${seconds.toFixed(2)} s: ` +
    `${showCount(result.connections, "connection")}, ${result.pipeline} in flight on each, ` +
    `${showNumber(result.valueBytes)}-byte values`,
    "",
    `throughput  ${showNumber(requestsPerSecond)} requests/s`,
    `latency     p50 ${showMs(latencyMs.p50)}  p99 ${showMs(latencyMs.p99)}  ` +
    `p99.9 ${showMs(latencyMs.p999)}  max ${showMs(latencyMs.max)}`,
  ];
  if (hits + misses > 0) {
    const found = hits / (hits + misses) * 100;
    lines.push(`found       ${found.toFixed(1)} % of ${showNumber(hits + misses)}`);
  }
  if (errors > 0) lines.push(`errors      ${showNumber(errors)}, the first: ${result.firstError}`);
  lines.push("", ...renderHistogram(result));
  return lines.join("\n");
}

function renderHistogram({ histogram, requests }: BenchResult): string[] {
  return histogram.map(({ fromMs, toMs, count }) => {
    const share = count / Math.max(1, requests);
    const range = `${showMs(fromMs)} – ${showMs(toMs)}`.padStart(21);
    return `${range} ${(share * 100).toFixed(2).padStart(6)} %  ${bar(share)}`.trimEnd();
  });
}

function bar(share: number): string {
  const units = Math.round(Math.min(1, Math.max(0, share)) * barColumns * 8);
  const rest = units % 8;
  return eighths[8].repeat(Math.floor(units / 8)) + (rest > 0 ? eighths[rest] : "");
}

/** A duration with its unit, in three significant digits where it has fractions. */
function showMs(ms: number): string {
  if (ms >= 1000) return `${(ms / 1000).toFixed(2)} s`;
  if (ms >= 100) return `${ms.toFixed(0)} ms`;
  if (ms >= 1) return `${ms.toFixed(ms >= 10 ? 1 : 2)} ms`;
  return `${(ms * 1000).toFixed(0)} µs`;
}

function showCount(count: number, noun: string): string {
  return `${showNumber(count)} ${noun}${count === 1 ? "" : "s"}`;
}

/** A number, rounded and grouped by commas. */
function showNumber(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}
