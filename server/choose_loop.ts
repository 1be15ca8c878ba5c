/**
 * Which event loop a server gets, and how many.
 *
 * @module
 */

import { openSharedMemory, type SharedMemory } from "../store.ts";
import { autoThreadsMax, threadsMax } from "./defaults.ts";
import { EpollLoop } from "./epoll_loop.ts";
import type { EventLoop, Io } from "./event_loop.ts";
import { type Libc, loadLibc, whyNoLibc } from "./libc.ts";
import { PortableLoop } from "./portable_loop.ts";
import { ThreadLink } from "./thread_link.ts";

/** What is asked for. */
export interface LoopChoice {
  readonly io: Io | "auto";
  readonly ownsThread: boolean;
  readonly threads: number | "auto";
  /** Gets a line for the operator where epoll would serve if it were available. */
  readonly report?: (event: string) => void;
}

/** The main thread's loop, and what the other threads need, where there are some. */
export interface ChosenLoop {
  readonly loop: EventLoop;
  readonly peers?: {
    readonly libc: Libc;
    readonly link: ThreadLink;
    readonly memory: SharedMemory;
  };
}

/** The threads that `"auto"` means for so many cores. */
export function autoThreads(cores: number): number {
  return Math.max(1, Math.min(autoThreadsMax, Math.floor(cores / 2)));
}

/**
 * Makes the loop that is asked for. `"auto"` is epoll where it is available and either may hold its
 * thread or is one of several: where it may not, its waits cost as much as the runtime's sockets
 * do. On Linux, `report` gets a line that says why where it is not available.
 *
 * @throws {Error} when epoll or several threads are asked for and not available; the message says
 * what to do.
 */
export async function chooseLoop(choice: LoopChoice): Promise<ChosenLoop> {
  const { io, ownsThread, threads } = choice;
  const isCount = threads === "auto" || Number.isInteger(threads) && threads >= 1;
  if (!isCount || threads !== "auto" && threads > threadsMax) {
    throw new RangeError(
      `Cannot serve with ${threads} threads: give 1 to ${threadsMax}, or "auto"`,
    );
  }
  const mustBeEpoll = io === "epoll" || threads !== "auto" && threads > 1;
  const libc = io !== "portable" && (mustBeEpoll || ownsThread) ? loadLibc() : undefined;
  if (libc !== undefined) return epollLoop(libc, choice);
  if (threads !== "auto" && threads > 1) {
    throw new Error(
      `Cannot use --threads ${threads}: more than one needs the epoll loop, so Linux and ` +
        `--allow-ffi${io === "portable" ? ", without --io portable" : ""}; leave it out or use ` +
        "--threads 1",
    );
  }
  if (io === "epoll") {
    throw new Error(
      "Cannot use --io epoll: it needs Linux and --allow-ffi; leave it out or use --io portable",
    );
  }
  if (io === "auto" && ownsThread && Deno.build.os === "linux") {
    choice.report?.(
      `The portable event loop serves, since epoll is not available: ${whyNoLibc()}`,
    );
  }
  return { loop: await PortableLoop.create() };
}

function epollLoop(libc: Libc, { ownsThread, threads }: LoopChoice): ChosenLoop {
  const count = threads === "auto" ? autoThreads(navigator.hardwareConcurrency) : threads;
  const memory = count > 1 ? openSharedMemory() : undefined;
  if (memory === undefined) {
    if (threads === "auto" || count === 1) return { loop: new EpollLoop(libc, ownsThread) };
    throw new Error(`Cannot use --threads ${count}: memory cannot be shared; use --threads 1`);
  }
  const link = ThreadLink.create(count, libc);
  try {
    return { loop: new EpollLoop(libc, ownsThread, link), peers: { libc, link, memory } };
  } catch (error) {
    link.close();
    throw error;
  }
}
