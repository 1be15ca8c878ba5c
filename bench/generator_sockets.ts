/**
 * What the light load generator asks of Linux, by FFI to the C library: TCP connections that do not
 * block, an epoll set, and the CPU time of a process.
 *
 * Buffers lie on memory of their own, which the garbage collector does not move.
 *
 * @module
 */

import { openCLibrary } from "../c_library.ts";

const symbols = {
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  connect: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  setsockopt: { parameters: ["i32", "i32", "i32", "buffer", "u32"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
  recv: { parameters: ["i32", "buffer", "u32", "i32"], result: "i32" },
  send: { parameters: ["i32", "buffer", "u32", "i32"], result: "i32" },
  epoll_create1: { parameters: ["i32"], result: "i32" },
  epoll_ctl: { parameters: ["i32", "i32", "i32", "buffer"], result: "i32" },
  epoll_wait: { parameters: ["i32", "buffer", "i32", "i32"], result: "i32" },
  clock_gettime: { parameters: ["i32", "buffer"], result: "i32" },
} as const satisfies Deno.ForeignLibraryInterface;

type Libc = Deno.DynamicLibrary<typeof symbols>["symbols"];

const AF_INET = 2;
const SOCK_STREAM = 1;
const IPPROTO_TCP = 6;
const TCP_NODELAY = 1;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
const EPOLLIN = 0x1;
const EPOLLOUT = 0x4;
const EPOLL_CTL_ADD = 1;
const EPOLL_CTL_MOD = 3;
const CLOCK_PROCESS_CPUTIME_ID = 2;

/** Words of 32 bits of a `struct epoll_event`, which is packed on x64 and on no other machine. */
const eventWords = Deno.build.arch === "x86_64" ? 3 : 4;
/** Where the descriptor is in it. */
const eventDataAt = eventWords - 2;
const eventsMax = 512;

/** Called for each descriptor that is ready. */
export type OnReady = (fd: number, isReadable: boolean, isWritable: boolean) => void;

/** Connections to one server, in one epoll set. */
export class GeneratorSockets {
  readonly #libc: Libc;
  readonly #epoll: number;
  readonly #fds: number[] = [];
  readonly #events = new Uint32Array(new ArrayBuffer(eventsMax * eventWords * 4));
  readonly #change = new Uint32Array(new ArrayBuffer(eventWords * 4));

  private constructor(libc: Libc) {
    this.#libc = libc;
    this.#epoll = libc.epoll_create1(0);
  }

  /** Opens the C library; undefined without Linux or without permission. */
  static open(): GeneratorSockets | undefined {
    const libc = openCLibrary(symbols);
    return libc === undefined ? undefined : new GeneratorSockets(libc);
  }

  /** Connects to a port of 127.0.0.1 and watches for replies; returns the descriptor. */
  connect(port: number): number {
    const { socket, connect, setsockopt } = this.#libc;
    const address = new Uint8Array(new ArrayBuffer(16));
    const view = new DataView(address.buffer);
    view.setUint16(0, AF_INET, true);
    view.setUint16(2, port);
    address.set([127, 0, 0, 1], 4);
    const fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd >= 0) this.#fds.push(fd);
    if (fd < 0 || connect(fd, address, address.length) !== 0) {
      throw new Error(`Cannot open connection ${this.#fds.length} to 127.0.0.1:${port}`);
    }
    const on = new Int32Array(new ArrayBuffer(4)).fill(1);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, on, 4);
    this.#control(EPOLL_CTL_ADD, fd, EPOLLIN);
    return fd;
  }

  /** Sends what fits; returns how many bytes. */
  send(fd: number, bytes: Uint8Array<ArrayBuffer>): number {
    return Math.max(0, this.#libc.send(fd, bytes, bytes.length, MSG_DONTWAIT | MSG_NOSIGNAL));
  }

  /** Receives into `space`; returns how many bytes, 0 or less if the connection was closed. */
  receive(fd: number, space: Uint8Array<ArrayBuffer>): number {
    return this.#libc.recv(fd, space, space.length, MSG_DONTWAIT);
  }

  /** Watches for space to send too, or no longer. */
  watchForSpace(fd: number, isWatched: boolean): void {
    this.#control(EPOLL_CTL_MOD, fd, isWatched ? EPOLLIN | EPOLLOUT : EPOLLIN);
  }

  /** Waits until a descriptor is ready or the time is over; returns how many were ready. */
  wait(timeoutMs: number, onReady: OnReady): number {
    const count = this.#libc.epoll_wait(this.#epoll, this.#events, eventsMax, timeoutMs);
    for (let n = 0, at = 0; n < count; n++, at += eventWords) {
      const events = this.#events[at];
      onReady(
        this.#events[at + eventDataAt],
        (events & ~EPOLLOUT) !== 0,
        (events & EPOLLOUT) !== 0,
      );
    }
    return Math.max(0, count);
  }

  /** User and system time of a process, or of this one, in microseconds. */
  cpuTimeUs(pid?: number): number {
    // The clock of another process, as Linux numbers it (see clock_getcpuclockid).
    const clock = pid === undefined ? CLOCK_PROCESS_CPUTIME_ID : ~pid << 3 | 2;
    const time = new BigInt64Array(new ArrayBuffer(16));
    if (this.#libc.clock_gettime(clock, time) !== 0) {
      throw new Error(`Cannot read the CPU time of process ${pid}: it has ended`);
    }
    return Number(time[0]) * 1e6 + Number(time[1]) / 1000;
  }

  /** Closes all connections. */
  close(): void {
    for (const fd of [...this.#fds, this.#epoll]) this.#libc.close(fd);
  }

  #control(operation: number, fd: number, events: number): void {
    this.#change[0] = events;
    this.#change[eventDataAt] = fd;
    this.#change[eventDataAt + 1] = 0;
    if (this.#libc.epoll_ctl(this.#epoll, operation, fd, this.#change) !== 0) {
      throw new Error("Cannot watch a connection: epoll_ctl failed");
    }
  }
}
