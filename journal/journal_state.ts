/**
 * What the threads of a server and the writer of its data file share: numbers in a
 * SharedArrayBuffer, and behind them the ring of changes.
 *
 * Positions count units of eight bytes that were ever appended to the ring, and wrap around at 32
 * bits; so two positions are compared by the sign of their difference.
 *
 * @module
 */

/** The most threads that can record changes. */
export const threadsMax = 64;

/** Bytes of the ring; a power of two. */
export const ringBytes: number = 8 * 1024 * 1024;

/** What the data file's writer does with changes. */
export const phases = {
  /** Changes are kept. */
  keeping: 0,
  /** A commit failed, and its changes are being undone: no request runs. */
  undoing: 1,
  /** The file cannot be written: requests that change something are refused. */
  refusing: 2,
  /** The writer cannot go on: the server ends. */
  broken: 3,
} as const;

/** One of {@linkcode phases}. */
export type Phase = typeof phases[keyof typeof phases];

/** Words of a line of the processor's cache: counts of different writers do not share one. */
const line = 16;

const TAIL = 0;
const TAKEN = line;
const COMMITTED = 2 * line;
const PHASE = 3 * line;
const IS_ASLEEP = 4 * line;
const IS_CLOSING = 5 * line;
const UNDONE = 6 * line;
const FAILURES = 7 * line;
const BUFFER_UNITS = 7 * line + 1;
const UNDECIDED = 7 * line + 2;
const IS_SUBMITTED = 7 * line + 3;
const NEVER = 7 * line + 4;
const CHUNKS = 7 * line + 5;
/** The positions between which changes failed: from, to, for each of the last failures. */
const FAILED = 8 * line;
/** How many failures are remembered. There is at least a second between two of them. */
const failuresKept = 32;
const IS_RUNNING = FAILED + 2 * failuresKept;
const IS_WAITING = IS_RUNNING + threadsMax;
const WORDS = IS_WAITING + threadsMax;

/** Numbers of 64 bits, which one thread writes and others show. */
const figureNames = [
  "commits",
  "errors",
  "lastCommitAtMs",
  "lastCommitMs",
] as const;

/** What the writer tells about its work; times in milliseconds. */
export type Figure = typeof figureNames[number];

/** Bytes that values in buffers of their own are counted in. */
const bufferUnit = 1024;

const FIGURES_AT = Math.ceil(WORDS / line) * line * 4;
/** Where the ring begins, in bytes. */
export const ringAt: number = FIGURES_AT + Math.ceil(figureNames.length / 8) * 64;

/** The shared numbers, as one thread sees them. */
export class JournalState {
  /** The memory; can be posted to a Worker. */
  readonly buffer: SharedArrayBuffer;
  readonly #words: Int32Array<SharedArrayBuffer>;
  readonly #figures: Float64Array<SharedArrayBuffer>;

  /** Takes the buffer of another thread's state, or makes one. */
  constructor(buffer?: SharedArrayBuffer) {
    this.buffer = buffer ?? new SharedArrayBuffer(ringAt + ringBytes);
    this.#words = new Int32Array(this.buffer, 0, WORDS);
    this.#figures = new Float64Array(this.buffer, FIGURES_AT, figureNames.length);
  }

  /** Up to where places in the ring are given away. */
  get tail(): number {
    return Atomics.load(this.#words, TAIL);
  }

  /** Moves the tail from one position to another; false if it has moved already. */
  moveTail(from: number, to: number): boolean {
    return Atomics.compareExchange(this.#words, TAIL, from, to) === from;
  }

  /** Up to where the writer has taken changes out of the ring. */
  get taken(): number {
    return Atomics.load(this.#words, TAKEN);
  }

  set taken(position: number) {
    Atomics.store(this.#words, TAKEN, position);
  }

  /** Up to where every change is either kept or undone. */
  get committed(): number {
    return Atomics.load(this.#words, COMMITTED);
  }

  set committed(position: number) {
    Atomics.store(this.#words, COMMITTED, position);
  }

  get phase(): Phase {
    return Atomics.load(this.#words, PHASE) as Phase;
  }

  set phase(phase: Phase) {
    Atomics.store(this.#words, PHASE, phase);
  }

  /** Whether the writer is to end once everything is kept. */
  get isClosing(): boolean {
    return Atomics.load(this.#words, IS_CLOSING) !== 0;
  }

  /** Asks the writer to end. */
  close(): void {
    Atomics.store(this.#words, IS_CLOSING, 1);
    this.submit();
  }

  /** Says that the changes in the ring are to be committed now. */
  submit(): void {
    Atomics.store(this.#words, IS_SUBMITTED, 1);
    this.#wakeWriter();
  }

  /** Whether changes were submitted since the last call. */
  takeSubmitted(): boolean {
    return Atomics.exchange(this.#words, IS_SUBMITTED, 0) !== 0;
  }

  /** Waits until changes are submitted, at most so long. */
  sleep(ms: number): void {
    Atomics.store(this.#words, IS_ASLEEP, 1);
    if (Atomics.load(this.#words, IS_SUBMITTED) === 0) {
      Atomics.wait(this.#words, IS_ASLEEP, 1, ms);
    }
    Atomics.store(this.#words, IS_ASLEEP, 0);
  }

  /** Waits so long. */
  pause(ms: number): void {
    Atomics.wait(this.#words, NEVER, 0, ms);
  }

  /** Wakes the writer if it sleeps. */
  #wakeWriter(): void {
    if (Atomics.load(this.#words, IS_ASLEEP) === 0) return;
    if (Atomics.exchange(this.#words, IS_ASLEEP, 0) !== 0) {
      Atomics.notify(this.#words, IS_ASLEEP);
    }
  }

  /** Waits until the writer has taken something since `taken` was this, at most so long. */
  awaitTaken(taken: number, ms: number): void {
    Atomics.wait(this.#words, TAKEN, taken, ms);
  }

  /** Wakes threads that wait for space. */
  notifyTaken(): void {
    Atomics.notify(this.#words, TAKEN);
  }

  /** Counts changes that are recorded, or decided: kept or undone. */
  addUndecided(count: number): void {
    Atomics.add(this.#words, UNDECIDED, count);
  }

  /** Changes that are recorded and not decided yet. */
  get undecided(): number {
    return Atomics.load(this.#words, UNDECIDED);
  }

  /** Adds to the bytes of values that are on their way to the writer in buffers of their own. */
  addBufferBytes(bytes: number): void {
    Atomics.add(this.#words, BUFFER_UNITS, Math.trunc(bytes / bufferUnit));
  }

  /** Bytes of these values, to within a KiB each. */
  get bufferBytes(): number {
    return Atomics.load(this.#words, BUFFER_UNITS) * bufferUnit;
  }

  /** Counts chunks of the file that were read for a start, or taken. */
  addChunks(count: number): void {
    Atomics.add(this.#words, CHUNKS, count);
  }

  /** Chunks that were read and not taken yet. */
  get chunks(): number {
    return Atomics.load(this.#words, CHUNKS);
  }

  /** How many parts of an undoing are done. */
  get undone(): number {
    return Atomics.load(this.#words, UNDONE);
  }

  /** A part of an undoing is done. */
  addUndone(): void {
    Atomics.add(this.#words, UNDONE, 1);
    Atomics.notify(this.#words, UNDONE);
  }

  /** Waits until one more part is done, at most so long. */
  awaitUndone(undone: number, ms: number): void {
    Atomics.wait(this.#words, UNDONE, undone, ms);
  }

  /** Remembers that the changes between two positions have failed. */
  failed(from: number, to: number): void {
    const number = Atomics.load(this.#words, FAILURES) % failuresKept;
    Atomics.store(this.#words, FAILED + 2 * number, from);
    Atomics.store(this.#words, FAILED + 2 * number + 1, to);
    Atomics.add(this.#words, FAILURES, 1);
  }

  /** Whether the change that ends at a position has failed. */
  hasFailed(position: number): boolean {
    const failures = Math.min(Atomics.load(this.#words, FAILURES), failuresKept);
    for (let number = 0; number < failures; number++) {
      const from = Atomics.load(this.#words, FAILED + 2 * number);
      const to = Atomics.load(this.#words, FAILED + 2 * number + 1);
      if ((position - from | 0) > 0 && (position - to | 0) <= 0) return true;
    }
    return false;
  }

  /** Notes that a thread runs requests, or does so no more. */
  setRunning(thread: number, isRunning: boolean): void {
    Atomics.store(this.#words, IS_RUNNING + thread, isRunning ? 1 : 0);
  }

  /** Whether any thread runs requests. */
  get isAnyRunning(): boolean {
    for (let thread = 0; thread < threadsMax; thread++) {
      if (Atomics.load(this.#words, IS_RUNNING + thread) !== 0) return true;
    }
    return false;
  }

  /** Notes that a thread wants to be woken when the writer gets on. */
  wait(thread: number): void {
    Atomics.store(this.#words, IS_WAITING + thread, 1);
  }

  /** Whether a thread wants to be woken; it then does no longer. */
  takeWaiting(thread: number): boolean {
    const at = IS_WAITING + thread;
    return Atomics.load(this.#words, at) !== 0 && Atomics.exchange(this.#words, at, 0) !== 0;
  }

  figure(name: Figure): number {
    return this.#figures[figureNames.indexOf(name)];
  }

  /** Sets a figure. */
  show(name: Figure, value: number): void {
    this.#figures[figureNames.indexOf(name)] = value;
  }
}
