/**
 * One connection, from its opening to its end: writes requests, reads reply lines, and matches them
 * in order. It ends once, with a reason, and then rejects the calls in flight. The order of
 * `#inFlight` is always the order of the lines on the wire.
 *
 * @module
 */

// @ts-types="../types/std.d.ts"
import { delay } from "@std/async/delay";
// @ts-types="../types/std.d.ts"
import { concat } from "@std/bytes/concat";
// @ts-types="../types/std.d.ts"
import { TextLineStream } from "@std/streams/text-line-stream";
import { keyBytesMax } from "../protocol.ts";
import { Call } from "./call.ts";
import { BlinkError, reasonOf } from "./errors.ts";
import { Queue } from "./queue.ts";
import { type Line, verbOf } from "./request_lines.ts";
import { unexpected } from "./results.ts";
import type { Transport } from "./socket.ts";

/** How long replies are still read after a write failed, in milliseconds. */
const lingerMs = 500;
/** The longest line that is kept until its reply comes, in characters; of longer ones, the verb. */
const keptLineChars = 1024;
/**
 * The longest line that may look like HTTP, in bytes: a key, with a verb and a version around it.
 */
const httpLineBytesMax = keyBytesMax + 64;
const lineFeed = 10;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The limits and callbacks of a connection. */
export interface ConnectionOptions {
  /** The server's address, for messages. */
  readonly address: string;
  /** The longest reply line taken, in bytes. */
  readonly replyBytesMax: number;
  /** Runs once, when the connection has ended and all that was in flight is rejected. */
  readonly onEnd: (connection: Connection) => void;
  /** Runs after replies were consumed. */
  readonly onReply: (connection: Connection) => void;
}

/** A connection to the server, and the calls that are in flight on it. */
export class Connection {
  /** When bytes last came from the server, on the clock of `performance.now()`. */
  lastReadAtMs: number = performance.now();
  /** When the connection became suspect: a call that was sent timed out or was stopped. */
  suspectSinceMs: number | undefined = undefined;
  /** True once a reply has come. */
  hasReplied = false;
  /** Resolves when the connection has ended. */
  readonly ended: Promise<void>;

  readonly #transport: Transport;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #options: ConnectionOptions;
  readonly #input: WatchedInput;
  readonly #lines: ReadableStreamDefaultReader<string>;
  readonly #inFlight = new Queue<Call>();
  #markEnded: () => void = () => {};
  #isEnded = false;
  #isFresh = true;
  #unblock: () => void = () => {};
  #closeReason = "";

  constructor(transport: Transport, options: ConnectionOptions) {
    this.#transport = transport;
    this.#options = options;
    this.#writer = transport.writable.getWriter();
    this.#writer.closed.catch(() => {});
    this.#input = new WatchedInput(transport.readable, options.replyBytesMax, () => {
      this.lastReadAtMs = performance.now();
    });
    this.#lines = this.#input.readable
      .pipeThrough(new TextDecoderStream("utf-8", { ignoreBOM: true }))
      .pipeThrough(new TextLineStream())
      .getReader();
    this.ended = new Promise((resolve) => this.#markEnded = resolve);
    this.#readReplies();
  }

  /** The calls that were sent and whose replies have not come, settled ones included. */
  get inFlight(): Iterable<Call> & { readonly length: number } {
    return this.#inFlight;
  }

  /** True once the connection has ended. */
  get isEnded(): boolean {
    return this.#isEnded;
  }

  /**
   * Sends the lines of calls in one write; resolves when more may be written. It never rejects: a
   * failed write ends the connection.
   */
  async write(calls: readonly Call[]): Promise<void> {
    const lines: Line[] = [];
    if (this.#isFresh && looksLikeHttp(calls[0].line)) {
      lines.push("PING");
      this.#inFlight.push(ignoredCall());
    }
    this.#isFresh = false;
    for (const call of calls) {
      call.sent = true;
      lines.push(call.line);
      if (call.line.length > keptLineChars) call.line = verbOf(call.line);
      this.#inFlight.push(call);
    }
    await this.#send(encodeLines(lines));
  }

  /** Sends QUIT and waits for the server to close the connection. */
  async quit(): Promise<void> {
    await this.#send(encoder.encode("QUIT\n"));
    await this.ended;
  }

  /** Ends the connection now. `why` follows a colon in the errors of the calls in flight. */
  end(why: string, kind: "connection" | "protocol" | "closed" = "connection"): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#closeTransport();
    const unanswered = [...this.#inFlight].filter((call) => !call.settled);
    const count = unanswered.length === 1 ? "1 command" : `${unanswered.length} commands`;
    const opening = kind === "closed"
      ? `Closed the connection to ${this.#options.address}`
      : `Lost the connection to ${this.#options.address}: ${why}`;
    const message = `${opening}; the outcome of the ${count} in flight is unknown`;
    for (const call of unanswered) {
      call.fail(new BlinkError(kind, message, { mayHaveRun: true }));
    }
    this.#markEnded();
    this.#unblock();
    this.#options.onEnd(this);
  }

  async #closeTransport(): Promise<void> {
    try {
      await this.#transport.close();
      await this.#lines.cancel();
    } catch {
      // The transport was closed already.
    }
  }

  /** Writes bytes; resolves when they are written or the connection has ended. */
  #send(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve) => {
      if (this.#isEnded) return resolve();
      this.#unblock = resolve;
      this.#writer.write(bytes).then(resolve, (error) => this.#linger(error));
    });
  }

  /** After a failed write: reads on for a moment, since the server may have sent its reason. */
  async #linger(error: unknown): Promise<void> {
    const stop = new AbortController();
    this.ended.then(() => stop.abort());
    await delay(lingerMs, { signal: stop.signal }).catch(() => {});
    this.end(reasonOf(error));
  }

  async #readReplies(): Promise<void> {
    const lines = this.#lines;
    const input = this.#input;
    try {
      let next = await lines.read();
      while (!next.done && !this.#isEnded) {
        const line = next.value;
        // Once the input has ended in the middle of a line, a line counts only if another follows.
        if (input.wasCut) {
          next = await lines.read();
          if (!next.done) this.#take(line);
        } else {
          this.#take(line);
          next = await lines.read();
        }
      }
      const cut = input.wasCut ? " in the middle of a reply" : "";
      this.end(this.#closeReason || `the server closed it${cut}`);
    } catch (error) {
      this.end(this.#closeReason || reasonOf(error));
    }
  }

  #take(line: string): void {
    this.hasReplied = true;
    const call = this.#inFlight.shift();
    if (!call) return this.#takeUnsolicited(line);
    try {
      call.answer(line);
    } catch (error) {
      call.fail(error);
      if (error instanceof BlinkError && error.kind === "protocol") {
        this.end(`a reply could not be understood (${error.message})`, "protocol");
      }
    }
    this.#options.onReply(this);
  }

  /** A reply to no request: the server's reason for closing, or garbage. */
  #takeUnsolicited(line: string): void {
    const error = unexpected(line);
    if (error.kind === "protocol") return this.end("it sent a reply to no request", "protocol");
    this.#closeReason = `the server said: ${error.message}`;
  }
}

/**
 * True for a line that a server takes for HTTP when it is the first of a connection, such as
 * `SET /path HTTP/1.1`. Another line is sent before it.
 */
function looksLikeHttp(line: Line): boolean {
  const start = typeof line === "string"
    ? line
    : decoder.decode(line.subarray(0, httpLineBytesMax));
  return start.length <= httpLineBytesMax && /^\S+[ \t]+\S+[ \t]+HTTP\/1\.\d ?$/i.test(start);
}

/** A settled call, whose reply may be any line. */
function ignoredCall(): Call {
  const call = new Call("", Infinity, Infinity, () => undefined, () => {}, () => {});
  call.fail(undefined);
  return call;
}

/** The lines as the bytes of one write. */
function encodeLines(lines: readonly Line[]): Uint8Array {
  const parts: Uint8Array[] = [];
  let text = "";
  for (const line of lines) {
    if (typeof line === "string") {
      text += line + "\n";
      continue;
    }
    if (text) parts.push(encoder.encode(text));
    parts.push(line);
    text = "\n";
  }
  if (text) parts.push(encoder.encode(text));
  return parts.length === 1 ? parts[0] : concat(parts);
}

/** The transport's bytes, unchanged; refuses a line that is too long, and notes a cut last line. */
class WatchedInput {
  readonly readable: ReadableStream<Uint8Array<ArrayBuffer>>;
  /** True once the input has ended or failed without a line feed at its end. */
  wasCut = false;
  #lineBytes = 0;

  constructor(source: ReadableStream<Uint8Array>, lineBytesMax: number, onBytes: () => void) {
    const reader = source.getReader();
    this.readable = new ReadableStream({
      pull: async (controller) => {
        const { done, value } = await reader.read().catch((error) => {
          this.wasCut = this.#lineBytes > 0;
          throw error;
        });
        if (done) {
          this.wasCut = this.#lineBytes > 0;
          return controller.close();
        }
        onBytes();
        const lastFeed = value.lastIndexOf(lineFeed);
        this.#lineBytes = lastFeed < 0
          ? this.#lineBytes + value.length
          : value.length - 1 - lastFeed;
        if (this.#lineBytes > lineBytesMax) {
          throw new Error(`a reply was longer than ${lineBytesMax} bytes`);
        }
        controller.enqueue(value as Uint8Array<ArrayBuffer>);
      },
      cancel: (reason) => reader.cancel(reason),
    }, { highWaterMark: 0 });
  }
}
