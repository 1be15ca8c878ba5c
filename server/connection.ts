/**
 * One client: reads its bytes, lets the engine run the lines in them, and sends the replies of each
 * read in one write. It reads on only once its replies are sent, so a client that does not read
 * is not read either; what it may hold is bounded by the limits of the host.
 *
 * @module
 */

import { ReadBuffer } from "../engine/read_buffer.ts";
import { type Outcome, Session } from "../engine/session.ts";
import { serverBusy } from "../protocol/problems.ts";
import type { Host } from "./host.ts";
import { linger } from "./linger.ts";

/** What a failed AUTH costs, so that tokens cannot be tried quickly. */
export const authDelayMs = 250;

/** See the head of this file. */
export class Connection {
  /** Bytes of replies that wait, with those that are held for the rest of a reply. */
  unsentBytes = 0;
  /** When it last made progress with sending, as a count of the host's sends. */
  lastSend = 0;
  /** When it last received or sent anything, in the host's idle ticks. */
  activeTick: number;
  /** Resolves once the connection has ended; undefined before it is served. */
  served: Promise<void> | undefined = undefined;
  readonly #conn: Deno.Conn;
  readonly #host: Host;
  readonly #session: Session;
  readonly #buffer: ReadBuffer;
  #unfinishedBytes = 0;
  #isReading = false;
  #isClosed = false;

  constructor(conn: Deno.Conn, host: Host) {
    this.#conn = conn;
    this.#host = host;
    this.#session = new Session(host.engine, host.session);
    this.#buffer = new ReadBuffer(host.buffers, host.session.lineBytesMax);
    this.activeTick = host.idleTicks;
  }

  /** Serves the client until one side ends it; `served` resolves then. Never rejects. */
  serve(): void {
    this.served = this.#serve();
  }

  /** One function, since each that waits costs every idle connection a few hundred bytes. */
  async #serve(): Promise<void> {
    const host = this.#host;
    const conn = this.#conn;
    const buffer = this.#buffer;
    const { output } = host.engine;
    host.open(this);
    try {
      while (!host.isDraining) {
        this.#isReading = true;
        const bytes = await conn.read(buffer.room());
        this.#isReading = false;
        if (bytes === null) return await this.#finish();
        this.activeTick = host.idleTicks;
        buffer.filled(bytes);
        host.turns.countRead(bytes);
        const outcome = this.#run(false);
        const { length } = output;
        if (length > 0) {
          // As #send does; here by itself, since a call more would cost each request.
          const replies = output.take();
          this.#sending(length);
          const sent = await conn.write(replies.subarray(0, length));
          this.#progressed(sent);
          if (sent < length) await this.#sendRest(replies, sent, length);
          host.buffers.give(replies);
        }
        if (outcome !== "read" && await this.#goOn(outcome, false) === "close") break;
        if (!this.#noteUnfinished(buffer.end - buffer.start)) {
          host.engine.fail(serverBusy);
          await this.#send();
          break;
        }
        if (host.turns.isOver) await host.turns.next();
      }
      // It is ours to end, so it has to be closed with care.
      if (!this.#isClosed) await linger(conn);
    } catch (error) {
      // A peer that vanished, or a connection closed by abort: nobody is left to be told.
      if (!this.#isClosed && !isBrokenConnection(error)) {
        host.onEvent(`Connection closed after a fault: ${describe(error)}`);
      }
    } finally {
      this.abort();
      this.#noteUnfinished(0);
      buffer.release();
      host.closed(this);
    }
  }

  /** Ends the connection now. */
  abort(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#host.unsentBytes -= this.unsentBytes;
    this.unsentBytes = 0;
    try {
      this.#conn.close();
    } catch {
      // The runtime has closed it already.
    }
  }

  /** Ends the connection once what it has read is answered. */
  drain(): void {
    if (this.#isReading) this.abort();
  }

  /** The client has ended its side: what it left is run, and everything is answered. */
  async #finish(): Promise<void> {
    const outcome = this.#run(true);
    await this.#send();
    if (outcome !== "close") await this.#goOn(outcome, true);
  }

  /** Lets the engine run what is there. Its output is this connection's until it is taken. */
  #run(isLast: boolean): Outcome {
    const host = this.#host;
    const session = this.#session;
    const buffer = this.#buffer;
    try {
      const outcome = isLast
        ? session.finish(buffer.bytes, buffer.start, buffer.end)
        : session.run(buffer.bytes, buffer.start, buffer.end);
      buffer.start = session.consumed;
      host.turns.countWork(session.lines, host.engine.output.length);
      return outcome;
    } catch (error) {
      // A fault of ours: half a reply must not become part of another connection's.
      host.engine.output.take();
      throw error;
    }
  }

  /** Runs on until more bytes are wanted or nothing more is run. */
  async #goOn(outcome: Outcome, isLast: boolean): Promise<Outcome> {
    const { turns } = this.#host;
    while (outcome !== "read" && outcome !== "close") {
      if (outcome === "delay") await this.#delay();
      else if (outcome === "again" || turns.isOver) await turns.next();
      if (this.#isClosed) return "close";
      outcome = this.#run(isLast);
      await this.#send();
    }
    return outcome;
  }

  /** Sends what the engine's output holds. */
  async #send(): Promise<void> {
    const { output } = this.#host.engine;
    const { length } = output;
    if (length === 0) return;
    const replies = output.take();
    this.#sending(length);
    await this.#sendRest(replies, 0, length);
    this.#host.buffers.give(replies);
  }

  async #sendRest(replies: Uint8Array, sent: number, length: number): Promise<void> {
    while (sent < length) {
      const written = await this.#conn.write(replies.subarray(sent, length));
      sent += written;
      this.#progressed(written);
    }
  }

  /** Counts replies that begin to wait. */
  #sending(bytes: number): void {
    const host = this.#host;
    const unsent = bytes + this.#session.heldBytes;
    host.unsentBytes += unsent - this.unsentBytes;
    this.unsentBytes = unsent;
    this.lastSend = ++host.sends;
    if (host.unsentBytes > host.pendingBytesMax) host.relieve(this);
  }

  /** Counts replies that were sent. */
  #progressed(bytes: number): void {
    if (this.#isClosed) return;
    const host = this.#host;
    this.unsentBytes -= bytes;
    this.lastSend = ++host.sends;
    this.activeTick = host.idleTicks;
    host.unsentBytes -= bytes;
  }

  async #delay(): Promise<void> {
    this.#host.onEvent(`Authentication failed: ${describeAddress(this.#conn.remoteAddr)}`);
    await new Promise((resolve) => setTimeout(resolve, authDelayMs));
  }

  /** Counts the bytes of the unfinished line; false when all of them together are too many. */
  #noteUnfinished(bytes: number): boolean {
    const host = this.#host;
    host.unfinishedBytes += bytes - this.#unfinishedBytes;
    this.#unfinishedBytes = bytes;
    return bytes === 0 || host.unfinishedBytes <= host.pendingBytesMax;
  }
}

/** True for what a connection's end looks like. */
function isBrokenConnection(error: unknown): boolean {
  return error instanceof Deno.errors.ConnectionReset ||
    error instanceof Deno.errors.ConnectionAborted ||
    error instanceof Deno.errors.BrokenPipe ||
    error instanceof Deno.errors.NotConnected ||
    error instanceof Deno.errors.TimedOut ||
    error instanceof Deno.errors.UnexpectedEof ||
    error instanceof Deno.errors.BadResource ||
    error instanceof Deno.errors.Interrupted;
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function describeAddress(address: Deno.Addr): string {
  if ("hostname" in address) return `from ${address.hostname} port ${address.port}`;
  return "from the Unix socket";
}
