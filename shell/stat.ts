/**
 * `--stat`: a line a second on what the server does, from INFO: requests a second, how many GETs
 * found their key, memory held, connections, and the requests of the last seconds as bars. Its own
 * requests are not counted. A lost server is told once, and watched again when it is back.
 *
 * @module
 */
import { type Colours, coloursFor } from "./colours.ts";
import { escapeText } from "./escape.ts";
import { humanBytes, humanCount, humanShare, sparkLine } from "./human.ts";
import { type ClientOptions, exitStatus, type OutputFormat, type ShellIo } from "./options.ts";
import { parseReply } from "../client.ts";
import { pause, requestTimeoutMs } from "./timing.ts";
import { failureText, leave } from "./trouble.ts";

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

/** The sample in an INFO reply; undefined when the reply is none. */
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

/** A number inside nested objects; 0 where a server does not tell it. */
function figure(info: unknown, ...path: string[]): number {
  let found = info;
  for (const name of path) found = (found as Record<string, unknown> | undefined)?.[name];
  return typeof found === "number" ? found : 0;
}

/** What happened from one sample to the next. A server that started anew counts from zero. */
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
        if (!io.output.isTerminal) return await failed(failureText(error), io);
        if (earlier) await failed(failureText(error), io);
        earlier = undefined;
      }
      await pause(intervalMs, end);
    }
  } finally {
    await leave(store);
  }
  return exitStatus.fine;
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

/** A line for people, without the bars. */
export function peopleColumns({ requestsPerSecond, hits, misses, sample }: StatLine): string {
  return columns([
    humanCount(requestsPerSecond),
    humanShare(hits, hits + misses),
    humanBytes(sample.dataBytes),
    humanBytes(sample.limitBytes),
    humanCount(sample.entries),
    humanCount(sample.clients),
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
        return this.#peopleText(line);
    }
  }

  #peopleText(line: StatLine): string {
    const headed = this.#lines % (this.#io.output.isTerminal ? linesPerHeading : Infinity) === 0;
    const heading = headed ? this.#colours.dim(columns(headings)) + "\n" : "";
    const text = peopleColumns(line);
    if (!this.#io.output.isTerminal) return heading + text;
    this.#rates = [...this.#rates, line.requestsPerSecond].slice(-barsMax);
    const room = Math.max(0, this.#io.output.columns() - text.length - 3);
    const bars = sparkLine(this.#rates.slice(-Math.min(barsMax, room) || this.#rates.length));
    return heading + text + (room > 0 ? "  " + this.#colours.cyan(bars) : "");
  }
}
