/**
 * What one thread of a server sees of the data file: the store whose changes it records, how far
 * the writer has come, and who waits for that.
 *
 * @module
 */

import type { ObservableStorage } from "../store.ts";
import { ChangeRing } from "./change_ring.ts";
import { JournalState, phases, ringBytes, threadsMax } from "./journal_state.ts";
import { type PostValue, RecordingStore } from "./recording_store.ts";

/**
 * Changes that may wait for the writer before further requests that change something wait, too, in
 * bytes: those in the ring, and those whose values are in buffers of their own.
 */
export const ringBytesHigh: number = ringBytes / 2;
export const bufferBytesHigh: number = 64 * 1024 * 1024;

/** What a thread makes its part from. */
export interface ThreadJournalOptions {
  /** The memory of the `JournalState`. */
  readonly state: SharedArrayBuffer;
  /** Whether replies wait until their changes are on the disk. */
  readonly waits: boolean;
  /** The number of the thread, from 0 on. */
  readonly thread: number;
  /** The store that is changed. */
  readonly store: ObservableStorage;
  readonly postValue: PostValue;
}

/** One that waits until the writer has come to a position. */
interface Waiter {
  readonly position: number;
  readonly resume: () => void;
}

/** One thread's part in keeping changes. */
export class ThreadJournal {
  /** The store whose changes are recorded. */
  readonly store: RecordingStore;
  /** Whether replies wait until their changes are on the disk. */
  readonly waits: boolean;
  readonly #state: JournalState;
  readonly #ring: ChangeRing;
  readonly #thread: number;
  /** In the order of their positions. */
  readonly #waiters: Waiter[] = [];
  #firstWaiter = 0;
  readonly #stalled = new Set<() => void>();

  constructor(options: ThreadJournalOptions) {
    const { thread, store, postValue } = options;
    this.#state = new JournalState(options.state);
    this.#ring = new ChangeRing(this.#state);
    this.#thread = thread;
    this.waits = options.waits;
    this.store = new RecordingStore({
      store,
      state: this.#state,
      ring: this.#ring,
      postValue,
      firstNumber: thread,
      numberStep: threadsMax,
    });
  }

  /** How many changes this thread has recorded that somebody may wait for. */
  get changes(): number {
    return this.store.changes;
  }

  /** The position of the last of them. */
  get position(): number {
    return this.store.position;
  }

  /** Whether this thread has recorded changes since it last submitted. */
  get mustSubmit(): boolean {
    return this.#ring.hasUnsubmitted;
  }

  /** Says that what is recorded is to be committed now: nothing more comes at the moment. */
  submit(): void {
    if (this.#ring.hasUnsubmitted) this.#ring.submit();
  }

  /** Whether requests that change something must wait, or be refused. */
  get holdsWrites(): boolean {
    return this.isCrowded || this.isRefusing;
  }

  /** Whether so much waits for the writer that requests that change something wait, too. */
  get isCrowded(): boolean {
    return this.#ring.usedBytes > ringBytesHigh || this.#state.bufferBytes > bufferBytesHigh;
  }

  /** Whether the file cannot be written: requests that change something are refused. */
  get isRefusing(): boolean {
    return this.#state.phase === phases.refusing;
  }

  /** Whether changes are being undone: nothing may run. */
  get isUndoing(): boolean {
    const { phase } = this.#state;
    return phase === phases.undoing || phase === phases.broken;
  }

  /** Says that requests run now; false if none may. `leave` follows unless it is false. */
  enter(): boolean {
    this.#state.setRunning(this.#thread, true);
    if (!this.isUndoing) return true;
    this.leave();
    return false;
  }

  /** Says that no request runs. */
  leave(): void {
    this.#state.setRunning(this.#thread, false);
  }

  /** Whether the change that ends at a position is decided: on the disk, or undone. */
  isDecided(position: number): boolean {
    return (this.#state.committed - position | 0) >= 0;
  }

  /** Whether a change that is decided was undone. */
  hasFailed(position: number): boolean {
    return this.#state.hasFailed(position);
  }

  /** Calls back once the changes up to a position are decided, which must not be so yet. */
  whenDecided(position: number, resume: () => void): void {
    this.#waiters.push({ position, resume });
    this.#wait();
  }

  /** Calls back once something has changed that a request may have waited for. */
  whenChanged(resume: () => void): void {
    this.#stalled.add(resume);
    this.#wait();
  }

  /** The writer may have got on: those who can go on are called. */
  advanced(): void {
    const waiters = this.#waiters;
    const { committed } = this.#state;
    while (this.#firstWaiter < waiters.length) {
      const { position, resume } = waiters[this.#firstWaiter];
      if ((committed - position | 0) < 0) break;
      this.#firstWaiter++;
      resume();
    }
    if (this.#firstWaiter === waiters.length) {
      waiters.length = this.#firstWaiter = 0;
    } else if (this.#firstWaiter > 1024) {
      waiters.splice(0, this.#firstWaiter);
      this.#firstWaiter = 0;
    }
    if (this.#stalled.size > 0 && this.#mayGoOn) {
      const stalled = [...this.#stalled];
      this.#stalled.clear();
      for (const resume of stalled) resume();
    }
    if (waiters.length > 0 || this.#stalled.size > 0) this.#wait();
  }

  /** Whether requests that change something may run, be it to be refused. */
  get #mayGoOn(): boolean {
    return !this.isUndoing && !this.isCrowded;
  }

  /** Asks to be woken, unless it is too late for that: then nobody has to wait long. */
  #wait(): void {
    this.#state.wait(this.#thread);
    const first = this.#waiters.at(this.#firstWaiter);
    const isLate = first !== undefined && this.isDecided(first.position);
    if (isLate || this.#stalled.size > 0 && this.#mayGoOn) queueMicrotask(() => this.advanced());
  }
}
