/**
 * What `blink-store data` does with a data file: verifies it, and reads and writes its entries.
 *
 * Reading works while a server has the file open: it sees one state of it. Writing needs the file's
 * lock.
 *
 * @module
 */

import { type EntryCounts, isExpired, writeInBatches } from "./batches.ts";
import { Changes } from "./changes.ts";
import { DataFileError, dataFileError } from "./data_file_error.ts";
import { Database, type Entry } from "./database.ts";
import { FileLock } from "./file_lock.ts";
import { entryOf, lineOf } from "./json_lines.ts";
import { LatestChanges } from "./latest_changes.ts";
import { Overlay } from "./overlay.ts";

/** What is written in one transaction. */
const transactionLimits = { entriesMax: 5_000, bytesMax: 8 * 1024 * 1024 } as const;

/** Characters of lines that are written at a time, about. */
const pieceLength = 64 * 1024;

/** Called now and then with how many entries were processed. */
export type OnEntries = (count: number) => void;

/** What a verification has found. */
export interface CheckResult {
  /** Live entries, and those that have expired. */
  readonly entries: number;
  readonly expired: number;
  /** Changes that are in the journal and not in the table yet. */
  readonly journal: number;
}

/**
 * Verifies a file: its structure, and the checksum of each entry and of each row of the journal.
 *
 * @throws {DataFileError} when something is wrong; the message says what.
 */
export function checkFile(file: string, onEntries: OnEntries = () => {}): CheckResult {
  return reading(file, (database, overlay, journal) => {
    const [fault] = database.faults(true);
    if (fault !== undefined) {
      throw new DataFileError(
        `The data file ${file} is damaged: ${fault}; put a backup in its place`,
      );
    }
    let read = 0;
    let expired = 0;
    const nowMs = Date.now();
    for (const { expiresAt } of overlay.entries()) {
      if (isExpired(expiresAt, nowMs)) expired++;
      onEntries(++read);
    }
    return { entries: read - expired, expired, journal };
  });
}

/**
 * Writes each live entry as a line of JSON.
 *
 * @param write Takes some lines; the next ones follow once it has resolved.
 * @throws {DataFileError} when the file cannot be read; the message says why.
 */
export async function dumpFile(
  file: string,
  write: (lines: string) => Promise<void>,
  onEntries: OnEntries = () => {},
): Promise<EntryCounts> {
  return await reading(file, async (_database, overlay) => {
    let entries = 0;
    let expired = 0;
    let piece = "";
    const nowMs = Date.now();
    for (const entry of overlay.entries()) {
      if (isExpired(entry.expiresAt, nowMs)) {
        expired++;
        continue;
      }
      piece += `${lineOf(entry)}\n`;
      onEntries(++entries);
      if (piece.length < pieceLength) continue;
      await write(piece);
      piece = "";
    }
    if (piece !== "") await write(piece);
    return { entries, expired };
  });
}

/**
 * Reads entries from lines of JSON.
 *
 * @throws {Error} at the first line that is not one; the message has its number.
 */
export async function* entriesOfLines(lines: AsyncIterable<string>): AsyncGenerator<Entry> {
  let number = 0;
  for await (const line of lines) {
    number++;
    if (line.trim() === "") continue;
    let entry: Entry;
    try {
      entry = entryOf(line);
    } catch (error) {
      throw new Error(`line ${number}: ${error instanceof Error ? error.message : error}`);
    }
    yield entry;
  }
}

/**
 * Writes entries into a file, which is made if it does not exist. Entries with the same keys are
 * replaced, those that have expired are left out. What was read before an error stays.
 *
 * @throws {Error} of the entries; {DataFileError} when the file cannot be written.
 */
export async function loadFile(
  file: string,
  entries: AsyncIterable<Entry>,
  onEntries: OnEntries = () => {},
): Promise<EntryCounts> {
  using _lock = await FileLock.take(file);
  const database = Database.open(file, "create");
  /** Does work on the file; its errors say what to do. */
  const change = (work: () => void) => {
    try {
      work();
    } catch (error) {
      throw dataFileError(file, error);
    }
  };
  let loaded = 0;
  try {
    change(() => applyJournal(database));
    const counts = await writeInBatches(entries, transactionLimits, (batch) => {
      change(() =>
        database.transact(() => {
          for (const { key, value, expiresAt } of batch) database.put(key, value, expiresAt);
        })
      );
      onEntries(loaded += batch.length);
    });
    change(() => database.checkpoint());
    return counts;
  } finally {
    database.close();
  }
}

/** Brings what a server has left in the journal to the table. */
export function applyJournal(database: Database): void {
  const journal = Array.from(database.journal(), (bytes) => new Changes(bytes));
  if (journal.length === 0) return;
  database.transact(() => {
    let latest = new LatestChanges();
    for (const changes of journal) {
      if (!latest.hasRoomFor(changes)) {
        latest.apply(database);
        latest = new LatestChanges();
      }
      latest.add(changes);
    }
    latest.apply(database);
    database.clearJournal();
  });
}

/** Reads one state of a file; a promise is awaited. */
function reading<Result>(
  file: string,
  read: (database: Database, overlay: Overlay, journal: number) => Result,
): Result {
  const database = Database.open(file, "read");
  let isPending = false;
  try {
    database.beginRead();
    const journal = Array.from(database.journal(), (bytes) => new Changes(bytes));
    const overlay = new Overlay(database, journal);
    const changes = journal.reduce((sum, { offsets }) => sum + offsets.length, 0);
    const result = read(database, overlay, changes);
    if (!(result instanceof Promise)) return result;
    isPending = true;
    return result.catch((error) => {
      throw dataFileError(file, error);
    }).finally(() => database.close()) as Result;
  } catch (error) {
    throw dataFileError(file, error);
  } finally {
    if (!isPending) database.close();
  }
}
