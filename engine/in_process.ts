/**
 * The wire without a network: a store, an engine and one client in this process. The client's
 * bytes go through the same sessions as those of a socket.
 *
 * @module
 */

import { plainBuffers } from "../protocol/output.ts";
import { Store } from "../store.ts";
import { version } from "../version.ts";
import { Engine } from "./engine.ts";
import { ReadBuffer } from "./read_buffer.ts";
import { type Outcome, Session } from "./session.ts";
import type { Storage } from "./storage.ts";

/** How a store in the process is made. */
export interface InProcessOptions {
  /** The most bytes of keys and values; 10 MiB unless given. */
  memoryLimitBytes?: number;
  /** The longest line, in bytes without its end; 16 MiB unless given. */
  lineBytesMax?: number;
  /** The store, instead of a new one. */
  store?: Storage;
}

/** One client's side of the wire: what it writes and what it reads. */
export interface InProcess {
  /** The bytes of the replies. */
  readonly readable: ReadableStream<Uint8Array>;
  /** Takes the bytes of requests, cut anywhere. */
  readonly writable: WritableStream<Uint8Array>;
  /** Ends it; the store goes with it. */
  close(): void;
}

const memoryLimitBytesDefault = 10 * 1024 * 1024;
const lineBytesMaxDefault = 16 * 1024 * 1024;

/** How often expired entries are swept, in milliseconds. */
const sweepMs = 100;

/** Replies that wait to be read, in bytes, before requests wait too. */
const waitingBytesMax = 1024 * 1024;

/**
 * Makes a store in this process and connects to it.
 *
 * @example
 * ```ts
 * import { connectInProcess } from "../engine.ts";
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
    new Store({ limitBytes: options.memoryLimitBytes ?? memoryLimitBytesDefault });
  const engine = new Engine({ store, version });
  const lineBytesMax = options.lineBytesMax ?? lineBytesMaxDefault;
  const session = new Session(engine, { lineBytesMax });
  const sweeper = setInterval(() => engine.tick(), sweepMs);
  const replies = new Replies();
  const requests = new Requests(engine, session, new ReadBuffer(plainBuffers, lineBytesMax));
  let isOpen = true;
  const end = () => {
    if (!isOpen) return;
    isOpen = false;
    clearInterval(sweeper);
    replies.end();
  };
  const writable = new WritableStream<Uint8Array>({
    async write(bytes) {
      if (!isOpen) throw new Error("Cannot send: the connection is closed");
      if (!await requests.take(bytes, replies)) end();
    },
    async close() {
      if (isOpen) await requests.finish(replies);
      end();
    },
    abort: end,
  });
  return { readable: replies.readable, writable, close: end };
}

/** The replies, held until they are read; beyond a bound the requests wait for their reader. */
class Replies {
  readonly readable: ReadableStream<Uint8Array>;
  #controller!: ReadableStreamDefaultController<Uint8Array>;
  #room = Promise.withResolvers<void>();
  #isOpen = true;

  constructor() {
    this.readable = new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.#controller = controller;
      },
      pull: () => {
        this.#room.resolve();
      },
      cancel: () => {
        this.#isOpen = false;
        this.#room.resolve();
      },
    }, new ByteLengthQueuingStrategy({ highWaterMark: waitingBytesMax }));
  }

  async send(bytes: Uint8Array): Promise<void> {
    if (!this.#isOpen) return;
    this.#controller.enqueue(bytes);
    if ((this.#controller.desiredSize ?? 1) > 0) return;
    this.#room = Promise.withResolvers();
    await this.#room.promise;
  }

  end(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#controller.close();
    this.#room.resolve();
  }
}

/** The requests: what was written and is not consumed yet, and its running. */
class Requests {
  readonly #engine: Engine;
  readonly #session: Session;
  readonly #buffer: ReadBuffer;

  constructor(engine: Engine, session: Session, buffer: ReadBuffer) {
    this.#engine = engine;
    this.#session = session;
    this.#buffer = buffer;
  }

  /** Takes bytes and runs the lines that they end; false when the session is over. */
  async take(bytes: Uint8Array, replies: Replies): Promise<boolean> {
    const buffer = this.#buffer;
    for (let taken = 0; taken < bytes.length;) {
      const room = buffer.room();
      const part = bytes.subarray(taken, taken + room.length);
      room.set(part);
      buffer.filled(part.length);
      taken += part.length;
      const outcome = await this.#until(
        "read",
        replies,
        () => this.#session.run(buffer.bytes, buffer.start, buffer.end),
      );
      if (outcome === "close") return false;
    }
    return true;
  }

  /** Runs what the end of the requests leaves. */
  async finish(replies: Replies): Promise<void> {
    const buffer = this.#buffer;
    await this.#until(
      "close",
      replies,
      () => this.#session.finish(buffer.bytes, buffer.start, buffer.end),
    );
  }

  async #until(wanted: Outcome, replies: Replies, run: () => Outcome): Promise<Outcome> {
    for (;;) {
      const outcome = run();
      this.#buffer.start = this.#session.consumed;
      const { length } = this.#engine.output;
      if (length > 0) await replies.send(this.#engine.output.take().subarray(0, length));
      if (outcome === wanted || outcome === "close") return outcome;
      if (outcome !== "flush") await new Promise((resolve) => setTimeout(resolve, 0));
    }
  }
}
