/**
 * The load generator behind `blink-store bench` and the comparison: a closed loop of connections
 * that each keep a number of requests in flight, until a count or a time is reached. It works on
 * bytes, with a few promises per batch and none per request, so that the run measures the server
 * and not the generator.
 *
 * @module
 */

import { blink, type Dialect, type Replies, RequestWriter, type Verb, verbs } from "./dialects.ts";
import { type Bar, Histogram } from "./histogram.ts";
import { Random, type Ranks, uniformRanks, zipfRanks } from "./random.ts";
import { openAll, type ServerAddress, writeAll } from "./sockets.ts";

/** What holds where an option is not given. */
export const loadDefaults = {
  connections: 50,
  pipeline: 16,
  requests: 1_000_000,
  valueBytes: 64,
  keys: 100_000,
  mix: { get: 80, set: 20 },
  seed: 1,
} as const;

/** The load of a bench. Every field has a default, in `loadDefaults`. */
export interface LoadOptions {
  /** Sent with AUTH on every connection. */
  readonly token?: string;
  /** Connections. */
  readonly connections?: number;
  /** Requests in flight on each. */
  readonly pipeline?: number;
  /** Requests in total. Default 1,000,000 unless `seconds` is given. */
  readonly requests?: number;
  /** The duration of the run; ignored if `requests` is given. */
  readonly seconds?: number;
  /** Bytes of a value. */
  readonly valueBytes?: number;
  /** Keys to choose from. */
  readonly keys?: number;
  /** The weight of each kind of request; 80 of get to 20 of set by default. */
  readonly mix?: Partial<Record<Verb, number>>;
  /** The exponent of a Zipf distribution of the keys, such as 1; uniform if not given. */
  readonly zipf?: number;
  /** Whether to set each key once before the run, unmeasured; default false. */
  readonly fill?: boolean;
  /** The seed of keys and kinds of requests. */
  readonly seed?: number;
  /** The wire protocol; default Blink Store's. */
  readonly dialect?: Dialect;
  /** Called about ten times a second, and at the end of each phase. */
  readonly onProgress?: (progress: BenchProgress) => void;
  /** Ends the bench early; the result covers what was measured until then. */
  readonly signal?: AbortSignal;
  /** The clock, in milliseconds; default `performance.now`. */
  readonly now?: () => number;
}

/** A server's address, and the load to run on it. */
export type BenchOptions = ServerAddress & LoadOptions;

/** The progress of a bench. */
export interface BenchProgress {
  readonly phase: "fill" | "run";
  /** From 0 to 1. */
  readonly share: number;
  readonly requests: number;
  readonly seconds: number;
}

/** The figures of a bench. */
export interface BenchResult {
  readonly connections: number;
  readonly pipeline: number;
  readonly valueBytes: number;
  readonly keys: number;
  readonly requests: number;
  readonly seconds: number;
  readonly requestsPerSecond: number;
  /** From the write of a request's batch to the read that completed its reply. */
  readonly latencyMs: {
    readonly mean: number;
    readonly p50: number;
    readonly p99: number;
    readonly p999: number;
    readonly max: number;
  };
  readonly histogram: readonly Bar[];
  readonly hits: number;
  readonly misses: number;
  readonly errors: number;
  readonly firstError?: string;
}

/** A phase of a bench: the state that its connections share. */
interface Phase {
  readonly name: BenchProgress["phase"];
  readonly pipeline: number;
  readonly batchBytesMax: number;
  /** Writes the next request at an offset; returns the offset of its end. */
  readonly write: (target: Uint8Array, at: number) => number;
  readonly now: () => number;
  readonly startedAt: number;
  /** Infinity for a phase that ends by its requests. */
  readonly endsAt: number;
  /** Requests still to send. */
  left: number;
  /** Replies received. */
  done: number;
  readonly replies: Replies;
  readonly histogram: Histogram;
  readonly scheduler: FairScheduler;
}

const readBytes = 64 * 1024;
const progressIntervalMs = 100;

/**
 * Runs a bench.
 *
 * ```ts ignore
 * const { requestsPerSecond, latencyMs } = await runBench({ port: 8765, seconds: 2, fill: true });
 * ```
 *
 * @throws {Error} if a connection cannot be opened, or ends before its replies are read.
 */
export async function runBench(options: BenchOptions): Promise<BenchResult> {
  const connections = options.connections ?? loadDefaults.connections;
  const pipeline = options.pipeline ?? loadDefaults.pipeline;
  const valueBytes = options.valueBytes ?? loadDefaults.valueBytes;
  const keys = options.keys ?? loadDefaults.keys;
  const dialect = options.dialect ?? blink;
  const now = options.now ?? (() => performance.now());
  const sockets = await openAll(options, { count: connections, token: options.token });
  try {
    const writer = new RequestWriter(dialect, valueBytes);
    const replies: Replies = { hits: 0, misses: 0, errors: 0 };
    if (options.fill) {
      const phase = fillPhase(writer, { keys, connections, now });
      await runPhase(phase, sockets, dialect, options);
      replies.errors = phase.replies.errors;
      replies.firstError = phase.replies.firstError;
    }
    const phase = measuredPhase(options, writer, { connections, pipeline, keys, replies, now });
    await runPhase(phase, sockets, dialect, options);
    return resultOf(phase, { connections, pipeline, valueBytes, keys });
  } finally {
    for (const socket of sockets) socket.close();
  }
}

function fillPhase(
  writer: RequestWriter,
  { keys, connections, now }: { keys: number; connections: number; now: () => number },
): Phase {
  const set = verbs.indexOf("set");
  const pipeline = 64;
  let key = 0;
  return {
    name: "fill",
    pipeline,
    batchBytesMax: pipeline * writer.bytesMax(["set"]),
    write: (target, at) => writer.write(set, key++, target, at),
    now,
    startedAt: now(),
    endsAt: Infinity,
    left: keys,
    done: 0,
    replies: { hits: 0, misses: 0, errors: 0 },
    histogram: new Histogram(),
    scheduler: new FairScheduler(connections),
  };
}

function measuredPhase(
  options: BenchOptions,
  writer: RequestWriter,
  { connections, pipeline, keys, replies, now }: {
    connections: number;
    pipeline: number;
    keys: number;
    replies: Replies;
    now: () => number;
  },
): Phase {
  const mix: Partial<Record<Verb, number>> = options.mix ?? loadDefaults.mix;
  const random = new Random(options.seed ?? loadDefaults.seed);
  const drawKey: Ranks = options.zipf === undefined
    ? uniformRanks(random, keys)
    : zipfRanks(random, keys, options.zipf);
  const drawVerb = verbDrawer(random, mix);
  const used = verbs.filter((verb) => (mix[verb] ?? 0) > 0);
  const startedAt = now();
  const seconds = options.requests === undefined ? options.seconds : undefined;
  return {
    name: "run",
    pipeline,
    batchBytesMax: pipeline * writer.bytesMax(used),
    write: (target, at) => writer.write(drawVerb(), drawKey(), target, at),
    now,
    startedAt,
    endsAt: seconds === undefined ? Infinity : startedAt + seconds * 1000,
    left: seconds === undefined ? options.requests ?? loadDefaults.requests : Infinity,
    done: 0,
    replies,
    histogram: new Histogram(),
    scheduler: new FairScheduler(connections),
  };
}

/** Draws indices into {@linkcode verbs}, each in proportion to its weight in the mix. */
function verbDrawer(random: Random, mix: Partial<Record<Verb, number>>): () => number {
  const total = verbs.reduce((sum, verb) => sum + (mix[verb] ?? 0), 0);
  if (!(total > 0)) throw new Error("Cannot run a bench: every weight of its mix is 0");
  let sum = 0;
  const upperBounds = verbs.map((verb) => sum += mix[verb] ?? 0);
  return () => {
    const drawn = random.fraction() * total;
    let index = 0;
    while (drawn >= upperBounds[index]) index++;
    return index;
  };
}

async function runPhase(
  phase: Phase,
  sockets: readonly Deno.Conn[],
  dialect: Dialect,
  { onProgress, signal }: BenchOptions,
): Promise<void> {
  const report = () => onProgress?.(progressOf(phase));
  const timer = onProgress && setInterval(report, progressIntervalMs);
  const stop = () => phase.left = 0;
  signal?.addEventListener("abort", stop);
  if (signal?.aborted) stop();
  try {
    await Promise.all(sockets.map((socket) => drive(phase, socket, dialect)));
  } finally {
    clearInterval(timer);
    signal?.removeEventListener("abort", stop);
    report();
  }
}

/** Drives one connection: writes a batch and reads its replies, until the phase ends. */
async function drive(phase: Phase, socket: Deno.Conn, dialect: Dialect): Promise<void> {
  const out = new Uint8Array(phase.batchBytesMax);
  const read = new Uint8Array(readBytes);
  const scanner = dialect.scanner(phase.replies);
  while (phase.left > 0 && phase.now() < phase.endsAt) {
    const batch = Math.min(phase.pipeline, phase.left);
    phase.left -= batch;
    let end = 0;
    for (let written = 0; written < batch; written++) end = phase.write(out, end);
    const sentAt = phase.now();
    const sending = writeAll(socket, out.subarray(0, end));
    // It is awaited after the replies. A failure before that would end the process as unhandled.
    sending.catch(() => {});
    for (let missing = batch; missing > 0;) {
      const length = await socket.read(read);
      if (length === null) {
        throw new Error(`Cannot go on: the server closed with ${missing} replies outstanding`);
      }
      const count = scanner.scan(read, length);
      if (count === 0) continue;
      phase.histogram.record((phase.now() - sentAt) * 1000, count);
      phase.done += count;
      missing -= count;
    }
    await sending;
    if (phase.scheduler.shouldYield()) await phase.scheduler.yield();
  }
}

/**
 * Shares the event loop fairly among many connections.
 *
 * The runtime lets 128 socket reads succeed per iteration of its loop, and serves the ones that it
 * postponed after the sockets that became ready later. With more connections than that, the same
 * ones would be served first each time, and the latencies would be the generator's. So the
 * connections yield well before 128. With few connections the pause would only cost time.
 */
class FairScheduler {
  static readonly #connectionsFew = 100;
  static readonly #batchesMax = 24;
  readonly #isNeeded: boolean;
  #batches = 0;
  #nextIteration?: Promise<void>;

  constructor(connections: number) {
    this.#isNeeded = connections > FairScheduler.#connectionsFew;
  }

  /** Counts a batch; true if this iteration has served as many as it may. */
  shouldYield(): boolean {
    return this.#isNeeded && ++this.#batches > FairScheduler.#batchesMax;
  }

  /** Resolves in the next iteration of the event loop. */
  yield(): Promise<void> {
    this.#nextIteration ??= new Promise((resolve) => {
      setTimeout(() => {
        this.#nextIteration = undefined;
        this.#batches = 0;
        resolve();
      }, 0);
    });
    return this.#nextIteration;
  }
}

function progressOf(phase: Phase): BenchProgress {
  const now = phase.now();
  const share = phase.endsAt === Infinity
    ? phase.done / Math.max(1, phase.done + phase.left)
    : (now - phase.startedAt) / (phase.endsAt - phase.startedAt);
  return {
    phase: phase.name,
    share: Math.min(1, share),
    requests: phase.done,
    seconds: (now - phase.startedAt) / 1000,
  };
}

function resultOf(
  phase: Phase,
  shape: Pick<BenchResult, "connections" | "pipeline" | "valueBytes" | "keys">,
): BenchResult {
  const { histogram, replies } = phase;
  const seconds = (phase.now() - phase.startedAt) / 1000;
  return {
    ...shape,
    requests: phase.done,
    seconds,
    requestsPerSecond: phase.done / seconds,
    latencyMs: {
      mean: histogram.meanMs,
      p50: histogram.percentileMs(0.5),
      p99: histogram.percentileMs(0.99),
      p999: histogram.percentileMs(0.999),
      max: histogram.maxMs,
    },
    histogram: histogram.bars(),
    ...replies,
  };
}
