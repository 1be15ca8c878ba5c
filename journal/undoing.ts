/**
 * What has to be done to a store so that changes which could not be committed are undone.
 *
 * @module
 */

// @ts-types="../types/std.d.ts"
import { concat } from "@std/bytes/concat";
import type { Milliseconds } from "../store.ts";
import { wallOffsetAt } from "../wall_clock.ts";
import { Changes, keyText } from "./changes.ts";
import type { Entry } from "./database.ts";
import type { RecordingStore } from "./recording_store.ts";
import type { Overlay } from "./overlay.ts";
import { kinds } from "./record.ts";

/** Bytes of values that come back in one part, and entries. */
const partBytesMax = 4 * 1024 * 1024;
const partEntriesMax = 10_000;

/** Keys that the store must not have, and then entries that it gets back. */
export interface UndoPart {
  readonly absent: readonly Uint8Array[];
  readonly entries: readonly Entry[];
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

  /**
   * What the store is to be given, in parts of bounded size. All changed keys go first: then none
   * that comes back can be evicted before, and leave the file for that.
   */
  *parts(): Generator<UndoPart> {
    yield { absent: [...this.#keys.values()], entries: [] };
    let entries: Entry[] = [];
    let bytes = 0;
    for (const entry of this.#entries()) {
      entries.push(entry);
      bytes += entry.value.length;
      if (bytes < partBytesMax && entries.length < partEntriesMax) continue;
      yield { absent: [], entries };
      entries = [];
      bytes = 0;
    }
    if (entries.length > 0) yield { absent: [], entries };
  }

  /** Evictions among the changes, of keys that do not come back; undefined if there are none. */
  evictions(): Changes | undefined {
    const records: Uint8Array[] = [];
    for (const { views, offsets } of this.#failed) {
      for (const at of offsets) {
        if (views.kindAt(at) !== kinds.evict || this.#comesBack(views.keyAt(at))) continue;
        records.push(views.bytes.subarray(at, at + views.lengthAt(at)));
      }
    }
    return records.length === 0 ? undefined : new Changes(concat(records));
  }

  /** The committed entries of the changed keys. */
  *#entries(): Generator<Entry> {
    for (const prefix of this.#prefixes.values()) yield* this.#overlay.entries(prefix);
    for (const key of this.#keys.values()) {
      const entry = this.#overlay.get(key);
      if (entry !== undefined) yield entry;
    }
  }

  #comesBack(key: Uint8Array): boolean {
    const text = keyText(key);
    if (this.#keys.has(text)) return true;
    for (const prefix of this.#prefixes.keys()) if (text.startsWith(prefix)) return true;
    return false;
  }
}

/** Gives a store what it had. No request may run meanwhile, in no thread. */
export function restore(store: RecordingStore, { absent, entries }: UndoPart): void {
  store.enterAll();
  store.isRestoring = true;
  try {
    for (const key of absent) store.delete(key, 0, key.length);
    for (const { key, value, expiresAt } of entries) {
      const at = storeTime(store, expiresAt);
      if (at <= store.now()) store.delete(key, 0, key.length);
      else store.putNow(key, 0, key.length, value, 0, value.length, at);
    }
  } finally {
    store.isRestoring = false;
    store.leaveAll();
  }
}

/** A time of the file on the store's clock. */
function storeTime(store: { now(): Milliseconds }, expiresAt: number): Milliseconds {
  return expiresAt === 0 ? Infinity : expiresAt - wallOffsetAt(store.now());
}
