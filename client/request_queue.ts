/**
 * The queue of requests to one server, across connections. It is bounded in bytes, and so is the
 * number of requests in flight. Requests leave in the order in which they were made. One that was
 * sent is never sent again; one that was not waits for the next connection.
 *
 * @module
 */

import { Call, type Parse } from "./call.ts";
import type { CallOptions } from "./call_options.ts";
import type { Connection } from "./connection.ts";
import { authResult, Connector } from "./connector.ts";
import { Deadlines, within } from "./deadlines.ts";
import { BlinkError } from "./errors.ts";
import { checkToken, type Settings } from "./options.ts";
import { Queue } from "./queue.ts";
import { holdsLineFeed, type Line, verbOf } from "./request_lines.ts";
import { Signals } from "./signals.ts";

/** How much text goes into one write, in characters: enough to spread the cost of the write. */
const writeCharsMax = 64 * 1024;

function closedError(): BlinkError {
  return new BlinkError("closed", "Cannot send the call: the client is closed");
}

/**
 * A queue of calls, and the one connection that carries them, which is made when it is needed.
 */
export class RequestQueue {
  readonly #settings: Settings;
  readonly #connector: Connector;
  readonly #queue = new Queue<Call>();
  readonly #deadlines: Deadlines;
  readonly #signals = new Signals((call) => this.#abandon(call));
  /** Calls in the queue that are not settled; withdrawn ones stay in it until their turn. */
  #waiting = 0;
  #queuedBytes = 0;
  #connection: Connection | undefined;
  #isPumping = false;
  #wake: (() => void) | undefined;
  #whenSent: (() => void) | undefined;
  #closing: Promise<void> | undefined;

  constructor(settings: Settings) {
    this.#settings = settings;
    this.#connector = new Connector(settings, {
      onConnected: (connection) => this.#connection = connection,
      onReply: (connection) => this.#onReply(connection),
      onEnd: (connection) => this.#onEnd(connection),
    });
    this.#deadlines = new Deadlines((nowMs) => this.#checkDeadlines(nowMs));
  }

  /** The server's address, for messages. */
  get address(): string {
    return this.#connector.address;
  }

  /** How many calls are waiting or in flight. */
  get pending(): number {
    return this.#waiting + (this.#connection?.inFlight.length ?? 0);
  }

  /** True while there is a connection that has not ended. */
  get connected(): boolean {
    return this.#connection !== undefined;
  }

  /** Connects now, with one attempt. */
  async open(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    if (this.#closing) throw closedError();
    if (this.#connection) return;
    await this.#connector.connect(performance.now() + this.#settings.connectTimeoutMs, signal);
  }

  /** Queues a line; resolves to what the parser makes of its reply. */
  submit<T>(line: Line, parse: Parse<T>, options: CallOptions): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#closing) return reject(closedError());
      if (holdsLineFeed(line)) {
        return reject(new BlinkError("usage", "Cannot send the request: it holds a line break"));
      }
      if (options.signal?.aborted) return reject(options.signal.reason);
      const timeoutMs = options.timeoutMs ?? this.#settings.timeoutMs;
      if (!(timeoutMs > 0)) {
        return reject(new BlinkError("usage", `Cannot use timeoutMs ${timeoutMs}: above 0 only`));
      }
      const deadlineMs = timeoutMs === Infinity ? Infinity : performance.now() + timeoutMs;
      const settle = resolve as (value: unknown) => void;
      const call = new Call(line, deadlineMs, timeoutMs, parse, settle, reject);
      if (this.#queuedBytes + call.queuedBytes > this.#settings.queuedBytesMax) {
        // Later in this turn, once the caller has attached its handlers: runtimes are very slow with
        // thousands of promises that are rejected before that.
        return queueMicrotask(() => reject(this.#overload()));
      }
      if (options.signal) this.#signals.watch(options.signal, call);
      this.#queuedBytes += call.queuedBytes;
      this.#queue.push(call);
      this.#waiting++;
      this.#deadlines.schedule(deadlineMs);
      this.#schedulePump();
    });
  }

  /** Logs in on this connection and, once the token was accepted, on later ones. */
  async authenticate(token: string, options: CallOptions): Promise<void> {
    await this.submit(`AUTH ${checkToken(token)}`, authResult, options);
    this.#connector.token = token;
  }

  /** Waits for the pending calls, sends QUIT and closes. Later calls are refused. */
  close(): Promise<void> {
    return this.#closing ??= this.#finish();
  }

  /** Closes at once; pending calls are rejected. */
  abort(): void {
    this.#closing ??= Promise.resolve();
    this.#connector.stop(closedError());
    this.#connection?.end("by this program", "closed");
    this.#failQueued(() => closedError());
    this.#deadlines.stop();
    this.#wake?.();
    this.#whenSent?.();
  }

  async #finish(): Promise<void> {
    const untilMs = performance.now() + this.#settings.closeTimeoutMs;
    const sendAllAndQuit = async () => {
      while (this.#waiting > 0 && !this.#connector.isStopped) {
        await new Promise<void>((resolve) => this.#whenSent = resolve);
      }
      await this.#connection?.quit();
    };
    await within(sendAllAndQuit(), untilMs).catch(() => {});
    this.abort();
  }

  #overload(): BlinkError {
    return new BlinkError(
      "overload",
      `Cannot queue the call: more than ${this.#settings.queuedBytesMax} bytes are waiting to be ` +
        `sent to ${this.address}; await some calls first`,
    );
  }

  #schedulePump(): void {
    if (this.#isPumping) return;
    this.#isPumping = true;
    // After this turn, so that all calls made in it leave in one write.
    queueMicrotask(() => this.#pump());
  }

  /** Sends what waits, until nothing does. */
  async #pump(): Promise<void> {
    while (this.#waiting > 0) {
      const connection = this.#connection ?? await this.#reconnect();
      if (!connection || connection.isEnded) continue;
      const batch = this.#nextBatch(connection);
      if (batch.length > 0) {
        await connection.write(batch);
      } else if (this.#waiting > 0 && !connection.isEnded) {
        await new Promise<void>((resolve) => this.#wake = resolve);
      }
    }
    // Calls that are left in the queue were withdrawn.
    this.#queue.clear();
    this.#queuedBytes = 0;
    this.#isPumping = false;
    this.#noteSent();
  }

  /** Makes a connection for the calls that wait; when that fails, they are rejected. */
  async #reconnect(): Promise<Connection | undefined> {
    try {
      await this.#connector.reconnect();
    } catch (error) {
      this.#failQueued(() => error);
    }
    return this.#connection;
  }

  #nextBatch(connection: Connection): Call[] {
    const batch: Call[] = [];
    const callsMax = this.#settings.inFlightMax - connection.inFlight.length;
    let chars = 0;
    while (batch.length < callsMax && chars < writeCharsMax) {
      const call = this.#queue.shift();
      if (!call) break;
      this.#queuedBytes -= call.queuedBytes;
      if (call.settled) continue;
      this.#waiting--;
      chars += call.line.length;
      batch.push(call);
    }
    return batch;
  }

  #onReply(connection: Connection): void {
    if (connection === this.#connection) this.#connector.recordReply();
    if (connection.inFlight.length * 2 <= this.#settings.inFlightMax) this.#wake?.();
  }

  #onEnd(connection: Connection): void {
    if (this.#connection === connection) this.#connection = undefined;
    this.#wake?.();
  }

  #noteSent(): void {
    if (this.#waiting === 0) this.#whenSent?.();
  }

  #failQueued(reason: () => unknown): void {
    for (let call = this.#queue.shift(); call; call = this.#queue.shift()) {
      this.#queuedBytes -= call.queuedBytes;
      if (call.settled) continue;
      this.#waiting--;
      call.fail(reason());
    }
  }

  /**
   * The caller no longer waits. A call that was not sent is withdrawn; after one that was, the
   * connection is suspect until bytes come.
   */
  #abandon(call: Call): void {
    if (!call.sent) {
      this.#queuedBytes -= call.line.length;
      call.line = "";
      this.#waiting--;
      this.#noteSent();
      return;
    }
    const connection = this.#connection;
    if (!connection) return;
    let sinceMs = connection.suspectSinceMs ?? -Infinity;
    if (sinceMs <= connection.lastReadAtMs) {
      sinceMs = connection.suspectSinceMs = performance.now();
    }
    this.#deadlines.schedule(sinceMs + this.#settings.silenceMsMax);
  }

  /** Fails the calls whose time is up; returns when to check next. */
  #checkDeadlines(nowMs: number): number {
    let nextMs = Infinity;
    for (const calls of [this.#queue, this.#connection?.inFlight ?? []]) {
      for (const call of calls) {
        if (call.settled) continue;
        if (call.deadlineMs > nowMs) {
          nextMs = Math.min(nextMs, call.deadlineMs);
          continue;
        }
        call.fail(this.#timeout(call));
        this.#abandon(call);
      }
    }
    return Math.min(nextMs, this.#checkSilence(nowMs));
  }

  /** Ends a suspect connection that stayed silent too long; returns when to check next. */
  #checkSilence(nowMs: number): number {
    const connection = this.#connection;
    if (connection?.suspectSinceMs === undefined) return Infinity;
    if (connection.lastReadAtMs > connection.suspectSinceMs) {
      connection.suspectSinceMs = undefined;
      return Infinity;
    }
    const endsAtMs = connection.suspectSinceMs + this.#settings.silenceMsMax;
    if (nowMs < endsAtMs) return endsAtMs;
    connection.end(`nothing came from the server for ${this.#settings.silenceMsMax} ms`);
    return Infinity;
  }

  #timeout(call: Call): BlinkError {
    const { address } = this;
    const outcome = call.sent ? "whether it ran is unknown" : "it was not sent";
    return new BlinkError(
      "timeout",
      `No reply from ${address} to ${verbOf(call.line)} within ${call.timeoutMs} ms; ${outcome}`,
      { mayHaveRun: call.sent },
    );
  }
}
