/**
 * The server: listens on TCP addresses and Unix domain sockets, which all serve one store, until it
 * is shut down.
 *
 * @module
 */

import { commandTable, Context } from "../commands/mod.ts";
import type { Info } from "../protocol.ts";
import { type Storage, Store } from "../store.ts";
import { version } from "../version.ts";
import { accept } from "./accept.ts";
import { BufferPool } from "./buffer_pool.ts";
import { ServerContext } from "./context.ts";
import { serverDefaults, shutdownGraceMs, tickMs } from "./defaults.ts";
import { EventLog } from "./event_log.ts";
import {
  type Bound,
  listenTcp,
  listenUnix,
  type TcpAddress,
  type UnixAddress,
} from "./listeners.ts";
import type { PortableDriver } from "./portable_driver.ts";
import { Scheduler } from "./scheduler.ts";
import { type TokenCheck, tokenCheck } from "./token.ts";
import { Waker } from "./waker.ts";

/** The options of a server. An option that is not given has its default of `serverDefaults`. */
export interface ServerOptions {
  /** Where to listen by TCP; 127.0.0.1, port 8765, unless `unix` is given. */
  tcp?: readonly TcpAddress[];
  /** Socket files to listen on. */
  unix?: readonly UnixAddress[];
  /** The most bytes of keys and values. */
  memoryLimitBytes?: number;
  /** The most connections at a time. */
  connectionsMax?: number;
  /** The longest line, in bytes without its end. */
  lineBytesMax?: number;
  /** The most bytes of all unfinished lines together; the same bound holds for unsent replies. */
  pendingBytesMax?: number;
  /** Connections on which nothing moves for this long are closed; 0 for never. */
  idleTimeoutMs?: number;
  /** The token that clients must log in with, by AUTH. */
  token?: string;
  /**
   * Receives events for the operator, one line each: failed AUTH, faults. Events of one kind are
   * reported at most every ten seconds, with their number.
   */
  onEvent?: (event: string) => void;
  /** The store to serve, instead of a new one. */
  store?: Storage;
}

/**
 * Starts a server; resolves once it listens.
 *
 * @throws {Error} when an address is unavailable or the store cannot be made; the message says
 * which and what to do. Nothing is left listening then.
 */
export async function serve(options: ServerOptions = {}): Promise<Server> {
  const bound: Bound[] = [];
  const tcp = options.tcp ??
    (options.unix?.length
      ? []
      : [{ hostname: serverDefaults.hostname, port: serverDefaults.port }]);
  try {
    for (const address of tcp) bound.push(listenTcp(address));
    for (const address of options.unix ?? []) bound.push(await listenUnix(address));
    const isToken = options.token === undefined ? undefined : await tokenCheck(options.token);
    return new Server(bound, options, isToken, await Waker.create());
  } catch (error) {
    for (const { close } of bound) close();
    throw error;
  }
}

/** A running server. */
export class Server implements AsyncDisposable {
  /** Where it listens, with the ports that the system chose. */
  readonly addresses: readonly (Deno.NetAddr | Deno.UnixAddr)[];
  /** The store that it serves. */
  readonly store: Storage;
  /** Resolves when the server has ended. */
  readonly finished: Promise<void>;
  /** The broken invariant that ended the server; undefined otherwise. */
  failure: Error | undefined;
  readonly #bound: readonly Bound[];
  readonly #accepting: readonly Promise<void>[];
  readonly #context: ServerContext;
  readonly #scheduler: Scheduler;
  readonly #drivers = new Set<PortableDriver>();
  readonly #waker: Waker | undefined;
  readonly #timers: ReturnType<typeof setInterval>[] = [];
  readonly #ended = Promise.withResolvers<void>();
  #isClosing = false;
  #isSweeping = false;

  /** For {@linkcode serve}, which is the way to make a server. */
  constructor(
    bound: readonly Bound[],
    options: ServerOptions,
    isToken?: TokenCheck,
    waker?: Waker,
  ) {
    this.#waker = waker;
    const limits = { ...serverDefaults, ...given(options) };
    const buffers = new BufferPool(limits.pendingBytesMax);
    try {
      this.store = options.store ?? new Store({ limitBytes: limits.memoryLimitBytes });
    } catch (error) {
      waker?.close();
      throw error;
    }
    const commands = new Context({
      store: this.store,
      version,
      verbs: commandTable.verbs,
      buffers,
      processBytes: () => Deno.memoryUsage().rss,
      isToken,
    });
    this.#context = new ServerContext({
      commands,
      table: commandTable,
      buffers,
      limits,
      events: new EventLog(options.onEvent),
      onBroken: (error) => this.#fail(error),
    });
    this.#scheduler = new Scheduler(
      this.#context.connections,
      waker,
      () => this.#context.polled(),
    );
    this.#bound = bound;
    this.addresses = bound.map(({ address }) => address);
    this.finished = this.#ended.promise;
    this.#accepting = bound.map(({ listener }) =>
      accept(listener, {
        context: this.#context,
        scheduler: this.#scheduler,
        drivers: this.#drivers,
        isClosing: () => this.#isClosing,
      })
    );
    this.#startTimers(limits.idleTimeoutMs);
  }

  /** What INFO reports. */
  info(): Info {
    return this.#context.commands.info();
  }

  /**
   * Stops accepting, answers the requests that were read, and ends. Requests that are not answered
   * within `graceMs` milliseconds are dropped.
   */
  async shutdown(graceMs: number = shutdownGraceMs): Promise<void> {
    this.#stopAccepting();
    this.#context.isDraining = true;
    const deadline = setTimeout(() => this.abort(), graceMs);
    // Bytes of reads that have completed but were not processed yet must be answered, too.
    await this.#scheduler.yield();
    for (const driver of this.#drivers) driver.drain();
    const served = [...this.#drivers].map((driver) => driver.served);
    // A listener releases its address only when its pending accept has ended. Closing a connection
    // may not end its pending write, so the deadline must suffice by itself.
    await Promise.race([Promise.all([...this.#accepting, ...served]), this.finished]);
    clearTimeout(deadline);
    this.#end();
  }

  /** Ends at once, without answering further requests. */
  abort(): void {
    this.#stopAccepting();
    this.#context.isDraining = true;
    for (const connection of this.#context.connections) connection.abort();
    this.#end();
  }

  /** Shuts the server down, as `shutdown` does. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
  }

  /** Ends the server after a broken invariant: the store's content can no longer be trusted. */
  #fail(error: Error): void {
    if (this.failure !== undefined) return;
    this.failure = error;
    this.#context.events.report("fault", `The server ends: ${error.message}`, Infinity);
    // Later, since a connection may be running now.
    queueMicrotask(() => this.abort());
  }

  #stopAccepting(): void {
    if (this.#isClosing) return;
    this.#isClosing = true;
    for (const { close } of this.#bound) close();
  }

  #end(): void {
    for (const timer of this.#timers) clearInterval(timer);
    this.#timers.length = 0;
    this.#context.events.flush();
    this.#waker?.close();
    this.#ended.resolve();
  }

  #startTimers(idleTimeoutMs: number): void {
    const context = this.#context;
    this.#every(tickMs, () => this.#sweep());
    // Time-outs are measured in ticks, so short time-outs need short ticks.
    const idleTickMs = idleTimeoutMs > 0 ? Math.max(10, idleTimeoutMs / 4) : tickMs;
    this.#every(Math.min(tickMs, idleTickMs), () => context.tick(context.commands.now()));
  }

  #every(ms: number, work: () => void): void {
    const timer = setInterval(work, ms);
    Deno.unrefTimer(timer);
    this.#timers.push(timer);
  }

  /** Sweeps until nothing more is due; connections have their turn between two steps. */
  async #sweep(): Promise<void> {
    if (this.#isSweeping) return;
    this.#isSweeping = true;
    while (!this.#context.isDraining && this.#context.sweep()) await this.#scheduler.yield();
    this.#isSweeping = false;
  }
}

/** The options that are given. */
function given(options: ServerOptions): ServerOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}
