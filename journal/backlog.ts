/**
 * The changes that are in the journal of the data file, and not in its table yet.
 *
 * Once there are many, a *run* brings those that there are to the table: only the last change of
 * each key, in the order of the keys, so that a page of the file is written once for all its keys.
 * A run goes in steps, so that no commit takes long. While it is under way the table is not the
 * state of one moment, but the table and the journal together are: the journal keeps a run's changes
 * until the run has ended.
 *
 * @module
 */

import type { Changes } from "./changes.ts";
import type { Database } from "./database.ts";
import { changesMax, LatestChanges } from "./latest_changes.ts";

/** When a run begins, and how much it can have. */
export interface RunLimits {
  /** The most changes of a run; one commit can have as many. */
  readonly most: number;
  /**
   * There are so many changes, or so many bytes of them: the more, the fewer pages are written for
   * each, and the more memory they take.
   */
  readonly changes: number;
  readonly bytes: number;
  /** The first change is so old, in milliseconds; where there are few, they are not many pages. */
  readonly ageMs: number;
  readonly few: number;
  readonly fewAgeMs: number;
}

const runLimits: RunLimits = {
  most: changesMax,
  changes: 131_072,
  bytes: 16 * 1024 * 1024,
  ageMs: 4_000,
  few: 5_000,
  fewAgeMs: 1_000,
};

/** Changes on their way from the journal to the table. */
export class Backlog {
  readonly #database: Database;
  readonly #limits: RunLimits;
  /** In their order; the first `#runBatches` of them are the run's. */
  #list: Changes[] = [];
  #runBatches = 0;
  /** The row of the journal that was appended last, and the last one of the run. */
  #lastRow = 0;
  #runRow = 0;
  /** What has come since the last run began, its bytes, and when the first of it came. */
  #next = new LatestChanges();
  #nextBytes = 0;
  #nextSinceMs = 0;
  /** What the run does, how much that is, and how much of it is done. */
  #run: LatestChanges | undefined;
  #tasks = 0;
  #done = 0;
  #beganMs = 0;

  constructor(database: Database, limits: RunLimits = runLimits) {
    this.#database = database;
    this.#limits = limits;
  }

  /** All changes that may not be in the table, in their order. */
  get changes(): readonly Changes[] {
    return this.#list;
  }

  /** Whether everything is in the table. */
  get isEmpty(): boolean {
    return this.#list.length === 0;
  }

  /** Whether a run is under way. */
  get isRunning(): boolean {
    return this.#run !== undefined;
  }

  /** Whether there is so much, or for so long, that a run must begin. */
  get isDue(): boolean {
    if (this.isRunning || this.isEmpty) return false;
    const { changes, bytes, ageMs, few, fewAgeMs } = this.#limits;
    const { count } = this.#next;
    if (count >= changes || this.#nextBytes >= bytes) return true;
    return performance.now() - this.#nextSinceMs >= (count <= few ? fewAgeMs : ageMs);
  }

  /** Whether there is room for more changes; if not, all must be brought to the table at once. */
  hasRoomFor(list: readonly Changes[]): boolean {
    const count = list.reduce((sum, { offsets }) => sum + offsets.length, 0);
    return this.#next.count + count <= this.#limits.most;
  }

  /** Tasks that the run is behind: it must end in half the time until the next one has to begin. */
  get behind(): number {
    if (!this.isRunning) return 0;
    const { changes, bytes, ageMs } = this.#limits;
    const runMs = performance.now() - this.#beganMs;
    const share = 2 * Math.max(this.#next.count / changes, this.#nextBytes / bytes, runMs / ageMs);
    return Math.max(0, Math.ceil(this.#tasks * Math.min(1, share)) - this.#done);
  }

  /** Appends changes to the journal, within a transaction; `appended` follows its commit. */
  append(list: readonly Changes[]): number {
    let row = this.#lastRow;
    for (const { bytes } of list) row = this.#database.appendJournal(bytes);
    return row;
  }

  /** Notes that these changes are committed to the journal, the last of them in this row. */
  appended(list: readonly Changes[], row: number): void {
    if (this.#nextBytes === 0) this.#nextSinceMs = performance.now();
    for (const changes of list) {
      this.#list.push(changes);
      this.#nextBytes += changes.bytes.length;
      this.#next.add(changes);
    }
    this.#lastRow = row;
  }

  /** Brings everything to the table at once, within a transaction; `cleared` follows. */
  applyAll(): void {
    if (this.isEmpty) return;
    this.#run?.apply(this.#database, this.#done);
    this.#next.apply(this.#database);
    this.#database.clearJournal();
  }

  /** Notes that everything is in the table. */
  cleared(): void {
    if (this.isEmpty) return;
    this.#list = [];
    this.#next = new LatestChanges();
    this.#nextBytes = 0;
    this.#end();
  }

  /** Begins a run with what there is. */
  begin(): void {
    this.#run = this.#next;
    // Where all there is to do is a flush, that is one, too.
    this.#tasks = Math.max(1, this.#run.order());
    this.#done = 0;
    this.#beganMs = performance.now();
    this.#runBatches = this.#list.length;
    this.#runRow = this.#lastRow;
    this.#next = new LatestChanges();
    this.#nextBytes = 0;
  }

  /**
   * Does up to so many tasks of the run, within a transaction. `advanced` follows with the result
   * once that is committed.
   */
  advance(count: number): number {
    const end = Math.min(this.#tasks, this.#done + count);
    this.#run!.apply(this.#database, this.#done, end);
    if (end === this.#tasks) this.#database.clearJournal(this.#runRow);
    return end;
  }

  /** Notes how far the run has come. */
  advanced(done: number): void {
    this.#done = done;
    if (done < this.#tasks) return;
    // Frees their memory at once: until it is collected, there could be tens of MB of it.
    for (let n = 0; n < this.#runBatches; n++) this.#list[n].bytes.buffer.transfer(0);
    this.#list = this.#list.slice(this.#runBatches);
    this.#end();
  }

  #end(): void {
    this.#run = undefined;
    this.#tasks = this.#done = this.#runBatches = 0;
  }
}
