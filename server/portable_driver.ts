/**
 * The driver of one connection on the runtime's own sockets, `Deno.Conn`: it moves bytes and does
 * what the connection says. One asynchronous function serves a client, since each that waits costs
 * every idle connection a few hundred bytes.
 *
 * @module
 */

import type { SocketAddresses } from "../commands/mod.ts";
import type { Connection, ConnectionDriver, Want } from "./connection.ts";
import type { ServerContext } from "./context.ts";
import { pathOfBound } from "./listeners.ts";
import { linger } from "./linger.ts";
import type { Scheduler } from "./scheduler.ts";
import { addressText } from "./socket_address.ts";

/** Serves one client over a socket of the runtime. */
export class PortableDriver implements ConnectionDriver {
  readonly #conn: Deno.Conn;
  readonly #connection: Connection;
  readonly #context: ServerContext;
  readonly #scheduler: Scheduler;
  /** Resolves once the connection has ended. */
  served: Promise<void> | undefined;
  #isReading = false;
  #isClosed = false;
  #resume: (() => void) | undefined;
  /** Sending that goes on while a read is pending. */
  #sending: Promise<void> | undefined;

  constructor(
    conn: Deno.Conn,
    connection: Connection,
    context: ServerContext,
    scheduler: Scheduler,
  ) {
    this.#conn = conn;
    this.#connection = connection;
    this.#context = context;
    this.#scheduler = scheduler;
    connection.driver = this;
  }

  /** Serves the client until one side ends the connection; `served` resolves then. */
  serve(): void {
    this.served = this.#serve();
  }

  wake(): void {
    if (this.#isReading) this.#sending ??= this.#sendWhileReading();
    this.#resume?.();
  }

  abort(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#resume?.();
    try {
      this.#conn.close();
    } catch {
      // The runtime has closed it already.
    }
  }

  peer(): string {
    const { remoteAddr } = this.#conn;
    if ("hostname" in remoteAddr) return `from ${remoteAddr.hostname} port ${remoteAddr.port}`;
    return "from the Unix socket";
  }

  socket(): SocketAddresses {
    const { remoteAddr, localAddr } = this.#conn;
    if ("hostname" in remoteAddr && "hostname" in localAddr) {
      const address = addressText(remoteAddr);
      return { fd: -1, address, localAddress: addressText(localAddr), isUnix: false };
    }
    const path = "path" in localAddr ? pathOfBound(localAddr.path ?? "") : "";
    return { fd: -1, address: `${path}:0`, localAddress: `${path}:0`, isUnix: true };
  }

  /** Ends the connection once what it has read is answered. */
  drain(): void {
    if (this.#connection.drain() && this.#isReading) this.#connection.abort();
  }

  async #serve(): Promise<void> {
    const conn = this.#conn;
    const connection = this.#connection;
    const scheduler = this.#scheduler;
    try {
      for (;;) {
        const want = this.#next();
        if (want === "read") {
          if (scheduler.shouldYield) {
            await scheduler.yield();
            continue;
          }
          this.#isReading = true;
          const space = connection.space();
          const most = scheduler.readBytesMax;
          const bytes = await conn.read(space.length <= most ? space : space.subarray(0, most));
          this.#isReading = false;
          if (this.#sending !== undefined) await this.#sending;
          if (bytes === null) {
            connection.inputEnded();
          } else {
            connection.received(bytes);
            scheduler.countRead(bytes);
          }
        } else if (want === "send") {
          connection.sent(await conn.write(connection.unsent()));
          if (scheduler.shouldYield && connection.unsentBytes === 0) await scheduler.yield();
        } else if (want === "yield") {
          await scheduler.yield();
        } else if (want === "wait") {
          await new Promise<void>((resolve) => this.#resume = resolve);
          this.#resume = undefined;
        } else {
          // The server closes first, so replies on their way must not be lost.
          if (want === "linger") await linger(conn);
          return;
        }
      }
    } catch (error) {
      // The client has gone, or `abort` has closed the connection: nothing is left to report.
      if (!this.#isClosed && !isBrokenConnection(error)) this.#context.fault(error);
    } finally {
      connection.abort();
      await this.#sending;
      connection.release();
    }
  }

  #next(): Want {
    const connection = this.#connection;
    const requestsBefore = connection.requestsRun;
    const want = connection.next();
    const requests = connection.requestsRun - requestsBefore;
    this.#context.journal?.submit();
    if (want === "send" || requests > 0) {
      this.#scheduler.countWork(requests, connection.unsentBytes);
    }
    return want;
  }

  /** Sends what an operation has completed while the client's next request is awaited. */
  async #sendWhileReading(): Promise<void> {
    try {
      for (;;) {
        const want = this.#next();
        if (want === "send") {
          this.#connection.sent(await this.#conn.write(this.#connection.unsent()));
        } else if (want === "yield") await this.#scheduler.yield();
        else break;
      }
      if (!this.#isReading) return;
      // Nothing more is wanted of this client: its pending read ends with the connection.
      const want = this.#next();
      if (want === "linger" || want === "close") this.#connection.abort();
    } catch {
      this.#connection.abort();
    } finally {
      this.#sending = undefined;
    }
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
