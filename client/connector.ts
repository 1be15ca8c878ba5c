/**
 * Making connections to one server: opening the transport, logging in, and the pauses between
 * attempts. One attempt is under way at a time; calls made meanwhile get its outcome.
 *
 * @module
 */

// @ts-types="../types/std.d.ts"
import { delay } from "@std/async/delay";
import { Call } from "./call.ts";
import { Connection } from "./connection.ts";
import { within } from "./deadlines.ts";
import { BlinkError, reasonOf } from "./errors.ts";
import type { Settings } from "./options.ts";
import { oneOf } from "./results.ts";
import { addressText, openSocket, type Transport } from "./socket.ts";

/** The result of AUTH. */
export const authResult = oneOf<void>({ OK: undefined });

/** The callbacks of a connector. Each runs synchronously. */
export interface ConnectorEvents {
  /** A connection is made and, where there is a token, logged in. */
  readonly onConnected: (connection: Connection) => void;
  /** Replies were consumed, perhaps the one to AUTH before the connection was reported as made. */
  readonly onReply: (connection: Connection) => void;
  /** The connection has ended, perhaps before it was reported as made. */
  readonly onEnd: (connection: Connection) => void;
}

/** Makes connections to one server, with growing pauses while attempts fail. */
export class Connector {
  /** The server's address, for messages. */
  readonly address: string;
  /** The token that every new connection logs in with. */
  token: string | undefined;

  readonly #settings: Settings;
  readonly #events: ConnectorEvents;
  readonly #stopped = new AbortController();
  #connecting: Promise<void> | undefined;
  /** Failed attempts, and connections that ended without a reply, since the last reply. */
  #failures = 0;
  #failedAtMs = 0;

  constructor(settings: Settings, events: ConnectorEvents) {
    this.#settings = settings;
    this.#events = events;
    this.token = settings.token;
    this.address = settings.transport ? "the given transport" : addressText(settings);
  }

  /** True once {@linkcode Connector.stop} was called. */
  get isStopped(): boolean {
    return this.#stopped.signal.aborted;
  }

  /** Stops the attempt under way, and refuses further ones, with this reason. */
  stop(reason: BlinkError): void {
    this.#stopped.abort(reason);
  }

  /** Makes a connection with one attempt, or waits for the attempt that is under way. */
  connect(untilMs: number, signal?: AbortSignal): Promise<void> {
    return this.#connecting ??= this.#attempt(untilMs, signal).finally(() => {
      this.#connecting = undefined;
    });
  }

  /**
   * Makes a connection, with as many attempts as the settings allow; throws the last one's error.
   */
  async reconnect(): Promise<void> {
    const untilMs = performance.now() + this.#settings.connectTimeoutMs;
    for (let attempt = 1;; attempt++) {
      try {
        await this.#pause();
        return await this.connect(untilMs);
      } catch (error) {
        const isFinal = error instanceof BlinkError && error.kind !== "connection";
        const nextAtMs = performance.now() + this.#pauseMs();
        if (isFinal || attempt >= this.#settings.connectAttemptsMax || nextAtMs >= untilMs) {
          throw error;
        }
      }
    }
  }

  /** A connection that was made has brought a reply: the next pause is the shortest again. */
  recordReply(): void {
    this.#failures = 0;
  }

  async #pause(): Promise<void> {
    const { signal } = this.#stopped;
    signal.throwIfAborted();
    const pauseMs = this.#pauseMs();
    if (pauseMs > 0) await delay(pauseMs, { signal });
  }

  /** How long to wait before the next attempt: doubles with each failure, with jitter. */
  #pauseMs(): number {
    if (this.#failures === 0) return 0;
    const { backoffMsMin, backoffMsMax } = this.#settings;
    const fullMs = Math.min(backoffMsMax, backoffMsMin * 2 ** (this.#failures - 1));
    const jitteredMs = fullMs * (0.5 + Math.random() / 2);
    return Math.max(0, this.#failedAtMs + jitteredMs - performance.now());
  }

  #recordFailure(): void {
    this.#failures++;
    this.#failedAtMs = performance.now();
  }

  async #attempt(untilMs: number, signal?: AbortSignal): Promise<void> {
    try {
      const transport = await this.#openTransport(untilMs, signal);
      const connection = this.#connectionOver(transport);
      if (this.token !== undefined) await this.#authenticate(connection, this.token, untilMs);
      if (connection.isEnded) throw this.#cannotConnect(new Error("the server closed it"));
      this.#events.onConnected(connection);
    } catch (error) {
      this.#recordFailure();
      throw error;
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
      // A transport that opens too late is closed.
      opening.then((late) => late.close(), () => {});
      if (stop.aborted) throw stop.reason;
      throw this.#cannotConnect(error);
    }
  }

  #connectionOver(transport: Transport): Connection {
    try {
      return new Connection(transport, {
        address: this.address,
        replyBytesMax: this.#settings.replyBytesMax,
        onReply: this.#events.onReply,
        onEnd: (connection) => {
          if (!connection.hasReplied) this.#recordFailure();
          this.#events.onEnd(connection);
        },
      });
    } catch (error) {
      // For example, the streams are locked because the transport was used before.
      throw this.#cannotConnect(error);
    }
  }

  /** Logs in; nothing else is sent before the token is accepted. */
  async #authenticate(connection: Connection, token: string, untilMs: number): Promise<void> {
    const accepted = new Promise<unknown>((resolve, reject) => {
      connection.write([
        new Call(`AUTH ${token}`, Infinity, Infinity, authResult, resolve, reject),
      ]);
    });
    try {
      await within(accepted, untilMs, this.#stopped.signal);
    } catch (error) {
      connection.end("it did not accept the token");
      const isRefused = error instanceof BlinkError &&
        (error.kind === "auth" || error.message.startsWith("unknown command"));
      throw this.#cannotConnect(error, isRefused ? "auth" : "connection");
    }
  }

  #cannotConnect(error: unknown, kind: "auth" | "connection" = "connection"): BlinkError {
    const message = `Cannot connect to ${this.address}: ${reasonOf(error)}`;
    return new BlinkError(kind, message, { cause: error });
  }
}
