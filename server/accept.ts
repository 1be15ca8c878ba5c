/**
 * Accepts connections until the listener is closed. An error of one connection does not delay the
 * others; accepting pauses only when descriptors or memory have run out.
 *
 * @module
 */

import { Connection } from "./connection.ts";
import type { ServerContext } from "./context.ts";
import { PortableDriver } from "./portable_driver.ts";
import { refuse } from "./refusal.ts";
import type { Scheduler } from "./scheduler.ts";

/** The first and the longest pause after an accept that failed, in milliseconds. */
export const acceptPauseMs = { first: 50, longest: 500 } as const;

/**
 * Connections beyond the limit that get an error reply at the same time; others are just closed.
 */
export const refusalsMax = 64;

/** The parts of the server that accepting needs. */
export interface AcceptOptions {
  readonly context: ServerContext;
  readonly scheduler: Scheduler;
  /** The drivers of the connections that are open. */
  readonly drivers: Set<PortableDriver>;
  readonly isClosing: () => boolean;
}

/** Accepts connections until the listener is closed. Never rejects. */
export async function accept(listener: Deno.Listener, options: AcceptOptions): Promise<void> {
  const { context, isClosing } = options;
  let pauseMs = 0;
  let refusals = 0;
  while (!isClosing()) {
    let conn: Deno.Conn;
    try {
      conn = await listener.accept();
    } catch (error) {
      if (isClosing()) return;
      // The client left before it was accepted; others must not wait for that.
      if (isOfOneConnection(error)) continue;
      const text = `Cannot accept a connection: ${
        describe(error)
      }; trying again at least twice a second`;
      if (pauseMs === 0) context.events.report("accept", text, context.nowMs);
      pauseMs = Math.min(Math.max(acceptPauseMs.first, 2 * pauseMs), acceptPauseMs.longest);
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
      continue;
    }
    if (pauseMs > 0) {
      pauseMs = 0;
      context.events.report("accept", "Accepting connections again", context.nowMs);
    }
    if (context.mayAccept) {
      serve(conn, options);
      // Newcomers, however many, leave those that are connected their turn.
      options.scheduler.countRead(0);
      if (options.scheduler.shouldYield) await options.scheduler.yield();
      continue;
    }
    context.commands.counters.connectionRefused();
    if (refusals >= refusalsMax) {
      closeQuietly(conn);
      continue;
    }
    refusals++;
    void refuseQuietly(conn).finally(() => refusals--);
  }
}

function serve(conn: Deno.Conn, { context, scheduler, drivers }: AcceptOptions): void {
  try {
    (conn as Partial<Deno.TcpConn>).setNoDelay?.(true);
  } catch {
    // The client has reset the connection; the first read fails, too.
  }
  const driver = new PortableDriver(conn, new Connection(context), context, scheduler);
  drivers.add(driver);
  driver.serve();
  void driver.served?.finally(() => drivers.delete(driver));
}

/** True for an error that concerns the one connection that was to be accepted. */
function isOfOneConnection(error: unknown): boolean {
  return error instanceof Deno.errors.ConnectionReset ||
    error instanceof Deno.errors.ConnectionAborted ||
    error instanceof Deno.errors.NotConnected ||
    error instanceof Deno.errors.TimedOut ||
    error instanceof Deno.errors.BrokenPipe ||
    error instanceof Deno.errors.Interrupted ||
    (error as { code?: unknown } | null)?.code === "EINVAL";
}

async function refuseQuietly(conn: Deno.Conn): Promise<void> {
  try {
    await refuse(conn);
  } catch {
    // The client has closed the connection.
  }
  closeQuietly(conn);
}

function closeQuietly(conn: Deno.Conn): void {
  try {
    conn.close();
  } catch {
    // The connection is closed already.
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
