/**
 * A store whose changes are recorded: what commands do to it also goes to the ring, from where the
 * writer takes it to the data file.
 *
 * A change is recorded under the lock of its key, so that the ring has the changes of a key in
 * their order. What expires is not recorded: the data file knows when that is. What is evicted is,
 * but nobody waits for it.
 *
 * @module
 */

import type {
  FlushOperation,
  Handle,
  Milliseconds,
  ObservableStorage,
  PutOperation,
  PutOutcome,
  Storage,
  StoreObserver,
  StoreStats,
} from "../store.ts";
import { wallOffsetAt } from "../wall_clock.ts";
import { type ChangeRing, ringValueBytesMax } from "./change_ring.ts";
import type { JournalState } from "./journal_state.ts";
import { type Kind, kinds } from "./record.ts";

/** Sends a value in a buffer of its own to the writer. */
export type PostValue = (number: number, value: Uint8Array<SharedArrayBuffer>) => void;

/** The parts of a recording store. */
export interface RecordingStoreOptions {
  /** The store that is changed. */
  readonly store: ObservableStorage;
  readonly state: JournalState;
  readonly ring: ChangeRing;
  /** Where values go that are too long for the ring. */
  readonly postValue: PostValue;
  /** Numbers for these values: from the first on, so many apart; no two threads have the same. */
  readonly firstNumber: number;
  readonly numberStep: number;
}

const nothing = new Uint8Array(0);

/** The largest time that the file keeps, in milliseconds since 1970: that has 15 digits. */
const expiresAtMax = 999_999_999_999_999;

/** A store of which every change is recorded. */
export class RecordingStore implements Storage, StoreObserver {
  /** How many changes this thread has recorded that somebody may wait for. */
  changes = 0;
  /** The position of the last of them. */
  position = 0;
  readonly #store: ObservableStorage;
  readonly #state: JournalState;
  readonly #ring: ChangeRing;
  readonly #postValue: PostValue;
  readonly #numberStep: number;
  #number: number;
  #isEntered = false;
  #holdsAll = false;
  /** Whether the changes of the group that all keys are locked for have begun. */
  #hasGroup = false;
  /** True while entries come from the file: they are not recorded. */
  isRestoring = false;

  constructor(options: RecordingStoreOptions) {
    this.#store = options.store;
    this.#state = options.state;
    this.#ring = options.ring;
    this.#postValue = options.postValue;
    this.#number = options.firstNumber;
    this.#numberStep = options.numberStep;
    this.#store.observe(this);
  }

  /** The store itself: what is done to it is not recorded, but for what it evicts. */
  get unrecorded(): ObservableStorage {
    return this.#store;
  }

  get limitBytes(): number {
    return this.#store.limitBytes;
  }

  get usage(): number {
    return this.#store.usage;
  }

  get entries(): number {
    return this.#store.entries;
  }

  get viewBytes(): Uint8Array {
    return this.#store.viewBytes;
  }

  get viewStart(): number {
    return this.#store.viewStart;
  }

  get stats(): StoreStats {
    return this.#store.stats;
  }

  get countsReads(): boolean {
    return this.#store.countsReads;
  }

  set countsReads(counts: boolean) {
    this.#store.countsReads = counts;
  }

  get cursors(): number {
    return this.#store.cursors;
  }

  now(): Milliseconds {
    return this.#store.now();
  }

  enter(bytes: Uint8Array, start: number, end: number): void {
    this.#store.enter(bytes, start, end);
    this.#isEntered = true;
  }

  leave(): void {
    this.#isEntered = false;
    this.#store.leave();
  }

  setLimit(limitBytes: number): void {
    this.#store.setLimit(limitBytes);
  }

  changeLimit(): boolean {
    return this.#store.changeLimit();
  }

  find(bytes: Uint8Array, start: number, end: number): Handle {
    return this.#store.find(bytes, start, end);
  }

  get(bytes: Uint8Array, start: number, end: number): Handle {
    return this.#store.get(bytes, start, end);
  }

  lengthOf(handle: Handle): number {
    return this.#store.lengthOf(handle);
  }

  view(handle: Handle): boolean {
    return this.#store.view(handle);
  }

  copyTo(handle: Handle, target: Uint8Array, at: number): void {
    this.#store.copyTo(handle, target, at);
  }

  equals(handle: Handle, bytes: Uint8Array, start: number, end: number): boolean {
    return this.#store.equals(handle, bytes, start, end);
  }

  expiryOf(handle: Handle): Milliseconds {
    return this.#store.expiryOf(handle);
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
    const opened = this.#open(key, keyStart, keyEnd);
    try {
      // deno-fmt-ignore: one line shows that the arguments are handed on
      const outcome = this.#store.put(key, keyStart, keyEnd, value, valueStart, valueEnd, expiresAt, operation);
      if (outcome === "stored") {
        this.#recordPut(key, keyStart, keyEnd, value, valueStart, valueEnd, expiresAt);
      }
      return outcome;
    } finally {
      if (opened) this.leave();
    }
  }

  startPut(): PutOperation {
    return this.#store.startPut();
  }

  delete(bytes: Uint8Array, start: number, end: number): boolean {
    const opened = this.#open(bytes, start, end);
    try {
      if (!this.#store.delete(bytes, start, end)) return false;
      this.#record(kinds.remove, bytes, start, end, 0);
      return true;
    } finally {
      if (opened) this.leave();
    }
  }

  expire(bytes: Uint8Array, start: number, end: number, expiresAt: Milliseconds): boolean {
    const opened = this.#open(bytes, start, end);
    try {
      if (!this.#store.expire(bytes, start, end, expiresAt)) return false;
      this.#record(kinds.expire, bytes, start, end, this.#wallTime(expiresAt));
      return true;
    } finally {
      if (opened) this.leave();
    }
  }

  scan(
    cursor: number,
    count: number,
    visit: (bytes: Uint8Array, start: number, end: number) => void,
    prefix?: Uint8Array,
  ): number {
    return this.#store.scan(cursor, count, visit, prefix);
  }

  flushAll(): number {
    const opened = !this.#holdsAll;
    if (opened) this.enterAll();
    try {
      const entries = this.#store.flushAll();
      this.#record(kinds.flushAll, nothing, 0, 0, 0);
      return entries;
    } finally {
      if (opened) this.leaveAll();
    }
  }

  startFlush(prefix: Uint8Array): FlushOperation {
    const flush = this.#store.startFlush(prefix);
    return {
      step: () => {
        const removed = flush.step();
        // It may have begun in another thread: whatever is recorded by now is behind that.
        if (removed !== undefined) this.#recorded(this.#state.tail);
        return removed;
      },
    };
  }

  sweep(): boolean {
    return this.#store.sweep();
  }

  enterAll(): void {
    this.#store.enterAll();
    this.#holdsAll = true;
  }

  leaveAll(): void {
    if (this.#hasGroup) {
      this.#hasGroup = false;
      this.#recorded(this.#append(kinds.groupEnd, nothing, 0, 0, 0));
    }
    this.#holdsAll = false;
    this.#store.leaveAll();
  }

  putNow(
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    value: Uint8Array,
    valueStart: number,
    valueEnd: number,
    expiresAt: Milliseconds,
  ): Exclude<PutOutcome, "unfinished"> {
    // deno-fmt-ignore: one line shows that the arguments are handed on
    const outcome = this.#store.putNow(key, keyStart, keyEnd, value, valueStart, valueEnd, expiresAt);
    if (outcome === "stored") {
      this.#recordPut(key, keyStart, keyEnd, value, valueStart, valueEnd, expiresAt);
    }
    return outcome;
  }

  version(bytes: Uint8Array, start: number, end: number): number {
    return this.#store.version(bytes, start, end);
  }

  evicted(bytes: Uint8Array, start: number, end: number): void {
    this.#append(kinds.evict, bytes, start, end, 0);
  }

  flushBegan(prefix: Uint8Array): void {
    this.#record(kinds.flushPrefix, prefix, 0, prefix.length, 0);
  }

  /** Keeps other threads away from the key of a change; true if `leave` is to follow. */
  #open(bytes: Uint8Array, start: number, end: number): boolean {
    if (this.#isEntered || this.#holdsAll) return false;
    this.enter(bytes, start, end);
    return true;
  }

  #recordPut(
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    value: Uint8Array,
    valueStart: number,
    valueEnd: number,
    expiresAt: Milliseconds,
  ): void {
    if (this.isRestoring) return;
    this.#beginGroup();
    this.#state.addUndecided(1);
    const wallTime = this.#wallTime(expiresAt);
    if (valueEnd - valueStart <= ringValueBytesMax) {
      // deno-fmt-ignore: one line shows that the arguments are handed on
      this.#recorded(this.#ring.append(kinds.put, key, keyStart, keyEnd, value, valueStart, valueEnd, wallTime));
      return;
    }
    const number = this.#number;
    this.#number = number + this.#numberStep | 0;
    const copy = new Uint8Array(new SharedArrayBuffer(valueEnd - valueStart));
    copy.set(value.subarray(valueStart, valueEnd));
    this.#state.addBufferBytes(copy.length);
    this.#postValue(number, copy);
    this.#recorded(this.#ring.appendBuffer(number, key, keyStart, keyEnd, wallTime));
  }

  #record(kind: Kind, bytes: Uint8Array, start: number, end: number, expiresAt: number): void {
    if (this.isRestoring) return;
    this.#beginGroup();
    this.#state.addUndecided(1);
    this.#recorded(this.#append(kind, bytes, start, end, expiresAt));
  }

  #append(
    kind: Kind,
    bytes: Uint8Array,
    start: number,
    end: number,
    expiresAt: number,
  ): number {
    return this.#ring.append(kind, bytes, start, end, nothing, 0, 0, expiresAt);
  }

  /** The changes of one request that has the whole store to itself are kept together. */
  #beginGroup(): void {
    if (!this.#holdsAll || this.#hasGroup) return;
    this.#hasGroup = true;
    this.#append(kinds.groupBegin, nothing, 0, 0, 0);
  }

  #recorded(position: number): void {
    this.position = position;
    this.changes++;
  }

  /** A time of the store's clock in milliseconds since 1970; 0 for never. */
  #wallTime(expiresAt: Milliseconds): number {
    if (expiresAt === Infinity) return 0;
    const wallTime = Math.ceil(expiresAt + wallOffsetAt(this.#store.now()));
    return Math.min(Math.max(wallTime, 1), expiresAtMax);
  }
}
