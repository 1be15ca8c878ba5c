/**
 * Starts the servers of tests that are run over each event loop. `BLINK_TEST_IO` chooses the loop:
 * `epoll` where it is available, else the portable one.
 *
 * @module
 */

import { type Io, serve as serveOver, type Server, type ServerOptions } from "../server.ts";

/** The loop that is tested. */
export const testIo: Io = Deno.env.get("BLINK_TEST_IO") === "epoll" && Deno.build.os === "linux"
  ? "epoll"
  : "portable";

/** Starts a server over the loop that is tested. */
export async function serve(options: ServerOptions = {}): Promise<Server> {
  return await serveOver({ io: testIo, ...options });
}
