/**
 * One client's connection without I/O: a state machine that takes bytes and gives bytes.
 *
 * A driver moves the bytes and does what `next()` returns. The connection reads on only once its
 * replies are sent, so a client that does not read its replies cannot send more requests. Sockets,
 * timers and promises belong to the driver. The time is that of the server context's last tick.
 *
 * @module
 */

import type { ClientRecord, SocketAddresses } from "../commands/mod.ts";
import { notKept, serverBusy } from "../protocol.ts";
import type { OpenConnection, ServerContext } from "./context.ts";
import { InputBuffer } from "./input_buffer.ts";
import { OutputBuffer } from "./output_buffer.ts";
import { ReplyChanges } from "./reply_changes.ts";
import { RequestReader } from "./request_reader.ts";
import { Session, type SessionOwner } from "./session.ts";

/**
 * What the driver is to do next:
 *
 * - `"read"`: read into `space()`, then call `received`, or `inputEnded`;
 * - `"send"`: send `unsent()` or `unsentNow()`, then call `sent`;
 * - `"yield"`: let other connections have their turn;
 * - `"wait"`: nothing, until `wake` is called;
 * - `"linger"`: end the sending side, discard what the client still sends, and close;
 * - `"close"`: close.
 */
export type Want = "read" | "send" | "yield" | "wait" | "linger" | "close";

/** What a connection asks of its driver. */
export interface ConnectionDriver {
  /** The connection can go on: call `next()` again. */
  wake(): void;
  /** The connection has ended: close the socket now. */
  abort(): void;
  /** The client's address, for reports. */
  peer(): string;
  /** Its socket; undefined where there is none. */
  socket?(): SocketAddresses | undefined;
}

/** A run ends when this many bytes wait to be sent. */
export const outputBytesHigh = 256 * 1024;

/** The same while the memory for replies is exhausted. */
export const outputBytesScarce = 16 * 1024;

/** A run ends after this many lines, so that one client does not keep the event loop. */
export const runLinesMax = 512;

/**
 * The lowest rate, in bytes a second, at which a client counts as active: one that sends a line or
 * reads replies at this rate is not idle. The server cannot see how far a client has read, because
 * the kernel buffers replies, so it allows for the time that reading at this rate takes.
 */
export const slowestBytesPerSecond = 16 * 1024;
const kernelBytesMax = 8 * 1024 * 1024;

const noSocket: SocketAddresses = { fd: -1, address: "", localAddress: "", isUnix: false };

function socketOf(driver: ConnectionDriver | undefined): SocketAddresses {
  return driver?.socket?.() ?? noSocket;
}

/** A client's connection: its input buffer, session and unsent replies. */
export class Connection implements SessionOwner, OpenConnection {
  /** Set by the driver before the first `next()`. */
  driver: ConnectionDriver | undefined;
  /**
   * Whether replies stay in the writer that all connections share, until `settle`. A driver sets it
   * that sends them with `unsentNow` before another connection runs.
   */
  sharesOutput = false;
  readonly #context: ServerContext;
  readonly #session: Session;
  readonly #input: InputBuffer;
  readonly #output: OutputBuffer;
  readonly #requests: RequestReader;
  /** The replies that must not leave before their changes are on the disk. */
  readonly #changes: ReplyChanges | undefined;
  /** What to do once the output is sent; `"run"`: run further lines. */
  #after: Want | "run" = "run";
  /** Bytes of this connection that are counted in the shared bounds. */
  #countedInput = 0;
  #countedStrangersInput = 0;
  #countedReplies = 0;
  #inputEnded = false;
  #isDraining = false;
  #isAborted = false;
  /** Woken since the last run began: what that run has found to wait for may have come. */
  #isWoken = false;
  /** When the client last sent or took bytes. */
  #activeAtMs: number;
  readonly #openedAtMs: number;
  /** When the unfinished line began. */
  #lineStartedAtMs = 0;
  /** Bytes sent since the client last sent something. */
  #sentSinceRequest = 0;

  constructor(context: ServerContext) {
    this.#context = context;
    const { journal } = context;
    this.#session = new Session(context.commands, context.table, this, journal);
    if (journal?.waits === true) this.#changes = new ReplyChanges(journal, () => this.wake());
    this.#input = new InputBuffer(context.buffers);
    this.#output = new OutputBuffer(context.commands.output, context.buffers);
    this.#requests = new RequestReader(context, this.#session, this.#input);
    this.#openedAtMs = this.#activeAtMs = context.nowMs;
    context.opened(this);
  }

  /** Bytes of unsent replies, including those that operations hold. */
  get heldReplyBytes(): number {
    return this.#countedReplies;
  }

  /** Requests that were run, for the scheduler. */
  get requestsRun(): number {
    return this.#requests.requestsRun;
  }

  /** Runs operations and whole requests; returns what the driver must do next. */
  next(): Want {
    if (this.#isAborted) return "close";
    while (this.#output.unsentBytes === 0) {
      if (this.#after !== "run") {
        const want = this.#after;
        if (want === "yield") this.#after = "run";
        return want;
      }
      this.#after = this.#runSafely();
      if (this.#isAborted) return "close";
    }
    return this.#changes === undefined || this.#mayLeave(this.#changes) ? "send" : "wait";
  }

  hasChanged(start: number, end: number, position: number): void {
    this.#changes?.add(start, end, position);
  }

  /** Whether the output may leave; replies whose changes were undone have become errors then. */
  #mayLeave(changes: ReplyChanges): boolean {
    if (changes.mustWait) return false;
    const parts = changes.settle(this.#session.speaksRedis ? notKept.redis : notKept.line);
    if (parts.length === 0) return true;
    for (const { bytes } of parts) {
      if (bytes.length > 0) this.#context.commands.counters.countError(notKept.kind);
    }
    this.#output.replace(parts);
    this.#countReplies();
    return true;
  }

  /** The space for the next read; it can be `lent`, which takes it until `settle`. */
  space(lent?: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
    return lent === undefined ? this.#input.space() : this.#input.lentSpace(lent);
  }

  /** Gives back the space that was lent, and the shared writer: other connections can run. */
  settle(): void {
    this.#input.settle(this.#session.hasPending);
    this.#keepOutput();
  }

  /** Takes `bytes` bytes that the driver has read into `space()`. */
  received(bytes: number): void {
    if (this.#isAborted) return;
    if (this.#countedInput === 0) this.#lineStartedAtMs = this.#context.nowMs;
    this.#input.filled(bytes);
    this.#activeAtMs = this.#context.nowMs;
    this.#sentSinceRequest = 0;
    this.#after = "run";
  }

  /** The client has half-closed: an unfinished line counts as its last line. */
  inputEnded(): void {
    this.#inputEnded = true;
    this.#after = "run";
  }

  /** The length of `unsent()`. */
  get unsentBytes(): number {
    return this.#output.unsentBytes;
  }

  /** The replies to be sent, in a buffer that is theirs until `sent`. */
  unsent(): Uint8Array<ArrayBuffer> {
    this.#keepOutput();
    return this.#output.unsent();
  }

  /** An array that begins with the `unsentBytes` bytes to be sent; valid until `settle`. */
  unsentNow(): Uint8Array<ArrayBuffer> {
    return this.#output.unsentNow();
  }

  /** Notes that the driver has sent the first `bytes` bytes of `unsent()`. */
  sent(bytes: number): void {
    if (this.#isAborted) return;
    this.#output.sent(bytes);
    this.#sentSinceRequest += bytes;
    this.#activeAtMs = this.#context.nowMs;
    this.#countReplies();
  }

  /** Ends the connection once the requests it has read are answered. Returns whether it is idle. */
  drain(): boolean {
    this.#isDraining = true;
    if (this.#after === "read") this.#after = "run";
    return this.#output.unsentBytes === 0 && !this.#session.hasPending;
  }

  /** Ends the connection now. The driver calls `release` once no I/O uses its buffers. */
  abort(): void {
    if (this.#isAborted) return;
    this.#isAborted = true;
    this.#session.cancel();
    this.#countInput(0);
    this.#countReplies();
    this.#context.closed(this);
    this.driver?.abort();
  }

  /** Gives the buffers back. */
  release(): void {
    this.#input.release();
    this.#output.drop();
  }

  /** Whether the client has exceeded the idle time-out. */
  isOverdue(nowMs: number, timeoutMs: number): boolean {
    const unfinishedBytes = this.#countedInput;
    if (unfinishedBytes > 0 && this.#after === "read") {
      // A byte now and then does not keep an unfinished line alive: its mean rate counts.
      const allowedMs = timeoutMs + unfinishedBytes * 1000 / slowestBytesPerSecond;
      return nowMs - this.#lineStartedAtMs > allowedMs;
    }
    const isOurTurn = this.#session.hasPending && this.#output.unsentBytes === 0 ||
      this.#changes?.isWaiting === true;
    if (isOurTurn) return false;
    const onTheirWay = Math.min(this.#sentSinceRequest, kernelBytesMax);
    return nowMs - this.#activeAtMs > timeoutMs + onTheirWay * 1000 / slowestBytesPerSecond;
  }

  /** Whether replies wait for a client that has taken nothing for `durationMs`. */
  isStalled(nowMs: number, durationMs: number): boolean {
    if (this.#changes?.isWaiting === true) return false;
    return this.#output.unsentBytes > 0 && nowMs - this.#activeAtMs >= durationMs;
  }

  /** The client's address, for reports. */
  peer(): string {
    return this.driver?.peer() ?? "unknown";
  }

  /** What CLIENT LIST shows of it. */
  record(nowMs: number): ClientRecord {
    return {
      ...socketOf(this.driver),
      ...this.#session.record(),
      ageMs: Math.max(0, nowMs - this.#openedAtMs),
      idleMs: Math.max(0, nowMs - this.#activeAtMs),
      inputBytes: this.#input.unfinishedBytes,
      outputBytes: this.#output.unsentBytes,
    };
  }

  tryHold(bytes: number): boolean {
    return this.#context.tryHold(bytes, this.#countedReplies);
  }

  whenFree(bytes: number, callback: () => void): () => void {
    return this.#context.replies.whenFreed(bytes, callback);
  }

  authenticationFailed(): void {
    const { events, nowMs } = this.#context;
    events.report("authentication", `Authentication failed: ${this.peer()}`, nowMs);
  }

  wake(): void {
    if (this.#isAborted) return;
    this.#isWoken = true;
    if (this.#after === "wait" || this.#after === "read") this.#after = "run";
    this.driver?.wake();
  }

  #runSafely(): Want | "run" {
    const { output } = this.#context.commands;
    let after: Want | "run";
    this.#isWoken = false;
    const { journal } = this.#context;
    if (journal?.enter() === false) {
      journal.whenChanged(() => this.wake());
      return "wait";
    }
    try {
      after = this.#run();
      this.#output.take();
      if (!this.sharesOutput) this.#output.keep();
    } catch (error) {
      // A part of a reply must not get into another connection's output.
      output.clear();
      this.#context.runFault(error);
      this.abort();
      return "close";
    } finally {
      journal?.leave();
    }
    this.#countReplies();
    // Memory that the run itself has given back may be what an operation waits for.
    if (this.#isWoken && (after === "wait" || after === "read")) after = "yield";
    // No further line runs, so the input is not needed any more.
    if (after === "linger" || after === "close") {
      this.#input.release();
      this.#countInput(0);
    }
    return after;
  }

  /** Steps the session's operations and runs whole lines, up to a bound. */
  #run(): Want | "run" {
    const session = this.#session;
    const { output } = this.#context.commands;
    if (session.hasPending) session.step(this.#input.bytes);
    const outputMax = this.#context.replies.fits(outputBytesHigh)
      ? outputBytesHigh
      : outputBytesScarce;
    for (let lines = 0; !session.isBusy && !session.isClosing; lines++) {
      if (lines === runLinesMax || output.length >= outputMax) return "run";
      if (!this.#requests.runNext(this.#inputEnded)) return this.#afterLastLine();
      this.#lineStartedAtMs = this.#context.nowMs;
    }
    if (!session.hasPending) return "linger";
    switch (session.pendingStep) {
      case "wait":
        return "wait";
      case "yield":
        return "yield";
      default:
        return "run";
    }
  }

  /** What to do once every whole line was run. */
  #afterLastLine(): Want {
    const session = this.#session;
    const isPending = session.hasPending;
    if (isPending && session.pendingStep !== "wait") return "yield";
    if (this.#inputEnded) return isPending ? "wait" : "close";
    if (this.#isDraining || this.#context.isDraining) return isPending ? "wait" : "linger";
    if (this.#countInput(this.#input.unfinishedBytes + session.queuedBytes)) return "read";
    session.refuse(serverBusy);
    return isPending ? "wait" : "linger";
  }

  /** Moves unsent replies out of the shared writer. */
  #keepOutput(): void {
    if (!this.#output.isShared) return;
    this.#output.keep();
    this.#countReplies();
  }

  /** Counts the bytes of the unfinished line; false if a shared bound is exceeded. */
  #countInput(bytes: number): boolean {
    const { input, strangersInput } = this.#context;
    if (bytes === this.#countedInput && this.#countedStrangersInput === 0) return true;
    if (bytes > 0 && this.#countedInput === 0) this.#lineStartedAtMs = this.#context.nowMs;
    input.add(bytes - this.#countedInput);
    this.#countedInput = bytes;
    const strangers = this.#session.isAuthenticated ? 0 : bytes;
    strangersInput.add(strangers - this.#countedStrangersInput);
    this.#countedStrangersInput = strangers;
    return bytes === 0 || input.fits(0) && (strangers === 0 || strangersInput.fits(0));
  }

  /** Counts the bytes of the unsent replies, except those that are in the shared writer. */
  #countReplies(): void {
    let bytes = 0;
    if (!this.#isAborted) {
      if (this.#session.hasPending) bytes = this.#session.heldBytes;
      if (!this.#output.isShared) bytes += this.#output.unsentBytes;
    }
    if (bytes === this.#countedReplies) return;
    this.#context.replies.add(bytes - this.#countedReplies);
    this.#countedReplies = bytes;
  }
}
