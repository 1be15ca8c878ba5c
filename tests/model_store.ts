/**
 * A store on a plain Map: the model that the real store and the engine are held against. It is
 * exact, evicts in least-recently-used order and keeps no promise about speed.
 *
 * @module
 */

import type { Handle, Milliseconds, PutOutcome, Storage } from "../engine/storage.ts";

interface Entry {
  readonly handle: Handle;
  readonly name: string;
  readonly key: Uint8Array;
  value: Uint8Array;
  expiresAt: Milliseconds;
}

/** What a model can be told beside its limit, so that tests reach the engine's rare ways. */
export interface ModelOptions {
  /** The most bytes of keys and values. */
  limitBytes: number;
  /** The clock; `performance.now` unless given. */
  now?: () => Milliseconds;
  /** True: no value is contiguous, so that readers must copy. */
  scattered?: boolean;
  /** A value of this many bytes or more is stored only when asked for the third time. */
  againBytes?: number;
  /** A flush by prefix removes this many keys a call. */
  flushStep?: number;
}

function nameOf(bytes: Uint8Array, start: number, end: number): string {
  let name = "";
  for (let at = start; at < end; at++) name += String.fromCharCode(bytes[at]);
  return name;
}

/** The model. Its entries' order in the Map is their order of use. */
export class ModelStore implements Storage {
  readonly limitBytes: number;
  readonly now: () => Milliseconds;
  viewBytes: Uint8Array = new Uint8Array(0);
  readonly viewStart = 0;
  readonly #options: ModelOptions;
  readonly #byName = new Map<string, Entry>();
  readonly #byHandle = new Map<Handle, Entry>();
  #usage = 0;
  #handles = 0;
  #evictions = 0;
  #expirations = 0;
  #asked = 0;
  #doomed: string[] = [];
  #flushed = 0;

  constructor(options: ModelOptions) {
    this.#options = options;
    this.limitBytes = options.limitBytes;
    this.now = options.now ?? (() => performance.now());
  }

  get usage(): number {
    return this.#usage;
  }

  get entries(): number {
    return this.#byName.size;
  }

  get stats() {
    return {
      evictions: this.#evictions,
      expirations: this.#expirations,
      overheadBytes: 0,
      residentBytes: this.#usage,
    };
  }

  find(bytes: Uint8Array, start: number, end: number): Handle {
    const entry = this.#byName.get(nameOf(bytes, start, end));
    if (entry === undefined) return 0;
    if (entry.expiresAt > this.now()) return entry.handle;
    this.#expirations++;
    this.#drop(entry);
    return 0;
  }

  get(bytes: Uint8Array, start: number, end: number): Handle {
    const handle = this.find(bytes, start, end);
    const entry = this.#byHandle.get(handle);
    if (entry !== undefined) {
      this.#byName.delete(entry.name);
      this.#byName.set(entry.name, entry);
    }
    return handle;
  }

  lengthOf(handle: Handle): number {
    return this.#entry(handle).value.length;
  }

  view(handle: Handle): boolean {
    if (this.#options.scattered === true) return false;
    this.viewBytes = this.#entry(handle).value;
    return true;
  }

  copyTo(handle: Handle, target: Uint8Array, at: number): void {
    target.set(this.#entry(handle).value, at);
  }

  equals(handle: Handle, bytes: Uint8Array, start: number, end: number): boolean {
    const value = this.#entry(handle).value;
    return value.length === end - start && value.every((byte, at) => byte === bytes[start + at]);
  }

  expiryOf(handle: Handle): Milliseconds {
    return this.#entry(handle).expiresAt;
  }

  put(
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    value: Uint8Array,
    valueStart: number,
    valueEnd: number,
    expiresAt: Milliseconds,
  ): PutOutcome {
    const bytes = keyEnd - keyStart + valueEnd - valueStart;
    if (bytes > this.limitBytes) return "too large";
    const { againBytes = Infinity } = this.#options;
    if (valueEnd - valueStart >= againBytes && ++this.#asked % 3 !== 0) return "again";
    const name = nameOf(key, keyStart, keyEnd);
    const old = this.#byName.get(name);
    if (old !== undefined) this.#drop(old);
    for (const entry of this.#byName.values()) {
      if (this.#usage + bytes <= this.limitBytes) break;
      this.#evictions++;
      this.#drop(entry);
    }
    const handle = ++this.#handles;
    const entry = {
      handle,
      name,
      key: key.slice(keyStart, keyEnd),
      value: value.slice(valueStart, valueEnd),
      expiresAt,
    };
    this.#byName.set(name, entry);
    this.#byHandle.set(handle, entry);
    this.#usage += bytes;
    return "stored";
  }

  delete(bytes: Uint8Array, start: number, end: number): boolean {
    const entry = this.#byHandle.get(this.find(bytes, start, end));
    if (entry === undefined) return false;
    this.#drop(entry);
    return true;
  }

  remove(handle: Handle): void {
    this.#drop(this.#entry(handle));
  }

  expire(bytes: Uint8Array, start: number, end: number, expiresAt: Milliseconds): boolean {
    const entry = this.#byHandle.get(this.find(bytes, start, end));
    if (entry === undefined) return false;
    entry.expiresAt = expiresAt;
    return true;
  }

  scan(
    cursor: number,
    count: number,
    visit: (bytes: Uint8Array, start: number, end: number) => void,
    prefix?: Uint8Array,
  ): number {
    // Handles grow with time and an overwritten entry gets a new one, so a scan by handle sees
    // every key that stays; it may see an overwritten one twice, as the promise allows.
    const handles = [...this.#byHandle.keys()].filter((handle) => handle > cursor);
    handles.sort((a, b) => a - b);
    const part = handles.slice(0, count);
    const now = this.now();
    for (const handle of part) {
      const { key, expiresAt } = this.#entry(handle);
      if (expiresAt <= now) continue;
      if (prefix !== undefined && !prefix.every((byte, at) => byte === key[at])) continue;
      visit(key, 0, key.length);
    }
    return part.length < handles.length ? part[part.length - 1] : 0;
  }

  flushAll(): number {
    const before = this.#byName.size;
    this.#byName.clear();
    this.#byHandle.clear();
    this.#usage = 0;
    return before;
  }

  flushPrefix(prefix: Uint8Array): number | undefined {
    const wanted = nameOf(prefix, 0, prefix.length);
    if (this.#doomed.length === 0) {
      for (const [name, entry] of this.#byName) {
        if (!name.startsWith(wanted)) continue;
        this.#doomed.push(name);
        this.#drop(entry);
      }
      this.#flushed = this.#doomed.length;
    }
    this.#doomed.splice(0, this.#options.flushStep ?? Infinity);
    return this.#doomed.length > 0 ? undefined : this.#flushed;
  }

  sweep(): boolean {
    const now = this.now();
    for (const entry of this.#byName.values()) {
      if (entry.expiresAt > now) continue;
      this.#expirations++;
      this.#drop(entry);
    }
    return false;
  }

  #entry(handle: Handle): Entry {
    const entry = this.#byHandle.get(handle);
    if (entry === undefined) throw new Error(`Cannot use handle ${handle}: no such entry`);
    return entry;
  }

  #drop(entry: Entry): void {
    this.#byName.delete(entry.name);
    this.#byHandle.delete(entry.handle);
    this.#usage -= entry.key.length + entry.value.length;
  }
}
