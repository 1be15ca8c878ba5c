/**
 * The server: listens on TCP addresses and Unix domain sockets, which all serve one store.
 *
 * @example
 * ```ts
 * import { serve } from "@blink/store/server";
 *
 * await using server = await serve({ tcp: [{ hostname: "127.0.0.1", port: 0 }] });
 * const [address] = server.addresses;
 * console.assert(address.transport === "tcp" && address.port > 0);
 * ```
 *
 * @module
 */

import { Engine } from "./engine/engine.ts";
import type { Info } from "./engine/info.ts";
import type { Storage } from "./engine/storage.ts";
import { Bell } from "./server/bell.ts";
import { BufferPool } from "./server/buffers.ts";
import { Host } from "./server/host.ts";
import {
  accept,
  listenTcp,
  listenUnix,
  type TcpAddress,
  type UnixAddress,
} from "./server/listeners.ts";
import { Store } from "./store.ts";
import { version } from "./version.ts";

export { connectInProcess, type InProcess, type InProcessOptions } from "./engine.ts";
export { version };
export type { Info as ServerInfo } from "./engine/info.ts";
export type { Handle, Milliseconds, PutOutcome, Storage } from "./engine/storage.ts";
export type { TcpAddress, UnixAddress } from "./server/listeners.ts";

/** How a server is set up; what is left out takes its value of `serverDefaults`. */
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
  /** The most bytes of all unfinished lines together, and likewise of replies that wait. */
  pendingBytesMax?: number;
  /** Connections on which nothing moves for so long are closed; 0 for never. */
  idleTimeoutMs?: number;
  /** The token that clients must show by AUTH. */
  token?: string;
  /** Is told, in a line, what an operator should know: failed AUTH, trouble with accepting. */
  onEvent?: (event: string) => void;
  /** The store to serve, instead of a new one. */
  store?: Storage;
}

/** What is taken where the options are silent. */
export const serverDefaults = {
  hostname: "127.0.0.1",
  port: 8765,
  memoryLimitBytes: 10 * 1024 * 1024,
  connectionsMax: 10_000,
  lineBytesMax: 16 * 1024 * 1024,
  pendingBytesMax: 256 * 1024 * 1024,
  idleTimeoutMs: 0,
} as const;

/** How long requests already read may take to be answered when the server ends. */
const shutdownGraceMs = 5000;

/** How often expired entries are swept. */
const sweepMs = 100;

/** The watch for idle connections looks this many times within the time-out, and at least so often. */
const idleLooks = 4;
const idleLookMs = { least: 10, most: 1000 } as const;

/**
 * Starts a server; resolves once it listens.
 *
 * @throws {Error} when an address cannot be had; the message says which and what to do.
 */
export async function serve(options: ServerOptions = {}): Promise<Server> {
  const listeners: Deno.Listener[] = [];
  const tcp = options.tcp ??
    (options.unix?.length
      ? []
      : [{ hostname: serverDefaults.hostname, port: serverDefaults.port }]);
  try {
    for (const address of tcp) listeners.push(listenTcp(address));
    for (const address of options.unix ?? []) listeners.push(await listenUnix(address));
  } catch (error) {
    for (const listener of listeners) letGo(listener);
    throw error;
  }
  return new Server(listeners, options, await Bell.hang());
}

function letGo(listener: Deno.Listener): void {
  listener.close();
  if (listener.addr.transport !== "unix") return;
  try {
    Deno.removeSync(listener.addr.path);
  } catch {
    // Somebody has removed it already.
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
  readonly #listeners: readonly Deno.Listener[];
  readonly #accepting: readonly Promise<void>[];
  readonly #host: Host;
  readonly #bell: Bell | undefined;
  readonly #timers: ReturnType<typeof setInterval>[] = [];
  readonly #ended = Promise.withResolvers<void>();
  #isClosing = false;

  /** Use {@linkcode serve}. */
  constructor(listeners: readonly Deno.Listener[], options: ServerOptions, bell?: Bell) {
    this.#bell = bell;
    const limits = { ...serverDefaults, ...defined(options) };
    const buffers = new BufferPool();
    this.store = options.store ?? new Store({ limitBytes: limits.memoryLimitBytes });
    const engine = new Engine({
      store: this.store,
      version,
      buffers,
      processBytes: () => Deno.memoryUsage().rss,
    });
    this.#host = new Host({
      engine,
      buffers,
      bell,
      session: {
        lineBytesMax: limits.lineBytesMax,
        token: options.token === undefined ? undefined : new TextEncoder().encode(options.token),
      },
      connectionsMax: limits.connectionsMax,
      pendingBytesMax: limits.pendingBytesMax,
      onEvent: options.onEvent ?? (() => {}),
    });
    this.#listeners = listeners;
    this.addresses = listeners.map(({ addr }) => addr as Deno.NetAddr | Deno.UnixAddr);
    this.finished = this.#ended.promise;
    this.#accepting = listeners.map((listener) =>
      accept(listener, this.#host, () => this.#isClosing)
    );
    this.#startTimers(limits.idleTimeoutMs);
  }

  /** What INFO tells. */
  info(): Info {
    return this.#host.engine.info();
  }

  /**
   * Stops accepting, answers the requests that were read, and ends. What is not answered within
   * `graceMs` milliseconds is dropped.
   */
  async shutdown(graceMs: number = shutdownGraceMs): Promise<void> {
    this.#stopAccepting();
    const host = this.#host;
    host.isDraining = true;
    const deadline = setTimeout(() => this.abort(), graceMs);
    // Reads that have ended but were not looked at yet come first: they are to be answered.
    await host.turns.next();
    for (const connection of host.connections) connection.drain();
    const served = [...host.connections].map((connection) => connection.served);
    // A listener lets go of its address only when its pending accept has ended. Deno 2.4 does not
    // end the write of a connection that is closed, so the deadline must be enough by itself.
    await Promise.race([Promise.all([...this.#accepting, ...served]), this.finished]);
    clearTimeout(deadline);
    this.#end();
  }

  /** Ends at once; what was not answered stays so. */
  abort(): void {
    this.#stopAccepting();
    this.#host.isDraining = true;
    for (const connection of this.#host.connections) connection.abort();
    this.#end();
  }

  /** Shuts the server down, as `shutdown` does. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
  }

  #stopAccepting(): void {
    if (this.#isClosing) return;
    this.#isClosing = true;
    for (const listener of this.#listeners) letGo(listener);
  }

  #end(): void {
    for (const timer of this.#timers) clearInterval(timer);
    this.#timers.length = 0;
    this.#bell?.close();
    this.#ended.resolve();
  }

  #startTimers(idleTimeoutMs: number): void {
    this.#every(sweepMs, () => this.#sweep());
    if (idleTimeoutMs <= 0) return;
    const lookMs = Math.max(
      idleLookMs.least,
      Math.min(idleLookMs.most, idleTimeoutMs / idleLooks),
    );
    // A connection that moved just after a look is seen as idle one look later than it became so.
    const idleTicksMax = Math.ceil(idleTimeoutMs / lookMs);
    this.#every(lookMs, () => {
      const host = this.#host;
      host.idleTicks++;
      for (const connection of host.connections) {
        if (host.idleTicks - connection.activeTick > idleTicksMax) connection.abort();
      }
    });
  }

  #every(ms: number, work: () => void): void {
    const timer = setInterval(work, ms);
    Deno.unrefTimer(timer);
    this.#timers.push(timer);
  }

  /** Sweeps, and goes on in the next turns of the loop for as long as more is due. */
  #sweep(): void {
    if (this.#host.isDraining) return;
    if (this.#host.engine.tick()) void this.#host.turns.next().then(() => this.#sweep());
  }
}

/** The options that are really given. */
function defined(options: ServerOptions): ServerOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}
