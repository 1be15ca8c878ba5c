/**
 * The in-process transport: a store and one client of it in this process. The client's bytes go
 * through the same `Connection` as those of a socket.
 *
 * @module
 */

import { commandTable, Context, redisTable } from "../commands/mod.ts";
import { type Storage, Store } from "../store.ts";
import { version } from "../version.ts";
import { BufferPool } from "./buffer_pool.ts";
import { Connection, type ConnectionDriver } from "./connection.ts";
import { ServerContext } from "./context.ts";
import { serverDefaults, tickMs } from "./defaults.ts";
import { EventLog } from "./event_log.ts";

/** The options of a store in the process. */
export interface InProcessOptions {
  /** The most bytes of keys and values; 10 MiB by default. */
  memoryLimitBytes?: number;
  /** The longest line, in bytes without its end; 16 MiB by default. */
  lineBytesMax?: number;
  /** The store to use, instead of a new one. */
  store?: Storage;
}

/** The client's side of an in-process connection. */
export interface InProcess {
  /** The bytes of the replies. */
  readonly readable: ReadableStream<Uint8Array>;
  /** Takes the bytes of requests, cut anywhere. */
  readonly writable: WritableStream<Uint8Array>;
  /** Ends the connection. The store is gone then, unless it was passed in. */
  close(): void;
}

/** Bytes of unread replies beyond which further requests wait. */
const waitingBytesMax = 1024 * 1024;

/**
 * Makes a store in this process and connects to it.
 *
 * @example
 * ```ts
 * import { connectInProcess } from "@blink/store/server";
 *
 * const { readable, writable, close } = connectInProcess();
 * const writer = writable.getWriter();
 * await writer.write(new TextEncoder().encode("SET user alice\n"));
 * const reply = await readable.getReader().read();
 * console.assert(new TextDecoder().decode(reply.value) === "OK\n");
 * close();
 * ```
 */
export function connectInProcess(options: InProcessOptions = {}): InProcess {
  const store = options.store ??
    new Store({ limitBytes: options.memoryLimitBytes ?? serverDefaults.memoryLimitBytes });
  const driver = new StreamDriver(
    store,
    options.lineBytesMax ?? serverDefaults.lineBytesMax,
  );
  return {
    readable: driver.readable,
    writable: driver.writable,
    close: () => driver.end(),
  };
}

/** Drives a connection over two streams. */
class StreamDriver implements ConnectionDriver {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
  readonly #context: ServerContext;
  readonly #connection: Connection;
  readonly #ticker: ReturnType<typeof setInterval>;
  #controller!: ReadableStreamDefaultController<Uint8Array>;
  #canSend = Promise.withResolvers<void>();
  #resume: (() => void) | undefined;
  #isOpen = true;
  /** The error that ended the connection; the next write rejects with it. */
  #failure: Error | undefined;

  constructor(store: Storage, lineBytesMax: number) {
    this.#context = new ServerContext({
      commands: new Context({
        store,
        version,
        verbs: commandTable.verbs,
        redisVerbs: redisTable.verbs,
        requestBytesMax: lineBytesMax,
      }),
      table: commandTable,
      buffers: new BufferPool(),
      limits: { ...serverDefaults, lineBytesMax },
      events: new EventLog(),
      onBroken: (error) => {
        this.#failure = error;
        this.end();
      },
    });
    // No other connection is to have its turn.
    this.#context.onPollWanted = () => queueMicrotask(() => this.#context.polled());
    this.#connection = new Connection(this.#context);
    this.#connection.driver = this;
    this.readable = new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.#controller = controller;
      },
      pull: () => this.#canSend.resolve(),
      cancel: () => this.end(),
    }, new ByteLengthQueuingStrategy({ highWaterMark: waitingBytesMax }));
    this.writable = new WritableStream<Uint8Array>({
      write: (bytes) => this.#write(bytes),
      close: async () => {
        this.#connection.inputEnded();
        await this.#run();
        this.end();
      },
      abort: () => this.end(),
    });
    this.#ticker = setInterval(() => this.#tick(), tickMs);
  }

  /** Ends the connection and the store. */
  end(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    clearInterval(this.#ticker);
    this.#connection.abort();
    this.#connection.release();
    this.#canSend.resolve();
    try {
      this.#controller.close();
    } catch {
      // The reader has cancelled the stream.
    }
  }

  wake(): void {
    this.#resume?.();
  }

  abort(): void {
    this.#resume?.();
    this.end();
  }

  peer(): string {
    return "in this process";
  }

  #tick(): void {
    this.#context.sweep();
    this.#context.tick(this.#context.commands.now());
  }

  async #write(bytes: Uint8Array): Promise<void> {
    const connection = this.#connection;
    for (let taken = 0; taken < bytes.length;) {
      if (!this.#isOpen) throw this.#failure ?? new Error("Cannot send: the connection is closed");
      const space = connection.space();
      const part = bytes.subarray(taken, taken + space.length);
      space.set(part);
      taken += part.length;
      connection.received(part.length);
      await this.#run();
    }
  }

  /** Runs until the connection wants more bytes, or has ended. */
  async #run(): Promise<void> {
    const connection = this.#connection;
    for (;;) {
      switch (connection.next()) {
        case "read":
          return;
        case "send":
          await this.#send();
          break;
        case "yield":
          await new Promise((resolve) => setTimeout(resolve, 0));
          break;
        case "wait":
          await new Promise<void>((resolve) => this.#resume = resolve);
          break;
        default:
          this.end();
          return;
      }
    }
  }

  async #send(): Promise<void> {
    const unsent = this.#connection.unsent();
    const { length } = unsent;
    if (this.#isOpen) {
      // A copy, since the buffer goes back to the pool.
      this.#controller.enqueue(unsent.slice());
      if ((this.#controller.desiredSize ?? 1) <= 0) {
        this.#canSend = Promise.withResolvers();
        await this.#canSend.promise;
      }
    }
    this.#connection.sent(length);
  }
}
