/**
 * Listening sockets of the epoll loop: binding, and accepting. Whatever happens to one connection,
 * the others are accepted: only where descriptors or memory are out does it pause.
 *
 * @module
 */

import { acceptPauseMs, refusalsMax } from "./accept.ts";
import type { ServerContext } from "./context.ts";
import type { ReadyHandler } from "./epoll_set.ts";
import { EpollRefusal, EpollSocket, type EpollSystem } from "./epoll_socket.ts";
import type { TcpAddress, UnixAddress } from "./event_loop.ts";
import {
  AF_INET,
  AF_INET6,
  AF_UNIX,
  EPOLLIN,
  IPPROTO_TCP,
  type Libc,
  outside,
  SO_REUSEADDR,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOL_SOCKET,
  TCP_NODELAY,
} from "./libc.ts";
import { acceptBacklog, bindUnix, type Bound, listenTcp } from "./listeners.ts";
import {
  ipSocketAddress,
  readSocketAddress,
  socketAddressBytesMax,
  unixSocketAddress,
  withoutZone,
} from "./socket_address.ts";

/** A descriptor that listens. */
export interface Listening {
  readonly fd: number;
  close(): void;
}

/** Connections that are accepted before others have their turn. */
const acceptsInTurn = 64;

/** Accepts that fail in a row although a connection waits, before it pauses. */
const failuresMax = 3;

const on = new Int32Array(outside(4).buffer).fill(1);

/**
 * Listens on a TCP address.
 *
 * @throws {Error} when the address is unavailable; its message says what to do.
 */
export function epollListenTcp(libc: Libc, address: TcpAddress): Bound<Listening> {
  const sockaddr = socketAddress(libc, address);
  const listener = sockaddr === undefined
    ? undefined
    : listenOn(libc, sockaddr[0] === AF_INET ? AF_INET : AF_INET6, sockaddr);
  const bound = listener === undefined ? undefined : boundAddress(libc, listener.fd);
  if (listener === undefined || bound === undefined) {
    listener?.close();
    // The runtime fails likewise, and knows why.
    listenTcp(address).close();
    throw new Error(
      `Cannot listen on ${address.hostname}:${address.port}: the epoll loop takes no such address; ` +
        "give an IP address, or use --io portable",
    );
  }
  return { listener, address: { transport: "tcp", ...bound }, close: () => listener.close() };
}

/**
 * Listens on a socket file.
 *
 * @throws {Error} when the path is unavailable; its message says what to do.
 */
export function epollListenUnix(libc: Libc, address: UnixAddress): Promise<Bound<Listening>> {
  return bindUnix(address, (path) => {
    const sockaddr = unixSocketAddress(path);
    const listener = sockaddr === undefined ? undefined : listenOn(libc, AF_UNIX, sockaddr);
    if (listener !== undefined) return listener;
    // The runtime fails likewise, and knows why.
    Deno.listen({ transport: "unix", path }).close();
    throw new Error("the epoll loop takes no such path; use --io portable");
  });
}

/** The `sockaddr` of an address, whose name the runtime looks up; undefined if there is none. */
function socketAddress(
  libc: Libc,
  { hostname, port }: TcpAddress,
): Uint8Array<ArrayBuffer> | undefined {
  const [host, zone] = withoutZone(hostname);
  if (zone === undefined) {
    return ipSocketAddress(host, port) ?? ipSocketAddress(resolved(host), port);
  }
  const interfaceNumber = /^\d+$/.test(zone) ? Number(zone) : interfaceNamed(libc, zone);
  return interfaceNumber === 0 ? undefined : ipSocketAddress(host, port, interfaceNumber);
}

/** The number of a network interface; 0 for none of this name. */
function interfaceNamed(libc: Libc, name: string): number {
  const bytes = new TextEncoder().encode(name);
  // A longer buffer than the name's ends it with a zero byte.
  const text = outside(bytes.length + 1);
  text.set(bytes);
  return libc.if_nametoindex(text);
}

/** The IP address of a name. */
function resolved(hostname: string): string {
  try {
    const probe = Deno.listen({ hostname, port: 0 });
    probe.close();
    return probe.addr.hostname;
  } catch {
    return hostname;
  }
}

function listenOn(
  libc: Libc,
  family: number,
  sockaddr: Uint8Array<ArrayBuffer>,
): Listening | undefined {
  const fd = libc.socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return undefined;
  if (family !== AF_UNIX) libc.setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, on, on.byteLength);
  const isListening = libc.bind(fd, sockaddr, sockaddr.length) === 0 &&
    libc.listen(fd, acceptBacklog) === 0;
  let isOpen = true;
  const close = () => {
    if (isOpen) libc.close(fd);
    isOpen = false;
  };
  if (isListening) return { fd, close };
  close();
  return undefined;
}

function boundAddress(libc: Libc, fd: number): { hostname: string; port: number } | undefined {
  const address = outside(socketAddressBytesMax);
  const length = new Uint32Array(outside(4).buffer);
  length[0] = address.length;
  if (libc.getsockname(fd, address, length) !== 0) return undefined;
  return readSocketAddress(address);
}

/** Accepts the connections of one listening socket. */
export class EpollAcceptor implements ReadyHandler {
  readonly #fd: number;
  readonly #isTcp: boolean;
  readonly #system: EpollSystem;
  readonly #context: ServerContext;
  readonly #serve: (fd: number) => void;
  /** Those that are told that there are too many. */
  readonly #refused = new Map<EpollSocket, EpollRefusal>();
  #failures = 0;
  #pauseMs = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isStopped = false;

  /** Calls `serve` with the descriptor of each client, from when it is started. */
  constructor(
    bound: Bound<Listening>,
    system: EpollSystem,
    context: ServerContext,
    serve: (fd: number) => void,
  ) {
    this.#fd = bound.listener.fd;
    this.#isTcp = bound.address.transport === "tcp";
    this.#system = system;
    this.#context = context;
    this.#serve = serve;
  }

  /** Accepts from now on. */
  start(): void {
    this.#timer = undefined;
    if (!this.#isStopped && !this.#system.set.add(this.#fd, EPOLLIN, this)) this.#pause();
  }

  /** Accepts no more; to be called before the descriptor is closed. */
  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    this.#system.set.remove(this.#fd);
  }

  /** Closes those that are told that there are too many connections. */
  dropRefused(): void {
    for (const socket of [...this.#refused.keys()]) this.#drop(socket);
  }

  ready(): void {
    const { libc } = this.#system;
    for (let n = 0; n < acceptsInTurn && !this.#isStopped; n++) {
      const fd = libc.accept4(this.#fd, null, null, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd < 0) {
        // After others it means that none is left. At first a client may have gone again, but not
        // several times in a row.
        if (n === 0 && ++this.#failures >= failuresMax) this.#pause();
        return;
      }
      this.#accepted(fd);
    }
  }

  #accepted(fd: number): void {
    const context = this.#context;
    this.#failures = 0;
    if (this.#pauseMs > 0) {
      this.#pauseMs = 0;
      context.events.report("accept", "Accepting connections again", context.nowMs);
    }
    const { libc } = this.#system;
    if (this.#isTcp) libc.setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, on, on.byteLength);
    if (context.mayAccept) this.#serve(fd);
    else this.#refuse(new EpollSocket(fd, this.#system));
  }

  #refuse(socket: EpollSocket): void {
    this.#context.commands.counters.connectionRefused();
    const canTell = this.#refused.size < refusalsMax &&
      socket.open({ ready: (events) => this.#refused.get(socket)?.ready(events) });
    if (!canTell) return socket.close();
    this.#refused.set(socket, new EpollRefusal(socket, () => this.#drop(socket)));
  }

  #drop(socket: EpollSocket): void {
    this.#refused.get(socket)?.stop();
    this.#refused.delete(socket);
    socket.close();
  }

  /** Nobody can be accepted now: the listener leaves the set, or it would be reported for ever. */
  #pause(): void {
    const { events, nowMs } = this.#context;
    if (this.#pauseMs === 0) {
      const text =
        `Cannot accept a connection: ${whatIsOut()}; trying again at least twice a second`;
      events.report("accept", text, nowMs);
    }
    this.#failures = failuresMax - 1;
    this.#pauseMs = Math.min(
      Math.max(acceptPauseMs.first, 2 * this.#pauseMs),
      acceptPauseMs.longest,
    );
    this.#system.set.remove(this.#fd);
    this.#timer = setTimeout(() => this.start(), this.#pauseMs);
  }
}

/** Why no descriptor is to be had, as the runtime sees it. */
function whatIsOut(): string {
  try {
    Deno.openSync("/dev/null").close();
    return "the system has no more for it";
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
