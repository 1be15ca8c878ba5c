/**
 * Which event loop a server gets.
 *
 * @module
 */

import { EpollLoop } from "./epoll_loop.ts";
import type { EventLoop, Io } from "./event_loop.ts";
import { loadLibc } from "./libc.ts";
import { PortableLoop } from "./portable_loop.ts";

/**
 * Makes the loop that is asked for. `"auto"` is epoll where it is available and may hold its
 * thread: where it may not, its waits cost as much as the runtime's sockets do.
 *
 * @throws {Error} when epoll is asked for and not available; its message says what to do.
 */
export async function chooseLoop(io: Io | "auto", ownsThread: boolean): Promise<EventLoop> {
  const isEpoll = io === "epoll" || io === "auto" && ownsThread;
  const libc = isEpoll ? loadLibc() : undefined;
  if (libc !== undefined) return new EpollLoop(libc, ownsThread);
  if (io === "epoll") {
    throw new Error(
      "Cannot use --io epoll: it needs Linux and --allow-ffi; leave it out or use --io portable",
    );
  }
  return await PortableLoop.create();
}
