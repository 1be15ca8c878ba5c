/**
 * One thread's way to the others of its server: it hands connections over, wakes other threads, and
 * is woken by them.
 *
 * Each thread has an eventfd in its epoll set. Whoever changes what a thread looks at only when it
 * is woken (its ring of descriptors, the phase, memory that it waits for) writes to that.
 *
 * @module
 */

import type { DescriptorRing } from "./descriptor_ring.ts";
import { EFD_CLOEXEC, EFD_NONBLOCK, type Libc, outside } from "./libc.ts";
import { phases, ThreadState } from "./thread_state.ts";

/** One thread among those of its server. */
export class ThreadLink {
  /** Its number; 0 accepts the connections. */
  readonly thread: number;
  /** What all threads share. */
  readonly state: ThreadState;
  /** The eventfd of each thread. */
  readonly wakeFds: readonly number[];
  readonly #libc: Libc;
  readonly #rings: readonly DescriptorRing[];
  readonly #one = outside(8);
  #isClosed = false;

  /** Makes the link of a thread. */
  constructor(thread: number, state: ThreadState, wakeFds: readonly number[], libc: Libc) {
    this.thread = thread;
    this.state = state;
    this.wakeFds = wakeFds;
    this.#libc = libc;
    this.#rings = wakeFds.map((_, thread) => state.ringOf(thread));
    this.#one[0] = 1;
  }

  /**
   * Makes the link of the main thread, with what all threads share.
   *
   * @throws {Error} when the system gives no descriptors for it.
   */
  static create(threads: number, libc: Libc): ThreadLink {
    const wakeFds = Array.from(
      { length: threads },
      () => libc.eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
    );
    const link = new ThreadLink(0, new ThreadState(threads), wakeFds, libc);
    if (wakeFds.every((fd) => fd >= 0)) return link;
    link.close();
    throw new Error(`Cannot make ${threads} event loops: out of descriptors or memory`);
  }

  /** Closes the eventfds of all threads, of which no other one is left. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const fd of this.wakeFds) if (fd >= 0) this.#libc.close(fd);
  }

  /** The eventfd of this thread. */
  get wakeFd(): number {
    return this.wakeFds[this.thread];
  }

  /** Whether no thread may serve any more. */
  get isBroken(): boolean {
    return this.state.phase === phases.broken;
  }

  /** Wakes a thread. */
  wake(thread: number): void {
    if (!this.#isClosed) this.#libc.write(this.wakeFds[thread], this.#one, 8);
  }

  /** Wakes all threads but this one. */
  wakeOthers(): void {
    for (let thread = 0; thread < this.state.threads; thread++) {
      if (thread !== this.thread) this.wake(thread);
    }
  }

  /**
   * Gives a new connection to the thread with the fewest. False where that is this one, or the
   * other one's ring is full: then this one serves it. Only the thread that accepts calls this.
   */
  handOver(fd: number): boolean {
    const { state } = this;
    let fewest = this.thread;
    for (let thread = 0; thread < state.threads; thread++) {
      if (state.connectionsOf(thread) < state.connectionsOf(fewest)) fewest = thread;
    }
    const isTaken = fewest !== this.thread && this.#rings[fewest].push(fd);
    state.addConnections(isTaken ? fewest : this.thread, 1);
    if (isTaken) this.wake(fewest);
    return isTaken;
  }

  /** The next connection that was given to this thread; -1 if there is none. */
  takeOver(): number {
    return this.#rings[this.thread].shift();
  }

  /** Closes connections that were given to a thread which has ended without taking them. */
  closeLeft(thread: number): void {
    for (let fd; (fd = this.#rings[thread].shift()) >= 0;) {
      this.#libc.close(fd);
      this.state.addConnections(thread, -1);
    }
  }
}
