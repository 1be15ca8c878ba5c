/**
 * What the threads of a server share beside the store: numbers in a SharedArrayBuffer. Each thread
 * makes its own `ThreadState` of the same buffer.
 *
 * Most numbers have one writer, the thread that they belong to, and lie in a cache line with no
 * other thread's, so that writing them does not slow the others down. The rest is changed by atomic
 * operations.
 *
 * ```text
 *  phase | any waiting                                     one line for all
 *  connections | is waiting | beats | ring's head, tail    one line a thread
 *  ring of descriptors                                     one a thread, see descriptor_ring.ts
 *  bytes held, wanted, of the largest stalled connection   one line a thread, for each bound
 *  counters of INFO                                        one block a thread
 * ```
 *
 * @module
 */

import { Counters, countersLength } from "../commands/mod.ts";
import { DescriptorRing, ringLength } from "./descriptor_ring.ts";

/**
 * How far the server's end has come; it only rises. Threads serve in `serving`, answer what they
 * have read in `draining`, and end at once in the other two. In `broken` the store cannot be
 * trusted, or a thread has died.
 */
export const phases = { serving: 0, draining: 1, aborting: 2, broken: 3 } as const;

/** One of {@linkcode phases}. */
export type Phase = typeof phases[keyof typeof phases];

/** The bounds on memory that hold for all threads together. */
export const boundNames = ["input", "strangersInput", "replies"] as const;

/** The name of such a bound. */
export type BoundName = typeof boundNames[number];

/** Bytes of a cache line. */
const lineBytes = 64;
const lineWords = lineBytes / Int32Array.BYTES_PER_ELEMENT;

/** Numbers of a cache line. */
export const lineNumbers = lineBytes / Float64Array.BYTES_PER_ELEMENT;

/** Places in the line for all. */
const PHASE = 0;
const ANY_WAITING = 1;

/** Places in the line of a thread. */
const CONNECTIONS = 0;
const IS_WAITING = 1;
const BEATS = 2;
const RING = 3;

const countersBytes = Math.ceil(countersLength / lineNumbers) * lineBytes;
const ringBytes = ringLength * Int32Array.BYTES_PER_ELEMENT;

/** Where each part begins, in bytes. */
function layout(threads: number) {
  const rings = lineBytes * (1 + threads);
  const bounds = rings + threads * ringBytes;
  const counters = bounds + boundNames.length * threads * lineBytes;
  return { rings, bounds, counters, end: counters + threads * countersBytes };
}

/** The numbers that the threads of one server share. */
export class ThreadState {
  /** The memory; can be posted to a Worker. */
  readonly buffer: SharedArrayBuffer;
  /** How many threads there are. */
  readonly threads: number;
  /** The counters of each thread. */
  readonly counters: readonly Counters[];
  readonly #words: Int32Array<SharedArrayBuffer>;
  readonly #layout: ReturnType<typeof layout>;

  /** Takes the buffer of another thread's state, or makes one. */
  constructor(threads: number, buffer?: SharedArrayBuffer) {
    this.#layout = layout(threads);
    this.buffer = buffer ?? new SharedArrayBuffer(this.#layout.end);
    this.threads = threads;
    this.#words = new Int32Array(this.buffer);
    this.counters = Array.from({ length: threads }, (_, thread) => {
      const at = this.#layout.counters + thread * countersBytes;
      return new Counters(new Float64Array(this.buffer, at, countersLength));
    });
  }

  /** How far the end has come. */
  get phase(): Phase {
    return Atomics.load(this.#words, PHASE) as Phase;
  }

  /** Raises the phase; a lower one than that of now changes nothing. */
  raise(phase: Phase): void {
    for (let now = this.phase; now < phase;) {
      now = Atomics.compareExchange(this.#words, PHASE, now, phase) as Phase;
    }
  }

  /** Connections of a thread: open, or on the way to it. */
  connectionsOf(thread: number): number {
    return Atomics.load(this.#words, this.#at(thread, CONNECTIONS));
  }

  /** Adds a connection to a thread, or takes one from it. */
  addConnections(thread: number, count: 1 | -1): void {
    Atomics.add(this.#words, this.#at(thread, CONNECTIONS), count);
  }

  /** Connections of all threads. */
  get connections(): number {
    let sum = 0;
    for (let thread = 0; thread < this.threads; thread++) sum += this.connectionsOf(thread);
    return sum;
  }

  /** The descriptors that are handed to a thread. */
  ringOf(thread: number): DescriptorRing {
    const at = this.#layout.rings + thread * ringBytes;
    const ends = this.#words.subarray(this.#at(thread, RING), this.#at(thread, RING) + 2);
    return new DescriptorRing(ends, new Int32Array(this.buffer, at, ringLength));
  }

  /** The lines of all threads for one bound, one after the other. */
  boundOf(name: BoundName): Float64Array<SharedArrayBuffer> {
    const bytes = this.threads * lineBytes;
    const at = this.#layout.bounds + boundNames.indexOf(name) * bytes;
    return new Float64Array(this.buffer, at, this.threads * lineNumbers);
  }

  /** Notes that a thread waits for memory that others hold. */
  waitForMemory(thread: number): void {
    Atomics.store(this.#words, this.#at(thread, IS_WAITING), 1);
    Atomics.store(this.#words, ANY_WAITING, 1);
  }

  /** Whether a thread waits for memory; costs one read. */
  get isAnyWaiting(): boolean {
    return Atomics.load(this.#words, ANY_WAITING) !== 0;
  }

  /** The threads that wait for memory, which then no longer count as waiting. */
  takeWaiting(): number[] {
    Atomics.store(this.#words, ANY_WAITING, 0);
    const waiting: number[] = [];
    for (let thread = 0; thread < this.threads; thread++) {
      const wasWaiting = Atomics.exchange(this.#words, this.#at(thread, IS_WAITING), 0);
      if (wasWaiting !== 0) waiting.push(thread);
    }
    return waiting;
  }

  /** Counts a tick of a thread: it lives. */
  beat(thread: number): void {
    Atomics.add(this.#words, this.#at(thread, BEATS), 1);
  }

  /** How often a thread has ticked. */
  beatsOf(thread: number): number {
    return Atomics.load(this.#words, this.#at(thread, BEATS));
  }

  #at(thread: number, place: number): number {
    return (1 + thread) * lineWords + place;
  }
}
