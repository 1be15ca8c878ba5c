/**
 * `--stat`: prints a line a second about the server, from INFO: requests a second, the hit ratio,
 * memory, connections, and the requests of the last seconds as bars. It does not count its own
 * requests. It reports a lost server once, and goes on when the server is back.
 *
 * @module
 */
import { type Colours, coloursFor } from "./colours.ts";
import { escapeText } from "./escape.ts";
import { formatBytes, formatCount, formatPercent, sparkline } from "./units.ts";
import { type ClientOptions, exitStatus, type OutputFormat, type ShellIo } from "./options.ts";
import { parseReply } from "../client.ts";
import { pause, requestTimeoutMs } from "./timing.ts";
import { closeStore, fatalErrorText } from "./errors.ts";

/** Pause between two lines, in seconds. */
export const statIntervalSeconds = 1;
/** Bars at the end of a line. */
const barsMax = 24;
/** Lines after which the heading is printed again. */
const linesPerHeading = 20;

/** The figures of INFO that the lines are made of; they count from the start of the server. */
export interface Sample {
  /** When it was taken, in milliseconds on a clock that does not jump. */
  readonly atMs: number;
  readonly requests: number;
  readonly hits: number;
  readonly misses: number;
  readonly dataBytes: number;
  readonly limitBytes: number;
  readonly entries: number;
  readonly clients: number;
}

/** What happened between two samples. */
export interface StatLine {
  readonly requestsPerSecond: number;
  readonly hits: number;
  readonly misses: number;
  readonly sample: Sample;
}

/** The sample in an INFO reply; undefined for any other reply. */
export function sampleFrom(reply: string, atMs: number): Sample | undefined {
  const parsed = parseReply(reply);
  if (parsed.kind !== "INFO") return undefined;
  const info: unknown = JSON.parse(parsed.json);
  return {
    atMs,
    requests: figure(info, "requests", "total"),
    hits: figure(info, "hits"),
    misses: figure(info, "misses"),
    dataBytes: figure(info, "bytes", "data"),
    limitBytes: figure(info, "limit"),
    entries: figure(info, "entries"),
    clients: figure(info, "connections", "now"),
  };
}

/** A number inside nested objects; 0 where the server does not report it. */
function figure(info: unknown, ...path: string[]): number {
  let found = info;
  for (const name of path) found = (found as Record<string, unknown> | undefined)?.[name];
  return typeof found === "number" ? found : 0;
}

/** What happened from one sample to the next. After a restart the server counts from zero. */
export function between(earlier: Sample, later: Sample): StatLine {
  const restarted = later.requests < earlier.requests;
  const base = restarted ? { requests: 0, hits: 0, misses: 0 } : earlier;
  const seconds = Math.max(0.001, (later.atMs - earlier.atMs) / 1000);
  // One request of the difference is the INFO that fetched the earlier sample.
  const requests = Math.max(0, later.requests - base.requests - 1);
  return {
    requestsPerSecond: Math.round(requests / seconds),
    hits: later.hits - base.hits,
    misses: later.misses - base.misses,
    sample: later,
  };
}

/** Watches the server; resolves with the exit status. */
export async function runStat(options: ClientOptions, io: ShellIo): Promise<number> {
  const store = await options.connect();
  const end = io.interrupted();
  const printer = new StatPrinter(options.output ?? "text", io);
  const intervalMs = (options.intervalSeconds ?? statIntervalSeconds) * 1000;
  let earlier: Sample | undefined;
  try {
    for (let lines = 0; lines < (options.repeat ?? Infinity) && !end.aborted;) {
      try {
        const reply = await store.request("INFO", { signal: end, timeoutMs: requestTimeoutMs });
        const sample = sampleFrom(reply, performance.now());
        if (!sample) return await failed(reply, io);
        if (earlier) {
          await printer.print(between(earlier, sample));
          lines++;
          if (lines >= (options.repeat ?? Infinity)) break;
        }
        earlier = sample;
      } catch (error) {
        if (end.aborted) break;
        if (!io.output.isTerminal) return await failed(fatalErrorText(error), io);
        if (earlier) await failed(fatalErrorText(error), io);
        earlier = undefined;
      }
      await pause(intervalMs, end);
    }
  } finally {
    await closeStore(store);
  }
  return exitStatus.ok;
}

async function failed(message: string, io: ShellIo): Promise<number> {
  await io.errors.write(escapeText(message) + "\n");
  return exitStatus.failed;
}

const headings = ["requests/s", "hit ratio", "memory", "limit", "entries", "clients"];
const columnWidth = 11;

function columns(texts: readonly string[]): string {
  return texts.map((text) => text.padStart(columnWidth)).join("");
}

/** A line for a terminal, without the bars. */
export function terminalColumns({ requestsPerSecond, hits, misses, sample }: StatLine): string {
  return columns([
    formatCount(requestsPerSecond),
    formatPercent(hits, hits + misses),
    formatBytes(sample.dataBytes),
    formatBytes(sample.limitBytes),
    formatCount(sample.entries),
    formatCount(sample.clients),
  ]);
}

/** A line as data: the names are those of the JSON members and of the CSV heading. */
export function statData(line: StatLine): Record<string, number | null> {
  const asked = line.hits + line.misses;
  return {
    requestsPerSecond: line.requestsPerSecond,
    hitRatio: asked > 0 ? Number((line.hits / asked).toFixed(4)) : null,
    dataBytes: line.sample.dataBytes,
    limitBytes: line.sample.limitBytes,
    entries: line.sample.entries,
    clients: line.sample.clients,
  };
}

/** Prints the lines in one output format, with a heading where the format has one. */
class StatPrinter {
  readonly #output: OutputFormat;
  readonly #io: ShellIo;
  readonly #colours: Colours;
  #lines = 0;
  #rates: number[] = [];

  constructor(output: OutputFormat, io: ShellIo) {
    this.#output = output;
    this.#io = io;
    this.#colours = coloursFor(io.output, io);
  }

  async print(line: StatLine) {
    await this.#io.output.write(this.#text(line) + "\n");
    this.#lines++;
  }

  #text(line: StatLine): string {
    switch (this.#output) {
      case "json":
        return JSON.stringify(statData(line));
      case "csv": {
        const data = statData(line);
        const row = Object.values(data).map((value) => value ?? "").join(",");
        return this.#lines === 0 ? `${Object.keys(data).join(",")}\n${row}` : row;
      }
      case "text":
        return this.#terminalText(line);
    }
  }

  #terminalText(line: StatLine): string {
    const headed = this.#lines % (this.#io.output.isTerminal ? linesPerHeading : Infinity) === 0;
    const heading = headed ? this.#colours.dim(columns(headings)) + "\n" : "";
    const text = terminalColumns(line);
    if (!this.#io.output.isTerminal) return heading + text;
    this.#rates = [...this.#rates, line.requestsPerSecond].slice(-barsMax);
    const free = Math.max(0, this.#io.output.columns() - text.length - 3);
    const bars = sparkline(this.#rates.slice(-Math.min(barsMax, free) || this.#rates.length));
    return heading + text + (free > 0 ? "  " + this.#colours.cyan(bars) : "");
  }
}
