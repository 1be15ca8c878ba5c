/**
 * A shared store seen by several threads that take turns, all in one real thread: each call is made
 * by the next one. So what one thread changes must be found by the others, in an order that a seed
 * repeats.
 *
 * @module
 */

import type {
  Block,
  FlushOperation,
  Handle,
  HashKey,
  PutOperation,
  SharedMemory,
  Storage,
  StoreStats,
} from "../store.ts";
import { SharedStore } from "../store.ts";
import { assert } from "./assert.ts";

/** Memory by address, as the system gives it, but in this thread. */
export class AddressedMemory implements SharedMemory {
  readonly #blocks = new Map<number, ArrayBuffer>();
  readonly #allocate: (bytes: number) => ArrayBuffer;
  #address = 4096;

  constructor(allocate: (bytes: number) => ArrayBuffer = (bytes) => new ArrayBuffer(bytes)) {
    this.#allocate = allocate;
  }

  /** Bytes of all blocks. */
  get bytes(): number {
    return [...this.#blocks.values()].reduce((sum, { byteLength }) => sum + byteLength, 0);
  }

  take(bytes: number): Block {
    const buffer = this.#allocate(bytes);
    const address = this.#address;
    this.#address += Math.ceil(bytes / 4096) * 4096;
    this.#blocks.set(address, buffer);
    return { buffer, address };
  }

  at(address: number, bytes: number): ArrayBuffer {
    return this.#block(address, bytes);
  }

  discard(address: number, bytes: number): void {
    new Uint8Array(this.#block(address, bytes)).fill(0);
  }

  give(address: number, bytes: number): void {
    // Whoever still uses it finds no sense in it.
    new Uint8Array(this.#block(address, bytes)).fill(0xa5);
    this.#blocks.delete(address);
  }

  #block(address: number, bytes: number): ArrayBuffer {
    const block = this.#blocks.get(address);
    assert(block !== undefined, `no block at ${address}`);
    assert(block.byteLength === bytes, `${bytes} bytes of a block of ${block.byteLength}`);
    return block;
  }
}

/** What a rotation is made from. */
export interface RotationOptions {
  limitBytes: number;
  threads: number;
  shards: number;
  now: () => number;
  hashKey?: HashKey;
  allocate?: (bytes: number) => ArrayBuffer;
}

/** Several threads' views of one store, which take turns. */
export class Rotation implements Storage {
  readonly now: () => number;
  readonly threads: readonly SharedStore[];
  readonly memory: AddressedMemory;
  readonly #ownerOf = new Map<PutOperation, SharedStore>();
  #turn = 0;
  #sweeping = 0;
  #isEntered = false;
  #hasAll = false;
  #current: SharedStore;

  constructor({ limitBytes, threads, shards, now, hashKey = [1, 2], allocate }: RotationOptions) {
    this.now = now;
    const memory = this.memory = new AddressedMemory(allocate);
    const options = { limitBytes, threads, shards, memory, now, hashKey };
    const first = SharedStore.create(options);
    this.threads = Array.from(
      { length: threads },
      (_, thread) =>
        thread === 0 ? first : SharedStore.attach(first.handle, { thread, memory, now }),
    );
    this.#current = first;
  }

  get limitBytes(): number {
    return this.#current.limitBytes;
  }

  setLimit(limitBytes: number): void {
    this.#next().setLimit(limitBytes);
  }

  changeLimit(): boolean {
    return this.#next().changeLimit();
  }

  get countsReads(): boolean {
    return this.#current.countsReads;
  }

  set countsReads(counts: boolean) {
    for (const thread of this.threads) thread.countsReads = counts;
  }

  get usage(): number {
    return this.#next().usage;
  }

  get entries(): number {
    return this.#next().entries;
  }

  get stats(): StoreStats {
    return this.#next().stats;
  }

  get viewBytes(): Uint8Array {
    return this.#current.viewBytes;
  }

  get viewStart(): number {
    return this.#current.viewStart;
  }

  enter(bytes: Uint8Array, start: number, end: number): void {
    this.#next().enter(bytes, start, end);
    this.#isEntered = true;
  }

  leave(): void {
    this.#isEntered = this.#hasAll;
    this.#current.leave();
  }

  get cursors(): number {
    return this.#current.cursors;
  }

  enterAll(): void {
    this.#next().enterAll();
    this.#isEntered = this.#hasAll = true;
  }

  leaveAll(): void {
    this.#isEntered = this.#hasAll = false;
    this.#current.leaveAll();
  }

  putNow(...args: Parameters<Storage["putNow"]>): ReturnType<Storage["putNow"]> {
    return this.#current.putNow(...args);
  }

  version(bytes: Uint8Array, start: number, end: number): number {
    return this.#next().version(bytes, start, end);
  }

  find(bytes: Uint8Array, start: number, end: number): Handle {
    return this.#next().find(bytes, start, end);
  }

  get(bytes: Uint8Array, start: number, end: number): Handle {
    return this.#next().get(bytes, start, end);
  }

  lengthOf(handle: Handle): number {
    return this.#current.lengthOf(handle);
  }

  view(handle: Handle): boolean {
    return this.#current.view(handle);
  }

  copyTo(handle: Handle, target: Uint8Array, at: number): void {
    this.#current.copyTo(handle, target, at);
  }

  equals(handle: Handle, bytes: Uint8Array, start: number, end: number): boolean {
    return this.#current.equals(handle, bytes, start, end);
  }

  expiryOf(handle: Handle): number {
    return this.#current.expiryOf(handle);
  }

  put(...args: Parameters<Storage["put"]>): ReturnType<Storage["put"]> {
    const operation = args.at(7) as PutOperation | undefined;
    const owner = operation === undefined ? undefined : this.#ownerOf.get(operation);
    if (owner === undefined) return this.#next().put(...args);
    if (!this.#isEntered || owner === this.#current) return owner.put(...args);
    // The operation is another thread's than the one that has entered the key: let it enter instead.
    const [key, start, end] = args;
    this.#current.leave();
    this.#current = owner;
    owner.enter(key, start, end);
    return owner.put(...args);
  }

  startPut(): PutOperation {
    const store = this.#next();
    const put = store.startPut();
    this.#ownerOf.set(put, store);
    return put;
  }

  delete(bytes: Uint8Array, start: number, end: number): boolean {
    return this.#next().delete(bytes, start, end);
  }

  expire(bytes: Uint8Array, start: number, end: number, expiresAt: number): boolean {
    return this.#next().expire(bytes, start, end, expiresAt);
  }

  scan(...args: Parameters<Storage["scan"]>): number {
    return this.#next().scan(...args);
  }

  flushAll(): number {
    return this.#next().flushAll();
  }

  /** Threads have a queue each, and programs expect one: all flushes are of the first thread. */
  startFlush(prefix: Uint8Array): FlushOperation {
    return this.threads[0].startFlush(prefix);
  }

  sweep(): boolean {
    // Each thread sweeps its own shards; this goes on with one until it is done.
    if (this.threads[this.#sweeping].sweep()) return true;
    this.#sweeping = (this.#sweeping + 1) % this.threads.length;
    return this.#sweeping !== 0;
  }

  verify(): void {
    this.#next().verify();
  }

  /** The thread whose turn it is: another one with each call, but the same while a key is entered. */
  #next(): SharedStore {
    if (this.#isEntered) return this.#current;
    this.#turn = (this.#turn + 1) % this.threads.length;
    return this.#current = this.threads[this.#turn];
  }
}
