/**
 * Which event loop a server gets.
 *
 * @module
 */

import { EpollLoop } from "./epoll_loop.ts";
import type { EventLoop, Io } from "./event_loop.ts";
import { loadLibc, whyNoLibc } from "./libc.ts";
import { PortableLoop } from "./portable_loop.ts";

/**
 * Makes the loop that is asked for. `"auto"` is epoll where it is available and may hold its
 * thread: where it may not, its waits cost as much as the runtime's sockets do. On Linux, `report`
 * gets a line that says why where it is not available.
 *
 * @throws {Error} when epoll is asked for and not available; its message says what to do.
 */
export async function chooseLoop(
  io: Io | "auto",
  ownsThread: boolean,
  report: (event: string) => void = () => {},
): Promise<EventLoop> {
  const isEpoll = io === "epoll" || io === "auto" && ownsThread;
  const libc = isEpoll ? loadLibc() : undefined;
  if (libc !== undefined) return new EpollLoop(libc, ownsThread);
  if (io === "epoll") {
    throw new Error(
      "Cannot use --io epoll: it needs Linux and --allow-ffi; leave it out or use --io portable",
    );
  }
  if (isEpoll && Deno.build.os === "linux") {
    report(`The portable event loop serves, since epoll is not available: ${whyNoLibc()}`);
  }
  return await PortableLoop.create();
}
