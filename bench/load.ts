/**
 * The load generator behind `blink-store bench` and the comparison: connections that each keep a
 * number of requests in flight, for so many requests or so long. It works on bytes, with two
 * promises a batch and none a request, so that the server and not this is what is measured.
 *
 * @module
 */

import { blink, type Dialect, type Replies, RequestWriter, type Verb, verbs } from "./dialects.ts";
import { type Bar, Histogram } from "./histogram.ts";
import { Random, type Ranks, uniformRanks, zipfRanks } from "./random.ts";

/** What a bench does. Everything but the address has a default. */
export interface BenchOptions {
  readonly hostname?: string;
  readonly port?: number;
  /** The path of a Unix socket; wins over the two above. */
  readonly unix?: string;
  /** Sent with AUTH on every connection. */
  readonly token?: string;
  /** Connections; default 50. */
  readonly connections?: number;
  /** Requests in flight on each; default 16. */
  readonly pipeline?: number;
  /** Requests in all. Default 1,000,000, where `seconds` is not given either. */
  readonly requests?: number;
  /** How long to go on, where `requests` is not given. */
  readonly seconds?: number;
  /** Bytes of a value; default 64. */
  readonly valueBytes?: number;
  /** Keys to choose from; default 100,000. */
  readonly keys?: number;
  /** How often each request is made, in parts; default 80 of get to 20 of set. */
  readonly mix?: Partial<Record<Verb, number>>;
  /** The exponent of a Zipf law of the keys, such as 1; without it each key is as likely. */
  readonly zipf?: number;
  /** Sets each key once before, which is not measured; default false. */
  readonly fill?: boolean;
  /** Default 1. */
  readonly seed?: number;
  /** The wire; default Blink Store's. */
  readonly dialect?: Dialect;
  /** Called about ten times a second, and at the end of each phase. */
  readonly onProgress?: (progress: BenchProgress) => void;
  /** Ends the bench early; what was measured until then is its result. */
  readonly signal?: AbortSignal;
}

/** How far a bench is. */
export interface BenchProgress {
  readonly phase: "fill" | "run";
  /** From 0 to 1. */
  readonly share: number;
  readonly requests: number;
  readonly seconds: number;
}

/** What a bench measured. */
export interface BenchResult {
  readonly connections: number;
  readonly pipeline: number;
  readonly valueBytes: number;
  readonly keys: number;
  readonly requests: number;
  readonly seconds: number;
  readonly requestsPerSecond: number;
  /** From the write of the batch that a request was in to the read that ended its reply. */
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

/** What a phase of a bench holds in common for its connections. */
interface Phase {
  readonly name: BenchProgress["phase"];
  readonly pipeline: number;
  /** Bytes that a batch takes at most. */
  readonly batchBytes: number;
  /** Writes the next request; returns where it ends. */
  readonly write: (target: Uint8Array, at: number) => number;
  readonly endsAt: number;
  readonly startedAt: number;
  left: number;
  done: number;
  readonly replies: Replies;
  readonly histogram: Histogram;
  readonly turns: Turns;
}

const readBytes = 64 * 1024;
const progressIntervalMs = 100;

/**
 * Runs a bench.
 *
 * @throws {Error} where a connection cannot be opened, or ends before its replies are read.
 */
export async function runBench(options: BenchOptions = {}): Promise<BenchResult> {
  const connections = options.connections ?? 50;
  const pipeline = options.pipeline ?? 16;
  const valueBytes = options.valueBytes ?? 64;
  const keys = options.keys ?? 100_000;
  const dialect = options.dialect ?? blink;
  const sockets = await openAll(options, connections);
  try {
    const writer = new RequestWriter(dialect, valueBytes);
    const replies: Replies = { hits: 0, misses: 0, errors: 0 };
    if (options.fill) {
      const phase = fillPhase(writer, keys, connections);
      await runPhase(phase, sockets, dialect, options);
      replies.errors = phase.replies.errors;
      replies.firstError = phase.replies.firstError;
    }
    const phase = measuredPhase(options, writer, { connections, pipeline, keys, replies });
    await runPhase(phase, sockets, dialect, options);
    return resultOf(phase, { connections, pipeline, valueBytes, keys });
  } finally {
    for (const socket of sockets) socket.close();
  }
}

function fillPhase(writer: RequestWriter, keys: number, connections: number): Phase {
  const set = verbs.indexOf("set");
  const pipeline = 64;
  let key = 0;
  return {
    name: "fill",
    pipeline,
    batchBytes: pipeline * writer.bytesMax(["set"]),
    write: (target, at) => writer.write(set, key++, target, at),
    endsAt: Infinity,
    startedAt: performance.now(),
    left: keys,
    done: 0,
    replies: { hits: 0, misses: 0, errors: 0 },
    histogram: new Histogram(),
    turns: new Turns(connections),
  };
}

function measuredPhase(
  options: BenchOptions,
  writer: RequestWriter,
  { connections, pipeline, keys, replies }: {
    connections: number;
    pipeline: number;
    keys: number;
    replies: Replies;
  },
): Phase {
  const mix = options.mix ?? { get: 80, set: 20 };
  const random = new Random(options.seed ?? 1);
  const drawKey: Ranks = options.zipf === undefined
    ? uniformRanks(random, keys)
    : zipfRanks(random, keys, options.zipf);
  const drawVerb = verbDrawer(random, mix);
  const used = verbs.filter((verb) => (mix[verb] ?? 0) > 0);
  const startedAt = performance.now();
  const seconds = options.requests === undefined ? options.seconds : undefined;
  return {
    name: "run",
    pipeline,
    batchBytes: pipeline * writer.bytesMax(used),
    write: (target, at) => writer.write(drawVerb(), drawKey(), target, at),
    endsAt: seconds === undefined ? Infinity : startedAt + seconds * 1000,
    startedAt,
    left: seconds === undefined ? options.requests ?? 1_000_000 : Infinity,
    done: 0,
    replies,
    histogram: new Histogram(),
    turns: new Turns(connections),
  };
}

/** Draws places in {@linkcode verbs}, each as often as its part of the mix. */
function verbDrawer(random: Random, mix: Partial<Record<Verb, number>>): () => number {
  const total = verbs.reduce((sum, verb) => sum + (mix[verb] ?? 0), 0);
  if (!(total > 0)) throw new Error("Cannot run a bench: its mix asks for nothing");
  const table = new Uint8Array(1000);
  let from = 0;
  let parts = 0;
  verbs.forEach((verb, index) => {
    parts += mix[verb] ?? 0;
    const to = Math.round(parts / total * table.length);
    table.fill(index, from, to);
    from = to;
  });
  return () => table[random.below(table.length)];
}

async function openAll(options: BenchOptions, count: number): Promise<Deno.Conn[]> {
  const sockets: Deno.Conn[] = [];
  try {
    while (sockets.length < count) sockets.push(await open(options));
  } catch (error) {
    for (const socket of sockets) socket.close();
    const { hostname = "127.0.0.1", port = 8765, unix = `${hostname}:${port}` } = options;
    throw new Error(`Cannot connect to ${unix}: ${(error as Error).message}`, { cause: error });
  }
  return sockets;
}

async function open({ hostname = "127.0.0.1", port = 8765, unix, token }: BenchOptions) {
  const socket = unix === undefined
    ? await Deno.connect({ hostname, port })
    : await Deno.connect({ transport: "unix", path: unix });
  if ("setNoDelay" in socket) socket.setNoDelay(true);
  if (token !== undefined) await authenticate(socket, token);
  return socket;
}

async function authenticate(socket: Deno.Conn, token: string): Promise<void> {
  await writeAll(socket, new TextEncoder().encode(`AUTH ${token}\n`));
  const reply = new Uint8Array(256);
  const length = await socket.read(reply) ?? 0;
  const line = new TextDecoder().decode(reply.subarray(0, length)).trim();
  if (line === "OK") return;
  socket.close();
  throw new Error(`Cannot authenticate: ${line === "" ? "the server closed" : line}`);
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

/** One connection: a batch written, its replies read, until the phase is over. */
async function drive(phase: Phase, socket: Deno.Conn, dialect: Dialect): Promise<void> {
  const out = new Uint8Array(phase.batchBytes);
  const read = new Uint8Array(readBytes);
  const scanner = dialect.scanner(phase.replies);
  while (phase.left > 0 && performance.now() < phase.endsAt) {
    if (phase.turns.isFull()) await phase.turns.next();
    const batch = Math.min(phase.pipeline, phase.left);
    phase.left -= batch;
    let end = 0;
    for (let written = 0; written < batch; written++) end = phase.write(out, end);
    const sentAt = performance.now();
    const sending = writeAll(socket, out.subarray(0, end));
    for (let missing = batch; missing > 0;) {
      const length = await socket.read(read);
      if (length === null) {
        throw new Error(`Cannot go on: the server closed with ${missing} replies to come`);
      }
      const count = scanner.scan(read, length);
      if (count === 0) continue;
      phase.histogram.record((performance.now() - sentAt) * 1000, count);
      phase.done += count;
      missing -= count;
    }
    await sending;
  }
}

async function writeAll(socket: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let written = 0; written < bytes.length;) {
    written += await socket.write(written === 0 ? bytes : bytes.subarray(written));
  }
}

/**
 * The runtime lets 128 reads of sockets succeed in a turn of its loop, and serves those that it put
 * off behind the ones that become ready since: with more connections the same ones would be served
 * for ever, and the latencies be this program's. So with many connections a turn ends well before
 * that. With few the pause would only cost time.
 */
class Turns {
  static readonly #connectionsFew = 100;
  static readonly #batchesMax = 24;
  readonly #isNeeded: boolean;
  #batches = 0;
  #next?: Promise<void>;

  constructor(connections: number) {
    this.#isNeeded = connections > Turns.#connectionsFew;
  }

  /** Counts a batch; true once the turn has had as many as it may. */
  isFull(): boolean {
    return this.#isNeeded && ++this.#batches > Turns.#batchesMax;
  }

  /** Resolves in the next turn. */
  next(): Promise<void> {
    this.#next ??= new Promise((resolve) => {
      setTimeout(() => {
        this.#next = undefined;
        this.#batches = 0;
        resolve();
      }, 0);
    });
    return this.#next;
  }
}

function progressOf(phase: Phase): BenchProgress {
  const now = performance.now();
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
  const seconds = (performance.now() - phase.startedAt) / 1000;
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
