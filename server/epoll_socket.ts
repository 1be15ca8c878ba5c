/**
 * One connected socket in an epoll set: what both a client that is served and one that is sent away
 * need of it.
 *
 * @module
 */

import type { SocketAddresses } from "../commands/mod.ts";
import type { EpollSet, ReadyHandler } from "./epoll_set.ts";
import { EPOLLERR, EPOLLHUP, EPOLLIN, type Libc, MSG_NOSIGNAL, outside, SHUT_WR } from "./libc.ts";
import { pathOfBound } from "./listeners.ts";
import { lingerBytesMax, lingerMs } from "./linger.ts";
import { refusalFor, refusalWaitMs } from "./refusal.ts";
import {
  addressText,
  readSocketAddress,
  readUnixPath,
  socketAddressBytesMax,
} from "./socket_address.ts";

/** What all sockets of a loop use. */
export interface EpollSystem {
  readonly libc: Libc;
  readonly set: EpollSet;
}

/** The most bytes that one call sends, so that one client does not keep the loop. */
const sendBytesMax = 1024 * 1024;

/** Shared by all sockets: nobody reads what is written here. */
const discarded = outside(64 * 1024);

/** A connected socket. */
export class EpollSocket {
  /** Its descriptor; -1 once it is closed. */
  fd: number;
  readonly #system: EpollSystem;
  /** The events that it is watched for; -1 while it is not in the set. */
  #watchedEvents = -1;

  constructor(fd: number, system: EpollSystem) {
    this.fd = fd;
    this.#system = system;
  }

  /** Watches it for incoming bytes; false when the system cannot. */
  open(handler: ReadyHandler): boolean {
    if (!this.#system.set.add(this.fd, EPOLLIN, handler)) return false;
    this.#watchedEvents = EPOLLIN;
    return true;
  }

  /** Changes what it is watched for. */
  watch(events: number): void {
    if (events === this.#watchedEvents || this.#watchedEvents < 0) return;
    this.#watchedEvents = events;
    this.#system.set.change(this.fd, events);
  }

  /** Takes it out of the set: the peer is gone, which would be reported for ever. */
  unwatch(): void {
    if (this.#watchedEvents < 0) return;
    this.#watchedEvents = -1;
    this.#system.set.remove(this.fd);
  }

  /** Bytes that came into `space`; 0 at the end, -1 when there are none now or there was an error. */
  receive(space: Uint8Array<ArrayBuffer>): number {
    return this.#system.libc.recv(this.fd, space, space.length, 0);
  }

  /** Sends the first `length` bytes; returns how many were taken, -1 for none or an error. */
  send(bytes: Uint8Array<ArrayBuffer>, length: number): number {
    return this.#system.libc.send(this.fd, bytes, Math.min(length, sendBytesMax), MSG_NOSIGNAL);
  }

  /** Ends our side. */
  endSending(): void {
    this.#system.libc.shutdown(this.fd, SHUT_WR);
  }

  /** The client's address, for reports. */
  peer(): string {
    const address = outside(socketAddressBytesMax);
    const length = new Uint32Array(outside(4).buffer);
    length[0] = address.length;
    if (this.fd < 0 || this.#system.libc.getpeername(this.fd, address, length) !== 0) {
      return "from a client that has gone";
    }
    const peer = readSocketAddress(address);
    return peer === undefined ? "from the Unix socket" : `from ${peer.hostname} port ${peer.port}`;
  }

  /** Its descriptor and both addresses; undefined once it is closed. */
  addresses(): SocketAddresses | undefined {
    if (this.fd < 0) return undefined;
    const { getpeername, getsockname } = this.#system.libc;
    const address = outside(socketAddressBytesMax);
    const length = new Uint32Array(outside(4).buffer);
    const read = (name: typeof getpeername) => {
      length[0] = address.length;
      if (name(this.fd, address, length) !== 0) return undefined;
      const ip = readSocketAddress(address);
      return ip === undefined
        ? `${pathOfBound(readUnixPath(address, length[0]))}:0`
        : addressText(ip);
    };
    const localAddress = read(getsockname) ?? "";
    const isUnix = localAddress !== "" && readSocketAddress(address) === undefined;
    // A client of a Unix socket has no name of its own.
    const peer = isUnix ? localAddress : read(getpeername) ?? "";
    return { fd: this.fd, address: peer, localAddress, isUnix };
  }

  /** Closes it. */
  close(): void {
    if (this.fd < 0) return;
    this.#system.set.forget(this.fd);
    this.#system.libc.close(this.fd);
    this.fd = -1;
  }
}

/**
 * The end of a connection from our side, as `linger.ts` describes it: what the client still sends
 * is discarded until it ends its own, for a bounded time and number of bytes.
 */
export class EpollLinger implements ReadyHandler {
  readonly #socket: EpollSocket;
  readonly #onEnd: () => void;
  readonly #timer: ReturnType<typeof setTimeout>;
  #bytesLeft = lingerBytesMax;

  /** Ends our side; calls back when the client has ended its own or it is time to close. */
  constructor(socket: EpollSocket, onEnd: () => void) {
    this.#socket = socket;
    this.#onEnd = onEnd;
    this.#timer = setTimeout(onEnd, lingerMs);
    socket.endSending();
    socket.watch(EPOLLIN);
  }

  ready(events: number): void {
    const bytes = this.#socket.receive(discarded);
    this.#bytesLeft -= Math.max(0, bytes);
    const isOver = bytes === 0 || this.#bytesLeft <= 0;
    if (isOver || bytes < 0 && (events & (EPOLLERR | EPOLLHUP)) !== 0) this.#onEnd();
  }

  /** No longer waits. */
  stop(): void {
    clearTimeout(this.#timer);
  }
}

/**
 * The refusal of a connection, as `refusal.ts` describes it: the client's first byte is waited for,
 * the answer follows, and then the end.
 */
export class EpollRefusal implements ReadyHandler {
  readonly #socket: EpollSocket;
  readonly #onEnd: () => void;
  readonly #timer: ReturnType<typeof setTimeout>;
  #linger: EpollLinger | undefined;

  /** Calls back when the client has ended its side or it is time to close. */
  constructor(socket: EpollSocket, onEnd: () => void) {
    this.#socket = socket;
    this.#onEnd = onEnd;
    this.#timer = setTimeout(() => this.#answer(undefined), refusalWaitMs);
  }

  ready(events: number): void {
    if (this.#linger !== undefined) return this.#linger.ready(events);
    const bytes = this.#socket.receive(discarded);
    if (bytes > 0) this.#answer(discarded[0]);
    else if (bytes === 0) this.#answer(undefined);
    else if ((events & (EPOLLERR | EPOLLHUP)) !== 0) this.#onEnd();
  }

  /** No longer waits. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#linger?.stop();
  }

  #answer(firstByte: number | undefined): void {
    clearTimeout(this.#timer);
    const refusal = refusalFor(firstByte);
    this.#socket.send(refusal, refusal.length);
    this.#linger = new EpollLinger(this.#socket, this.#onEnd);
  }
}
