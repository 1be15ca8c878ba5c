/**
 * The class `SharedStore`: one store for several threads, in shards with a lock each.
 *
 * A key belongs to the shard that the low bits of its hash name. Each thread has a `SharedStore` of
 * its own, whose views all lie on the same memory. A call takes the lock of one shard, and keeps it
 * while the key is entered; USAGE and flushes take all of them, in ascending order, and so does
 * `enterAll`, which keeps them.
 *
 * What always holds between two calls: this thread holds no lock, unless keys are entered. What
 * `Store` promises holds here too, with one exception: with several shards, eviction may begin at
 * 99 % of the limit.
 *
 * @module
 */

import { Budgets } from "./budgets.ts";
import { Control } from "./control.ts";
import { type HashKey, hashOf, randomHashKey } from "../hash.ts";
import { InvariantError } from "./invariant.ts";
import { checkLimit } from "./limit.ts";
import type { Shard } from "./shard.ts";
import { type Roots, Shards } from "./shards.ts";
import { SharedFlushes } from "./shared_flushes.ts";
import {
  type AttachOptions,
  shardsOf,
  type SharedStoreHandle,
  type SharedStoreOptions,
} from "./shared_options.ts";
import { type SharedPut, SharedPuts } from "./shared_puts.ts";
import { SharedSweep } from "./shared_sweep.ts";
import type { FlushOperation, Handle, Milliseconds, PutOperation } from "./storage.ts";
import type { ObservableStorage, PutOutcome, StoreObserver, StoreStats } from "./storage.ts";

/** A store that several threads share, as one of them sees it. */
export class SharedStore implements ObservableStorage {
  /** False while `get` does not count a visit. */
  countsReads = true;
  /** The clock, in milliseconds. */
  readonly now: () => Milliseconds;
  /** What other threads attach to. */
  readonly handle: SharedStoreHandle;
  readonly #control: Control;
  readonly #budgets: Budgets;
  readonly #shards: Shards;
  readonly #puts: SharedPuts;
  readonly #flushes: SharedFlushes;
  readonly #sweeps: SharedSweep;
  readonly #hashKey: HashKey;
  readonly #mask: number;
  /** The shard that was looked at last, and its number while it is locked, else -1. */
  #shard: Shard;
  #locked = -1;
  /** The key that is entered, and its hash. */
  #bytes: Uint8Array = new Uint8Array(0);
  #start = 0;
  #hash = 0;

  private constructor(handle: SharedStoreHandle, options: AttachOptions, roots: Roots) {
    const { thread, now } = options;
    const control = new Control(handle.control, roots.length, thread);
    const budgets = new Budgets(control, now, handle.evicts);
    const shards = new Shards(roots, handle, options, control, budgets);
    budgets.use(shards.all, shards);
    this.now = now;
    this.handle = { ...handle, addresses: shards.all.map(({ address }) => address) };
    this.#hashKey = handle.hashKey;
    this.#mask = roots.length - 1;
    this.#control = control;
    this.#budgets = budgets;
    this.#shards = shards;
    this.#puts = new SharedPuts(shards, control, budgets);
    this.#flushes = new SharedFlushes(shards, control, thread);
    this.#sweeps = new SharedSweep(shards, thread, handle.threads);
    this.#shard = shards.all[0];
  }

  /**
   * Makes the store, in the first thread.
   *
   * @throws {RangeError} for a limit below 1, a number of threads or shards that cannot be, or when
   * there is no memory.
   */
  static create(options: SharedStoreOptions): SharedStore {
    const { limitBytes, threads, memory, now, evicts = true } = options;
    const shards = shardsOf(options);
    const hashKey = options.hashKey ?? randomHashKey();
    const control = Control.allocate(shards, limitBytes);
    const handle = { threads, evicts, hashKey, control, addresses: [] };
    const roots = new Array<undefined>(shards).fill(undefined);
    return new SharedStore(handle, { thread: 0, memory, now }, roots);
  }

  /** The store that another thread has made, in this thread. */
  static attach(handle: SharedStoreHandle, options: AttachOptions): SharedStore {
    return new SharedStore(handle, options, handle.addresses);
  }

  /** How many shards there are. */
  get shards(): number {
    return this.#shards.all.length;
  }

  /** How often threads have waited for a lock. */
  get lockWaits(): number {
    return this.#control.lockWaits;
  }

  /**
   * Says that this thread can no longer be trusted: other threads that wait for a lock get an
   * InvariantError, so that none waits for ever.
   */
  markBroken(): void {
    this.#control.fail();
  }

  /** Bytes that all keys and values together may have now. */
  get limitBytes(): number {
    return this.#control.bytes;
  }

  /** See `Store.setLimit`. How many shards there are stays as it is. */
  setLimit(limitBytes: number): void {
    checkLimit(limitBytes);
    this.#control.setTarget(limitBytes);
  }

  /** See `Store.changeLimit`. */
  changeLimit(): boolean {
    return this.#budgets.changeLimit();
  }

  /** Bytes of all keys and values held, at one moment. */
  get usage(): number {
    return this.#shards.usage;
  }

  /** How many entries there are. */
  get entries(): number {
    return this.#shards.entries;
  }

  /** Figures about the store. */
  get stats(): StoreStats {
    return this.#shards.stats;
  }

  /** The memory in which `view` found a value. */
  get viewBytes(): Uint8Array {
    return this.#shard.viewBytes;
  }

  /** Where in that memory the value begins. */
  get viewStart(): number {
    return this.#shard.viewStart;
  }

  /** Tells an observer of what this thread evicts, and of the flushes that it begins. */
  observe(observer: StoreObserver): void {
    for (const { parts } of this.#shards.all) parts.eviction.observer = observer;
    this.#flushes.observer = observer;
  }

  /** Locks the shard of a key until `leave`. Throws an InvariantError if a key is entered. */
  enter(bytes: Uint8Array, start: number, end: number): void {
    if (this.#locked !== -1 && !this.#shards.holdsAll) {
      throw new InvariantError("two keys were entered at once");
    }
    const hash = hashOf(this.#hashKey, bytes, start, end);
    const n = hash & this.#mask;
    this.#shard = this.#shards.lock(n);
    this.#locked = n;
    this.#bytes = bytes;
    this.#start = start;
    this.#hash = hash;
  }

  /** Unlocks it. */
  leave(): void {
    const n = this.#locked;
    this.#locked = -1;
    this.#shards.unlock(n);
  }

  find(bytes: Uint8Array, start: number, end: number): Handle {
    const opened = this.#open(bytes, start, end);
    try {
      return this.#shard.find(this.#hash, bytes, start, end);
    } finally {
      if (opened) this.leave();
    }
  }

  get(bytes: Uint8Array, start: number, end: number): Handle {
    const opened = this.#open(bytes, start, end);
    try {
      return this.countsReads
        ? this.#shard.get(this.#hash, bytes, start, end)
        : this.#shard.find(this.#hash, bytes, start, end);
    } finally {
      if (opened) this.leave();
    }
  }

  lengthOf(handle: Handle): number {
    return this.#shard.lengthOf(handle);
  }

  view(handle: Handle): boolean {
    return this.#shard.view(handle);
  }

  copyTo(handle: Handle, target: Uint8Array, at: number): void {
    this.#shard.copyTo(handle, target, at);
  }

  equals(handle: Handle, bytes: Uint8Array, start: number, end: number): boolean {
    return this.#shard.equals(handle, bytes, start, end);
  }

  expiryOf(handle: Handle): Milliseconds {
    return this.#shard.expiryOf(handle);
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
    const put = operation === undefined ? undefined : this.#puts.own(operation);
    const opened = this.#open(key, keyStart, keyEnd);
    const hash = this.#hash;
    try {
      if (put === undefined) {
        // deno-fmt-ignore: one line shows that the arguments are handed on
        return this.#shard.put(hash, key, keyStart, keyEnd, value, valueStart, valueEnd, expiresAt, undefined);
      }
      // deno-fmt-ignore: one line shows that the arguments are handed on
      return this.#puts.proceed(this.#locked, hash, key, keyStart, keyEnd, value, valueStart, valueEnd, expiresAt, put);
    } finally {
      if (opened) this.leave();
    }
  }

  startPut(): PutOperation {
    return this.#puts.start((put) => this.#cancel(put));
  }

  delete(bytes: Uint8Array, start: number, end: number): boolean {
    const opened = this.#open(bytes, start, end);
    try {
      return this.#shard.delete(this.#hash, bytes, start, end);
    } finally {
      if (opened) this.leave();
    }
  }

  expire(bytes: Uint8Array, start: number, end: number, expiresAt: Milliseconds): boolean {
    const opened = this.#open(bytes, start, end);
    try {
      return this.#shard.expire(this.#hash, bytes, start, end, expiresAt);
    } finally {
      if (opened) this.leave();
    }
  }

  /** As `Store.scan`; a call goes on with the next shard where one had too few keys. */
  scan(
    cursor: number,
    count: number,
    visit: (bytes: Uint8Array, start: number, end: number) => void,
    prefix?: Uint8Array,
  ): number {
    return this.#shards.scan(cursor, count, visit, prefix);
  }

  /** Removes everything at once; returns how many entries there were: see `Store.flushAll`. */
  flushAll(): number {
    return this.#shards.flushAll();
  }

  startFlush(prefix: Uint8Array): FlushOperation {
    return this.#flushes.start(prefix);
  }

  /** Does a bounded share of background work; true if more is due now. */
  sweep(): boolean {
    this.#control.countWaits();
    // What is reserved for a put under way is waited for, without work.
    const isEvicting = !this.changeLimit() && this.#budgets.exceedTarget;
    const isFlushing = this.#flushes.step();
    return this.#sweeps.step() || isFlushing || isEvicting;
  }

  /**
   * Removes everything, and gives the memory back to the system but for some 100 KiB a shard. It
   * takes a moment; for the end, since the garbage collector does not free shared memory.
   */
  close(): void {
    this.flushAll();
    this.#shards.trim();
  }

  /** One more than the largest cursor of `scan`. */
  get cursors(): number {
    return this.#shards.cursors;
  }

  /** Locks all shards until `leaveAll`. Throws an InvariantError if a key is entered. */
  enterAll(): void {
    if (this.#locked !== -1) throw new InvariantError("a key was entered before all");
    this.#shards.lockAll();
  }

  /** Unlocks them. */
  leaveAll(): void {
    this.#locked = -1;
    this.#shards.unlockAll();
  }

  /** See `Store.putNow`. Throws an InvariantError if not all shards are locked. */
  putNow(
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    value: Uint8Array,
    valueStart: number,
    valueEnd: number,
    expiresAt: Milliseconds,
  ): Exclude<PutOutcome, "unfinished"> {
    if (!this.#shards.holdsAll) throw new InvariantError("not all shards are locked for a put");
    this.#open(key, keyStart, keyEnd);
    // deno-fmt-ignore: one line shows that the arguments are handed on
    return this.#puts.now(this.#shard, this.#hash, key, keyStart, keyEnd, value, valueStart, valueEnd, expiresAt);
  }

  /** See `Store.version`. */
  version(bytes: Uint8Array, start: number, end: number): number {
    const opened = this.#open(bytes, start, end);
    try {
      return this.#shard.version(this.#hash);
    } finally {
      if (opened) this.leave();
    }
  }

  /** Checks everything that must always hold; throws an InvariantError if something does not. */
  verify(): void {
    this.#shards.verify();
  }

  /** Enters a key unless that was done; true if `leave` is to follow. */
  #open(bytes: Uint8Array, start: number, end: number): boolean {
    if (this.#locked === -1 || this.#shards.holdsAll) {
      this.enter(bytes, start, end);
      return true;
    }
    if (bytes !== this.#bytes || start !== this.#start) {
      throw new InvariantError("a key was used while another one was entered");
    }
    return false;
  }

  #cancel(put: SharedPut): void {
    // What it has reserved and staged is under its shard's lock.
    const isLocked = put.shard === -1 || put.shard === this.#locked;
    if (isLocked) this.#puts.end(put);
    else this.#shards.with(put.shard, () => this.#puts.end(put));
  }
}
