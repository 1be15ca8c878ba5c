/**
 * Accepting connections, until the listener is closed. Whatever happens to one connection, the
 * others are accepted: only where descriptors or memory are out does it pause.
 *
 * @module
 */

import { tooManyConnections } from "../protocol.ts";
import { Connection } from "./connection.ts";
import type { ServerContext } from "./context.ts";
import { linger } from "./linger.ts";
import { PortableDriver } from "./portable_driver.ts";
import type { Scheduler } from "./scheduler.ts";

/** The first and the longest pause after an accept that failed, in milliseconds. */
const retryMs = { first: 50, longest: 500 } as const;

/** Connections beyond the limit that are told so at the same time; others are just closed. */
const refusalsMax = 64;

/** What accepting needs to know of its server. */
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
      // A client that has gone again before it was accepted is no reason to keep others waiting.
      if (isOfOneConnection(error)) continue;
      const text = `Cannot accept a connection: ${describe(error)}; trying again and again`;
      if (pauseMs === 0) context.events.report("accept", text, context.nowMs);
      pauseMs = Math.min(Math.max(retryMs.first, 2 * pauseMs), retryMs.longest);
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
      continue;
    }
    if (pauseMs > 0) {
      pauseMs = 0;
      context.events.report("accept", "Accepting connections again", context.nowMs);
    }
    if (context.connections.size < context.limits.connectionsMax) {
      serve(conn, options);
      // Newcomers, however many, leave those that are connected their turn.
      options.scheduler.countRead(0);
      if (options.scheduler.shouldYield) await options.scheduler.yield();
      continue;
    }
    const { counters } = context.commands;
    counters.connections.refused++;
    counters.errors.too_many_connections++;
    if (refusals >= refusalsMax) {
      closeQuietly(conn);
      continue;
    }
    refusals++;
    void refuse(conn).finally(() => refusals--);
  }
}

function serve(conn: Deno.Conn, { context, scheduler, drivers }: AcceptOptions): void {
  try {
    (conn as Partial<Deno.TcpConn>).setNoDelay?.(true);
  } catch {
    // It was reset before it could be served; its first read finds out.
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

async function refuse(conn: Deno.Conn): Promise<void> {
  try {
    await conn.write(tooManyConnections.line);
    await linger(conn);
  } catch {
    // It went away by itself.
  }
  closeQuietly(conn);
}

function closeQuietly(conn: Deno.Conn): void {
  try {
    conn.close();
  } catch {
    // It is closed already.
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
