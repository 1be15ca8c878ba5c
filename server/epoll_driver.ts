/**
 * The driver of one connection in the epoll loop: it moves bytes and does what the connection says.
 *
 * It reads at most once when its socket is ready, and runs a bounded number of requests: then it
 * lets the others have their turn. Nothing here waits, so a buffer is in the system's hands only
 * during a call: all connections of a loop read into one buffer, and send from one. What they have
 * not consumed, and what the system did not take, moves at the end of their turn to buffers of
 * their own.
 *
 * @module
 */

import type { SocketAddresses } from "../commands/mod.ts";
import type { Connection, ConnectionDriver } from "./connection.ts";
import type { ServerContext } from "./context.ts";
import type { ReadyHandler } from "./epoll_set.ts";
import { EpollLinger, type EpollSocket } from "./epoll_socket.ts";
import { chunkBytes } from "./input_buffer.ts";
import { EPOLLERR, EPOLLHUP, EPOLLIN, EPOLLOUT, outside } from "./libc.ts";

/** Requests after which a connection lets the others have their turn. */
const turnRequests = 512;

/** Bytes sent after which it does. */
const turnBytes = 256 * 1024;

/** With more connections than this, a read takes a smaller part. */
const crowdedConnections = 100;
const crowdedReadBytes = 16 * 1024;

/** What connections read into, one at a time. */
export class ReceiveBuffer {
  readonly #bytes = outside(chunkBytes);
  readonly #crowdedBytes = this.#bytes.subarray(0, crowdedReadBytes);

  /** The bytes to read into while there are so many connections. */
  for(connections: number): Uint8Array<ArrayBuffer> {
    return connections > crowdedConnections ? this.#crowdedBytes : this.#bytes;
  }
}

/** What a driver asks of its loop. */
export interface EpollTurns {
  /** Lent to a connection for its turn. */
  readonly received: ReceiveBuffer;
  /** Advances the driver in the next round. */
  queue(driver: EpollDriver): void;
  /** The connection has ended, and its socket is closed. */
  ended(driver: EpollDriver): void;
}

/** Serves one client over a socket in an epoll set. */
export class EpollDriver implements ConnectionDriver, ReadyHandler {
  readonly #socket: EpollSocket;
  readonly #connection: Connection;
  readonly #context: ServerContext;
  readonly #turns: EpollTurns;
  #isQueued = false;
  #isAdvancing = false;
  #isClosed = false;
  /** True while the connection waits for the client's bytes, or for it to take some. */
  #isReading = false;
  #isSending = false;
  /** True once the peer is gone: what it left is read, and nobody is left to be told. */
  #isPeerGone = false;
  #linger: EpollLinger | undefined;

  constructor(
    socket: EpollSocket,
    connection: Connection,
    context: ServerContext,
    turns: EpollTurns,
  ) {
    this.#socket = socket;
    this.#connection = connection;
    this.#context = context;
    this.#turns = turns;
    connection.driver = this;
    connection.sharesOutput = true;
  }

  /** Serves the client; `ended` of the turns is called when one side has ended the connection. */
  serve(): void {
    if (this.#socket.open(this)) this.advance();
    else this.#connection.abort();
  }

  ready(events: number): void {
    if (this.#linger !== undefined) return this.#linger.ready(events);
    if ((events & (EPOLLERR | EPOLLHUP)) !== 0) {
      this.#isPeerGone = true;
      this.#socket.unwatch();
    }
    // It has its turn in this round anyway.
    if (this.#isQueued) return;
    if (this.#isReading || this.#isSending) this.#advance(true);
    else this.#socket.watch(0);
  }

  /** Goes on, in its turn. */
  advance(): void {
    this.#isQueued = false;
    this.#advance(this.#isPeerGone);
  }

  wake(): void {
    this.#queue();
  }

  abort(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#linger?.stop();
    this.#socket.close();
    if (!this.#isAdvancing) this.#connection.release();
    this.#turns.ended(this);
  }

  peer(): string {
    return this.#socket.peer();
  }

  socket(): SocketAddresses | undefined {
    return this.#socket.addresses();
  }

  /** Ends the connection once what it has read is answered. */
  drain(): void {
    if (this.#connection.drain() && this.#isReading) this.#connection.abort();
    else this.#queue();
  }

  #queue(): void {
    if (this.#isQueued || this.#isClosed || this.#linger !== undefined) return;
    this.#isQueued = true;
    this.#turns.queue(this);
  }

  #advance(isReady: boolean): void {
    if (this.#isClosed || this.#isAdvancing || this.#context.isBroken) return;
    this.#isAdvancing = true;
    this.#isReading = this.#isSending = false;
    try {
      this.#run(isReady);
      if (!this.#isClosed) this.#connection.settle();
    } catch (error) {
      this.#context.fault(error);
      this.#connection.abort();
    }
    this.#isAdvancing = false;
    if (this.#isClosed) this.#connection.release();
  }

  #run(isReady: boolean): void {
    const connection = this.#connection;
    const requestsBefore = connection.requestsRun;
    let mayRead = isReady;
    let sentBytes = 0;
    for (;;) {
      switch (connection.next()) {
        case "read":
          if (mayRead && this.#read()) mayRead = false;
          else return this.#awaitBytes();
          break;
        case "send": {
          const bytes = this.#send();
          if (bytes <= 0) return;
          sentBytes += bytes;
          if (connection.requestsRun - requestsBefore < turnRequests && sentBytes < turnBytes) {
            break;
          }
          return this.#queue();
        }
        case "yield":
          return this.#queue();
        case "wait":
          return;
        case "linger":
          if (this.#isPeerGone) return connection.abort();
          this.#linger = new EpollLinger(this.#socket, () => connection.abort());
          return;
        case "close":
          return connection.abort();
      }
    }
  }

  /** Reads once; false when there is nothing to read now. */
  #read(): boolean {
    const connection = this.#connection;
    const lent = this.#turns.received.for(this.#context.connections.size);
    const space = connection.space(lent);
    const bytes = this.#socket.receive(
      space.length <= lent.length ? space : space.subarray(0, lent.length),
    );
    if (bytes > 0) connection.received(bytes);
    else if (bytes === 0) connection.inputEnded();
    else if (this.#isPeerGone) connection.abort();
    else return false;
    return true;
  }

  #awaitBytes(): void {
    this.#isReading = true;
    // Epoll reports a peer that is gone no more, so what it left is read in the next rounds.
    if (this.#isPeerGone) this.#queue();
    else this.#socket.watch(EPOLLIN);
  }

  /** Sends what there is; returns how many bytes were taken. */
  #send(): number {
    const connection = this.#connection;
    const { unsentBytes } = connection;
    const bytes = this.#socket.send(connection.unsentNow(), unsentBytes);
    if (bytes > 0) connection.sent(bytes);
    if (bytes === unsentBytes) return bytes;
    if (this.#isPeerGone) {
      connection.abort();
      return 0;
    }
    this.#isSending = true;
    this.#socket.watch(EPOLLOUT);
    return 0;
  }
}
