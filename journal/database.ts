/**
 * The data file: a SQLite database with one row for each entry.
 *
 * The table `entries` has the entries; `journal` has changes that are committed but not in
 * `entries` yet, in their order: under load it is faster to append a few hundred changes as one
 * row, and to bring many of them to `entries` at once. Both are changed in the same transactions,
 * so together they are a state that the store had.
 *
 * @module
 */

import { DatabaseSync, type StatementSync } from "node:sqlite";
import { checksumOf, checksumOfBytes } from "./checksum.ts";
import { DataFileError, dataFileError } from "./data_file_error.ts";

/** "Blnk": says in the head of the file that it is a data file of Blink Store. */
const applicationId = 0x426c6e6b;

/** The version of the tables. */
const fileVersion = 1;

/** How long a commit waits for another program's lock, in milliseconds. */
const busyTimeoutMs = 5_000;

/** Pages of the write-ahead log after which they are moved to the file. */
const checkpointPages = 4_000;

/** Bytes that are written to find out whether the disk has room again. */
const probeBytes = 256 * 1024;

/** Their row of the journal: before those with changes, whose numbers begin with 1. */
const probeRow = 0;

/** Kibibytes of pages that a connection keeps: one that writes, and one that passes through once. */
const cacheKib = 32_768;
export const passingCacheKib = 2_048;

const schema = `
  create table entries (
    key blob primary key not null,
    value blob not null,
    expires_at integer,
    checksum integer not null
  ) without rowid;
  create index entries_by_expiry on entries (expires_at) where expires_at is not null;
  create table journal (
    id integer primary key,
    changes blob not null,
    checksum integer not null
  );
  pragma application_id = ${applicationId};
  pragma user_version = ${fileVersion};
`;

/** Rows that one call sets. */
const rowsAtOnce = 32;

/** A longer value is set at once. */
const queuedValueBytesMax = 64 * 1024;

/** Rows, and bytes of values, that are read at a time. */
const rowsMax = 1_000;
const readBytesMax = 4 * 1024 * 1024;

/** An entry; an expiry of 0 is none. */
export interface Entry {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  /** When it expires, in milliseconds since 1970. */
  readonly expiresAt: number;
}

/** How a file is opened. */
export type OpenMode = "read" | "write" | "create";

/** An open data file. */
export class Database {
  readonly file: string;
  readonly #sqlite: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  /** The columns of rows that are to be set. */
  readonly #queued: (Uint8Array | number | null)[] = [];
  #waitsForDisk: boolean | undefined;
  #isClosed = false;

  private constructor(file: string, sqlite: DatabaseSync) {
    this.file = file;
    this.#sqlite = sqlite;
  }

  /**
   * Opens a file, and makes the tables in a new or empty one with `"create"`. It keeps so many
   * kibibytes of pages.
   *
   * @throws {DataFileError} when it cannot be used; the message says why and what to do.
   */
  static open(
    file: string,
    mode: OpenMode,
    keptKib: number = mode === "read" ? passingCacheKib : cacheKib,
  ): Database {
    let sqlite: DatabaseSync | undefined;
    try {
      if (mode !== "create" && !isFile(file)) {
        throw new DataFileError(`Cannot use the data file ${file}: there is no such file`);
      }
      sqlite = new DatabaseSync(file, { readOnly: mode === "read" });
      sqlite.exec(`pragma busy_timeout = ${busyTimeoutMs}; pragma cache_size = -${keptKib}`);
      const database = new Database(file, sqlite);
      database.#prepare(mode);
      return database;
    } catch (error) {
      sqlite?.close();
      throw dataFileError(file, error);
    }
  }

  /** Sets whether a commit waits for the disk. */
  set waitsForDisk(waits: boolean) {
    if (waits === this.#waitsForDisk) return;
    this.#waitsForDisk = waits;
    this.#sqlite.exec(`pragma synchronous = ${waits ? "full" : "normal"}`);
  }

  /** Does work in one transaction, which changes the file as a whole or not at all. */
  transact(work: () => void): void {
    this.#sqlite.exec("begin immediate");
    try {
      work();
      this.#putQueued();
      this.#sqlite.exec("commit");
    } catch (error) {
      this.#queued.length = 0;
      try {
        this.#sqlite.exec("rollback");
      } catch {
        // Some errors have rolled it back already.
      }
      throw error;
    }
  }

  /** Begins to read one state of the file, whatever others write meanwhile. */
  beginRead(): void {
    this.#sqlite.exec("begin");
    // The state is that of the first read.
    this.#get("select count(*) from sqlite_schema");
  }

  /** Sets a key, within a transaction; an expiry of 0 is none. */
  put(key: Uint8Array, value: Uint8Array, expiresAt: number): void {
    const checksum = checksumOf(key, value, expiresAt);
    this.#queued.push(key, value, expiresAt === 0 ? null : expiresAt, checksum);
    // A call for many rows takes half as long as one for each.
    if (value.length > queuedValueBytesMax) return this.#putQueued();
    if (this.#queued.length < rowsAtOnce * 4) return;
    this.#statement(putSql(rowsAtOnce)).run(...this.#queued);
    this.#queued.length = 0;
  }

  /** Sets the keys that are still to be set. */
  #putQueued(): void {
    const queued = this.#queued;
    for (let at = 0; at < queued.length; at += 4) {
      this.#statement(putSql(1)).run(...queued.slice(at, at + 4));
    }
    queued.length = 0;
  }

  /** Removes a key. */
  remove(key: Uint8Array): void {
    this.#putQueued();
    this.#statement("delete from entries where key = ?").run(key);
  }

  /** Sets the expiry of a key that exists. */
  expire(key: Uint8Array, expiresAt: number): void {
    const row = this.get(key);
    if (row !== undefined) this.put(key, row.value, expiresAt);
  }

  /** Removes every key. */
  clear(): void {
    this.#putQueued();
    this.#sqlite.exec("delete from entries");
  }

  /** Removes the keys with a prefix. */
  removePrefix(prefix: Uint8Array): void {
    this.#putQueued();
    const end = prefixEnd(prefix);
    if (end === undefined) this.#statement("delete from entries where key >= ?").run(prefix);
    else this.#statement("delete from entries where key >= ? and key < ?").run(prefix, end);
  }

  /** Whether an entry expired at a time or before. */
  hasExpired(timeMs: number): boolean {
    return this.#get("select 1 from entries where expires_at <= ? limit 1", timeMs) !== undefined;
  }

  /** Commits a change that changes nothing: what was committed before reaches the disk with it. */
  touch(): void {
    this.#sqlite.exec(`begin immediate; pragma user_version = ${fileVersion}; commit`);
  }

  /** Writes and removes some bytes. What a probe before has left does not matter. */
  tryWriting(): void {
    this.#sqlite.exec(
      "insert or replace into journal (id, changes, checksum) " +
        `values (${probeRow}, zeroblob(${probeBytes}), 0)`,
    );
    this.#sqlite.exec(`delete from journal where id = ${probeRow}`);
  }

  /** Removes up to `count` entries that expired at a time or before; returns how many. */
  removeExpired(timeMs: number, count: number): number {
    this.#putQueued();
    const { changes } = this.#statement(
      "delete from entries where key in " +
        "(select key from entries where expires_at <= ? limit ?)",
    ).run(timeMs, count);
    return Number(changes);
  }

  /** An entry; an expiry of 0 is none. */
  get(key: Uint8Array): { value: Uint8Array<ArrayBuffer>; expiresAt: number } | undefined {
    if (this.#queued.length > 0) this.#putQueued();
    const row = this.#get("select value, expires_at, checksum from entries where key = ?", key);
    if (row === undefined) return undefined;
    const value = row.value as Uint8Array<ArrayBuffer>;
    const expiresAt = Number(row.expires_at ?? 0);
    if (checksumOf(key, value, expiresAt) !== row.checksum) throw damaged(this.file);
    return { value, expiresAt };
  }

  /** Some entries from a key on, or behind it, in the order of their keys; none at the end. */
  entriesFrom(key: Uint8Array, isIncluded: boolean): Entry[] {
    const rows = this.#statement(
      "select key, value, expires_at, checksum from entries " +
        `where key ${isIncluded ? ">=" : ">"} ? order by key limit ${rowsMax}`,
    ).iterate(key);
    const entries: Entry[] = [];
    let bytes = 0;
    for (const row of rows) {
      const key = row.key as Uint8Array;
      const value = row.value as Uint8Array;
      const expiresAt = Number(row.expires_at ?? 0);
      if (checksumOf(key, value, expiresAt) !== row.checksum) throw damaged(this.file);
      entries.push({ key, value, expiresAt });
      bytes += value.length;
      if (bytes >= readBytesMax) break;
    }
    return entries;
  }

  /** How many entries the table has, expired ones included. */
  get count(): number {
    return Number(this.#get("select count(*) as count from entries")?.count);
  }

  /** Appends changes to the journal; returns the number of their row. */
  appendJournal(changes: Uint8Array): number {
    const { lastInsertRowid } = this.#statement(
      "insert into journal (changes, checksum) values (?, ?)",
    ).run(changes, checksumOfBytes(changes));
    return Number(lastInsertRowid);
  }

  /** The journal, in order. */
  *journal(): Generator<Uint8Array<ArrayBuffer>> {
    const rows = this.#statement(
      `select changes, checksum from journal where id > ${probeRow} order by id`,
    ).iterate();
    for (const row of rows) {
      const changes = row.changes as Uint8Array<ArrayBuffer>;
      if (checksumOfBytes(changes) !== row.checksum) throw damaged(this.file);
      yield changes;
    }
  }

  /** Removes rows of the journal whose changes are in `entries` now: all, or up to a row. */
  clearJournal(lastRow: number = Number.MAX_SAFE_INTEGER): void {
    this.#statement("delete from journal where id <= ?").run(lastRow);
  }

  /** A statement's only row. */
  row(sql: string, ...values: (Uint8Array | number)[]): Record<string, unknown> | undefined {
    return this.#get(sql, ...values);
  }

  /** What SQLite finds wrong with the file's structure; `whole` also compares index and table. */
  faults(whole: boolean): string[] {
    const check = whole ? "integrity_check" : "quick_check";
    return this.#sqlite.prepare(`pragma ${check}`).all()
      .map((row) => String(row[check]))
      .filter((fault) => fault !== "ok");
  }

  /** Moves the write-ahead log to the file, and empties it. */
  checkpoint(): void {
    this.#sqlite.exec("pragma wal_checkpoint(truncate)");
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#statements.clear();
    this.#sqlite.close();
  }

  #prepare(mode: OpenMode): void {
    const sqlite = this.#sqlite;
    const id = Number(this.#pragma("application_id"));
    const version = Number(this.#pragma("user_version"));
    const isEmpty = Number(this.#get("select count(*) as count from sqlite_schema")?.count) === 0;
    if (isEmpty && id === 0 && mode === "create") {
      sqlite.exec(`pragma journal_mode = wal; begin immediate; ${schema}; commit`);
    } else if (id !== applicationId) {
      throw new DataFileError(
        `Cannot use the data file ${this.file}: it is a database of another program; ` +
          "give the path of a new file",
      );
    } else if (version !== fileVersion) {
      throw new DataFileError(
        `Cannot use the data file ${this.file}: its version is ${version}, and this program ` +
          `reads version ${fileVersion}; use a newer Blink Store`,
      );
    }
    if (mode === "read") return;
    sqlite.exec(`pragma journal_mode = wal; pragma wal_autocheckpoint = ${checkpointPages}`);
    // The system's sync is not enough on macOS.
    sqlite.exec("pragma fullfsync = 1");
    // Fails now rather than at the first change where the file cannot be written.
    this.touch();
  }

  #pragma(name: string): unknown {
    return this.#sqlite.prepare(`pragma ${name}`).get()?.[name];
  }

  #get(sql: string, ...values: (Uint8Array | number)[]): Record<string, unknown> | undefined {
    return this.#statement(sql).get(...values) as Record<string, unknown> | undefined;
  }

  #statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#sqlite.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}

/** Sets so many rows. */
function putSql(rows: number): string {
  return putSqls.get(rows) ?? "";
}

const putSqls = new Map([1, rowsAtOnce].map((rows) => [
  rows,
  "insert into entries (key, value, expires_at, checksum) values " +
  `${new Array(rows).fill("(?, ?, ?, ?)").join(", ")} ` +
  "on conflict (key) do update set value = excluded.value, " +
  "expires_at = excluded.expires_at, checksum = excluded.checksum",
]));

/** The error of a row whose checksum is another one. */
export function damaged(file: string): DataFileError {
  return new DataFileError(
    `Cannot use the data file ${file}: it is damaged, a checksum is wrong; put a backup in its place`,
  );
}

/** The first key behind those with a prefix; undefined where there is none. */
function prefixEnd(prefix: Uint8Array): Uint8Array | undefined {
  let length = prefix.length;
  while (length > 0 && prefix[length - 1] === 0xff) length--;
  if (length === 0) return undefined;
  const end = prefix.slice(0, length);
  end[length - 1]++;
  return end;
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
