/**
 * `blink-store data`: verifies a data file, writes its entries as lines of JSON to standard output,
 * and loads such lines from standard input into a file or into a running server.
 *
 * @module
 */

// @ts-types="../types/std.d.ts"
import { TextLineStream } from "@std/streams/text-line-stream";
import { RedisTarget } from "../copy/mod.ts";
import {
  checkFile,
  dumpFile,
  entriesOfLines,
  type Entry,
  type EntryCounts,
  loadFile,
  writeInBatches,
} from "../journal/mod.ts";
import { showHelp } from "./help.ts";
import { dataCommand } from "./options/data.ts";
import { parse, type Values } from "./parse.ts";
import { ProgressLine } from "./progress_line.ts";
import { readToken } from "./token.ts";
import { UsageError } from "./usage_error.ts";
import { showAddress, showBytes } from "./values.ts";

/** What is sent to a server at a time. */
const serverLimits = { entriesMax: 1_000, bytesMax: 8 * 1024 * 1024 } as const;

const actions = ["check", "dump", "load"] as const;

type DataValues = Values<typeof dataCommand.options>;

/** Runs an action; resolves with the exit status. */
export async function run(args: readonly string[]): Promise<number> {
  const { values, words, help } = parse(dataCommand.options, args);
  if (help) return showHelp(dataCommand);
  const [action, file, ...more] = words;
  if (action === undefined) throw new UsageError("what to do? give check, dump or load");
  if (!isAction(action)) {
    throw new UsageError(`unknown action ${action}`, action, actions);
  }
  if (more.length > 0) throw new UsageError(`unexpected word "${more[0]}"`);
  if (action !== "load" && values.to !== undefined) {
    throw new UsageError(`--to is for load, not for ${action}`);
  }
  if ((file === undefined) === (values.to === undefined)) {
    throw new UsageError(
      action === "load" ? "load into which? give FILE or --to HOST:PORT" : "which file?",
    );
  }
  const progress = new Progress();
  switch (action) {
    case "check":
      return check(file, progress);
    case "dump":
      return await dump(file, progress);
    case "load":
      return await load(file, values, progress);
  }
}

function isAction(word: string): word is typeof actions[number] {
  return (actions as readonly string[]).includes(word);
}

function check(file: string, progress: Progress): number {
  const { entries, expired, journal } = progress.ending(() => checkFile(file, progress.show));
  const notes = [count(entries, "entry", "entries")];
  if (expired > 0) notes.push(`${expired} more that have expired`);
  if (journal > 0) notes.push(`${count(journal, "change", "changes")} in its journal`);
  console.log(`${file} is sound: ${notes.join(", ")}, ${showBytes(Deno.statSync(file).size)}`);
  return 0;
}

async function dump(file: string, progress: Progress): Promise<number> {
  const writer = Deno.stdout.writable.getWriter();
  const encoder = new TextEncoder();
  try {
    const result = await dumpFile(
      file,
      (lines) => writer.write(encoder.encode(lines)),
      progress.show,
    );
    progress.end("Dumped", result);
  } catch (error) {
    // Whoever reads has enough, as with `| head`.
    if (error instanceof Deno.errors.BrokenPipe || /Broken pipe/.test(String(error))) return 0;
    throw error;
  } finally {
    progress.clear();
  }
  return 0;
}

async function load(
  file: string | undefined,
  values: DataValues,
  progress: Progress,
): Promise<number> {
  const lines = Deno.stdin.readable
    .pipeThrough(new TextDecoderStream())
    .pipeThrough(new TextLineStream());
  const entries = entriesOfLines(lines);
  try {
    const result = file === undefined
      ? await loadIntoServer(values, entries, progress)
      : await loadFile(file, entries, progress.show);
    progress.end("Loaded", result);
    return 0;
  } catch (error) {
    progress.clear();
    const reason = error instanceof Error ? error.message : String(error);
    console.error(`blink-store data: ${reason}; ${progress.count} entries were loaded before`);
    return 1;
  }
}

/** Puts entries into a running server, many at a time. */
async function loadIntoServer(
  { to, "token-file": tokenFile }: DataValues,
  entries: AsyncIterable<Entry>,
  progress: Progress,
): Promise<EntryCounts> {
  using target = new RedisTarget({
    at: to!,
    tls: false,
    password: await readToken(tokenFile),
    database: 0,
    shown: showAddress(to!),
  });
  await target.identity();
  let loaded = 0;
  return await writeInBatches(entries, serverLimits, async (batch) => {
    const outcomes = await target.write(batch.map(targetEntry), "overwrite");
    for (const { kind } of outcomes) if (kind !== "refused") loaded++;
    progress.show(loaded);
    const refused = outcomes.find((outcome) => outcome.kind === "refused");
    if (refused !== undefined) throw new Error(refused.reason);
  });
}

function targetEntry({ key, value, expiresAt }: Entry) {
  return { key, value, expiresAtMs: expiresAt === 0 ? undefined : expiresAt };
}

function count(number: number, one: string, many: string): string {
  return `${number} ${number === 1 ? one : many}`;
}

/** Shows how far it is, on a terminal, once it takes long; and what was done, at the end. */
class Progress {
  count = 0;
  readonly #startMs = performance.now();
  readonly #line = new ProgressLine({ quietMs: 1_000, drawMs: 200 });

  /** Takes a number of entries. */
  readonly show = (entries: number): void => {
    this.count = entries;
    this.#line.show(() => `${entries} entries`);
  };

  /** Removes the progress. */
  clear(): void {
    this.#line.clear();
  }

  /** Runs work, and removes the progress at its end. */
  ending<Result>(work: () => Result): Result {
    try {
      return work();
    } finally {
      this.clear();
    }
  }

  /** Says what was done. */
  end(done: string, { entries, expired }: EntryCounts): void {
    this.clear();
    const seconds = ((performance.now() - this.#startMs) / 1000).toFixed(1);
    const note = expired > 0 ? `; ${expired} had expired and were left out` : "";
    console.error(`${done} ${count(entries, "entry", "entries")} in ${seconds} s${note}`);
  }
}
