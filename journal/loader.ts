/**
 * Reads every entry of a data file, a few thousand at a time.
 *
 * A row costs microseconds where each one becomes an object. So SQLite puts many small entries into
 * one value, and large ones are read one by one.
 *
 * @module
 */

import { checksumOfBoth } from "./checksum.ts";
import { damaged, type Database } from "./database.ts";

/** Entries of one chunk. */
const chunkEntries = 2_000;

/** Longer values are read one by one. */
const smallValueBytes = 1024;

/** How many digits each number before a key has. */
const digits = { keyBytes: 5, valueBytes: 10, expiresAt: 15, checksum: 10 } as const;

const chunkSql = `
  select count(*) as count, max(key) as last, cast(group_concat(
    format('%0${digits.keyBytes}d%0${digits.valueBytes}d%0${digits.expiresAt}d%0${digits.checksum}d',
      length(key), length(value), coalesce(expires_at, 0), checksum) ||
    key || case when length(value) <= ${smallValueBytes} then value else x'' end,
    '') as blob) as entries
  from (
    select key, value, expires_at, checksum from entries
    where key > ? order by key limit ${chunkEntries}
  )`;

/**
 * Takes an entry: its key and its value, and when it expires, in milliseconds since 1970; 0 for
 * never. The bytes are valid during the call.
 */
export type TakeEntry = (
  key: Uint8Array,
  keyStart: number,
  keyEnd: number,
  value: Uint8Array,
  valueStart: number,
  valueEnd: number,
  expiresAt: number,
) => void;

/** Reads the entries of one state of a file, whatever is written to it meanwhile. */
export class Loader {
  /** How many entries there are. */
  readonly total: number;
  /** How many were read. */
  read = 0;
  readonly #database: Database;
  #after: Uint8Array = new Uint8Array(0);

  /** Begins to read; the state is held until the database is closed. */
  constructor(database: Database) {
    this.#database = database;
    database.beginRead();
    this.total = database.count;
  }

  /**
   * Reads the next entries, in the order of their keys; false at the end.
   *
   * @throws {DataFileError} when an entry is damaged, or some are missing.
   */
  next(take: TakeEntry): boolean {
    const database = this.#database;
    if (this.read === 0) {
      // No key is before the empty one, so the statement below does not find it.
      const key = new Uint8Array(0);
      const entry = database.get(key);
      if (entry !== undefined) {
        take(key, 0, 0, entry.value, 0, entry.value.length, entry.expiresAt);
        this.read++;
      }
    }
    const row = database.row(chunkSql, this.#after)!;
    const count = Number(row.count);
    if (count > 0) {
      takeAll(database, row.entries as Uint8Array, take);
      this.read += count;
      this.#after = row.last as Uint8Array;
      return true;
    }
    // A damaged page can hide entries; SQLite counts them without a look at their keys.
    if (this.read !== this.total) throw damaged(database.file);
    return false;
  }
}

function takeAll(database: Database, bytes: Uint8Array, take: TakeEntry): void {
  for (let at = 0; at < bytes.length;) {
    const keyBytes = numberAt(bytes, at, digits.keyBytes);
    const valueBytes = numberAt(bytes, at += digits.keyBytes, digits.valueBytes);
    const expiresAt = numberAt(bytes, at += digits.valueBytes, digits.expiresAt);
    const checksum = numberAt(bytes, at += digits.expiresAt, digits.checksum);
    at += digits.checksum;
    const keyEnd = at + keyBytes;
    if (valueBytes > smallValueBytes) {
      const entry = database.get(bytes.slice(at, keyEnd));
      if (entry === undefined) throw damaged(database.file);
      take(bytes, at, keyEnd, entry.value, 0, entry.value.length, entry.expiresAt);
      at = keyEnd;
      continue;
    }
    const end = keyEnd + valueBytes;
    if (checksumOfBoth(bytes.subarray(at, end), keyBytes, expiresAt) !== checksum) {
      throw damaged(database.file);
    }
    take(bytes, at, keyEnd, bytes, keyEnd, end, expiresAt);
    at = end;
  }
}

function numberAt(bytes: Uint8Array, at: number, count: number): number {
  let number = 0;
  for (const end = at + count; at < end; at++) number = number * 10 + bytes[at] - 0x30;
  return number;
}
