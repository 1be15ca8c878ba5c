/**
 * A store on a plain Map: the model with which tests compare the store and the commands. It is
 * exact, evicts in least-recently-used order and does everything at once, whatever it costs, except
 * where its options say otherwise.
 *
 * @module
 */

import type {
  FlushOperation,
  Handle,
  Milliseconds,
  PutOperation,
  PutOutcome,
  Storage,
} from "../store.ts";

interface Entry {
  readonly handle: Handle;
  readonly name: string;
  readonly key: Uint8Array;
  value: Uint8Array;
  expiresAt: Milliseconds;
}

/** The options of a model: its limit, and options that cause rare outcomes. */
export interface ModelOptions {
  /** The most bytes of keys and values. */
  limitBytes: number;
  /** The clock; `performance.now` unless given. */
  now?: () => Milliseconds;
  /** True: no value is contiguous, so that readers must copy. */
  scattered?: boolean;
  /** A value of this many bytes or more is stored by the third call of its put. */
  unfinishedBytes?: number;
  /** A value of this many bytes or more is refused: memory is not available for it. */
  outOfMemoryBytes?: number;
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
  countsReads = true;
  readonly cursors: number = 2 ** 32;
  #changes = 0;

  enterAll(): void {}

  leaveAll(): void {}

  /** Any change counts for all keys. */
  version(): number {
    return this.#changes;
  }

  putNow(
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    value: Uint8Array,
    valueStart: number,
    valueEnd: number,
    expiresAt: number,
  ): Exclude<PutOutcome, "unfinished"> {
    const put = this.startPut();
    for (;;) {
      // deno-fmt-ignore: one line shows that the arguments are handed on
      const outcome = this.put(key, keyStart, keyEnd, value, valueStart, valueEnd, expiresAt, put);
      if (outcome !== "unfinished") return outcome;
    }
  }

  limitBytes: number;
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
  readonly #puts: ModelPut[] = [];
  readonly #flushes: ModelFlush[] = [];

  constructor(options: ModelOptions) {
    this.#options = options;
    this.limitBytes = options.limitBytes;
    this.now = options.now ?? (() => performance.now());
  }

  setLimit(limitBytes: number): void {
    this.limitBytes = limitBytes;
    for (const entry of this.#byName.values()) {
      if (this.#usage <= limitBytes) break;
      this.#evictions++;
      this.#drop(entry);
    }
  }

  changeLimit(): boolean {
    return true;
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
      expiring: [...this.#byName.values()].filter(({ expiresAt }) => expiresAt !== Infinity).length,
      overheadBytes: 0,
      residentBytes: this.#usage,
    };
  }

  enter(): void {}

  leave(): void {}

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
    if (entry !== undefined && this.countsReads) {
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
    operation?: PutOperation,
  ): PutOutcome {
    this.#changes++;
    const put = this.#puts.find((waiting) => waiting === operation);
    if (put !== operation) throw new Error("Cannot put with this operation: it has ended");
    const outcome = this.#mayPut(keyEnd - keyStart, valueEnd - valueStart, put);
    if (outcome === "unfinished") return outcome;
    put?.cancel();
    if (outcome !== "stored") return outcome;
    const bytes = keyEnd - keyStart + valueEnd - valueStart;
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

  startPut(): PutOperation {
    const put = new ModelPut(this.#puts);
    this.#puts.push(put);
    return put;
  }

  /** How many puts wait or are under way: those that were neither finished nor cancelled. */
  get putsUnderWay(): number {
    return this.#puts.length;
  }

  #mayPut(keyBytes: number, valueBytes: number, put: ModelPut | undefined): PutOutcome {
    if (keyBytes + valueBytes > this.limitBytes) return "too large";
    const { unfinishedBytes = Infinity, outOfMemoryBytes = Infinity } = this.#options;
    if (valueBytes >= outOfMemoryBytes) return "out of memory";
    if (put !== undefined && put !== this.#puts[0]) return "unfinished";
    if (valueBytes < unfinishedBytes) return "stored";
    return put !== undefined && ++put.calls === 2 ? "stored" : "unfinished";
  }

  delete(bytes: Uint8Array, start: number, end: number): boolean {
    this.#changes++;
    const entry = this.#byHandle.get(this.find(bytes, start, end));
    if (entry === undefined) return false;
    this.#drop(entry);
    return true;
  }

  expire(bytes: Uint8Array, start: number, end: number, expiresAt: Milliseconds): boolean {
    this.#changes++;
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
    this.#changes++;
    const before = this.#byName.size;
    this.#byName.clear();
    this.#byHandle.clear();
    this.#usage = 0;
    return before;
  }

  startFlush(prefix: Uint8Array): FlushOperation {
    this.#changes++;
    const flush = new ModelFlush(nameOf(prefix, 0, prefix.length), () => this.#stepFlush());
    this.#flushes.push(flush);
    if (this.#flushes.length === 1) this.#beginFlush(flush);
    return flush;
  }

  /** Removes at once what a flush covers; its steps only take their time. */
  #beginFlush(flush: ModelFlush): void {
    const now = this.now();
    for (const [name, entry] of this.#byName) {
      if (!name.startsWith(flush.prefix)) continue;
      if (entry.expiresAt > now) flush.count++;
      else this.#expirations++;
      this.#drop(entry);
    }
    flush.left = flush.count;
  }

  #stepFlush(): boolean {
    const first = this.#flushes.at(0);
    if (first === undefined) return false;
    first.left -= this.#options.flushStep ?? Infinity;
    if (first.left > 0) return true;
    first.removed = first.count;
    this.#flushes.shift();
    const next = this.#flushes.at(0);
    if (next !== undefined) this.#beginFlush(next);
    return next !== undefined;
  }

  sweep(): boolean {
    const flushing = this.#stepFlush();
    const now = this.now();
    for (const entry of this.#byName.values()) {
      if (entry.expiresAt > now) continue;
      this.#expirations++;
      this.#drop(entry);
    }
    return flushing;
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

/** A put of the model that takes several calls. */
class ModelPut implements PutOperation {
  /** Calls while it was the first. */
  calls = 0;
  readonly #queue: ModelPut[];

  constructor(queue: ModelPut[]) {
    this.#queue = queue;
  }

  cancel(): void {
    const at = this.#queue.indexOf(this);
    if (at >= 0) this.#queue.splice(at, 1);
  }
}

/** A flush by prefix of the model. */
class ModelFlush implements FlushOperation {
  readonly prefix: string;
  readonly #step: () => void;
  /** Keys that it removed, keys that its steps have not passed yet, and the result. */
  count = 0;
  left = 0;
  removed: number | undefined;

  constructor(prefix: string, step: () => void) {
    this.prefix = prefix;
    this.#step = step;
  }

  step(): number | undefined {
    if (this.removed === undefined) this.#step();
    return this.removed;
  }
}
