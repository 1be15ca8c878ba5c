/**
 * `--latency`: measures the round trip of a PING, one at a time. On a terminal a live line shows the
 * figures so far; at the end, by Ctrl-C or after `-r N` samples, it prints a summary.
 *
 * @module
 */
import { Histogram } from "../loadgen/mod.ts";
import { escapeText } from "./escape.ts";
import { formatCount, formatMilliseconds } from "./units.ts";
import { type ClientOptions, exitStatus, type ShellIo, type ShellStore } from "./options.ts";
import { pause, requestTimeoutMs } from "./timing.ts";
import { closeStore, fatalErrorText } from "./errors.ts";

/** Pause between two samples, in seconds. */
export const latencyIntervalSeconds = 0.01;
/** Samples where the output is no terminal. */
export const latencySamplesPiped = 100;
/** How often the live line is redrawn, in milliseconds. */
const drawIntervalMs = 100;

/** Measures; resolves with the exit status. */
export async function runLatency(options: ClientOptions, io: ShellIo): Promise<number> {
  const store = await options.connect();
  const histogram = new Histogram();
  try {
    const failure = await measure(store, histogram, options, io);
    if (io.output.isTerminal) await io.output.write("\r\x1b[K");
    if (histogram.count > 0) await io.output.write(summaryOf(histogram, options.output) + "\n");
    if (failure === undefined) return exitStatus.ok;
    await io.errors.write(escapeText(failure) + "\n");
    return exitStatus.failed;
  } finally {
    await closeStore(store);
  }
}

/** Takes samples until the end; returns the failure that stopped it, if one did. */
async function measure(
  store: ShellStore,
  histogram: Histogram,
  options: ClientOptions,
  io: ShellIo,
): Promise<string | undefined> {
  const end = io.interrupted();
  const samples = options.repeat ?? (io.output.isTerminal ? Infinity : latencySamplesPiped);
  const pauseMs = (options.intervalSeconds ?? latencyIntervalSeconds) * 1000;
  let request = "PING";
  let drawnAt = -Infinity;
  try {
    for (let sample = 0; sample < samples && !end.aborted; sample++) {
      if (sample > 0) await pause(pauseMs, end);
      const sentAt = performance.now();
      const reply = await store.request(request, { signal: end, timeoutMs: requestTimeoutMs });
      const now = performance.now();
      if (reply.startsWith("ERROR")) {
        // A server of the protocol's first part only does not know PING.
        if (request === "USAGE" || histogram.count > 0) return reply;
        request = "USAGE";
        continue;
      }
      histogram.record((now - sentAt) * 1000);
      if (io.output.isTerminal && now - drawnAt >= drawIntervalMs) {
        drawnAt = now;
        await io.output.write("\r" + liveLine(histogram, io.output.columns()) + "\x1b[K");
      }
    }
  } catch (error) {
    if (!end.aborted) return fatalErrorText(error);
  }
}

function figures(histogram: Histogram): [name: string, milliseconds: number][] {
  return [
    ["min", histogram.minMs],
    ["avg", histogram.meanMs],
    ["p50", histogram.percentileMs(0.5)],
    ["p99", histogram.percentileMs(0.99)],
    ["max", histogram.maxMs],
  ];
}

function terminalLine(histogram: Histogram): string {
  const parts = figures(histogram).map(([name, value]) => `${name} ${formatMilliseconds(value)}`);
  return `${parts.join("  ")}  (${formatCount(histogram.count)} round trips)`;
}

function liveLine(histogram: Histogram, columns: number): string {
  return terminalLine(histogram).slice(0, columns - 1);
}

function summaryOf(histogram: Histogram, output: ClientOptions["output"] = "text"): string {
  const exact = figures(histogram).map(([name, value]) =>
    [`${name}Ms`, Number(value.toFixed(3))] as const
  );
  const all = [["samples", histogram.count] as const, ...exact];
  switch (output) {
    case "json":
      return JSON.stringify(Object.fromEntries(all));
    case "csv":
      return all.map(([name]) => name).join(",") + "\n" + all.map(([, value]) => value).join(",");
    case "text":
      return terminalLine(histogram);
  }
}
