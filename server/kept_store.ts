/**
 * The store of a server: a new one or one that is passed in, for one thread or for several, with
 * the entries of the data file where there is one.
 *
 * @module
 */

import type { Journal, LoadResult, SyncMode, ThreadJournal } from "../journal/mod.ts";
import { type ObservableStorage, SharedStore, type Storage, Store } from "../store.ts";
import type { ChosenLoop } from "./choose_loop.ts";
import { sharedClock } from "./shared_clock.ts";

/** Which store is asked for. */
export interface KeptStoreOptions {
  /** The most bytes of keys and values. */
  readonly limitBytes: number;
  /** Whether entries are evicted to make room. */
  readonly evicts: boolean;
  /** The store to serve, instead of a new one. */
  readonly store?: Storage;
  /** The data file, and when changes reach the disk. */
  readonly dataFile?: { readonly file: string; readonly sync: SyncMode };
  /** Gets a line for the operator. */
  readonly report: (event: string) => void;
  /** Called now and then while the data file is loaded. */
  readonly onLoading?: (read: number, total: number) => void;
}

/** A store, and what keeps it. */
export class KeptStore {
  /** What requests run on. */
  readonly store: Storage;
  /** The same store, where several threads share it. */
  readonly shared: SharedStore | undefined;
  /** The clock that the threads share. */
  readonly now: (() => number) | undefined;
  /** The data file, and the main thread's part in it. */
  readonly journal: Journal | undefined;
  readonly thread: ThreadJournal | undefined;
  /** How loading went. */
  readonly loaded: LoadResult | undefined;
  /** Resolves with the reason when the data file cannot go on: the server must end. */
  readonly failed: Promise<string> | undefined;

  private constructor(
    own: ObservableStorage | undefined,
    given: Storage | undefined,
    now: (() => number) | undefined,
    journal?: Pick<KeptStore, "journal" | "thread" | "loaded" | "failed">,
  ) {
    this.shared = own instanceof SharedStore ? own : undefined;
    this.now = now;
    this.journal = journal?.journal;
    this.thread = journal?.thread;
    this.loaded = journal?.loaded;
    this.failed = journal?.failed;
    this.store = this.thread?.store ?? given ?? own!;
  }

  /**
   * Makes the store, and loads the data file into it.
   *
   * @throws {Error} when either cannot be; the message says why and what to do.
   */
  static async open({ loop, peers }: ChosenLoop, options: KeptStoreOptions): Promise<KeptStore> {
    const { limitBytes, evicts, dataFile } = options;
    if (options.store !== undefined) {
      if (dataFile === undefined) return new KeptStore(undefined, options.store, undefined);
      throw new Error(
        "Cannot keep a store that is passed in in a data file: leave out the one or the other",
      );
    }
    const now = peers && sharedClock(peers.libc);
    const store = peers === undefined || now === undefined
      ? new Store({ limitBytes, evicts })
      : SharedStore.create({
        limitBytes,
        evicts,
        threads: peers.link.state.threads,
        memory: peers.memory,
        now,
      });
    if (dataFile === undefined) return new KeptStore(store, undefined, now);
    // Only who asks for it loads SQLite.
    const { Journal } = await import("../journal/mod.ts");
    const { report } = options;
    const { promise: failed, resolve: onFailed } = Promise.withResolvers<string>();
    const journal = await Journal.open({ ...dataFile, report, onFailed });
    try {
      const thread = journal.attach(store);
      await journal.start(loop.wakeFds);
      const startMs = performance.now();
      const loaded = await journal.load((read, total) => options.onLoading?.(read, total));
      report(textOf(loaded, dataFile.file, performance.now() - startMs));
      return new KeptStore(store, undefined, now, { journal, thread, loaded, failed });
    } catch (error) {
      await journal.close();
      throw error;
    }
  }

  /** Keeps what is left. No thread may use the store any more. */
  async close(): Promise<void> {
    await this.journal?.close();
  }
}

function textOf({ loaded, expired, dropped }: LoadResult, file: string, ms: number): string {
  const notes = [];
  if (expired > 0) notes.push(`${expired} more had expired`);
  if (dropped > 0) notes.push(`${dropped} did not fit in the memory limit and were evicted`);
  const seconds = (ms / 1000).toFixed(1);
  const entries = loaded === 1 ? "1 entry" : `${loaded} entries`;
  return `Loaded ${entries} from ${file} in ${seconds} s${
    notes.map((note) => `; ${note}`).join("")
  }`;
}
