/**
 * The copy itself: lists the source page by page, reads what is a string, and writes it to the
 * target. It holds at most one batch of entries at a time, whose values have `batchBytes` together;
 * a larger value is a batch of its own.
 *
 * What always holds: a page counts in the saved state only after all its keys have been dealt with.
 * So a copy that was cut anywhere may go on from that state; it copies some entries a second time,
 * and misses none that was there all along.
 *
 * @module
 */

import { type Counted, type Counts, noCounts, Tally } from "./counts.ts";
import {
  ConnectionLost,
  CopyError,
  type CopySource,
  type CopyTarget,
  type Entry,
  type IfPresent,
  type KeyPage,
  type WriteOutcome,
} from "./ports.ts";
import { type Clock, type Retry, retrying, systemClock } from "./retry.ts";

/** The values that hold where an option is left out. */
export const copyDefaults = {
  /** Keys that are listed, and entries that are read and written, at a time. */
  batchKeys: 1000,
  /** Bytes of the values that are read and written at a time. */
  batchBytes: 4 * 2 ** 20,
  /** How long a lost side is tried again, in milliseconds. */
  retryMs: 10_000,
  ifPresent: "overwrite",
} as const;

/** How often an entry is tried whose writing has lost the connection to a target that is there. */
export const lossesPerEntryMax = 3;

/** How often a copy begins again since one of its sides was started again. */
export const restartsMax = 10;

/** The cursor of the first page, and the one behind the last. */
const firstCursor = "0";

/** What a copy needs to know to go on later. */
export interface CopyState {
  /** Which run of the source the cursor belongs to. */
  readonly sourceIdentity: string | undefined;
  /** Which run of the target has the entries before it. */
  readonly targetIdentity: string | undefined;
  /** Where its next page begins. */
  readonly cursor: string;
  /** What became of the keys before. */
  readonly counts: Counts;
}

/** How far a copy is. */
export interface CopyProgress {
  readonly counts: Counts;
  /** How many keys the source had at the start; `undefined` where it does not say. */
  readonly size: number | undefined;
}

/** What to copy, and how. */
export interface CopyOptions {
  readonly source: CopySource;
  readonly target: CopyTarget;
  /** Copies only the keys that match this glob of Redis. */
  readonly match?: string;
  readonly ifPresent?: IfPresent;
  /** Counts, and neither reads values nor writes. */
  readonly dryRun?: boolean;
  readonly batchKeys?: number;
  readonly batchBytes?: number;
  readonly retryMs?: number;
  /** Goes on from here. */
  readonly resume?: CopyState;
  /** Called at the start and after each page, with what {@linkcode CopyOptions.resume} takes. */
  readonly save?: (state: CopyState) => Promise<void>;
  readonly onProgress?: (progress: CopyProgress) => void;
  /**
   * Called when the copy begins again, since a side was started again: a cursor of the source means
   * other keys then, and a target may have lost what it was given.
   */
  readonly onRestart?: (side: "source" | "target") => void;
  /** Ends the copy after the current batch. */
  readonly signal?: AbortSignal;
  readonly clock?: Clock;
}

/** How a copy ended. */
export interface CopyResult {
  readonly end: "done" | "interrupted" | "failed";
  /** Why it failed, in one line. */
  readonly reason?: string;
  readonly counts: Counts;
}

/**
 * Copies the string entries of a source to a target, each with its expiry.
 *
 * ```ts ignore
 * const { end, counts } = await copyEntries({ source, target });
 * ```
 */
export async function copyEntries(options: CopyOptions): Promise<CopyResult> {
  const copy = new Copy(options);
  try {
    const end = await copy.run();
    return { end, counts: copy.counts };
  } catch (error) {
    if (!(error instanceof ConnectionLost || error instanceof CopyError)) throw error;
    if (options.signal?.aborted) return { end: "interrupted", counts: copy.counts };
    return { end: "failed", reason: error.message, counts: copy.counts };
  }
}

/** A side was started again, so what was copied before does not count. */
class Restarted extends Error {
  override readonly name = "Restarted";

  constructor(readonly side: "source" | "target") {
    super(`The ${side} was started again`);
  }
}

/** One run of {@linkcode copyEntries}. */
class Copy {
  readonly #options: CopyOptions;
  readonly #source: CopySource;
  readonly #target: CopyTarget;
  readonly #batchKeys: number;
  readonly #batchBytes: number;
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  readonly #retry: Retry;
  #sourceIdentity: string | undefined;
  #targetIdentity: string | undefined;
  #size: number | undefined;
  /** The keys of the page under way count here first. */
  #tally: Tally;

  constructor(options: CopyOptions) {
    this.#options = options;
    this.#source = options.source;
    this.#target = options.target;
    this.#batchKeys = options.batchKeys ?? copyDefaults.batchKeys;
    this.#batchBytes = options.batchBytes ?? copyDefaults.batchBytes;
    this.#clock = options.clock ?? systemClock;
    this.#signal = options.signal ?? new AbortController().signal;
    this.#retry = {
      retryMs: options.retryMs ?? copyDefaults.retryMs,
      clock: this.#clock,
      signal: this.#signal,
    };
    this.#tally = new Tally(options.resume?.counts);
  }

  get counts(): Counts {
    return this.#tally.counts();
  }

  async run(): Promise<"done" | "interrupted"> {
    // A side that is not there at the start is more likely a wrong address than a short failure.
    this.#sourceIdentity = await this.#source.identity();
    this.#targetIdentity = await this.#target.identity();
    if (this.#sourceIdentity !== undefined && this.#sourceIdentity === this.#targetIdentity) {
      throw new CopyError("The source and the target are the same store");
    }
    let state = this.#resumed();
    for (let restarts = 0;; restarts++) {
      try {
        return await this.#pages(state);
      } catch (error) {
        if (!(error instanceof Restarted)) throw error;
        if (restarts === restartsMax) {
          throw new CopyError(`${error.message}, ${restarts + 1} times meanwhile`);
        }
        this.#options.onRestart?.(error.side);
        state = this.#stateAt(firstCursor, noCounts);
      }
    }
  }

  /** Where the copy begins. */
  #resumed(): CopyState {
    const { resume, onRestart } = this.#options;
    if (resume !== undefined) {
      const isSameSource = resume.sourceIdentity === this.#sourceIdentity;
      if (isSameSource && resume.targetIdentity === this.#targetIdentity) return resume;
      onRestart?.(isSameSource ? "target" : "source");
    }
    return this.#stateAt(firstCursor, noCounts);
  }

  #stateAt(cursor: string, counts: Counts): CopyState {
    return {
      sourceIdentity: this.#sourceIdentity,
      targetIdentity: this.#targetIdentity,
      cursor,
      counts,
    };
  }

  /** Copies page after page, from a state on. */
  async #pages({ cursor, counts }: CopyState): Promise<"done" | "interrupted"> {
    this.#tally = new Tally(counts);
    this.#size = await this.#fromSource(() => this.#source.size());
    await this.#save(cursor, counts);
    do {
      if (this.#signal.aborted) return "interrupted";
      const page = await this.#fromSource(() =>
        this.#source.scan(cursor, this.#options.match, this.#batchKeys)
      );
      if (await this.#page(page) === "interrupted") return "interrupted";
      cursor = page.cursor;
      if (cursor !== firstCursor) await this.#save(cursor, this.#tally.counts());
    } while (cursor !== firstCursor);
    return "done";
  }

  async #save(cursor: string, counts: Counts): Promise<void> {
    await this.#options.save?.(this.#stateAt(cursor, counts));
  }

  async #page({ keys }: KeyPage): Promise<"done" | "interrupted"> {
    // The source may return more keys than it was asked for.
    for (let at = 0; at < keys.length; at += this.#batchKeys) {
      const strings = await this.#stringsOf(keys.slice(at, at + this.#batchKeys));
      for (const batch of batchesOf(strings, this.#batchBytes)) {
        if (this.#signal.aborted) return "interrupted";
        await this.#batch(batch);
        this.#progress();
      }
      this.#progress();
    }
    return "done";
  }

  #progress() {
    this.#options.onProgress?.({ counts: this.#tally.counts(), size: this.#size });
  }

  /** Looks at each key; counts those that are no strings, and in a dry run all. */
  async #stringsOf(keys: readonly Uint8Array[]): Promise<Sized[]> {
    const facts = await this.#fromSource(() => this.#source.describe(keys));
    const strings: Sized[] = [];
    keys.forEach((key, index) => {
      const fact = facts[index];
      if (fact.kind !== "string") this.#tally.add(key, fact);
      else if (!this.#options.dryRun) strings.push({ key, valueBytes: fact.valueBytes });
      else this.#tally.add(key, { kind: "copied", bytes: key.length + fact.valueBytes });
    });
    return strings;
  }

  /** Reads some entries and writes those that are still there. */
  async #batch(keys: readonly Uint8Array[]): Promise<void> {
    const outcomes = await this.#fromSource(() => this.#source.read(keys));
    const entries: Entry[] = [];
    keys.forEach((key, index) => {
      const outcome = outcomes[index];
      if (outcome.kind !== "entry") this.#tally.add(key, outcome);
      else if (this.#hasExpired(outcome.entry)) this.#tally.add(key, { kind: "gone" });
      else entries.push(outcome.entry);
    });
    if (entries.length === 0) return;
    const written = await this.#write(entries);
    entries.forEach((entry, index) => this.#tally.add(entry.key, countedAs(entry, written[index])));
  }

  #hasExpired({ expiresAtMs }: Entry): boolean {
    return expiresAtMs !== undefined && expiresAtMs <= this.#clock.now();
  }

  /**
   * Writes entries. A target may close the connection because of one of them, such as a value that
   * is longer than it takes; so after two losses each is written alone, and only that one refused.
   */
  async #write(entries: readonly Entry[]): Promise<WriteOutcome[]> {
    for (let attempt = 0; attempt < 2; attempt++) {
      await retrying(this.#retry, () => this.#reachTarget());
      try {
        return await this.#target.write(entries, this.#ifPresent);
      } catch (error) {
        if (!(error instanceof ConnectionLost)) throw error;
      }
    }
    const outcomes: WriteOutcome[] = [];
    for (const entry of entries) outcomes.push(await this.#writeAlone(entry));
    return outcomes;
  }

  async #writeAlone(entry: Entry): Promise<WriteOutcome> {
    let losses = 0;
    return await retrying(this.#retry, async () => {
      await this.#reachTarget();
      if (losses === lossesPerEntryMax) {
        return { kind: "refused", reason: "the target closes the connection" };
      }
      losses++;
      const [outcome] = await this.#target.write([entry], this.#ifPresent);
      return outcome;
    });
  }

  /** Connects to the target where there is no connection. */
  async #reachTarget(): Promise<void> {
    const identity = await this.#target.identity();
    if (identity === this.#targetIdentity) return;
    this.#targetIdentity = identity;
    throw new Restarted("target");
  }

  get #ifPresent(): IfPresent {
    return this.#options.ifPresent ?? copyDefaults.ifPresent;
  }

  /** Runs a call of the source, again while it loses its connection to the same run of it. */
  async #fromSource<T>(call: () => Promise<T>): Promise<T> {
    return await retrying(this.#retry, call, async () => {
      const identity = await this.#source.identity();
      if (identity === this.#sourceIdentity) return;
      this.#sourceIdentity = identity;
      throw new Restarted("source");
    });
  }
}

/** A key of a string and the bytes of its value. */
interface Sized {
  readonly key: Uint8Array;
  readonly valueBytes: number;
}

/** Groups keys so that the values of a group have at most `bytesMax`, or it has one key. */
export function batchesOf(strings: readonly Sized[], bytesMax: number): Uint8Array[][] {
  const batches: Uint8Array[][] = [];
  let batch: Uint8Array[] = [];
  let bytes = 0;
  for (const { key, valueBytes } of strings) {
    if (batch.length > 0 && bytes + valueBytes > bytesMax) {
      batches.push(batch);
      batch = [];
      bytes = 0;
    }
    batch.push(key);
    bytes += valueBytes;
  }
  if (batch.length > 0) batches.push(batch);
  return batches;
}

function countedAs({ key, value }: Entry, outcome: WriteOutcome): Counted {
  return outcome.kind === "written"
    ? { kind: "copied", bytes: key.length + value.length }
    : outcome;
}
