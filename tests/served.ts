/**
 * Starts the servers of tests that are run over each event loop. `BLINK_TEST_IO` chooses the loop:
 * `epoll` where it is available, else the portable one. `BLINK_TEST_THREADS` is the number of
 * threads over epoll; a test that passes its own store has one.
 *
 * @module
 */

import { type Io, serve as serveOver, type Server, type ServerOptions } from "../server.ts";

/** The loop that is tested. */
export const testIo: Io = Deno.env.get("BLINK_TEST_IO") === "epoll" && Deno.build.os === "linux"
  ? "epoll"
  : "portable";

/** The threads that are tested. */
export const testThreads: number = testIo === "epoll"
  ? Number(Deno.env.get("BLINK_TEST_THREADS") ?? 1)
  : 1;

/** Starts a server over the loop that is tested. */
export async function serve(options: ServerOptions = {}): Promise<Server> {
  const isOther = options.store !== undefined || options.io !== undefined;
  const threads = isOther ? 1 : testThreads;
  return await serveOver({ io: testIo, threads, ...options });
}
