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
import { BufferPool } from "./buffer_pool.ts";
import { ServerContext } from "./context.ts";
import { serverDefaults, shutdownGraceMs, tickMs } from "./defaults.ts";
import type { EventLoop, Io, TcpAddress, UnixAddress } from "./event_loop.ts";
import { EventLog } from "./event_log.ts";
import { chooseLoop } from "./choose_loop.ts";
import { type TokenCheck, tokenCheck } from "./token.ts";

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
  /**
   * The event loop: `"epoll"` is the faster one, and needs Linux and `--allow-ffi`; `"portable"`
   * runs everywhere. `"auto"`, the default, takes epoll where it is available and `ownsThread` is
   * set.
   */
  io?: Io | "auto";
  /**
   * Says that nothing else in this thread is urgent: the epoll loop then holds the thread while it
   * waits for clients, for up to ten milliseconds at a time, which spares it hops to another one.
   */
  ownsThread?: boolean;
}

/**
 * Starts a server; resolves once it listens.
 *
 * @throws {Error} when an address or the event loop is unavailable or the store cannot be made; the
 * message says which and what to do. Nothing is left listening then.
 */
export async function serve(options: ServerOptions = {}): Promise<Server> {
  const io = options.io ?? serverDefaults.io;
  const loop = await chooseLoop(io, options.ownsThread ?? false, options.onEvent);
  const tcp = options.tcp ??
    (options.unix?.length
      ? []
      : [{ hostname: serverDefaults.hostname, port: serverDefaults.port }]);
  try {
    for (const address of tcp) loop.listenTcp(address);
    for (const address of options.unix ?? []) await loop.listenUnix(address);
    const isToken = options.token === undefined ? undefined : await tokenCheck(options.token);
    return new Server(loop, options, isToken);
  } catch (error) {
    await loop.close();
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
  /** The event loop in use. */
  readonly io: Io;
  readonly #loop: EventLoop;
  readonly #context: ServerContext;
  readonly #timers: ReturnType<typeof setInterval>[] = [];
  readonly #ended = Promise.withResolvers<void>();
  #isSweeping = false;

  /** For {@linkcode serve}, which is the way to make a server. */
  constructor(
    loop: EventLoop,
    options: ServerOptions,
    isToken?: TokenCheck,
  ) {
    this.#loop = loop;
    this.io = loop.io;
    const limits = { ...serverDefaults, ...given(options) };
    const buffers = new BufferPool(limits.pendingBytesMax);
    this.store = options.store ?? new Store({ limitBytes: limits.memoryLimitBytes });
    const commands = new Context({
      store: this.store,
      version,
      verbs: commandTable.verbs,
      buffers,
      io: loop.io,
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
    this.addresses = loop.addresses;
    this.finished = this.#ended.promise;
    loop.start(this.#context);
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
    this.#loop.stopAccepting();
    this.#context.isDraining = true;
    const deadline = setTimeout(() => this.abort(), graceMs);
    // Closing a connection may not end its pending write, so the deadline must be enough by itself.
    await Promise.race([this.#loop.drain(), this.finished]);
    clearTimeout(deadline);
    this.#end();
    await this.finished;
  }

  /** Ends at once, without answering further requests. */
  abort(): void {
    this.#loop.stopAccepting();
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

  #end(): void {
    for (const timer of this.#timers) clearInterval(timer);
    this.#timers.length = 0;
    this.#context.events.flush();
    void this.#loop.close().then(() => this.#ended.resolve());
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
    while (!this.#context.isDraining && this.#context.sweep()) await this.#loop.yield();
    this.#isSweeping = false;
  }
}

/** The options that are given. */
function given(options: ServerOptions): ServerOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}
