/**
 * What has to be done to a store so that changes which could not be committed are undone.
 *
 * @module
 */

import { Changes, keyText } from "./changes.ts";
import type { Entry } from "./database.ts";
import type { Overlay } from "./overlay.ts";
import { kinds } from "./record.ts";

/** Bytes of values of one part. */
const partBytesMax = 4 * 1024 * 1024;
const partEntriesMax = 10_000;

/** Entries that the store gets back, and keys that it must not have. */
export interface UndoPart {
  readonly entries: readonly Entry[];
  readonly absent: readonly Uint8Array[];
}

/** Undoes changes: the committed state of their keys comes back. */
export class Undoing {
  readonly #overlay: Overlay;
  readonly #failed: readonly Changes[];
  /** The keys of the changes. */
  readonly #keys = new Map<string, Uint8Array>();
  /** The prefixes that were flushed. */
  readonly #prefixes = new Map<string, Uint8Array>();

  constructor(overlay: Overlay, failed: readonly Changes[]) {
    this.#overlay = overlay;
    this.#failed = failed;
    for (const { views, offsets } of failed) {
      for (const at of offsets) {
        const kind = views.kindAt(at);
        if (kind === kinds.evict || kind >= kinds.groupBegin) continue;
        const isFlush = kind === kinds.flushAll || kind === kinds.flushPrefix;
        const key = views.keyAt(at);
        (isFlush ? this.#prefixes : this.#keys).set(keyText(key), key);
      }
    }
  }

  /** What the store is to be given, in parts of bounded size. */
  *parts(): Generator<UndoPart> {
    let entries: Entry[] = [];
    let absent: Uint8Array[] = [];
    let bytes = 0;
    for (const [key, entry] of this.#states()) {
      if (entry === undefined) absent.push(key);
      else entries.push(entry);
      bytes += entry?.value.length ?? 0;
      if (bytes < partBytesMax && entries.length + absent.length < partEntriesMax) continue;
      yield { entries, absent };
      entries = [];
      absent = [];
      bytes = 0;
    }
    if (entries.length + absent.length > 0) yield { entries, absent };
  }

  /** Evictions among the changes, of keys that do not come back; undefined if there are none. */
  evictions(): Changes | undefined {
    const records: Uint8Array[] = [];
    let bytes = 0;
    for (const { views, offsets } of this.#failed) {
      for (const at of offsets) {
        if (views.kindAt(at) !== kinds.evict || this.#comesBack(views.keyAt(at))) continue;
        const record = views.bytes.slice(at, at + views.lengthAt(at));
        records.push(record);
        bytes += record.length;
      }
    }
    if (bytes === 0) return undefined;
    const all = new Uint8Array(bytes);
    let at = 0;
    for (const record of records) {
      all.set(record, at);
      at += record.length;
    }
    return new Changes(all);
  }

  *#states(): Generator<[Uint8Array, Entry | undefined]> {
    for (const prefix of this.#prefixes.values()) {
      for (const entry of this.#overlay.entries(prefix)) yield [entry.key, entry];
    }
    for (const key of this.#keys.values()) yield [key, this.#overlay.get(key)];
  }

  #comesBack(key: Uint8Array): boolean {
    const text = keyText(key);
    if (this.#keys.has(text)) return true;
    for (const prefix of this.#prefixes.keys()) if (text.startsWith(prefix)) return true;
    return false;
  }
}
