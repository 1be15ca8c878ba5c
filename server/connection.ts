/**
 * One client: reads its bytes, lets the engine run the lines in them, and sends the replies of each
 * read in one write. It reads on only once its replies are sent, so a client that does not read
 * is not read either; what it may hold is bounded by the limits of the host.
 *
 * @module
 */

import { ReadBuffer } from "../engine/read_buffer.ts";
import { Session } from "../engine/session.ts";
import { serverBusy } from "../protocol/problems.ts";
import type { Host } from "./host.ts";
import { linger } from "./linger.ts";

/** What a failed AUTH costs, so that tokens cannot be tried quickly. */
export const authDelayMs = 250;

/** How a conversation ended: by the client, or by us, who then have to close with care. */
type Ending = "theirs" | "ours";

/** See the head of this file. */
export class Connection {
  /** Bytes of replies that wait. */
  unsentBytes = 0;
  /** When it last made progress with sending, as a count of the host's sends. */
  lastSend = 0;
  /** When it last received or sent anything, in the host's idle ticks. */
  activeTick: number;
  /** Resolves once the connection has ended. */
  served: Promise<void> = Promise.resolve();
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

  async #serve(): Promise<void> {
    const host = this.#host;
    host.open(this);
    try {
      const ending = await this.#converse();
      if (ending === "ours" && !this.#isClosed) await linger(this.#conn);
    } catch (error) {
      // A peer that vanished, or a connection closed by abort: nobody is left to be told.
      if (!this.#isClosed && !isBrokenConnection(error)) {
        host.onEvent(`Connection closed after a fault: ${describe(error)}`);
      }
    } finally {
      this.abort();
      this.#noteUnfinished(0);
      this.#buffer.release();
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

  async #converse(): Promise<Ending> {
    const { engine } = this.#host;
    const { output } = engine;
    const conn = this.#conn;
    const session = this.#session;
    const buffer = this.#buffer;
    const host = this.#host;
    while (!host.isDraining) {
      this.#isReading = true;
      const bytes = await conn.read(buffer.room());
      this.#isReading = false;
      if (bytes === null) return await this.#finish();
      this.activeTick = host.idleTicks;
      buffer.filled(bytes);
      host.turns.countRead(bytes);
      let outcome = session.run(buffer.bytes, buffer.start, buffer.end);
      buffer.start = session.consumed;
      if (output.length > 0) await this.#send();
      while (outcome !== "read") {
        if (outcome === "close") return "ours";
        if (outcome === "again" || host.turns.isOver) await host.turns.next();
        if (outcome === "delay") await this.#delay();
        outcome = session.run(buffer.bytes, buffer.start, buffer.end);
        buffer.start = session.consumed;
        if (output.length > 0) await this.#send();
      }
      if (!this.#noteUnfinished(buffer.end - buffer.start)) {
        engine.fail(serverBusy);
        await this.#send();
        return "ours";
      }
      if (host.turns.isOver) await host.turns.next();
    }
    return "ours";
  }

  /** The client has ended its side: what it left is run, and everything is answered. */
  async #finish(): Promise<Ending> {
    const { engine, turns } = this.#host;
    const buffer = this.#buffer;
    for (;;) {
      const outcome = this.#session.finish(buffer.bytes, buffer.start, buffer.end);
      buffer.start = this.#session.consumed;
      if (engine.output.length > 0) await this.#send();
      if (outcome === "close") return "theirs";
      if (outcome === "again") await turns.next();
      if (outcome === "delay") await this.#delay();
    }
  }

  /** Sends what the engine's output holds. */
  async #send(): Promise<void> {
    const host = this.#host;
    const { output } = host.engine;
    const { length } = output;
    const bytes = output.take();
    this.unsentBytes = length;
    host.unsentBytes += length;
    this.lastSend = ++host.sends;
    host.turns.countSent(length);
    if (host.unsentBytes > host.pendingBytesMax) host.relieve(this);
    try {
      for (let sent = 0; sent < length;) {
        const written = await this.#conn.write(bytes.subarray(sent, length));
        sent += written;
        this.activeTick = host.idleTicks;
        if (this.#isClosed) return;
        this.unsentBytes -= written;
        host.unsentBytes -= written;
        this.lastSend = ++host.sends;
      }
    } finally {
      host.buffers.give(bytes);
    }
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
