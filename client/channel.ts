/**
 * The way of calls to the server across connections: a bounded queue of calls, the one connection
 * that carries them, and what is done when it is not there. Calls leave in the order in which they
 * were made. A call that was sent is never sent again; one that was not waits for the next
 * connection.
 *
 * @module
 */

import { Call, type Parse, Queue } from "./call.ts";
import { holdsLineFeed, type Line, oneOf, verbOf } from "./codec.ts";
import { Connection } from "./connection.ts";
import { Deadlines, delay, within } from "./deadlines.ts";
import { BlinkError, reasonOf } from "./errors.ts";
import type { CallOptions } from "./call_options.ts";
import { checkToken, type Settings } from "./options.ts";
import { Signals } from "./signals.ts";
import { addressText, openSocket, type Transport } from "./socket.ts";

/** How much text goes into one write, in characters: enough to spread the cost of the write. */
const writeCharsMax = 64 * 1024;

const parseOk = oneOf({ OK: true });

function closedError(): BlinkError {
  return new BlinkError("closed", "Cannot send the call: the client is closed");
}

/** A queue of calls and the connection that carries them. */
export class Channel {
  /** The server's address, for messages. */
  readonly address: string;

  readonly #settings: Settings;
  readonly #queue = new Queue<Call>();
  readonly #deadlines: Deadlines;
  readonly #signals = new Signals((call) => this.#abandon(call));
  /** Calls in the queue that are not settled; withdrawn ones stay in it until their turn. */
  #waiting = 0;
  #queuedBytes = 0;
  #connection: Connection | undefined;
  #connecting: Promise<Connection> | undefined;
  #token: string | undefined;
  #pumping = false;
  #wake: (() => void) | undefined;
  #whenSent: (() => void) | undefined;
  #closing: Promise<void> | undefined;
  #stopped = new AbortController();
  #failures = 0;
  #failedAtMs = 0;

  constructor(settings: Settings) {
    this.#settings = settings;
    this.#token = settings.token;
    this.address = settings.transport ? "the given transport" : addressText(settings);
    this.#deadlines = new Deadlines((nowMs) => this.#checkDeadlines(nowMs));
  }

  /** How many calls are waiting or in flight. */
  get pending(): number {
    return this.#waiting + (this.#connection?.inFlight.length ?? 0);
  }

  /** True while there is a connection that is not known to be lost. */
  get connected(): boolean {
    return this.#connection !== undefined;
  }

  /** Connects now, with one attempt. */
  async open(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    if (this.#closing) throw closedError();
    if (!this.#connection) {
      await this.#connect(performance.now() + this.#settings.connectTimeoutMs, signal);
    }
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
        // Later in this turn, when the caller has its handlers in place: runtimes are very slow with
        // thousands of promises that are rejected before.
        return queueMicrotask(() => reject(this.#overload()));
      }
      if (options.signal) this.#signals.watch(options.signal, call);
      this.#queuedBytes += call.queuedBytes;
      this.#queue.push(call);
      this.#waiting++;
      this.#deadlines.expect(deadlineMs);
      this.#schedule();
    });
  }

  /** Shows a token on this connection and, once it was accepted, on later ones. */
  async authenticate(token: string, options: CallOptions): Promise<void> {
    await this.submit(`AUTH ${checkToken(token)}`, parseOk, options);
    this.#token = token;
  }

  /** Lets the pending calls finish, says QUIT and closes. Later calls are refused. */
  close(): Promise<void> {
    return this.#closing ??= this.#finish();
  }

  /** Closes at once; pending calls are rejected. */
  abort(): void {
    this.#closing ??= Promise.resolve();
    this.#stopped.abort(closedError());
    this.#connection?.end("by this program", "closed");
    this.#failQueued(() => closedError());
    this.#deadlines.stop();
    this.#wake?.();
    this.#whenSent?.();
  }

  async #finish(): Promise<void> {
    const untilMs = performance.now() + this.#settings.closeTimeoutMs;
    const goodbye = async () => {
      while (this.#waiting > 0 && !this.#stopped.signal.aborted) {
        await new Promise<void>((resolve) => this.#whenSent = resolve);
      }
      await this.#connection?.quit();
    };
    await within(goodbye(), untilMs).catch(() => {});
    this.abort();
  }

  #overload(): BlinkError {
    return new BlinkError(
      "overload",
      `Cannot queue the call: more than ${this.#settings.queuedBytesMax} bytes are waiting to be ` +
        `sent to ${this.address}; await some calls first`,
    );
  }

  #schedule(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    // After this turn, so that all calls made in it leave in one write.
    queueMicrotask(() => this.#pump());
  }

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
    // What is left in the queue was withdrawn.
    this.#queue.clear();
    this.#queuedBytes = 0;
    this.#pumping = false;
    this.#noteSent();
  }

  #nextBatch(connection: Connection): Call[] {
    const batch: Call[] = [];
    const room = this.#settings.inFlightMax - connection.inFlight.length;
    let chars = 0;
    while (batch.length < room && chars < writeCharsMax) {
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
    if (connection === this.#connection) this.#failures = 0;
    if (connection.inFlight.length * 2 <= this.#settings.inFlightMax) this.#wake?.();
  }

  #onEnd(connection: Connection): void {
    if (this.#connection === connection) this.#connection = undefined;
    if (!connection.hasReplied) this.#noteFailure();
    this.#wake?.();
  }

  #noteSent(): void {
    if (this.#waiting === 0) this.#whenSent?.();
  }

  /** Makes a connection for the calls that wait; when that fails, they are told. */
  async #reconnect(): Promise<Connection | undefined> {
    const untilMs = performance.now() + this.#settings.connectTimeoutMs;
    for (let attempt = 1;; attempt++) {
      try {
        await delay(this.#pauseMs(), this.#stopped.signal);
        return await this.#connect(untilMs);
      } catch (error) {
        const final = error instanceof BlinkError && error.kind !== "connection";
        const next = performance.now() + this.#pauseMs();
        if (final || attempt >= this.#settings.connectAttemptsMax || next >= untilMs) {
          this.#failQueued(() => error);
          return undefined;
        }
      }
    }
  }

  #noteFailure(): void {
    this.#failures++;
    this.#failedAtMs = performance.now();
  }

  /** How long to wait before the next attempt: doubles with each failure, and varies. */
  #pauseMs(): number {
    if (this.#failures === 0) return 0;
    const { backoffMsMin, backoffMsMax } = this.#settings;
    const full = Math.min(backoffMsMax, backoffMsMin * 2 ** (this.#failures - 1));
    const jittered = full * (0.5 + Math.random() / 2);
    return Math.max(0, this.#failedAtMs + jittered - performance.now());
  }

  /** Makes the connection, or waits for the attempt that is under way. */
  #connect(untilMs: number, signal?: AbortSignal): Promise<Connection> {
    return this.#connecting ??= this.#connectOnce(untilMs, signal).finally(() => {
      this.#connecting = undefined;
    });
  }

  async #connectOnce(untilMs: number, signal?: AbortSignal): Promise<Connection> {
    try {
      const transport = await this.#openTransport(untilMs, signal);
      const connection = this.#connectionOver(transport);
      if (this.#token !== undefined) await this.#introduce(connection, this.#token, untilMs);
      if (connection.isEnded) throw this.#cannotConnect(new Error("the server closed it"));
      return this.#connection = connection;
    } catch (error) {
      this.#noteFailure();
      throw error;
    }
  }

  #connectionOver(transport: Transport): Connection {
    try {
      return new Connection(transport, {
        address: this.address,
        replyBytesMax: this.#settings.replyBytesMax,
        onReply: (connection) => this.#onReply(connection),
        onEnd: (connection) => this.#onEnd(connection),
      });
    } catch (error) {
      // A transport that was used before, for one.
      throw this.#cannotConnect(error);
    }
  }

  async #openTransport(untilMs: number, signal?: AbortSignal): Promise<Transport> {
    const { transport } = this.#settings;
    const stop = signal ? AbortSignal.any([signal, this.#stopped.signal]) : this.#stopped.signal;
    const opening = (async () => await (transport ? transport() : openSocket(this.#settings)))();
    try {
      const opened = await within(opening, untilMs, stop);
      stop.throwIfAborted();
      return opened;
    } catch (error) {
      // A transport that arrives too late is not kept open.
      opening.then((late) => late.close(), () => {});
      if (stop.aborted) throw stop.reason;
      throw this.#cannotConnect(error);
    }
  }

  /** Shows the token; nothing else is sent before it is accepted. */
  async #introduce(connection: Connection, token: string, untilMs: number): Promise<void> {
    const accepted = new Promise<unknown>((resolve, reject) => {
      connection.write([new Call(`AUTH ${token}`, Infinity, Infinity, parseOk, resolve, reject)]);
    });
    try {
      await within(accepted, untilMs, this.#stopped.signal);
    } catch (error) {
      connection.end("it did not accept the token");
      const refused = error instanceof BlinkError &&
        (error.kind === "auth" || error.message.startsWith("unknown command"));
      throw this.#cannotConnect(error, refused ? "auth" : "connection");
    }
  }

  #cannotConnect(error: unknown, kind: "auth" | "connection" = "connection"): BlinkError {
    const message = `Cannot connect to ${this.address}: ${reasonOf(error)}`;
    return new BlinkError(kind, message, { cause: error });
  }

  #failQueued(reason: () => unknown): void {
    for (let call = this.#queue.shift(); call; call = this.#queue.shift()) {
      this.#queuedBytes -= call.queuedBytes;
      if (call.settled) continue;
      this.#waiting--;
      call.fail(reason());
    }
  }

  /** The caller stopped waiting: what was not sent is withdrawn, what was sent casts a doubt. */
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
    const doubted = connection.doubtedAtMs ?? -Infinity;
    if (doubted <= connection.heardAtMs) connection.doubtedAtMs = performance.now();
    this.#deadlines.expect(connection.doubtedAtMs! + this.#settings.silenceMsMax);
  }

  /** Fails the calls whose time is up; returns when to look again. */
  #checkDeadlines(nowMs: number): number {
    let next = Infinity;
    for (const calls of [this.#queue, this.#connection?.inFlight ?? []]) {
      for (const call of calls) {
        if (call.settled) continue;
        if (call.deadlineMs > nowMs) {
          next = Math.min(next, call.deadlineMs);
          continue;
        }
        call.fail(this.#timeout(call));
        this.#abandon(call);
      }
    }
    return Math.min(next, this.#checkSilence(nowMs));
  }

  #checkSilence(nowMs: number): number {
    const connection = this.#connection;
    if (connection?.doubtedAtMs === undefined) return Infinity;
    if (connection.heardAtMs > connection.doubtedAtMs) {
      connection.doubtedAtMs = undefined;
      return Infinity;
    }
    const endsAtMs = connection.doubtedAtMs + this.#settings.silenceMsMax;
    if (nowMs < endsAtMs) return endsAtMs;
    connection.end(`nothing came from the server for ${this.#settings.silenceMsMax} ms`);
    return Infinity;
  }

  #timeout(call: Call): BlinkError {
    const outcome = call.sent ? "whether it ran is unknown" : "it was not sent";
    return new BlinkError(
      "timeout",
      `No reply from ${this.address} to ${
        verbOf(call.line)
      } within ${call.timeoutMs} ms; ${outcome}`,
      { mayHaveRun: call.sent },
    );
  }
}
