/**
 * The portable event loop: the runtime's own sockets, on every system and with no more permission
 * than that for the network.
 *
 * @module
 */

import { accept } from "./accept.ts";
import type { ServerContext } from "./context.ts";
import type { EventLoop, TcpAddress, UnixAddress } from "./event_loop.ts";
import { type Bound, listenTcp, listenUnix } from "./listeners.ts";
import type { PortableDriver } from "./portable_driver.ts";
import { Scheduler } from "./scheduler.ts";
import { Waker } from "./waker.ts";

/** Serves over the runtime's sockets. */
export class PortableLoop implements EventLoop {
  readonly io = "portable";
  readonly wakeFds: readonly number[] = [];
  readonly #waker: Waker | undefined;
  readonly #bound: Bound<Deno.Listener>[] = [];
  readonly #drivers = new Set<PortableDriver>();
  #accepting: readonly Promise<void>[] = [];
  #scheduler: Scheduler | undefined;
  #isClosing = false;

  private constructor(waker: Waker | undefined) {
    this.#waker = waker;
  }

  /** Makes a loop that listens nowhere yet. */
  static async create(): Promise<PortableLoop> {
    return new PortableLoop(await Waker.create());
  }

  get addresses(): readonly (Deno.NetAddr | Deno.UnixAddr)[] {
    return this.#bound.map(({ address }) => address);
  }

  listenTcp(address: TcpAddress): void {
    this.#bound.push(listenTcp(address));
  }

  async listenUnix(address: UnixAddress): Promise<void> {
    this.#bound.push(await listenUnix(address));
  }

  start(context: ServerContext): void {
    const scheduler = new Scheduler(context.connections, this.#waker, () => context.polled());
    this.#scheduler = scheduler;
    context.onPollWanted = () => scheduler.wantPoll();
    const drivers = this.#drivers;
    const isClosing = () => this.#isClosing;
    this.#accepting = this.#bound.map(({ listener }) =>
      accept(listener, { context, scheduler, drivers, isClosing })
    );
  }

  async yield(): Promise<void> {
    await this.#scheduler?.yield();
  }

  stopAccepting(): void {
    if (this.#isClosing) return;
    this.#isClosing = true;
    for (const { close } of this.#bound) close();
  }

  async drain(): Promise<void> {
    // Reads that have ended but were not processed yet come first: they are to be answered.
    await this.yield();
    for (const driver of this.#drivers) driver.drain();
    const served = [...this.#drivers].map((driver) => driver.served);
    // A listener lets go of its address only when its pending accept has ended.
    await Promise.all([...this.#accepting, ...served]);
  }

  close(): Promise<void> {
    this.stopAccepting();
    this.#waker?.close();
    return Promise.resolve();
  }
}
