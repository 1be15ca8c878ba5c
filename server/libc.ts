/**
 * The system calls of the epoll loop, from Linux's C library by FFI: signatures, constants and the
 * layout of structures, for x64 and arm64, glibc and musl.
 *
 * A call fails with -1. Why is in `errno`, which the runtime may change before we could read it, so
 * nobody here reads it: a socket that is not ready is told from one whose peer is gone by what
 * epoll reports next. Lengths are passed as 32 bits, which keeps big integers off the hot path.
 *
 * Buffers for these calls are made by `outside`: the garbage collector moves small typed arrays
 * unless they lie on a buffer of their own.
 *
 * @module
 */

import { isFfiAllowed, openCLibrary } from "../c_library.ts";

const symbols = {
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  bind: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  listen: { parameters: ["i32", "i32"], result: "i32" },
  accept4: { parameters: ["i32", "pointer", "pointer", "i32"], result: "i32" },
  getsockname: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  getpeername: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  setsockopt: { parameters: ["i32", "i32", "i32", "buffer", "u32"], result: "i32" },
  shutdown: { parameters: ["i32", "i32"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
  recv: { parameters: ["i32", "buffer", "u32", "i32"], result: "i32" },
  send: { parameters: ["i32", "buffer", "u32", "i32"], result: "i32" },
  read: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  write: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  clock_gettime: { parameters: ["i32", "buffer"], result: "i32" },
  if_nametoindex: { parameters: ["buffer"], result: "u32" },
  eventfd: { parameters: ["u32", "i32"], result: "i32" },
  epoll_create1: { parameters: ["i32"], result: "i32" },
  epoll_ctl: { parameters: ["i32", "i32", "i32", "buffer"], result: "i32" },
  epoll_wait: { parameters: ["i32", "buffer", "i32", "i32"], result: "i32" },
  /** `epoll_wait` in a thread of the runtime, while this one goes on. */
  epoll_wait_aside: {
    name: "epoll_wait",
    parameters: ["i32", "buffer", "i32", "i32"],
    result: "i32",
    nonblocking: true,
  },
} as const satisfies Deno.ForeignLibraryInterface;

/** The system calls. */
export type Libc = Deno.DynamicLibrary<typeof symbols>["symbols"];

/** Families, types and options of sockets. */
export const AF_UNIX = 1;
export const AF_INET = 2;
export const AF_INET6 = 10;
export const SOCK_STREAM = 1;
export const SOCK_NONBLOCK = 0o4000;
export const SOCK_CLOEXEC = 0o2000000;
export const SOL_SOCKET = 1;
export const SO_REUSEADDR = 2;
export const IPPROTO_TCP = 6;
export const TCP_NODELAY = 1;
export const SHUT_WR = 1;
export const MSG_NOSIGNAL = 0x4000;

/** What epoll watches and reports. */
export const EPOLLIN = 0x1;
export const EPOLLOUT = 0x4;
export const EPOLLERR = 0x8;
export const EPOLLHUP = 0x10;
export const EPOLL_CLOEXEC = 0o2000000;
export const EPOLL_CTL_ADD = 1;
export const EPOLL_CTL_DEL = 2;
export const EPOLL_CTL_MOD = 3;

/** The clock that counts from the machine's start, and is never set. */
export const CLOCK_MONOTONIC = 1;

/** Flags of an eventfd. */
export const EFD_CLOEXEC = 0o2000000;
export const EFD_NONBLOCK = 0o4000;

/**
 * `struct epoll_event` in words of 32 bits: the events, then 64 bits that are ours. It is packed on
 * x64 and on no other machine.
 */
export const epollEvent = Deno.build.arch === "x86_64"
  ? { words: 3, dataAt: 1 } as const
  : { words: 4, dataAt: 2 } as const;

/** Zeroed bytes that the garbage collector does not move. */
export function outside(bytes: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new ArrayBuffer(bytes));
}

/** Loaded once. */
let loaded: Libc | undefined;

/** The system calls; undefined where there is no epoll, or no permission to call it. */
export function loadLibc(): Libc | undefined {
  loaded ??= openCLibrary(symbols);
  return loaded;
}

/** Why `loadLibc` gives nothing, in a few words. */
export function whyNoLibc(): string {
  if (Deno.build.os !== "linux") return "it needs Linux";
  return isFfiAllowed() ? "the C library cannot be loaded" : "it needs --allow-ffi";
}
