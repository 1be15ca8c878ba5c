/**
 * The entries of a data file as they are with the changes of its journal, which are not in the
 * table yet.
 *
 * @module
 */

import { type Changes, keyText } from "./changes.ts";
import { damaged, type Database, type Entry } from "./database.ts";
import { kinds } from "./record.ts";

/** What the journal has made of a key. */
interface Change {
  readonly key: Uint8Array;
  /** Undefined: the key is gone, or only its expiry has changed. */
  value: Uint8Array | undefined;
  expiresAt: number;
  /** Whether the value is that of the table. */
  keepsValue: boolean;
}

/** Entries of the table and of the journal together. */
export class Overlay {
  readonly #database: Database;
  readonly #changed = new Map<string, Change>();
  readonly #flushed: string[] = [];

  /** Takes the changes of the journal, in their order. */
  constructor(database: Database, journal: Iterable<Changes>) {
    this.#database = database;
    for (const changes of journal) {
      for (const at of changes.offsets) this.#add(changes, at);
    }
  }

  /** The entry of a key. */
  get(key: Uint8Array): Entry | undefined {
    const text = keyText(key);
    const change = this.#changed.get(text);
    if (change === undefined) {
      const row = this.#isFlushed(text) ? undefined : this.#database.get(key);
      return row && { key, ...row };
    }
    return this.#entryOf(change, text);
  }

  /** Every entry whose key has a prefix; the order is that of the keys but for changed ones. */
  *entries(prefix: Uint8Array = new Uint8Array(0)): Generator<Entry> {
    const start = keyText(prefix);
    for (const entry of tableEntries(this.#database, prefix)) {
      const text = keyText(entry.key);
      if (!this.#changed.has(text) && !this.#isFlushed(text)) yield entry;
    }
    for (const [text, change] of this.#changed) {
      if (!text.startsWith(start)) continue;
      const entry = this.#entryOf(change, text);
      if (entry !== undefined) yield entry;
    }
  }

  #entryOf({ key, value, expiresAt, keepsValue }: Change, text: string): Entry | undefined {
    if (!keepsValue) return value && { key, value, expiresAt };
    const row = this.#isFlushed(text) ? undefined : this.#database.get(key);
    return row && { key, value: row.value, expiresAt };
  }

  #isFlushed(text: string): boolean {
    return this.#flushed.some((prefix) => text.startsWith(prefix));
  }

  #add({ views }: Changes, at: number): void {
    const kind = views.kindAt(at);
    if (kind >= kinds.groupBegin) return;
    const key = views.keyAt(at);
    const text = keyText(key);
    if (kind === kinds.flushAll || kind === kinds.flushPrefix) {
      this.#flushed.push(text);
      for (const changed of this.#changed.keys()) {
        if (changed.startsWith(text)) this.#changed.delete(changed);
      }
    } else if (kind === kinds.expire) {
      const change = this.#changed.get(text) ??
        { key, value: undefined, expiresAt: 0, keepsValue: true };
      change.expiresAt = views.expiresAtAt(at);
      this.#changed.set(text, change);
    } else {
      const value = kind === kinds.put ? views.valueBytesAt(at) : undefined;
      const change = { key, value, expiresAt: views.expiresAtAt(at), keepsValue: false };
      this.#changed.set(text, change);
    }
  }
}

/**
 * Every entry of the table whose key has a prefix, in the order of the keys.
 *
 * @throws {DataFileError} when an entry is damaged, or, where all are asked for, some are missing.
 */
function* tableEntries(database: Database, prefix: Uint8Array): Generator<Entry> {
  const start = keyText(prefix);
  let after = prefix;
  let read = 0;
  for (;;) {
    const rows = database.entriesFrom(after, read === 0);
    if (rows.length === 0) break;
    for (const entry of rows) {
      if (!keyText(entry.key).startsWith(start)) return;
      yield entry;
    }
    read += rows.length;
    after = rows[rows.length - 1].key;
  }
  // A damaged page can hide entries; SQLite counts them without a look at their keys.
  if (start === "" && read !== database.count) throw damaged(database.file);
}
