/**
 * A light load generator: a closed loop of connections that each send a batch of prepared requests,
 * wait for all of its replies and send the next. It calls the C library's sockets and epoll (Linux
 * only), so that two cores can show what a server with two threads does; `loadgen/` takes several
 * times as much CPU a request.
 *
 * It counts the bytes of the replies, whose lengths are known, and compares the content of each
 * connection's first batch and of one batch in a thousand. A wrong reply, a closed connection or
 * several seconds without a reply end it with an error.
 *
 * A process of its own: the options come as JSON in the first argument, and the result goes to
 * standard output as JSON. It needs `--allow-ffi`.
 *
 * @module
 */

import { Histogram } from "../loadgen/mod.ts";
import { Batches, type BatchOptions } from "./generator_batches.ts";
import { GeneratorSockets } from "./generator_sockets.ts";

/** What to send, to whom, and for how long. */
export interface GeneratorOptions extends BatchOptions {
  /** A TCP port of 127.0.0.1. */
  readonly port: number;
  readonly connections: number;
  /** Connections that stay idle, opened after each of the others; default 0. */
  readonly idleBetween?: number;
  /** Whether to set each key once before; default false. */
  readonly fill?: boolean;
  /** How long the load runs before it is measured. */
  readonly warmUpSeconds: number;
  readonly seconds: number;
  /**
   * Requests a second of all connections together, evenly spread; default as many as get replies. A
   * batch that is late, because its connection still waits, counts from when it was due.
   */
  readonly requestsPerSecond?: number;
  /** The process of the server, whose CPU time is measured. */
  readonly pid?: number;
  /** How long to wait for a reply; default 5 seconds. */
  readonly patienceMs?: number;
}

/** What was measured. */
export interface GeneratorResult {
  readonly requests: number;
  readonly requestsPerSecond: number;
  /** When the measured time began and ended, in milliseconds since 1970. */
  readonly beganAtMs: number;
  readonly endedAtMs: number;
  /** From the send of a batch to the last byte of its replies. */
  readonly latencyMs: { p50: number; p99: number; p999: number; max: number };
  /** User and system time of the server, divided by the requests; 0 without its process. */
  readonly serverCpuUs: number;
  /** The same of this process. */
  readonly generatorCpuUs: number;
}

const readBytesMax = 256 * 1024;
const patienceMsDefault = 5000;
/** The clock is read and silence noticed at least this often. */
const waitMsMax = 100;
/** One batch in so many is compared. */
const comparedEvery = 1000;

/** One connection and the batch that it waits for. */
interface Connection {
  readonly fd: number;
  batch: number;
  sentBytes: number;
  /** Bytes of replies that have not come yet; 0 while there is no batch. */
  awaitedBytes: number;
  sentAtMs: number;
  /** When the next batch is to be sent; Infinity while there are replies to wait for. */
  dueAtMs: number;
  /** When the batch that is under way was to be sent. */
  plannedAtMs: number;
  isFirst: boolean;
  /** The whole of the replies, if this batch is compared. */
  expected: Uint8Array | undefined;
  isWatchedForSpace: boolean;
}

/** Connections under one load after the other. */
class Generator {
  readonly #sockets: GeneratorSockets;
  readonly #patienceMs: number;
  readonly #connections: Connection[] = [];
  /** By descriptor. */
  readonly #byFd: Connection[] = [];
  readonly #input = new Uint8Array(new ArrayBuffer(readBytesMax));
  #batches: Batches;
  /** The number of the next batch; they repeat after the last. */
  #next = 0;
  /** Batches that are still to be sent. */
  #left = 0;
  /** Between two batches of a connection; 0 without a bound on the rate. */
  #intervalMs = 0;
  #requests = 0;
  #histogram = new Histogram();

  /** Opens the connections. */
  constructor(sockets: GeneratorSockets, batches: Batches, options: GeneratorOptions) {
    this.#sockets = sockets;
    this.#batches = batches;
    this.#patienceMs = options.patienceMs ?? patienceMsDefault;
    while (this.#connections.length < options.connections) {
      const fd = sockets.connect(options.port);
      this.#connections.push(
        this.#byFd[fd] = {
          fd,
          batch: -1,
          sentBytes: 0,
          awaitedBytes: 0,
          sentAtMs: 0,
          dueAtMs: Infinity,
          plannedAtMs: 0,
          isFirst: false,
          expected: undefined,
          isWatchedForSpace: false,
        },
      );
      for (let n = 0; n < (options.idleBetween ?? 0); n++) sockets.connect(options.port);
    }
  }

  /** Sends every batch once, and returns when all replies are there. */
  sendAll(batches: Batches): void {
    this.#begin(batches, batches.requests.length);
    this.#loop(() => false);
  }

  /** Sends batches for some time, unmeasured, then measures for some more. */
  measure(batches: Batches, options: GeneratorOptions): GeneratorResult {
    const { warmUpSeconds, seconds, pid, requestsPerSecond = Infinity } = options;
    const cpuTimesUs = () => [
      pid === undefined ? 0 : this.#sockets.cpuTimeUs(pid),
      this.#sockets.cpuTimeUs(),
    ];
    const batchesPerSecond = requestsPerSecond / options.pipeline;
    const intervalMs = 1000 * options.connections / batchesPerSecond;
    this.#begin(batches, Infinity, intervalMs);
    const warmAtMs = performance.now() + warmUpSeconds * 1000;
    this.#loop((nowMs) => nowMs >= warmAtMs);
    const histogram = this.#histogram = new Histogram();
    this.#requests = 0;
    const [before, startedAtMs] = [cpuTimesUs(), performance.now()];
    this.#loop((nowMs) => nowMs >= startedAtMs + seconds * 1000);
    const [after, endedAtMs] = [cpuTimesUs(), performance.now()];
    const requests = this.#requests;
    const result = {
      requests,
      requestsPerSecond: requests / (endedAtMs - startedAtMs) * 1000,
      beganAtMs: performance.timeOrigin + startedAtMs,
      endedAtMs: performance.timeOrigin + endedAtMs,
      latencyMs: {
        p50: histogram.percentileMs(0.5),
        p99: histogram.percentileMs(0.99),
        p999: histogram.percentileMs(0.999),
        max: histogram.maxMs,
      },
      serverCpuUs: (after[0] - before[0]) / requests,
      generatorCpuUs: (after[1] - before[1]) / requests,
    };
    // What is under way must get its replies too.
    this.#left = 0;
    this.#loop(() => false);
    return result;
  }

  #begin(batches: Batches, count: number, intervalMs = 0): void {
    this.#batches = batches;
    this.#next = 0;
    this.#left = count;
    this.#intervalMs = intervalMs;
    const nowMs = performance.now();
    for (const [n, connection] of this.#connections.entries()) {
      connection.isFirst = true;
      connection.dueAtMs = nowMs + n * intervalMs / this.#connections.length;
    }
    this.#sendDue(nowMs);
  }

  /** Sends what is due; returns how long nothing else will be. */
  #sendDue(nowMs: number): number {
    let nextAtMs = nowMs + waitMsMax;
    for (const connection of this.#connections) {
      if (connection.dueAtMs <= nowMs) this.#sendNext(connection, nowMs);
      else nextAtMs = Math.min(nextAtMs, connection.dueAtMs);
    }
    return Math.ceil(nextAtMs - nowMs);
  }

  /** Runs until `isOver`, or until no connection waits for replies and nothing is left to send. */
  #loop(isOver: (nowMs: number) => boolean): void {
    const onReady = (fd: number, isReadable: boolean, isWritable: boolean) => {
      const connection = this.#byFd[fd];
      if (connection === undefined) throw new Error("Cannot measure: an idle connection is closed");
      if (isWritable) this.#send(connection);
      if (isReadable) this.#receive(connection);
    };
    let progressAtMs = performance.now();
    const isPaced = this.#intervalMs > 0;
    while (true) {
      const isWaiting = this.#connections.some(({ awaitedBytes }) => awaitedBytes > 0);
      if (!isWaiting && !(isPaced && this.#left > 0)) return;
      const waitMs = isPaced ? this.#sendDue(performance.now()) : waitMsMax;
      const count = this.#sockets.wait(waitMs, onReady);
      const nowMs = performance.now();
      if (count > 0 || !isWaiting) progressAtMs = nowMs;
      else if (nowMs - progressAtMs > this.#patienceMs) this.#failForSilence();
      if (isOver(nowMs)) return;
    }
  }

  #sendNext(connection: Connection, sentAtMs: number): void {
    if (connection.dueAtMs < Infinity) connection.plannedAtMs = connection.dueAtMs;
    connection.dueAtMs = Infinity;
    if (this.#left <= 0) return;
    this.#left--;
    const number = this.#next++;
    const batch = number % this.#batches.requests.length;
    const isCompared = connection.isFirst || number % comparedEvery === 0;
    connection.isFirst = false;
    connection.batch = batch;
    connection.sentBytes = 0;
    connection.sentAtMs = sentAtMs;
    connection.awaitedBytes = this.#batches.replyBytes[batch];
    connection.expected = isCompared ? this.#batches.replies(batch) : undefined;
    this.#send(connection);
  }

  #send(connection: Connection): void {
    const { fd, batch, sentBytes } = connection;
    const request = this.#batches.requests[batch];
    const sent = this.#sockets.send(fd, sentBytes === 0 ? request : request.subarray(sentBytes));
    connection.sentBytes += sent;
    const isWaiting = connection.sentBytes < request.length;
    if (isWaiting === connection.isWatchedForSpace) return;
    connection.isWatchedForSpace = isWaiting;
    this.#sockets.watchForSpace(fd, isWaiting);
  }

  #receive(connection: Connection): void {
    const bytes = this.#sockets.receive(connection.fd, this.#input);
    if (bytes <= 0) throw new Error("Cannot measure: the server closed a connection");
    if (connection.expected !== undefined) this.#compare(connection, bytes);
    if (bytes > connection.awaitedBytes) this.#failFor("too long a reply", 0, bytes);
    connection.awaitedBytes -= bytes;
    if (connection.awaitedBytes > 0) return;
    const nowMs = performance.now();
    const size = this.#batches.sizes[connection.batch];
    this.#histogram.record((nowMs - connection.sentAtMs) * 1000, size);
    this.#requests += size;
    if (this.#intervalMs === 0) return this.#sendNext(connection, nowMs);
    const dueAtMs = connection.dueAtMs = connection.plannedAtMs + this.#intervalMs;
    // Late: what it waits for the replies before it counts too.
    if (dueAtMs <= nowMs) this.#sendNext(connection, dueAtMs);
  }

  #compare({ expected, awaitedBytes }: Connection, bytes: number): void {
    const from = expected!.length - awaitedBytes;
    for (let at = 0; at < bytes; at++) {
      if (this.#input[at] !== expected![from + at]) this.#failFor("a wrong reply", at, bytes);
    }
  }

  /** Shows what was read around the offset `at`. */
  #failFor(what: string, at: number, bytes: number): never {
    const shown = this.#input.subarray(Math.max(0, at - 20), Math.min(bytes, at + 100));
    throw new Error(`Cannot measure: ${what}: ${JSON.stringify(new TextDecoder().decode(shown))}`);
  }

  #failForSilence(): never {
    const waiting = this.#connections.filter(({ awaitedBytes }) => awaitedBytes > 0);
    const [{ batch, awaitedBytes }] = waiting;
    const whole = this.#batches.replyBytes[batch];
    throw new Error(
      `Cannot measure: no reply in ${this.#patienceMs} ms on ${waiting.length} of ` +
        `${this.#connections.length} connections; one has ${
          whole - awaitedBytes
        } of ${whole} bytes`,
    );
  }
}

function run(options: GeneratorOptions): GeneratorResult {
  const sockets = GeneratorSockets.open();
  if (sockets === undefined) throw new Error("Cannot make a load: it needs Linux and --allow-ffi");
  const batches = Batches.mixed(options);
  const generator = new Generator(sockets, batches, options);
  if (options.fill === true) generator.sendAll(Batches.filling(options));
  const result = generator.measure(batches, options);
  sockets.close();
  return result;
}

if (import.meta.main) {
  try {
    console.log(JSON.stringify(run(JSON.parse(Deno.args[0]))));
  } catch (error) {
    console.error((error as Error).message);
    Deno.exit(1);
  }
}
