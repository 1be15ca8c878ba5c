/**
 * The data file of a server, as its main thread sees it: opened, loaded, written by a thread of its
 * own, and closed.
 *
 * @module
 */

import type { ObservableStorage } from "../store.ts";
import { wallOffsetAt } from "../wall_clock.ts";
import { DataFileError, dataFileError } from "./data_file_error.ts";
import { Database, passingCacheKib } from "./database.ts";
import { applyJournal } from "./file_commands.ts";
import { FileLock } from "./file_lock.ts";
import { JournalState, phases } from "./journal_state.ts";
import { type Chunk, takeChunk, type TakeEntry } from "./loader.ts";
import type { PostValue, RecordingStore } from "./recording_store.ts";
import type { SyncMode } from "./sync_mode.ts";
import { ThreadJournal } from "./thread_journal.ts";
import { restore, type UndoPart } from "./undoing.ts";
import type { WriterOrder, WriterReport } from "./writer_messages.ts";

/** What is kept where, and how. */
export interface JournalOptions {
  /** The path of the data file; it is made if it does not exist. */
  readonly file: string;
  /** When changes reach the disk. */
  readonly sync: SyncMode;
  /** Gets a line for the operator. */
  readonly report: (event: string) => void;
  /** Called when changes cannot be kept or undone any more: the server must end. */
  readonly onFailed: (reason: string) => void;
}

/** How loading went. */
export interface LoadResult {
  /** Entries that were read and had not expired. */
  readonly loaded: number;
  /** Entries that had expired. */
  readonly expired: number;
  /** Entries that the store has evicted, or was too small for. */
  readonly dropped: number;
}

/** What a thread needs to record changes: it can be posted to a Worker. */
export interface JournalHandle {
  readonly file: string;
  readonly sync: SyncMode;
  /** The memory of the `JournalState`. */
  readonly state: SharedArrayBuffer;
}

/** Figures about the data file. Any thread can ask for them. */
export interface JournalFigures {
  /** The path of the file. */
  readonly path: string;
  readonly sync: SyncMode;
  readonly state: "keeping" | "undoing" | "refusing";
  /** Bytes of the file and of its write-ahead log. */
  readonly bytes: number;
  /** Changes that are not committed yet. */
  readonly uncommitted: number;
  readonly commits: number;
  /** When the last commit ended, in milliseconds since 1970; 0: none yet. */
  readonly last_commit_at: number;
  /** How many milliseconds it took. */
  readonly last_commit_ms: number;
  readonly errors: number;
}

/** Figures about a data file whose writer shows its state. */
export function journalFigures(state: JournalState, path: string, sync: SyncMode): JournalFigures {
  const { phase } = state;
  return {
    path,
    sync,
    state: phase === phases.refusing
      ? "refusing"
      : phase === phases.keeping
      ? "keeping"
      : "undoing",
    bytes: sizeOf(path) + sizeOf(`${path}-wal`),
    uncommitted: state.undecided,
    commits: state.figure("commits"),
    last_commit_at: state.figure("lastCommitAtMs"),
    last_commit_ms: Math.round(state.figure("lastCommitMs") * 1000) / 1000,
    errors: state.figure("errors"),
  };
}

/** How long the end waits for the writer, in milliseconds. */
const endMs = 60_000;

/** A data file that is open for a server. */
export class Journal {
  /** What other threads make their part from. */
  readonly state: JournalState = new JournalState();
  readonly #options: JournalOptions;
  readonly #lock: FileLock;
  readonly #database: Database;
  readonly #ended = Promise.withResolvers<void>();
  #main: ThreadJournal | undefined;
  #worker: Worker | undefined;
  /** The entries of the file, as the writer's thread reads them. */
  readonly #chunks: ReadableStream<Chunk>;
  #reading: ReadableStreamDefaultController<Chunk> | undefined;

  private constructor(options: JournalOptions, lock: FileLock, database: Database) {
    this.#options = options;
    this.#lock = lock;
    this.#database = database;
    this.#chunks = new ReadableStream({
      start: (controller) => void (this.#reading = controller),
      // Who takes them has failed.
      cancel: () => void (this.#reading = undefined),
    });
  }

  /**
   * Opens the file, checks its structure, and brings its journal to its table.
   *
   * @throws {DataFileError} when it cannot be used; the message says why and what to do.
   */
  static async open(options: JournalOptions): Promise<Journal> {
    const { file } = options;
    const lock = await FileLock.take(file);
    let database: Database | undefined;
    try {
      database = Database.open(file, "create", passingCacheKib);
      const faults = database.faults(false);
      if (faults.length > 0) {
        throw new DataFileError(
          `Cannot use the data file ${file}: it is damaged (${
            faults[0]
          }); put a backup in its place`,
        );
      }
      applyJournal(database);
      return new Journal(options, lock, database);
    } catch (error) {
      database?.close();
      lock[Symbol.dispose]();
      throw dataFileError(file, error);
    }
  }

  /** The main thread's part, which records the changes of a store. */
  attach(store: ObservableStorage): ThreadJournal {
    const postValue: PostValue = (number, value) => this.passValue(number, value);
    return this.#main = attachJournal(this.handle, 0, store, postValue);
  }

  /** Passes a value to the writer, from whatever thread. */
  passValue(number: number, value: Uint8Array<SharedArrayBuffer>): void {
    this.#post({ kind: "value", number, value });
  }

  /**
   * Starts the writer's thread; resolves once the file is open there. `load` follows. It wakes
   * threads by their eventfds, if there are any.
   *
   * @throws {DataFileError} when it cannot start.
   */
  async start(wakeFds: readonly number[]): Promise<void> {
    const { file, sync } = this.#options;
    try {
      // What is too long for a chunk is read here, from the same state of the file.
      this.#database.beginRead();
    } catch (error) {
      throw dataFileError(file, error);
    }
    const ready = Promise.withResolvers<void>();
    const worker = new Worker(new URL("./writer_thread.ts", import.meta.url), {
      type: "module",
      name: "blink-store data file",
    });
    this.#worker = worker;
    worker.onmessage = ({ data }: MessageEvent<WriterReport>) => {
      if (data.kind === "ready") ready.resolve();
      else if (data.kind === "failed") this.#failed(data.reason, ready);
      else this.#received(data);
    };
    worker.onerror = (event) => {
      event.preventDefault();
      this.state.phase = phases.broken;
      this.#failed(event.message, ready);
    };
    this.#post({ kind: "start", file, sync, state: this.state.buffer, wakeFds });
    await ready.promise;
  }

  /**
   * Puts every entry of the file into the store of the main thread's part.
   *
   * @param onProgress Called now and then with how many entries were read, and how many there are.
   * @throws {DataFileError} when the file is damaged, or the store refuses an entry and does not
   * evict others for it.
   */
  async load(onProgress: (read: number, total: number) => void): Promise<LoadResult> {
    const { store } = this.#main!;
    const evictedBefore = store.stats.evictions;
    const loading = new Loading(this.#main!, this.#options.file);
    let read = 0;
    try {
      for await (const chunk of this.#chunks) {
        loading.begin();
        takeChunk(this.#database, chunk, loading.take);
        this.state.addChunks(-1);
        onProgress(read += chunk.count, chunk.total);
      }
    } catch (error) {
      throw dataFileError(this.#options.file, error);
    } finally {
      this.#database.close();
    }
    const { loaded, expired, refused } = loading;
    return { loaded, expired, dropped: refused + store.stats.evictions - evictedBefore };
  }

  /** Figures for INFO. */
  figures(): JournalFigures {
    return journalFigures(this.state, this.#options.file, this.#options.sync);
  }

  /** What another thread makes its part from; its values come by {@linkcode Journal.passValue}. */
  get handle(): JournalHandle {
    const { file, sync } = this.#options;
    return { file, sync, state: this.state.buffer };
  }

  /** Keeps what is left, and closes the file. No thread may record anything any more. */
  async close(): Promise<void> {
    if (this.#worker !== undefined) {
      this.state.close();
      const late = Promise.withResolvers<void>();
      const timer = setTimeout(() => {
        this.#options.report("The data file's writer does not end; its last changes may be lost");
        late.resolve();
      }, endMs);
      await Promise.race([this.#ended.promise, late.promise]);
      clearTimeout(timer);
      this.#worker.terminate();
    }
    this.#database.close();
    this.#lock[Symbol.dispose]();
  }

  #post(order: WriterOrder): void {
    this.#worker?.postMessage(order);
  }

  #received(report: WriterReport): void {
    switch (report.kind) {
      case "advanced":
        return this.#main?.advanced();
      case "chunk":
        return this.#reading?.enqueue(report.chunk);
      case "read":
        return this.#reading?.close();
      case "event":
        return this.#options.report(report.event);
      case "ended":
        return this.#ended.resolve();
      case "undo":
        return this.#undo(report.part);
    }
  }

  /** Gives entries back to the store. No request runs meanwhile, in no thread. */
  #undo(part: UndoPart): void {
    try {
      restore(this.#main!.store, part);
    } catch (error) {
      this.#options.onFailed(`a change cannot be undone: ${error}`);
    }
    this.state.addUndone();
  }

  #failed(reason: string, ready: PromiseWithResolvers<void>): void {
    ready.reject(new DataFileError(reason));
    // What waits for the start gets its error; later nobody does.
    ready.promise.catch(() => {});
    this.#ended.resolve();
    this.#reading?.error(new DataFileError(reason));
    this.#options.onFailed(`the data file's writer has ended: ${reason}`);
  }
}

/** One thread's part, which records the changes that this thread makes to a store. */
export function attachJournal(
  { sync, state }: JournalHandle,
  thread: number,
  store: ObservableStorage,
  postValue: PostValue,
): ThreadJournal {
  return new ThreadJournal({ state, waits: sync === "always", thread, store, postValue });
}

/** Takes entries from a file to a store. */
class Loading {
  loaded = 0;
  expired = 0;
  refused = 0;
  readonly #store: ObservableStorage;
  readonly #recording: RecordingStore;
  /** The store's clock, and how far it is from the time since 1970. */
  #nowMs = 0;
  #offsetMs = 0;
  readonly #file: string;

  /** Puts entries into the store itself: they are in the file already. */
  constructor({ store }: ThreadJournal, file: string) {
    this.#store = store.unrecorded;
    this.#recording = store;
    this.#file = file;
  }

  /** Looks at the clocks; to be called before each chunk. */
  begin(): void {
    this.#nowMs = this.#store.now();
    this.#offsetMs = -wallOffsetAt(this.#nowMs);
  }

  /** Takes one. */
  readonly take: TakeEntry = (key, keyStart, keyEnd, value, valueStart, valueEnd, expiresAt) => {
    const store = this.#store;
    const at = expiresAt === 0 ? Infinity : expiresAt + this.#offsetMs;
    if (at <= this.#nowMs) {
      this.expired++;
      return;
    }
    let outcome = store.put(key, keyStart, keyEnd, value, valueStart, valueEnd, at);
    if (outcome === "unfinished") {
      store.enterAll();
      outcome = store.putNow(key, keyStart, keyEnd, value, valueStart, valueEnd, at);
      store.leaveAll();
    }
    if (outcome === "stored") this.loaded++;
    else this.#refuse(outcome, key, keyStart, keyEnd);
  };

  #refuse(outcome: string, key: Uint8Array, keyStart: number, keyEnd: number): void {
    this.refused++;
    // It leaves the file, as if it had been evicted.
    if (outcome === "too large") return this.#recording.evicted(key, keyStart, keyEnd);
    throw new DataFileError(
      `Cannot load the data file ${this.#file}: its entries need more memory than the limit ` +
        "allows; raise --memory-limit, or leave --eviction off out",
    );
  }
}

function sizeOf(path: string): number {
  try {
    return Deno.statSync(path).size;
  } catch {
    return 0;
  }
}
