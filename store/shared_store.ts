/**
 * A stand-in for the store that threads share: a list of records in a SharedArrayBuffer under one
 * lock. It has the interface and the promises, but none of the speed, and is to be replaced.
 *
 * @module
 */

import { InvariantError } from "./invariant.ts";
import type {
  FlushOperation,
  Handle,
  Milliseconds,
  PutOperation,
  PutOutcome,
  Storage,
  StoreStats,
} from "./storage.ts";

/** Memory that all threads of the process can reach. */
export interface SharedMemory {
  readonly isStandIn: true;
}

/** Undefined where it is not available: not Linux, or no `--allow-ffi`. */
export function openSharedMemory(): SharedMemory | undefined {
  if (Deno.build.os !== "linux") return undefined;
  return Deno.permissions.querySync({ name: "ffi" }).state === "granted"
    ? { isStandIn: true }
    : undefined;
}

/** What a thread attaches by; can be posted to a Worker. */
export interface SharedStoreHandle {
  readonly buffer: SharedArrayBuffer;
  readonly limitBytes: number;
}

const OWNER = 0;
const BROKEN = 1;
const WAITS = 2;
const END = 4;
const ENTRIES = 5;
const EVICTIONS = 6;
const EXPIRATIONS = 7;
const USAGE = 4; // of the numbers
const headBytes = 64;
const recordHead = 16; // key bytes, value bytes, expiry

interface Options {
  readonly thread: number;
  readonly memory: SharedMemory;
  readonly now: () => Milliseconds;
}

export class SharedStore implements Storage {
  readonly handle: SharedStoreHandle;
  readonly shards = 1;
  readonly limitBytes: number;
  readonly now: () => Milliseconds;
  readonly viewBytes: Uint8Array;
  viewStart = 0;
  readonly #words: Int32Array;
  readonly #numbers: Float64Array;
  readonly #view: DataView;
  readonly #thread: number;
  #depth = 0;

  private constructor(handle: SharedStoreHandle, { thread, now }: Options) {
    this.handle = handle;
    this.limitBytes = handle.limitBytes;
    this.now = now;
    this.viewBytes = new Uint8Array(handle.buffer);
    this.#words = new Int32Array(handle.buffer, 0, 16);
    this.#numbers = new Float64Array(handle.buffer, 0, 8);
    this.#view = new DataView(handle.buffer);
    this.#thread = thread;
  }

  static create(
    options: { limitBytes: number; threads: number; memory: SharedMemory; now: () => number },
  ): SharedStore {
    const { limitBytes, memory, now } = options;
    if (!(limitBytes >= 1)) {
      throw new RangeError(`Cannot make a store: the limit is ${limitBytes} bytes`);
    }
    const bytes = Math.ceil((headBytes + 3 * limitBytes + (1 << 20)) / 8) * 8;
    const handle = { buffer: new SharedArrayBuffer(bytes), limitBytes };
    const store = new SharedStore(handle, { thread: 0, memory, now });
    store.#words[END] = headBytes;
    return store;
  }

  static attach(handle: SharedStoreHandle, options: Options): SharedStore {
    return new SharedStore(handle, options);
  }

  get lockWaits(): number {
    return this.#words[WAITS];
  }

  markBroken(): void {
    Atomics.store(this.#words, BROKEN, 1);
    Atomics.notify(this.#words, OWNER);
  }

  enter(_bytes: Uint8Array, _start: number, _end: number): void {
    if (this.#depth > 0) throw new InvariantError("two keys are entered at once");
    this.#lock();
  }

  leave(): void {
    this.#unlock();
  }

  get usage(): number {
    return this.#alone(() => this.#numbers[USAGE]);
  }

  get entries(): number {
    return this.#alone(() => this.#words[ENTRIES]);
  }

  get stats(): StoreStats {
    return {
      evictions: this.#words[EVICTIONS],
      expirations: this.#words[EXPIRATIONS],
      overheadBytes: recordHead * this.#words[ENTRIES],
      residentBytes: this.#words[END],
    };
  }

  find(bytes: Uint8Array, start: number, end: number): Handle {
    return this.#alone(() => {
      const words = this.#words;
      for (let at = headBytes; at < words[END]; at = this.#after(at)) {
        if (this.#view.getUint32(at, true) !== end - start) continue;
        const from = at + recordHead;
        let n = 0;
        while (n < end - start && this.viewBytes[from + n] === bytes[start + n]) n++;
        if (n < end - start) continue;
        if (this.expiryOf(at) > this.now()) return at;
        words[EXPIRATIONS]++;
        this.remove(at);
        return 0;
      }
      return 0;
    });
  }

  get(bytes: Uint8Array, start: number, end: number): Handle {
    return this.find(bytes, start, end);
  }

  lengthOf(handle: Handle): number {
    return this.#view.getUint32(handle + 4, true);
  }

  view(handle: Handle): boolean {
    this.viewStart = handle + recordHead + this.#view.getUint32(handle, true);
    return true;
  }

  copyTo(handle: Handle, target: Uint8Array, at: number): void {
    this.view(handle);
    target.set(this.viewBytes.subarray(this.viewStart, this.viewStart + this.lengthOf(handle)), at);
  }

  equals(handle: Handle, bytes: Uint8Array, start: number, end: number): boolean {
    if (this.lengthOf(handle) !== end - start) return false;
    this.view(handle);
    for (let n = 0; n < end - start; n++) {
      if (this.viewBytes[this.viewStart + n] !== bytes[start + n]) return false;
    }
    return true;
  }

  expiryOf(handle: Handle): Milliseconds {
    return this.#view.getFloat64(handle + 8, true);
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
    return this.#alone(() => {
      const words = this.#words;
      const bytes = keyEnd - keyStart + valueEnd - valueStart;
      if (bytes > this.limitBytes) return "too large";
      const old = this.find(key, keyStart, keyEnd);
      if (old !== 0) this.remove(old);
      while (
        this.#numbers[USAGE] + bytes > this.limitBytes ||
        words[END] + recordHead + bytes > this.viewBytes.length
      ) {
        words[EVICTIONS]++;
        this.remove(headBytes);
      }
      const at = words[END];
      this.#view.setUint32(at, keyEnd - keyStart, true);
      this.#view.setUint32(at + 4, valueEnd - valueStart, true);
      this.#view.setFloat64(at + 8, expiresAt, true);
      this.viewBytes.set(key.subarray(keyStart, keyEnd), at + recordHead);
      this.viewBytes.set(value.subarray(valueStart, valueEnd), at + recordHead + keyEnd - keyStart);
      words[END] += recordHead + bytes;
      words[ENTRIES]++;
      this.#numbers[USAGE] += bytes;
      return "stored";
    });
  }

  startPut(): PutOperation {
    return { cancel: () => {} };
  }

  delete(bytes: Uint8Array, start: number, end: number): boolean {
    return this.#alone(() => {
      const handle = this.find(bytes, start, end);
      if (handle !== 0) this.remove(handle);
      return handle !== 0;
    });
  }

  remove(handle: Handle): void {
    this.#alone(() => {
      const next = this.#after(handle);
      const bytes = next - handle;
      this.viewBytes.copyWithin(handle, next, this.#words[END]);
      this.#words[END] -= bytes;
      this.#words[ENTRIES]--;
      this.#numbers[USAGE] -= bytes - recordHead;
    });
  }

  expire(bytes: Uint8Array, start: number, end: number, expiresAt: Milliseconds): boolean {
    return this.#alone(() => {
      const handle = this.find(bytes, start, end);
      if (handle !== 0) this.#view.setFloat64(handle + 8, expiresAt, true);
      return handle !== 0;
    });
  }

  /** The cursor is how many are behind it, counted from the end: removals before it move nothing. */
  scan(
    _cursor: number,
    _count: number,
    visit: (bytes: Uint8Array, start: number, end: number) => void,
    prefix?: Uint8Array,
  ): number {
    return this.#alone(() => {
      this.#each(prefix, (at, keyEnd) => visit(this.viewBytes, at + recordHead, keyEnd));
      return 0;
    });
  }

  flushAll(): number {
    return this.#alone(() => {
      const entries = this.#words[ENTRIES];
      this.#words[END] = headBytes;
      this.#words[ENTRIES] = 0;
      this.#numbers[USAGE] = 0;
      return entries;
    });
  }

  startFlush(prefix: Uint8Array): FlushOperation {
    const count = this.#alone(() => {
      const doomed: number[] = [];
      this.#each(prefix, (at) => doomed.push(at));
      for (const at of doomed.reverse()) this.remove(at);
      return doomed.length;
    });
    return { step: () => count };
  }

  sweep(): boolean {
    this.#alone(() => {
      const words = this.#words;
      const now = this.now();
      for (let at = headBytes; at < words[END];) {
        if (this.expiryOf(at) > now) {
          at = this.#after(at);
          continue;
        }
        words[EXPIRATIONS]++;
        this.remove(at);
      }
    });
    return false;
  }

  verify(): void {}

  #each(prefix: Uint8Array | undefined, work: (at: number, keyEnd: number) => void): void {
    const now = this.now();
    for (let at = headBytes; at < this.#words[END]; at = this.#after(at)) {
      const keyStart = at + recordHead;
      const keyEnd = keyStart + this.#view.getUint32(at, true);
      const has = prefix === undefined || prefix.length <= keyEnd - keyStart &&
          prefix.every((byte, n) => this.viewBytes[keyStart + n] === byte);
      if (has && this.expiryOf(at) > now) work(at, keyEnd);
    }
  }

  #after(at: number): number {
    return at + recordHead + this.#view.getUint32(at, true) + this.#view.getUint32(at + 4, true);
  }

  #alone<T>(work: () => T): T {
    this.#lock();
    try {
      return work();
    } finally {
      this.#unlock();
    }
  }

  #lock(): void {
    if (this.#depth++ > 0) return;
    const words = this.#words;
    let waited = false;
    for (let spins = 0;; spins++) {
      if (Atomics.load(words, BROKEN) !== 0) {
        this.#depth--;
        throw new InvariantError("another thread has found a contradiction");
      }
      if (Atomics.compareExchange(words, OWNER, 0, this.#thread + 1) === 0) break;
      if (!waited) Atomics.add(words, WAITS, 1);
      waited = true;
      if (spins > 100) Atomics.wait(words, OWNER, words[OWNER], 1);
    }
  }

  #unlock(): void {
    if (--this.#depth > 0) return;
    Atomics.store(this.#words, OWNER, 0);
    Atomics.notify(this.#words, OWNER, 1);
  }
}
