/**
 * What the threads of a shared store have in common beside its shards: locks, the part of the limit
 * that no shard has, whose turn it is, and the prefix of the flush under way. It lies in a
 * SharedArrayBuffer, since a thread can sleep only on one.
 *
 * @module
 */

import { PREFIX_BYTES_MAX } from "./flush.ts";
import type { Limit } from "./limit.ts";
import { lockBytes, Locks } from "./locks.ts";

/** The most threads that one store can have. */
export const THREADS_MAX = 64;

/** Words of 32 bits, by number. */
const FAILED = 0;
const FLUSH_OWNER = 1;
const FLUSH_BYTES = 2;
const FLUSH_SHARDS_LEFT = 3;
const LINE_LENGTH = 4;
const LINE = 5;
const WAITS = LINE + THREADS_MAX;
const WORDS = WAITS + THREADS_MAX + 1;

/** Numbers of 64 bits, by number: bytes of the limit, of its target, and those that no shard has. */
const LIMIT = 0;
const TARGET = 1;
const FREE = 2;
const NUMBERS = 3;
const NUMBERS_AT = Math.ceil(WORDS / 2) * 8;
const PREFIX_AT = NUMBERS_AT + NUMBERS * 8;
/** Whole lines of the processor's cache. */
const LOCKS_AT = Math.ceil((PREFIX_AT + PREFIX_BYTES_MAX) / 64) * 64;

/** The common state of the threads, as one of them sees it. */
export class Control implements Limit {
  /** The memory, which is handed to other threads. */
  readonly buffer: SharedArrayBuffer;
  /** A lock for each shard, then one for the free bytes and one for the line. */
  readonly locks: Locks;
  readonly #words: Int32Array<SharedArrayBuffer>;
  /** The limit; changes with the lock of the free bytes held. */
  readonly #numbers: Float64Array<SharedArrayBuffer>;
  readonly #prefix: Uint8Array<SharedArrayBuffer>;
  readonly #thread: number;
  readonly #freeBytesLock: number;
  readonly #lineLock: number;

  constructor(buffer: SharedArrayBuffer, shards: number, thread: number) {
    this.buffer = buffer;
    this.#thread = thread;
    this.#words = new Int32Array(buffer, 0, WORDS);
    this.#numbers = new Float64Array(buffer, NUMBERS_AT, NUMBERS);
    this.#prefix = new Uint8Array(buffer, PREFIX_AT, PREFIX_BYTES_MAX);
    this.#freeBytesLock = shards;
    this.#lineLock = shards + 1;
    const locks = new Int32Array(buffer, LOCKS_AT, lockBytes(shards + 2) / 4);
    this.locks = new Locks(locks, () => Atomics.load(this.#words, FAILED) !== 0);
  }

  /** New memory for so many shards, which have nothing of the limit yet. */
  static allocate(shards: number, limitBytes: number): SharedArrayBuffer {
    const buffer = new SharedArrayBuffer(LOCKS_AT + lockBytes(shards + 2));
    new Float64Array(buffer, NUMBERS_AT, NUMBERS).fill(limitBytes);
    return buffer;
  }

  /** A thread has failed, and may never give back what it holds. */
  fail(): void {
    Atomics.store(this.#words, FAILED, 1);
  }

  /** How often threads have waited for a lock: this one up to now, the others as last counted. */
  get lockWaits(): number {
    this.countWaits();
    let sum = 0;
    for (let n = 0; n < THREADS_MAX; n++) sum += Atomics.load(this.#words, WAITS + n) >>> 0;
    return sum;
  }

  /** Shows other threads how often this one has waited. */
  countWaits(): void {
    Atomics.store(this.#words, WAITS + this.#thread, this.locks.waits);
  }

  /** The limit now. */
  get bytes(): number {
    return this.#numbers[LIMIT];
  }

  /** What the limit is to become. */
  get target(): number {
    return this.#numbers[TARGET];
  }

  get entryBytesMax(): number {
    return Math.min(this.#numbers[LIMIT], this.#numbers[TARGET]);
  }

  /** Sets what the limit is to become; a higher one holds at once, and no shard has the difference. */
  setTarget(limitBytes: number): void {
    this.locks.lock(this.#freeBytesLock);
    const numbers = this.#numbers;
    numbers[TARGET] = limitBytes;
    if (limitBytes > numbers[LIMIT]) {
      numbers[FREE] += limitBytes - numbers[LIMIT];
      numbers[LIMIT] = limitBytes;
    }
    this.locks.unlock(this.#freeBytesLock);
  }

  /** Lowers the limit towards its target by bytes that no shard has. */
  lowerByFree(): void {
    this.locks.lock(this.#freeBytesLock);
    const numbers = this.#numbers;
    const lowered = Math.max(0, Math.min(numbers[FREE], numbers[LIMIT] - numbers[TARGET]));
    numbers[FREE] -= lowered;
    numbers[LIMIT] -= lowered;
    this.locks.unlock(this.#freeBytesLock);
  }

  /**
   * Lowers the limit towards its target by up to so many bytes, which the caller's shard gives up;
   * returns by how many.
   */
  lowerBy(bytes: number): number {
    this.locks.lock(this.#freeBytesLock);
    const numbers = this.#numbers;
    const lowered = Math.max(0, Math.min(bytes, numbers[LIMIT] - numbers[TARGET]));
    numbers[LIMIT] -= lowered;
    this.locks.unlock(this.#freeBytesLock);
    return lowered;
  }

  /** Bytes of the limit that shards have. All shards are locked. */
  get givenBytes(): number {
    this.locks.lock(this.#freeBytesLock);
    const given = this.#numbers[LIMIT] - this.#numbers[FREE];
    this.locks.unlock(this.#freeBytesLock);
    return given;
  }

  /** Adds to the bytes that no shard has. */
  giveBytes(bytes: number): void {
    this.locks.lock(this.#freeBytesLock);
    this.#numbers[FREE] += bytes;
    this.locks.unlock(this.#freeBytesLock);
  }

  /** Takes up to `wanted` of the bytes that no shard has; returns how many. */
  takeBytes(wanted: number): number {
    if (this.#numbers[FREE] === 0) return 0;
    this.locks.lock(this.#freeBytesLock);
    const taken = Math.min(wanted, this.#numbers[FREE]);
    this.#numbers[FREE] -= taken;
    this.locks.unlock(this.#freeBytesLock);
    return taken;
  }

  /** Joins the line of threads that have a large put; true if this thread is the first. */
  joinLine(): boolean {
    const words = this.#words;
    this.locks.lock(this.#lineLock);
    const end = LINE + words[LINE_LENGTH];
    let at = LINE;
    while (at < end && words[at] !== this.#thread) at++;
    if (at === end) {
      words[end] = this.#thread;
      words[LINE_LENGTH]++;
    }
    this.locks.unlock(this.#lineLock);
    return at === LINE;
  }

  /** Leaves the line. */
  leaveLine(): void {
    const words = this.#words;
    this.locks.lock(this.#lineLock);
    const end = LINE + words[LINE_LENGTH];
    let at = LINE;
    while (at < end && words[at] !== this.#thread) at++;
    if (at < end) {
      words.copyWithin(at, at + 1, end);
      words[LINE_LENGTH]--;
    }
    this.locks.unlock(this.#lineLock);
  }

  /** Whether a thread has a large put. */
  get hasLine(): boolean {
    return Atomics.load(this.#words, LINE_LENGTH) > 0;
  }

  /** The prefix of the flush under way, as a copy. */
  get prefix(): Uint8Array {
    return this.#prefix.slice(0, this.#words[FLUSH_BYTES]);
  }

  /** Whether a flush is under way: until its owner has ended it. */
  get isFlushing(): boolean {
    return Atomics.load(this.#words, FLUSH_OWNER) !== 0;
  }

  /** Whether a flush of this thread is under way, and no shard has anything left to do for it. */
  get isOwnFlushDone(): boolean {
    const words = this.#words;
    return Atomics.load(words, FLUSH_OWNER) === this.#thread + 1 &&
      Atomics.load(words, FLUSH_SHARDS_LEFT) === 0;
  }

  /** Notes a flush of this thread, which so many shards work on. All shards are locked. */
  beginFlush(prefix: Uint8Array, shards: number): void {
    this.#prefix.set(prefix);
    this.#words[FLUSH_BYTES] = prefix.length;
    Atomics.store(this.#words, FLUSH_SHARDS_LEFT, shards);
    Atomics.store(this.#words, FLUSH_OWNER, this.#thread + 1);
  }

  /** One shard has done its part of the flush. */
  flushedShard(): void {
    Atomics.sub(this.#words, FLUSH_SHARDS_LEFT, 1);
  }

  /** The flush is over: another one can begin. */
  endFlush(): void {
    Atomics.store(this.#words, FLUSH_OWNER, 0);
  }
}
