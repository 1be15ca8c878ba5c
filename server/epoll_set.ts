/**
 * An epoll set: file descriptors, each with a handler that is called when it is ready.
 *
 * Level-triggered: what a handler leaves undone is reported again. A descriptor's number is used
 * again once it is closed, so an event carries a serial number too, and one that was meant for an
 * earlier descriptor of the same number is dropped.
 *
 * @module
 */

import {
  EPOLL_CLOEXEC,
  EPOLL_CTL_ADD,
  EPOLL_CTL_DEL,
  EPOLL_CTL_MOD,
  epollEvent,
  type Libc,
  outside,
} from "./libc.ts";

/** Called when a descriptor is ready. */
export interface ReadyHandler {
  /** The descriptor is ready for these events: a set of the EPOLL flags. */
  ready(events: number): void;
}

/** Events that one wait reports; more come with the next. */
const eventsMax = 512;

/** Serial numbers stay below 2^31, so that the engine keeps them without an object each. */
const serialMask = 0x7fffffff;

/** A set of descriptors that are watched. */
export class EpollSet {
  readonly #libc: Libc;
  readonly #fd: number;
  /** Handlers and serial numbers, by descriptor. */
  readonly #handlers: (ReadyHandler | undefined)[] = [];
  readonly #serials: number[] = [];
  readonly #events = words(eventsMax);
  readonly #change = words(1);
  /** Where a wait in another thread reports; used by nothing else. */
  readonly #asideEvents = words(1);
  #serial = 0;

  /** @throws {Error} when the system gives no epoll set. */
  constructor(libc: Libc) {
    this.#libc = libc;
    this.#fd = libc.epoll_create1(EPOLL_CLOEXEC);
    if (this.#fd < 0) throw new Error("Cannot make an epoll set: out of descriptors or memory");
  }

  /** Watches a descriptor; false when the system cannot. */
  add(fd: number, events: number, handler: ReadyHandler): boolean {
    const serial = this.#serial = this.#serial + 1 & serialMask;
    if (!this.#control(EPOLL_CTL_ADD, fd, events, serial)) return false;
    this.#handlers[fd] = handler;
    this.#serials[fd] = serial;
    return true;
  }

  /** Changes the events that a descriptor is watched for. Errors and hang-ups always count. */
  change(fd: number, events: number): void {
    if (this.#handlers[fd] === undefined) return;
    this.#control(EPOLL_CTL_MOD, fd, events, this.#serials[fd]);
  }

  /** Watches a descriptor no longer. */
  remove(fd: number): void {
    if (this.#handlers[fd] === undefined) return;
    this.#handlers[fd] = undefined;
    this.#control(EPOLL_CTL_DEL, fd, 0, 0);
  }

  /** Forgets a descriptor that is about to be closed, which takes it out of the set. */
  forget(fd: number): void {
    this.#handlers[fd] = undefined;
  }

  /**
   * Waits up to `timeoutMs` milliseconds for a ready descriptor, and calls the handlers of those
   * that are. Returns how many events there were.
   */
  wait(timeoutMs: number): number {
    const words = this.#events;
    const count = this.#libc.epoll_wait(this.#fd, words, eventsMax, timeoutMs);
    for (let n = 0, at = 0; n < count; n++, at += epollEvent.words) {
      const fd = words[at + epollEvent.dataAt];
      const handler = this.#handlers[fd];
      if (handler === undefined || this.#serials[fd] !== words[at + epollEvent.dataAt + 1]) {
        continue;
      }
      handler.ready(words[at]);
    }
    return Math.max(0, count);
  }

  /**
   * Resolves once a descriptor is ready or the time is over (-1: no limit), while this thread goes
   * on. Calls no handler. Not to be called again before it resolves.
   */
  async waitAside(timeoutMs: number): Promise<void> {
    await this.#libc.epoll_wait_aside(this.#fd, this.#asideEvents, 1, timeoutMs);
  }

  /** Closes the set. Not while a wait is under way. */
  close(): void {
    this.#handlers.length = 0;
    this.#libc.close(this.#fd);
  }

  #control(operation: number, fd: number, events: number, serial: number): boolean {
    const change = this.#change;
    change[0] = events;
    change[epollEvent.dataAt] = fd;
    change[epollEvent.dataAt + 1] = serial;
    return this.#libc.epoll_ctl(this.#fd, operation, fd, change) === 0;
  }
}

function words(events: number): Uint32Array<ArrayBuffer> {
  return new Uint32Array(outside(events * epollEvent.words * 4).buffer);
}
