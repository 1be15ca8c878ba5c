/**
 * One event loop that serves: the loop, the context of its connections, and its timers. A server
 * has one for each of its threads.
 *
 * @module
 */

import {
  commandTable,
  Context,
  type ContextOptions,
  redisTable,
  type Settings,
} from "../commands/mod.ts";
import type { ThreadJournal } from "../journal/mod.ts";
import type { Storage } from "../store.ts";
import { version } from "../version.ts";
import { BufferPool } from "./buffer_pool.ts";
import { type Limits, ServerContext, type ServerContextOptions } from "./context.ts";
import { tickMs } from "./defaults.ts";
import type { EventLoop } from "./event_loop.ts";
import type { Events } from "./event_log.ts";
import { processorTime } from "./settings.ts";
import type { ThreadLink } from "./thread_link.ts";
import type { TokenCheck } from "./token.ts";

/** The parts of a loop that serves. */
export interface ServedLoopOptions {
  /** The store that it serves. */
  readonly store: Storage;
  /** The limits, which hold for all loops of the server together. */
  readonly limits: Limits;
  /** How the server was started. */
  readonly settings: Settings;
  /** Where events are reported. */
  readonly events: Events;
  /** Compares a token with the required one; none is required by default. */
  readonly isToken?: TokenCheck;
  /** Called when an invariant is broken. */
  readonly onBroken: (error: Error) => void;
  /** Where changes are recorded, if they are kept; its store is the one that is served. */
  readonly journal?: ThreadJournal;
  /** Figures about the data file, for INFO. */
  readonly dataFile?: ContextOptions["dataFile"];
  /** See `ServerContextOptions.clients`. */
  readonly clients?: ServerContextOptions["clients"];
  /** Given where the server has several threads. */
  readonly threads?: {
    readonly link: ThreadLink;
    /** The clock that all threads share. */
    readonly now: () => number;
    readonly shared: ContextOptions["shared"];
  };
}

/** An event loop that serves its clients from now on. */
export class ServedLoop {
  readonly context: ServerContext;
  readonly #loop: EventLoop;
  readonly #timers: ReturnType<typeof setInterval>[] = [];
  #isSweeping = false;

  constructor(loop: EventLoop, options: ServedLoopOptions) {
    const { limits, settings, events, isToken, onBroken, clients, threads, journal } = options;
    const store = journal?.store ?? options.store;
    this.#loop = loop;
    const threadCount = threads?.link.state.threads ?? 1;
    const buffers = new BufferPool(limits.pendingBytesMax / threadCount);
    const commands = new Context({
      store,
      version,
      verbs: commandTable.verbs,
      redisVerbs: redisTable.verbs,
      settings,
      processorTime,
      buffers,
      io: loop.io,
      processBytes: () => Deno.memoryUsage().rss,
      isToken,
      requestBytesMax: limits.lineBytesMax,
      now: threads?.now,
      shared: threads?.shared,
      dataFile: options.dataFile,
    });
    this.context = new ServerContext({
      commands,
      table: commandTable,
      buffers,
      limits,
      events,
      clients,
      onBroken,
      journal,
      link: threads?.link,
    });
    loop.start(this.context);
    this.#startTimers(limits.idleTimeoutMs);
  }

  /** Answers what was read, and resolves when every connection has ended. */
  async drain(): Promise<void> {
    this.#loop.stopAccepting();
    this.context.isDraining = true;
    await this.#loop.drain();
  }

  /** Ends all connections at once. */
  abort(): void {
    this.#loop.stopAccepting();
    this.context.isDraining = true;
    for (const connection of this.context.connections) connection.abort();
  }

  /** Stops the timers and lets go of everything; resolves when it has. */
  async close(): Promise<void> {
    for (const timer of this.#timers.splice(0)) clearInterval(timer);
    this.context.events.flush();
    await this.#loop.close();
  }

  #startTimers(idleTimeoutMs: number): void {
    const { context } = this;
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
    while (!this.context.isDraining && this.context.sweep()) await this.#loop.yield();
    this.#isSweeping = false;
  }
}
