/**
 * The context of commands: the store, the reply writer, counters and scratch memory. One context
 * serves all connections of an event loop, one at a time. Each thread of a server has one.
 *
 * @module
 */

import {
  type Buffers,
  type DataFileInfo,
  type ErrorKind,
  type ErrorReply,
  type Info,
  plainBuffers,
  RedisWriter,
  ReplyWriter,
  Request,
  type RespVersion,
} from "../protocol.ts";
import type { Storage } from "../store.ts";
import { type Clients, noClients } from "./clients.ts";
import { Counters, firstRedisVerb } from "./counters.ts";
import { infoOf, type LockFigures, noLocks } from "./info_figures.ts";
import { RequestRate } from "./request_rate.ts";
import { type ProcessorTime, type Settings, settingsDefault } from "./settings.ts";

/** Scratch memory up to this size is kept for the next value. */
const scratchKeptBytesMax = 64 * 1024;

const requestBytesDefault = 16 * 1024 * 1024;

/** Runs a callback after a delay; returns a function that cancels it. */
export type Schedule = (delayMs: number, callback: () => void) => () => void;

/** What the contexts of several threads, which share one store, have in common. */
export interface SharedParts {
  /** The counters of this thread. */
  readonly counters: Counters;
  /** The counters of all threads. */
  readonly allCounters: readonly Counters[];
  /** Figures about the store's locks. */
  readonly locks: LockFigures;
  /** When the server was started, on the clock `now`. */
  readonly startedAtMs: number;
}

/** A client that speaks Redis, as far as a reply depends on it. */
export interface SpeaksRedis {
  /** The version of the wire that it speaks. */
  readonly version: RespVersion;
  /** Whether its reads count as uses of a key. */
  readonly countsReads: boolean;
}

/** The parts of a context. */
export interface ContextOptions {
  /** The store that requests run on. */
  readonly store: Storage;
  /** The version that INFO reports. */
  readonly version: string;
  /** The verbs of the table of commands, by their numbers. */
  readonly verbs: readonly string[];
  /** The commands of the Redis wire by their numbers, in capitals; none by default. */
  readonly redisVerbs?: readonly string[];
  /** How the server was started; `settingsDefault` by default. */
  readonly settings?: Settings;
  /** The processor time that the process has used; none by default. */
  readonly processorTime?: () => ProcessorTime;
  /** Timers; those of the runtime by default. */
  readonly schedule?: Schedule;
  /** A clock in milliseconds that never goes back; `performance.now` by default. */
  readonly now?: () => number;
  /** Where the buffers of replies come from; plain allocation by default. */
  readonly buffers?: Buffers;
  /** The bytes of memory that the whole process holds, for INFO. */
  readonly processBytes?: () => number;
  /** The event loop that serves the sockets, for INFO; `"none"` by default. */
  readonly io?: Info["io"];
  /** Compares a token with the required one; none is required by default. */
  readonly isToken?: (bytes: Uint8Array, start: number, end: number) => boolean;
  /** The most bytes of the requests of a transaction together; 16 MiB by default. */
  readonly requestBytesMax?: number;
  /** Given where other threads use the store, too. */
  readonly shared?: SharedParts;
  /** Figures about the data file, for INFO; undefined where there is none. */
  readonly dataFile?: () => DataFileInfo;
}

/** The timers of the runtime. */
export const scheduleByTimer: Schedule = (delayMs, callback) => {
  const timer = setTimeout(callback, delayMs);
  return () => clearTimeout(timer);
};

/** The state that the commands of one event loop share. */
export class Context {
  /** The store that requests run on. */
  readonly store: Storage;
  /** Replies of the requests that are being run. */
  readonly output: ReplyWriter;
  /** The same, as a client of Redis expects them. */
  readonly redis: RedisWriter;
  /** Where buffers come from. */
  readonly buffers: Buffers;
  /** What INFO reports. */
  readonly counters: Counters;
  /** True where other threads use the store, too: a request then locks the part of its key. */
  readonly isShared: boolean;
  /** Timers. */
  readonly schedule: Schedule;
  /** A clock in milliseconds that never goes back. */
  readonly now: () => number;
  /** Compares a token with the required one; undefined where none is required. */
  readonly isToken: ContextOptions["isToken"];
  /** The request that lines are read into. */
  request: Request = new Request();
  /** The verbs of the table of commands, by their numbers. */
  readonly verbs: readonly string[];
  /** The most bytes of the requests of a transaction together. */
  readonly requestBytesMax: number;
  /** How the server was started. */
  readonly settings: Settings;
  /** The clients of the server; set by the server. */
  clients: Clients = noClients;
  /** True while one request has the whole store to itself: it must end in one call. */
  isAtomic = false;
  /** When the server was started, in milliseconds since 1970. */
  readonly startedAtWallMs: number;
  #redisClient: SpeaksRedis | undefined;
  /** Connections that this thread has served. */
  #connections = 0;
  readonly #options: ContextOptions;
  readonly #startedAtMs: number;
  readonly #rate = new RequestRate();
  #scratch: Uint8Array = new Uint8Array(1024);

  constructor(options: ContextOptions) {
    this.#options = options;
    this.store = options.store;
    this.verbs = options.verbs;
    this.requestBytesMax = options.requestBytesMax ?? requestBytesDefault;
    this.settings = options.settings ?? settingsDefault;
    this.buffers = options.buffers ?? plainBuffers;
    this.output = new ReplyWriter(this.buffers);
    this.redis = new RedisWriter(this.output);
    this.schedule = options.schedule ?? scheduleByTimer;
    this.now = options.now ?? (() => performance.now());
    this.isToken = options.isToken;
    this.counters = options.shared?.counters ?? new Counters();
    this.isShared = options.shared !== undefined;
    this.#startedAtMs = options.shared?.startedAtMs ?? this.now();
    this.startedAtWallMs = Date.now() - (this.now() - this.#startedAtMs);
  }

  /** A number for a connection that no other one of the server gets, from 1 on. */
  connectionId(): number {
    const all = this.#allCounters;
    return 1 + all.indexOf(this.counters) + all.length * this.#connections++;
  }

  /** The name of a verb or a command of the Redis wire, by its number; empty for none. */
  nameOf(verb: number): string {
    const { redisVerbs } = this.#options;
    return (verb < firstRedisVerb ? this.verbs[verb] : redisVerbs?.[verb - firstRedisVerb]) ?? "";
  }

  /** The client whose request runs, if it speaks Redis. */
  get redisClient(): SpeaksRedis | undefined {
    return this.#redisClient;
  }

  set redisClient(client: SpeaksRedis | undefined) {
    this.#redisClient = client;
    if (client !== undefined) this.redis.version = client.version;
    const countsReads = client === undefined || client.countsReads;
    if (countsReads !== this.store.countsReads) this.store.countsReads = countsReads;
  }

  /** Answers with an error. */
  fail(error: ErrorReply): undefined {
    this.counters.countError(error.kind);
    this.output.append(this.#redisClient === undefined ? error.line : error.redis);
  }

  /** Answers a client that speaks Redis with an error, whose text begins with its code. */
  failRedis(kind: ErrorKind, text: string): undefined {
    this.counters.countError(kind);
    this.redis.error(text);
  }

  /** Hands the request that was just parsed to an operation; the next line gets another one. */
  takeRequest(): Request {
    const { request } = this;
    this.request = new Request();
    return request;
  }

  /**
   * What INFO reports, of all threads: counted from the server's start, or from the last
   * `resetStatistics`.
   */
  info(since: "start" | "reset" = "start"): Info {
    const { version, processBytes, io, shared, redisVerbs, dataFile } = this.#options;
    return infoOf(this.store, this.#allCounters, {
      since,
      version,
      io: io ?? "none",
      verbs: this.verbs,
      redisVerbs: redisVerbs ?? [],
      uptimeMs: this.now() - this.#startedAtMs,
      processBytes: processBytes?.() ?? 0,
      locks: shared?.locks ?? noLocks,
      dataFile: dataFile?.(),
    });
  }

  /** Lets the figures of `info("reset")` begin at zero. */
  resetStatistics(): void {
    const { evictions, expirations } = this.store.stats;
    Counters.reset(this.#allCounters, evictions, expirations);
  }

  /** Takes note of how many requests there were so far; to be called now and then. */
  sampleRequests(nowMs: number): void {
    this.#rate.sample(Counters.requestsIn(this.#allCounters), nowMs);
  }

  /** Requests a second in the last one or two. */
  get requestsPerSecond(): number {
    return this.#rate.perSecond;
  }

  /** The processor time that the process has used. */
  processorTime(): ProcessorTime {
    return this.#options.processorTime?.() ?? { user: 0, system: 0 };
  }

  /** How many threads serve. */
  get threads(): number {
    return this.#allCounters.length;
  }

  get #allCounters(): readonly Counters[] {
    return this.#options.shared?.allCounters ?? [this.counters];
  }

  /**
   * Does work on one key; no other thread sees or changes the key meanwhile. Handles are valid only
   * inside. The work must not do the same for another key.
   */
  withKey<Result>(bytes: Uint8Array, start: number, end: number, work: () => Result): Result {
    if (!this.isShared || this.isAtomic) return work();
    this.store.enter(bytes, start, end);
    try {
      return work();
    } finally {
      this.store.leave();
    }
  }

  /** Does work on any keys; no other request sees or changes any key meanwhile. */
  atomically<Result>(work: () => Result): Result {
    if (this.isAtomic) return work();
    const { store } = this;
    store.enterAll();
    this.isAtomic = true;
    try {
      return work();
    } finally {
      this.isAtomic = false;
      store.leaveAll();
    }
  }

  /** Scratch memory of at least `bytesMin` bytes, valid until the next call. */
  scratch(bytesMin: number): Uint8Array {
    if (bytesMin <= this.#scratch.length) return this.#scratch;
    const larger = new Uint8Array(bytesMin);
    if (bytesMin <= scratchKeptBytesMax) this.#scratch = larger;
    return larger;
  }
}
