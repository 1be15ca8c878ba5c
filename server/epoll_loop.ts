/**
 * The epoll loop: Linux's sockets and readiness by FFI, without the runtime's promises.
 *
 * It works in rounds. A round asks epoll which descriptors are ready, serves each once, and then
 * those connections that had more to do in the round before. So no client is served twice while
 * another one waits.
 *
 * It shares its thread with the runtime's own event loop, which has timers, signals and promises.
 * So it hands the thread over after a few milliseconds of work. When there is no work, it waits in
 * one of two ways:
 *
 * - Aside, in a thread of the runtime. That costs a hop to that thread and back, tens of
 *   microseconds, each time it waits, and holds up nobody.
 * - Holding the thread, as long as clients keep it busy: for up to `heldTurnMs` at a time, after
 *   which the runtime has its turn. That costs no hop, but what else runs in this thread waits as
 *   long. So it does that only where it is told that it owns the thread.
 *
 * A server can have several such loops, each in its own thread. One of them listens, and hands new
 * connections to the others; `thread_link.ts` is the way between them.
 *
 * @module
 */

import { Connection } from "./connection.ts";
import type { ServerContext } from "./context.ts";
import { EpollDriver, type EpollTurns, ReceiveBuffer } from "./epoll_driver.ts";
import {
  EpollAcceptor,
  epollListenTcp,
  epollListenUnix,
  type Listening,
} from "./epoll_listener.ts";
import { EpollSet } from "./epoll_set.ts";
import { EpollSocket, type EpollSystem } from "./epoll_socket.ts";
import type { EventLoop, TcpAddress, UnixAddress } from "./event_loop.ts";
import { EFD_CLOEXEC, EFD_NONBLOCK, EPOLLIN, type Libc, outside } from "./libc.ts";
import type { Bound } from "./listeners.ts";
import type { ThreadLink } from "./thread_link.ts";

/** The longest turn where the thread is shared, in milliseconds. */
const sharedTurnMs = 2;

/** The longest turn of a loop that owns its thread. */
const heldTurnMs = 10;

/** After so many rounds changes are submitted, even if there is more to do. */
const unsubmittedRoundsMax = 16;

/** After so long without an event such a loop waits aside, too. */
const quietMs = 50;

/** Serves over epoll. */
export class EpollLoop implements EventLoop, EpollTurns {
  readonly io = "epoll";
  readonly received = new ReceiveBuffer();
  readonly #libc: Libc;
  readonly #system: EpollSystem;
  readonly #ownsThread: boolean;
  readonly #link: ThreadLink | undefined;
  readonly #bound: Bound<Listening>[] = [];
  readonly #drivers = new Set<EpollDriver>();
  /** An eventfd: ends a wait aside. With a link, others write to it, too. */
  readonly #wakeFd: number;
  readonly #wakeCount = outside(8);
  #acceptors: EpollAcceptor[] = [];
  #context: ServerContext | undefined;
  #running: Promise<void> = Promise.resolve();
  /** Drivers that go on in the next round. */
  #queue: EpollDriver[] = [];
  #nextQueue: EpollDriver[] = [];
  /** Those who wait for the end of a round. */
  #yielding: (() => void)[] = [];
  #drained: (() => void) | undefined;
  /** Rounds since changes were last submitted. */
  #unsubmittedRounds = 0;
  #isAside = false;
  #isEnding = false;
  #isStopped = false;
  #isClosed = false;
  /** Called when another thread has woken this one. */
  onWoken: (() => void) | undefined;

  /**
   * Makes a loop that listens nowhere yet; `link` is the way to the server's other threads.
   *
   * @throws {Error} when the system gives no descriptors for it.
   */
  constructor(libc: Libc, ownsThread: boolean, link?: ThreadLink) {
    this.#libc = libc;
    this.#ownsThread = ownsThread;
    this.#link = link;
    this.#system = { libc, set: new EpollSet(libc) };
    this.#wakeFd = link?.wakeFd ?? libc.eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    const count = outside(8);
    const handler = {
      ready: () => {
        libc.read(this.#wakeFd, count, 8);
        this.#woken();
      },
    };
    if (this.#wakeFd < 0 || !this.#system.set.add(this.#wakeFd, EPOLLIN, handler)) {
      this.#closeDescriptors();
      throw new Error("Cannot make an event loop: out of descriptors or memory");
    }
  }

  get addresses(): readonly (Deno.NetAddr | Deno.UnixAddr)[] {
    return this.#bound.map(({ address }) => address);
  }

  get wakeFds(): readonly number[] {
    return this.#link?.wakeFds ?? [this.#wakeFd];
  }

  listenTcp(address: TcpAddress): void {
    this.#bound.push(epollListenTcp(this.#libc, address));
  }

  async listenUnix(address: UnixAddress): Promise<void> {
    this.#bound.push(await epollListenUnix(this.#libc, address));
  }

  start(context: ServerContext): void {
    this.#context = context;
    const serve = (fd: number) => {
      if (this.#link?.handOver(fd) !== true) this.#serve(fd, context);
    };
    this.#acceptors = this.#bound.map((bound) =>
      new EpollAcceptor(bound, this.#system, context, serve)
    );
    for (const acceptor of this.#acceptors) acceptor.start();
    // A loop that dies must not leave its connections to hang.
    this.#running = this.#run(context).catch((error) => context.broken(error)).finally(() => {
      for (const resolve of this.#yielding.splice(0)) resolve();
    });
  }

  yield(): Promise<void> {
    this.#wake();
    return new Promise((resolve) => this.#yielding.push(resolve));
  }

  stopAccepting(): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    for (const acceptor of this.#acceptors) acceptor.stop();
    for (const { close } of this.#bound) close();
  }

  async drain(): Promise<void> {
    // What the system has received already comes first: it is to be answered.
    await this.yield();
    const drained = new Promise<void>((resolve) => this.#drained = resolve);
    for (const driver of [...this.#drivers]) driver.drain();
    if (this.#drivers.size > 0) await drained;
  }

  async close(): Promise<void> {
    this.stopAccepting();
    this.#isEnding = true;
    for (const acceptor of this.#acceptors) acceptor.dropRefused();
    this.#wake();
    await this.#running;
    this.#link?.closeLeft(this.#link.thread);
    this.#closeDescriptors();
  }

  queue(driver: EpollDriver): void {
    this.#queue.push(driver);
    this.#wake();
  }

  ended(driver: EpollDriver): void {
    this.#drivers.delete(driver);
    if (this.#drivers.size === 0) this.#drained?.();
  }

  #serve(fd: number, context: ServerContext): void {
    const socket = new EpollSocket(fd, this.#system);
    const driver = new EpollDriver(socket, new Connection(context), context, this);
    this.#drivers.add(driver);
    driver.serve();
  }

  /** The eventfd was written to: another thread may want something of this one. */
  #woken(): void {
    const context = this.#context;
    if (context === undefined) return;
    context.journal?.advanced();
    if (this.#link === undefined) return;
    for (let fd; (fd = this.#link.takeOver()) >= 0;) this.#serve(fd, context);
    context.replies.wake();
    this.onWoken?.();
  }

  /** Serves until the loop is closed. */
  async #run(context: ServerContext): Promise<void> {
    let busyAtMs = performance.now();
    while (!this.#isEnding) {
      const turnMs = this.#ownsThread ? heldTurnMs : sharedTurnMs;
      const startMs = performance.now();
      let timeoutMs = 0;
      for (;;) {
        const events = this.#round(context, timeoutMs);
        // Whatever is promised goes on between two rounds.
        await undefined;
        const nowMs = performance.now();
        if (events > 0) busyAtMs = nowMs;
        const leftMs = startMs + turnMs - nowMs;
        if (leftMs <= 0 || this.#isEnding) break;
        const isIdle = events === 0 && !this.#hasWork;
        if (isIdle && !this.#ownsThread) break;
        if (isIdle && nowMs - busyAtMs > quietMs) break;
        timeoutMs = this.#ownsThread && !this.#hasWork ? Math.ceil(leftMs) : 0;
      }
      if (!this.#isEnding) await this.#handOver(performance.now() - busyAtMs);
    }
  }

  get #hasWork(): boolean {
    return this.#queue.length > 0 || this.#yielding.length > 0 ||
      this.#context?.isPollWanted === true;
  }

  /** Serves whoever is ready, once each; returns how many events there were. */
  #round(context: ServerContext, timeoutMs: number): number {
    const queue = this.#queue;
    this.#queue = this.#nextQueue;
    this.#nextQueue = queue;
    const yielding = this.#yielding;
    if (yielding.length > 0) this.#yielding = [];
    const events = this.#wait(context, timeoutMs, queue.length === 0);
    context.polled();
    for (const driver of queue) driver.advance();
    queue.length = 0;
    for (const resolve of yielding) resolve();
    return events;
  }

  /**
   * Waits for events. Changes are submitted when nobody has anything more to do, so that those of
   * many clients are committed together; or after some rounds, where there is always somebody.
   */
  #wait(context: ServerContext, timeoutMs: number, isLast: boolean): number {
    const { journal } = context;
    const { set } = this.#system;
    if (journal?.mustSubmit !== true) return set.wait(timeoutMs);
    const events = set.wait(0);
    this.#unsubmittedRounds++;
    if ((events > 0 || !isLast) && this.#unsubmittedRounds < unsubmittedRoundsMax) return events;
    this.#unsubmittedRounds = 0;
    journal.submit();
    return events > 0 || timeoutMs === 0 ? events : set.wait(timeoutMs);
  }

  /** Lets the runtime have its turn: while there is no work, until there is some. */
  async #handOver(quietForMs: number): Promise<void> {
    const isBusy = this.#hasWork || this.#ownsThread && quietForMs <= quietMs;
    this.#context?.journal?.submit();
    this.#isAside = true;
    await this.#system.set.waitAside(isBusy ? 0 : -1);
    this.#isAside = false;
  }

  /** Ends a wait aside. */
  #wake(): void {
    if (!this.#isAside) return;
    this.#isAside = false;
    this.#wakeCount[0] = 1;
    this.#libc.write(this.#wakeFd, this.#wakeCount, 8);
  }

  #closeDescriptors(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    // With a link, the eventfd belongs to those who write to it.
    if (this.#wakeFd >= 0 && this.#link === undefined) this.#libc.close(this.#wakeFd);
    this.#system.set.close();
  }
}
