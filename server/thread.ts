/**
 * What a Worker of a server runs: an event loop of its own, on the store that all threads share. It
 * listens nowhere; the main thread hands connections to it (`thread_link.ts`).
 *
 * The Worker serves until the phase says that the server ends. A fault that it cannot go on after
 * breaks the store, so that no other thread serves on or waits for a lock, and is reported.
 *
 * @module
 */

/// <reference lib="deno.worker" />

import type { JournalFigures, ThreadJournal } from "../journal/mod.ts";
import { openSharedMemory, SharedStore } from "../store.ts";
import { AllClients, type ClientsMessage, OwnClients } from "./clients.ts";
import { EpollLoop } from "./epoll_loop.ts";
import { EventGatherer } from "./event_gatherer.ts";
import { loadLibc } from "./libc.ts";
import { ServedLoop } from "./served_loop.ts";
import { sharedClock } from "./shared_clock.ts";
import { ThreadLink } from "./thread_link.ts";
import type { ThreadOrder, ThreadReport, ThreadStart } from "./thread_messages.ts";
import { phases, ThreadState } from "./thread_state.ts";
import { checkByDigest, type TokenCheck } from "./token.ts";

/** The Worker's side of the messages. */
interface WorkerScope {
  onmessage: ((message: MessageEvent<ThreadOrder>) => void) | null;
  addEventListener(type: "error", listener: (event: ErrorEvent) => void): void;
  addEventListener(
    type: "unhandledrejection",
    listener: (event: PromiseRejectionEvent) => void,
  ): void;
  postMessage(report: ThreadReport): void;
}

const scope = globalThis as unknown as WorkerScope;

/** One Worker, from its start to its end. */
class ServingThread {
  readonly #store: SharedStore;
  readonly #link: ThreadLink;
  readonly #loop: EpollLoop;
  readonly #served: ServedLoop;
  #clients: AllClients | undefined;
  #isEnding = false;
  #isAborted = false;

  constructor(start: ThreadStart, isToken: TokenCheck | undefined, journal?: JournalPart) {
    const { thread, threads, limits, settings, startedAtMs } = start;
    const libc = loadLibc();
    const memory = openSharedMemory();
    if (libc === undefined || memory === undefined) throw new Error("FFI is not available");
    const now = sharedClock(libc);
    const store = SharedStore.attach(start.store, { thread, memory, now });
    const state = new ThreadState(threads, start.state);
    this.#store = store;
    this.#link = new ThreadLink(thread, state, start.wakeFds, libc);
    this.#loop = new EpollLoop(libc, true, this.#link);
    this.#served = new ServedLoop(this.#loop, {
      store,
      journal: journal?.attach(store),
      dataFile: journal?.figures,
      limits,
      settings,
      events: new EventGatherer((events) => scope.postMessage({ kind: "events", events })),
      isToken,
      onBroken: (error) => this.#fail(error),
      clients: (context) =>
        this.#clients = new AllClients(
          new OwnClients(context),
          thread,
          threads,
          (message) => scope.postMessage(message),
        ),
      threads: {
        link: this.#link,
        now,
        shared: {
          counters: state.counters[thread],
          allCounters: state.counters,
          locks: store,
          startedAtMs,
        },
      },
    });
    this.#loop.onWoken = () => this.#followPhase();
    // What is not caught may have left a change half done. The others must not go on, either.
    scope.addEventListener("error", (event) => {
      event.preventDefault();
      this.#fail(event.error);
    });
    scope.addEventListener("unhandledrejection", (event) => {
      event.preventDefault();
      this.#fail(event.reason);
    });
  }

  /** Takes a message about clients. */
  received(message: ClientsMessage): void {
    this.#clients?.received(message);
  }

  /** Does what the phase says. */
  #followPhase(): void {
    const { phase } = this.#link.state;
    if (phase === phases.draining) void this.#end();
    if (phase <= phases.draining || this.#isAborted) return;
    this.#isAborted = true;
    // Later, since a connection may be running now.
    queueMicrotask(() => {
      this.#served.abort();
      void this.#end();
    });
  }

  /** Lets every connection end, and then everything else. */
  async #end(): Promise<void> {
    if (this.#isEnding) return;
    this.#isEnding = true;
    if (!this.#isAborted) await this.#served.drain();
    await this.#served.close();
    scope.postMessage({ kind: "ended" });
  }

  /** Ends the server: this thread cannot go on. */
  #fail(error: unknown): void {
    if (this.#link.isBroken) return;
    scope.postMessage({ kind: "failed", reason: reasonOf(error) });
    this.#store.markBroken();
    this.#link.state.raise(phases.broken);
    this.#link.wakeOthers();
    this.#followPhase();
  }
}

/** A thread's part in keeping changes. */
interface JournalPart {
  attach(store: SharedStore): ThreadJournal;
  figures(): JournalFigures;
}

/** What the thread needs for the data file, if there is one. */
async function journalPart({ journal, thread }: ThreadStart): Promise<JournalPart | undefined> {
  if (journal === undefined) return undefined;
  const { attachJournal, journalFigures, JournalState } = await import("../journal/mod.ts");
  const state = new JournalState(journal.state);
  return {
    attach: (store) =>
      attachJournal(
        journal,
        thread,
        store,
        (number, value) => scope.postMessage({ kind: "value", number, value }),
      ),
    figures: () => journalFigures(state, journal.file, journal.sync),
  };
}

let serving: ServingThread | undefined;

scope.onmessage = async ({ data }) => {
  if (data.kind === "clients") return serving?.received(data);
  const { tokenDigest } = data;
  try {
    const isToken = tokenDigest && await checkByDigest(tokenDigest);
    serving = new ServingThread(data, isToken, await journalPart(data));
    scope.postMessage({ kind: "ready" });
  } catch (error) {
    scope.postMessage({ kind: "failed", reason: reasonOf(error) });
  }
};

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
