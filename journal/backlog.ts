/**
 * The changes that are in the journal of the data file, and not in its table yet.
 *
 * Once there are many, a *run* brings those that there are to the table: only the last change of
 * each key, in the order of the keys, so that a page of the file is written once for all its keys.
 * A run goes in steps, one with each commit, so that no commit takes long. While it is under way
 * the table is not the state of one moment, but the table and the journal together are: the journal
 * keeps a run's changes until the run has ended.
 *
 * @module
 */

import { apply, type Changes, keyText } from "./changes.ts";
import type { Database } from "./database.ts";
import { kinds } from "./record.ts";

/** The changes that a run begins with, or their bytes, or the age of the first in milliseconds. */
const runChangesMin = 65_536;
const runBytesMin = 8 * 1024 * 1024;
const runAgeMs = 1_000;

/** The most keys of a run. */
const tasksMax = 2 ** 20;

/** What a run does for a key. */
interface Task {
  readonly changes: Changes;
  readonly at: number;
  /** Undefined: as the change says. */
  expiresAt: number | undefined;
}

/** Changes on their way from the journal to the table. */
export class Backlog {
  readonly #database: Database;
  /** In their order; the first `#running` of them are the run's. */
  #list: Changes[] = [];
  #bytes = 0;
  #count = 0;
  /** The row of the journal that was appended last. */
  #lastRow = 0;
  /** When the first change came that is in no run. */
  #sinceMs = 0;
  /** The last change of each key since the last run began; whether a flush is among them. */
  #next = new Map<string, Task>();
  #hasFlush = false;
  /** The run: what is to be done, how much of it is done, and its part of the list. */
  #tasks: Task[] = [];
  #done = 0;
  #running = 0;
  #runRow = 0;

  constructor(database: Database) {
    this.#database = database;
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
    return this.#running > 0;
  }

  /** Whether there is so much that a run must begin. */
  get isDue(): boolean {
    if (this.isRunning || this.isEmpty) return false;
    if (this.#count >= runChangesMin || this.#bytes >= runBytesMin) return true;
    return performance.now() - this.#sinceMs >= runAgeMs;
  }

  /** Appends changes to the journal, within a transaction; `appended` follows its commit. */
  append(list: readonly Changes[]): number {
    let row = this.#lastRow;
    for (const { bytes } of list) row = this.#database.appendJournal(bytes);
    return row;
  }

  /** Notes that these changes are committed to the journal, the last of them in this row. */
  appended(list: readonly Changes[], row: number): void {
    if (this.#list.length === this.#running) this.#sinceMs = performance.now();
    for (const changes of list) {
      this.#list.push(changes);
      this.#bytes += changes.bytes.length;
      this.#count += changes.offsets.length;
      for (const at of changes.offsets) this.#add(changes, at);
    }
    this.#lastRow = row;
  }

  /** Brings everything to the table at once, within a transaction; `cleared` follows. */
  applyAll(): void {
    if (this.isEmpty) return;
    apply(this.#database, this.#list);
    this.#database.clearJournal();
  }

  /** Notes that everything is in the table. */
  cleared(): void {
    this.#list = [];
    this.#bytes = this.#count = 0;
    this.#tasks = [];
    this.#done = this.#running = 0;
    this.#next.clear();
    this.#hasFlush = false;
  }

  /** Begins a run with what there is; false if it has to be brought to the table at once. */
  begin(): boolean {
    if (this.#hasFlush || this.#next.size > tasksMax) return false;
    this.#tasks = inOrder([...this.#next.values()]);
    this.#next = new Map();
    this.#done = 0;
    this.#running = this.#list.length;
    this.#runRow = this.#lastRow;
    return true;
  }

  /**
   * Does up to so many tasks of the run, within a transaction. `advanced` follows with the result
   * once that is committed.
   */
  advance(count: number): number {
    const end = Math.min(this.#tasks.length, this.#done + count);
    for (let n = this.#done; n < end; n++) this.#do(this.#tasks[n]);
    if (end === this.#tasks.length) this.#database.clearJournal(this.#runRow);
    return end;
  }

  /** Notes how far the run has come. */
  advanced(done: number): void {
    this.#done = done;
    if (done < this.#tasks.length) return;
    for (const { bytes, offsets } of this.#list.slice(0, this.#running)) {
      this.#bytes -= bytes.length;
      this.#count -= offsets.length;
    }
    this.#list = this.#list.slice(this.#running);
    this.#tasks = [];
    this.#done = this.#running = 0;
  }

  #add(changes: Changes, at: number): void {
    const { views } = changes;
    const kind = views.kindAt(at);
    if (kind >= kinds.groupBegin) return;
    if (kind === kinds.flushAll || kind === kinds.flushPrefix) {
      this.#hasFlush = true;
      return;
    }
    const key = keyText(views.keyAt(at));
    const before = kind === kinds.expire ? this.#next.get(key) : undefined;
    if (before === undefined) this.#next.set(key, { changes, at, expiresAt: undefined });
    else before.expiresAt = views.expiresAtAt(at);
  }

  #do({ changes, at, expiresAt }: Task): void {
    const { views } = changes;
    const database = this.#database;
    const key = views.keyAt(at);
    const kind = views.kindAt(at);
    if (kind === kinds.put) {
      database.put(key, views.valueBytesAt(at), expiresAt ?? views.expiresAtAt(at));
    } else if (kind === kinds.expire) {
      database.expire(key, expiresAt ?? views.expiresAtAt(at));
    } else {
      database.remove(key);
    }
  }
}

/**
 * Tasks in about the order of their keys: by the four bytes behind what all keys have in common.
 * That is enough for keys of one page to come together, and much faster than to compare strings.
 */
function inOrder(tasks: Task[]): Task[] {
  const keys = tasks.map(({ changes, at }) => changes.views.keyAt(at));
  const start = commonBytes(keys);
  const sorted = Float64Array.from(keys, (key, n) => {
    let bytes = 0;
    for (let at = start; at < start + 4; at++) bytes = bytes * 256 + (key[at] ?? 0);
    return bytes * tasksMax + n;
  }).sort();
  return Array.from(sorted, (number) => tasks[number % tasksMax]);
}

/** How many bytes all keys have in common at their beginning. */
function commonBytes(keys: readonly Uint8Array[]): number {
  const first = keys.at(0) ?? new Uint8Array(0);
  let common = first.length;
  for (const key of keys) {
    let at = 0;
    while (at < common && key[at] === first[at]) at++;
    common = at;
  }
  return common;
}
