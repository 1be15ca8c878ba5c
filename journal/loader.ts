/**
 * Reads every entry of a data file, a few thousand at a time.
 *
 * A row costs microseconds where each one becomes an object. So SQLite puts many small entries into
 * one value, a chunk, which may be taken apart in another thread. Large values are read one by one.
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

const chunkSql = (comparison: ">" | ">=") => `
  select count(*) as count, max(key) as last, cast(group_concat(
    format('%0${digits.keyBytes}d%0${digits.valueBytes}d%0${digits.expiresAt}d%0${digits.checksum}d',
      length(key), length(value), coalesce(expires_at, 0), checksum) ||
    key || case when length(value) <= ${smallValueBytes} then value else x'' end,
    '') as blob) as entries
  from (
    select key, value, expires_at, checksum from entries
    where key ${comparison} ? order by key limit ${chunkEntries}
  )`;
const firstChunkSql = chunkSql(">=");
const nextChunkSql = chunkSql(">");

/** Some entries, one behind the other, for {@linkcode takeChunk}. */
export interface Chunk {
  readonly count: number;
  /** How many entries there are in all. */
  readonly total: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

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
export class ChunkReader {
  readonly #database: Database;
  readonly #total: number;
  #read = 0;
  #after: Uint8Array = new Uint8Array(0);

  /** Begins to read; the state is held until the database is closed. */
  constructor(database: Database) {
    this.#database = database;
    database.beginRead();
    this.#total = database.count;
  }

  /**
   * The next entries, in the order of their keys; undefined at the end.
   *
   * @throws {DataFileError} when some are missing.
   */
  next(): Chunk | undefined {
    const sql = this.#read === 0 ? firstChunkSql : nextChunkSql;
    const row = this.#database.row(sql, this.#after)!;
    const count = Number(row.count);
    if (count > 0) {
      this.#read += count;
      this.#after = row.last as Uint8Array;
      return { count, total: this.#total, bytes: row.entries as Uint8Array<ArrayBuffer> };
    }
    // A damaged page can hide entries; SQLite counts them without a look at their keys.
    if (this.#read !== this.#total) throw damaged(this.#database.file);
    return undefined;
  }
}

/**
 * Takes the entries of a chunk. The database, in which the same is being read, has the long values.
 *
 * @throws {DataFileError} when an entry is damaged.
 */
export function takeChunk(database: Database, { bytes }: Chunk, take: TakeEntry): void {
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
