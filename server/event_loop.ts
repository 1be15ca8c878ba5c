/**
 * What the server asks of an event loop. A loop owns the sockets: it listens, accepts, and drives
 * the connections, which know nothing of it.
 *
 * @module
 */

import type { ServerContext } from "./context.ts";

/** The event loops that there are. */
export type Io = "epoll" | "portable";

/** An event loop. */
export interface EventLoop {
  /** Which one it is. */
  readonly io: Io;
  /** Where it listens, with the ports that the system chose. */
  readonly addresses: readonly (Deno.NetAddr | Deno.UnixAddr)[];
  /** The eventfds of all threads, which other threads write to; empty where there are none. */
  readonly wakeFds: readonly number[];
  /**
   * Listens on a TCP address; accepts nobody yet.
   *
   * @throws {Error} when the address is unavailable; its message says what to do.
   */
  listenTcp(address: TcpAddress): void;
  /**
   * Listens on a socket file; accepts nobody yet.
   *
   * @throws {Error} when the path is unavailable; its message says what to do.
   */
  listenUnix(address: UnixAddress): Promise<void>;
  /** Accepts and serves clients. */
  start(context: ServerContext): void;
  /** Resolves after other connections had their turn. */
  yield(): Promise<void>;
  /** Stops listening, and removes the socket files. */
  stopAccepting(): void;
  /**
   * Ends each connection once what it has read is answered; resolves when all have ended and the
   * addresses are free. The context must be draining.
   */
  drain(): Promise<void>;
  /** Lets go of all that is left, once the connections were aborted; resolves when it has. */
  close(): Promise<void>;
}

/** A TCP address; port 0 lets the system choose. */
export interface TcpAddress {
  /** A name or an IP address. */
  hostname: string;
  /** 0 to 65,535; 0 lets the system pick a free one. */
  port: number;
}

/** A Unix domain socket. */
export interface UnixAddress {
  /** The socket's file. */
  path: string;
  /** Its file's mode; 0600 by default. */
  mode?: number;
}
