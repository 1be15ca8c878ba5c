/**
 * The server: listens on TCP addresses and Unix domain sockets, which all serve one store, until it
 * is shut down.
 *
 * @module
 */

import type { Settings } from "../commands/mod.ts";
import type { Info } from "../protocol.ts";
import type { SyncMode } from "../journal/mod.ts";
import type { SharedStore, Storage } from "../store.ts";
import { chooseLoop, type ChosenLoop } from "./choose_loop.ts";
import { AllClients, type ClientsMessage, OwnClients } from "./clients.ts";
import type { Limits, ServerContext } from "./context.ts";
import { serverDefaults, shutdownGraceMs, tickMs } from "./defaults.ts";
import type { Io, TcpAddress, UnixAddress } from "./event_loop.ts";
import { EventLog } from "./event_log.ts";
import { KeptStore } from "./kept_store.ts";
import { ServedLoop, type ServedLoopOptions } from "./served_loop.ts";
import { settingsOf } from "./settings.ts";
import { phases } from "./thread_state.ts";
import { Threads, type ThreadsOptions } from "./threads.ts";
import { checkByDigest, digestOfToken, type TokenCheck } from "./token.ts";

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
  /** The store to serve, instead of a new one; with one thread only. */
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
  /**
   * How many threads serve, 1 to 64: each has an epoll loop of its own, and all use one store.
   * `"auto"` is half of the cores, 1 to 8, and 1 where `io` does not take epoll or a store is
   * passed in. The default is 1.
   *
   * @example
   * ```ts
   * import { serve } from "@blink/store/server";
   *
   * const tcp = [{ hostname: "127.0.0.1", port: 0 }];
   * await using server = await serve({ tcp, threads: "auto" });
   * console.assert(server.threads >= 1 && server.info().threads === server.threads);
   * ```
   */
  threads?: number | "auto";
  /**
   * Whether entries are evicted to make room, which is the default; if not, requests that need more
   * memory than the limit are refused.
   */
  evicts?: boolean;
  /**
   * The path of a data file, which keeps the entries beyond the end of the process; without one,
   * nothing is kept. It is made if it does not exist.
   */
  dataFile?: string;
  /**
   * When changes reach the disk: `"always"`, the default, before they are answered; `"interval"`,
   * at least once a second; `"off"`, when the system likes.
   */
  sync?: SyncMode;
  /** Called now and then while the data file is loaded: entries read so far, and their number. */
  onLoading?: (read: number, total: number) => void;
}

/**
 * Starts a server; resolves once it listens.
 *
 * @throws {Error} when an address, the event loop or the threads are unavailable or the store
 * cannot be made; the message says which and what to do. Nothing is left listening then.
 */
export async function serve(options: ServerOptions = {}): Promise<Server> {
  return await serveWith(options);
}

/** What tests can set besides the options. */
export type ThreadSettings = Pick<ThreadsOptions, "module" | "silentTicksMax">;

/** Starts a server, as {@linkcode serve} does. */
export async function serveWith(
  options: ServerOptions,
  settings: ThreadSettings = {},
): Promise<Server> {
  const chosen = await chooseLoop({
    io: options.io ?? serverDefaults.io,
    ownsThread: options.ownsThread ?? false,
    threads: threadsFrom(options),
    report: options.onEvent,
  });
  const { loop, peers } = chosen;
  const tcp = options.tcp ??
    (options.unix?.length
      ? []
      : [{ hostname: serverDefaults.hostname, port: serverDefaults.port }]);
  let kept: KeptStore | undefined;
  try {
    // Clients are refused until the data file is loaded.
    kept = await KeptStore.open(chosen, {
      limitBytes: options.memoryLimitBytes ?? serverDefaults.memoryLimitBytes,
      evicts: options.evicts ?? serverDefaults.evicts,
      store: options.store,
      dataFile: dataFileFrom(options),
      report: options.onEvent ?? (() => {}),
      onLoading: options.onLoading,
    });
    for (const address of tcp) loop.listenTcp(address);
    for (const address of options.unix ?? []) await loop.listenUnix(address);
    return await Server.start(chosen, kept, options, settings);
  } catch (error) {
    await loop.close();
    await kept?.close();
    peers?.link.close();
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
  /** The broken invariant, or the death of a thread, that ended the server; else undefined. */
  failure: Error | undefined;
  /** The event loop in use. */
  readonly io: Io;
  /** How many threads serve. */
  readonly threads: number;
  /** Entries that the data file had; undefined where there is none. */
  readonly loadedEntries: number | undefined;
  readonly #chosen: ChosenLoop;
  readonly #kept: KeptStore;
  readonly #limits: Limits;
  readonly #settings: Settings;
  readonly #events: EventLog;
  readonly #ended = Promise.withResolvers<void>();
  #served: ServedLoop | undefined;
  #threads: Threads | undefined;
  #clients: AllClients | undefined;
  #watching: ReturnType<typeof setInterval> | undefined;
  #isEnding = false;

  private constructor(chosen: ChosenLoop, options: ServerOptions, kept: KeptStore) {
    const { loop, peers } = chosen;
    this.#chosen = chosen;
    this.#kept = kept;
    this.#limits = limitsFrom(options);
    this.#events = new EventLog(options.onEvent);
    this.store = kept.store;
    this.loadedEntries = kept.loaded?.loaded;
    this.io = loop.io;
    this.threads = peers?.link.state.threads ?? 1;
    this.addresses = loop.addresses;
    this.#settings = settingsOf(loop.addresses, this.#limits, {
      evicts: options.evicts ?? serverDefaults.evicts,
      sync: dataFileFrom(options)?.sync,
    });
    this.finished = this.#ended.promise;
  }

  /**
   * Serves over a loop that listens; for {@linkcode serve}, which is the way to start a server.
   *
   * @throws {Error} when the threads cannot be made.
   */
  static async start(
    chosen: ChosenLoop,
    kept: KeptStore,
    options: ServerOptions,
    settings: ThreadSettings,
  ): Promise<Server> {
    const { peers } = chosen;
    const tokenDigest = options.token === undefined
      ? undefined
      : await digestOfToken(options.token);
    const isToken = tokenDigest && await checkByDigest(tokenDigest);
    const server = new Server(chosen, options, kept);
    const { shared: store, now } = kept;
    if (peers === undefined || store === undefined || now === undefined) {
      server.#serve(isToken);
      return server;
    }
    const { link } = peers;
    const { counters } = link.state;
    const startedAtMs = now();
    const shared = { counters: counters[0], allCounters: counters, locks: store, startedAtMs };
    await server.#startThreads(store, tokenDigest, startedAtMs, settings);
    server.#serve(isToken, { link, now, shared });
    return server;
  }

  /** What INFO reports. */
  info(): Info {
    return this.#running.context.commands.info();
  }

  /**
   * Stops accepting, answers the requests that were read, and ends. Requests that are not answered
   * within `graceMs` milliseconds are dropped.
   */
  async shutdown(graceMs: number = shutdownGraceMs): Promise<void> {
    const drained = this.#running.drain();
    this.#threads?.raise(phases.draining);
    const deadline = setTimeout(() => this.abort(), graceMs);
    // Closing a connection may not end its pending write, so the deadline must be enough by itself.
    await Promise.race([Promise.all([drained, this.#threads?.ended]), this.finished]);
    clearTimeout(deadline);
    this.#end();
    await this.finished;
  }

  /** Ends at once, without answering further requests. */
  abort(): void {
    this.#running.abort();
    this.#threads?.raise(phases.aborting);
    this.#end();
  }

  /** Shuts the server down, as `shutdown` does. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
  }

  get #running(): ServedLoop {
    if (this.#served === undefined) throw new Error("Cannot use a server that has not started");
    return this.#served;
  }

  async #startThreads(
    store: SharedStore,
    tokenDigest: Uint8Array | undefined,
    startedAtMs: number,
    settings: ThreadSettings,
  ): Promise<void> {
    const { link } = this.#chosen.peers!;
    this.#threads = await Threads.start({
      ...settings,
      link,
      start: {
        store: store.handle,
        limits: this.#limits,
        settings: this.#settings,
        tokenDigest,
        startedAtMs,
        journal: this.#kept.journal?.handle,
      },
      onValue: (number, value) => this.#kept.journal?.passValue(number, value),
      onEvents: (events) => {
        for (const event of events) this.#events.reportGathered(event, this.#nowMs);
      },
      onClients: (message) => this.#clients?.received(message),
      onFailed: (reason) => this.#fail(new Error(reason)),
    });
    this.#watching = setInterval(() => this.#threads?.watch(), tickMs);
    Deno.unrefTimer(this.#watching);
  }

  get #nowMs(): number {
    return this.#served?.context.nowMs ?? 0;
  }

  #serve(isToken: TokenCheck | undefined, threads?: ServedLoopOptions["threads"]): void {
    const { store, thread, journal } = this.#kept;
    void this.#kept.failed?.then((reason) => this.#fail(new Error(reason)));
    this.#served = new ServedLoop(this.#chosen.loop, {
      store,
      journal: thread,
      dataFile: journal && (() => journal.figures()),
      limits: this.#limits,
      settings: this.#settings,
      events: this.#events,
      isToken,
      onBroken: (error) => this.#fail(error),
      clients: threads && ((context) => this.#allClients(context)),
      threads,
    });
  }

  #allClients(context: ServerContext): AllClients {
    const post = (message: ClientsMessage) => this.#threads?.post(message);
    return this.#clients = new AllClients(new OwnClients(context), 0, this.threads, post);
  }

  /**
   * Ends the server after a broken invariant, when the store's content can no longer be trusted, or
   * when what is to be kept cannot be.
   */
  #fail(error: Error): void {
    // A thread that cannot start is the error of the start.
    if (this.failure !== undefined || this.#served === undefined) return;
    this.failure = error;
    this.#kept.shared?.markBroken();
    this.#threads?.raise(phases.broken);
    this.#events.report("fault", `The server ends: ${error.message}`, Infinity);
    // Later, since a connection may be running now.
    queueMicrotask(() => this.abort());
  }

  #end(): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    clearInterval(this.#watching);
    void this.#close();
  }

  async #close(): Promise<void> {
    const [haveEnded] = await Promise.all([this.#threads?.end(), this.#running.close()]);
    this.#threads?.link.close();
    await this.#kept.close();
    const canClose = haveEnded === true && this.failure === undefined;
    if (canClose) this.#kept.shared?.close();
    this.#events.flush();
    this.#ended.resolve();
  }
}

/** The data file that is asked for. */
function dataFileFrom({ dataFile, sync = serverDefaults.sync }: ServerOptions) {
  return dataFile === undefined ? undefined : { file: dataFile, sync };
}

/** The threads that are asked for; a store that is passed in is for one. */
function threadsFrom({ threads = serverDefaults.threads, store }: ServerOptions): number | "auto" {
  if (store === undefined) return threads;
  if (threads === "auto" || threads === 1) return 1;
  throw new Error(
    `Cannot serve a store that is passed in with ${threads} threads: leave the store out, or ` +
      "use threads: 1",
  );
}

/** The limits that are given, and the defaults of the others. */
function limitsFrom(options: ServerOptions): Limits {
  const { connectionsMax, lineBytesMax, pendingBytesMax, idleTimeoutMs } = serverDefaults;
  return {
    connectionsMax: options.connectionsMax ?? connectionsMax,
    lineBytesMax: options.lineBytesMax ?? lineBytesMax,
    pendingBytesMax: options.pendingBytesMax ?? pendingBytesMax,
    idleTimeoutMs: options.idleTimeoutMs ?? idleTimeoutMs,
  };
}
