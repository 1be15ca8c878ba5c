/**
 * The Workers of a server with several threads, as the main thread sees them: it starts them once,
 * watches that they live, and ends them.
 *
 * @module
 */

import { silentTicksMax, threadEndMs } from "./defaults.ts";
import type { GatheredEvents } from "./event_log.ts";
import type { ClientsMessage } from "./clients.ts";
import type { ThreadLink } from "./thread_link.ts";
import type { ThreadReport, ThreadStart } from "./thread_messages.ts";
import type { Phase } from "./thread_state.ts";

/** The parts of the threads. */
export interface ThreadsOptions {
  /** The main thread's way to the others. */
  readonly link: ThreadLink;
  /** What each thread is started with, except its number. */
  readonly start: Omit<ThreadStart, "kind" | "thread" | "threads" | "state" | "wakeFds">;
  /** Called with events of the threads. */
  readonly onEvents: (events: readonly GatheredEvents[]) => void;
  /** Called with what threads ask about the clients of others, and with their answers. */
  readonly onClients: (message: ClientsMessage) => void;
  /** Called with long values on their way to the data file. */
  readonly onValue: (number: number, value: Uint8Array<SharedArrayBuffer>) => void;
  /** Called when a thread cannot go on, or has died. */
  readonly onFailed: (reason: string) => void;
  /** The module that the Workers run; that of the server by default. For tests. */
  readonly module?: URL;
  /** See `silentTicksMax` of the defaults. */
  readonly silentTicksMax?: number;
}

/** One Worker, and how it is. */
interface Thread {
  readonly worker: Worker;
  readonly ready: PromiseWithResolvers<void>;
  readonly ended: PromiseWithResolvers<void>;
  hasEnded: boolean;
  beats: number;
  silentTicks: number;
}

/** All threads of a server but the main one. */
export class Threads {
  /** The main thread's way to the others. */
  readonly link: ThreadLink;
  /** Resolves when every thread has ended. */
  readonly ended: Promise<void>;
  readonly #threads: readonly Thread[];
  readonly #options: ThreadsOptions;

  private constructor(options: ThreadsOptions) {
    this.#options = options;
    this.link = options.link;
    const numbers = Array.from({ length: options.link.state.threads - 1 }, (_, n) => n + 1);
    this.#threads = numbers.map((thread) => this.#start(thread));
    this.ended = Promise.all(this.#threads.map(({ ended }) => ended.promise)).then(() => {});
  }

  /**
   * Starts the threads; resolves once all are ready.
   *
   * @throws {Error} when one cannot be started; none is left then.
   */
  static async start(options: ThreadsOptions): Promise<Threads> {
    const threads = new Threads(options);
    try {
      await Promise.all(threads.#threads.map(({ ready }) => ready.promise));
      return threads;
    } catch (error) {
      threads.#terminate();
      throw error;
    }
  }

  /** Raises the phase, and lets each thread see it. */
  raise(phase: Phase): void {
    this.link.state.raise(phase);
    this.link.wakeOthers();
  }

  /** Sends a message to the thread that it is for, which must not be the main one. */
  post(message: ClientsMessage): void {
    this.#threads[message.to - 1].worker.postMessage(message);
  }

  /** Checks that each thread lives; to be called at each tick. */
  watch(): void {
    const limit = this.#options.silentTicksMax ?? silentTicksMax;
    this.#threads.forEach((one, n) => {
      const beats = this.link.state.beatsOf(n + 1);
      one.silentTicks = beats === one.beats ? one.silentTicks + 1 : 0;
      one.beats = beats;
      if (one.silentTicks !== limit || one.hasEnded) return;
      this.#options.onFailed(`thread ${n + 1} has died, or hangs`);
    });
  }

  /**
   * Resolves when every thread has ended, of itself or after a while by force; false if one had to
   * be forced, which may have left the store locked.
   */
  async end(): Promise<boolean> {
    const overdue = Promise.withResolvers<void>();
    const timer = setTimeout(overdue.resolve, threadEndMs);
    await Promise.race([this.ended, overdue.promise]);
    clearTimeout(timer);
    const haveEnded = this.#threads.every(({ hasEnded }) => hasEnded);
    this.#terminate();
    return haveEnded;
  }

  #start(thread: number): Thread {
    const { link, start, module, onEvents, onClients, onValue } = this.#options;
    const worker = new Worker(module ?? new URL("./thread.ts", import.meta.url), {
      type: "module",
      name: `blink-store thread ${thread}`,
    });
    const one: Thread = {
      worker,
      ready: Promise.withResolvers(),
      ended: Promise.withResolvers(),
      hasEnded: false,
      beats: 0,
      silentTicks: 0,
    };
    worker.onmessage = ({ data }: MessageEvent<ThreadReport>) => {
      switch (data.kind) {
        case "ready":
          return one.ready.resolve();
        case "events":
          return onEvents(data.events);
        case "clients":
          return onClients(data);
        case "value":
          return onValue(data.number, data.value);
        case "failed":
          return this.#failed(thread, one, data.reason);
        case "ended":
          return endedOf(one);
      }
    };
    worker.onerror = (event) => {
      event.preventDefault();
      endedOf(one);
      this.#failed(thread, one, event.message);
    };
    const { state, wakeFds } = link;
    const message: ThreadStart = {
      ...start,
      kind: "start",
      thread,
      threads: state.threads,
      state: state.buffer,
      wakeFds,
    };
    worker.postMessage(message);
    return one;
  }

  #failed(thread: number, one: Thread, reason: string): void {
    one.ready.reject(new Error(`Cannot start thread ${thread}: ${reason}`));
    this.#options.onFailed(`thread ${thread}: ${reason}`);
  }

  #terminate(): void {
    this.#threads.forEach((one, n) => {
      one.worker.terminate();
      endedOf(one);
      this.link.closeLeft(n + 1);
    });
  }
}

function endedOf(one: Thread): void {
  one.hasEnded = true;
  one.ended.resolve();
}
