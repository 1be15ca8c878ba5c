/**
 * Where the server listens: binding addresses and socket files, accepting, and letting go of them.
 *
 * @module
 */

import { tooManyConnections } from "../protocol/problems.ts";
import { Connection } from "./connection.ts";
import type { Host } from "./host.ts";
import { linger } from "./linger.ts";

/** A TCP address; port 0 lets the system choose. */
export interface TcpAddress {
  /** A name or an IP address. */
  hostname: string;
  /** 0 to 65,535; 0 lets the system pick a free one. */
  port: number;
}

/** A Unix domain socket. */
export interface UnixAddress {
  /** The socket's file. */
  path: string;
  /** Its file's mode; 0600 unless given. */
  mode?: number;
}

const unixModeDefault = 0o600;

/** Connections that the system completes before they are accepted, so that a rush is not refused. */
const acceptBacklog = 4096;

/** The first and the longest wait after an accept that failed, in milliseconds. */
const acceptRetryMs = { first: 50, longest: 500 } as const;

/** Connections beyond the limit that are told so at the same time; others are just closed. */
const refusalsMax = 64;

/** Listens on a TCP address. The error of an address that cannot be had says what to do. */
export function listenTcp({ hostname, port }: TcpAddress): Deno.Listener {
  const address = `${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`;
  try {
    // Deno 2.4 does not know of the backlog, nor do its types; it takes what it knows.
    const options = { transport: "tcp", hostname, port, tcpBacklog: acceptBacklog } as const;
    return Deno.listen(options);
  } catch (error) {
    throw new Error(`Cannot listen on ${address}: ${reason(error)}`);
  }
}

function reason(error: unknown): string {
  if (error instanceof Deno.errors.AddrInUse) {
    return "the address is in use; stop the other server or choose another with --tcp HOST:PORT";
  }
  if (error instanceof Deno.errors.AddrNotAvailable) {
    return "this machine has no such address; choose another with --tcp HOST:PORT";
  }
  if (error instanceof Deno.errors.PermissionDenied) {
    return "this port needs more rights; choose one from 1024 up with --tcp HOST:PORT";
  }
  const text = error instanceof Error ? error.message : String(error);
  return `${text}; choose another address with --tcp HOST:PORT`;
}

/**
 * Listens on a socket file. One that no server listens on any more is replaced; a live one and
 * anything that is not a socket are left alone, and the error says what to do.
 */
export async function listenUnix({ path, mode }: UnixAddress): Promise<Deno.Listener> {
  await removeStale(path);
  const before = setUmask(0o777 & ~(mode ?? unixModeDefault));
  let listener: Deno.Listener;
  try {
    listener = Deno.listen({ transport: "unix", path });
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    throw new Error(`Cannot listen on ${path}: ${text}; choose another with --unix PATH`);
  } finally {
    if (before !== undefined) setUmask(before);
  }
  if (Deno.build.os !== "windows") Deno.chmodSync(path, mode ?? unixModeDefault);
  return listener;
}

/** Sets the mask of new files' modes, where the system has one and we are allowed to. */
function setUmask(mask: number): number | undefined {
  if (Deno.build.os === "windows") return undefined;
  try {
    return Deno.umask(mask);
  } catch {
    return undefined;
  }
}

async function removeStale(path: string): Promise<void> {
  let info: Deno.FileInfo;
  try {
    info = await Deno.lstat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    throw new Error(`Cannot listen on ${path}: ${describe(error)}`);
  }
  if (info.isSocket !== true) {
    throw new Error(
      `Cannot listen on ${path}: there is a file that is not a socket; ` +
        "remove it or choose another with --unix PATH",
    );
  }
  try {
    const conn = await Deno.connect({ transport: "unix", path });
    conn.close();
  } catch (error) {
    if (error instanceof Deno.errors.ConnectionRefused) {
      await Deno.remove(path);
      return;
    }
    throw new Error(`Cannot listen on ${path}: ${describe(error)}`);
  }
  throw new Error(
    `Cannot listen on ${path}: a server is listening there; ` +
      "stop it or choose another with --unix PATH",
  );
}

/** Accepts connections until the listener is closed. */
export async function accept(
  listener: Deno.Listener,
  host: Host,
  isClosing: () => boolean,
): Promise<void> {
  let retryMs = 0;
  let refusals = 0;
  while (!isClosing()) {
    let conn: Deno.Conn;
    try {
      conn = await listener.accept();
    } catch (error) {
      if (isClosing()) return;
      if (retryMs === 0) {
        host.onEvent(`Cannot accept a connection: ${describe(error)}; trying again and again`);
      }
      retryMs = Math.min(Math.max(acceptRetryMs.first, 2 * retryMs), acceptRetryMs.longest);
      await new Promise((resolve) => setTimeout(resolve, retryMs));
      continue;
    }
    if (retryMs > 0) {
      retryMs = 0;
      host.onEvent("Accepting connections again");
    }
    if (host.connections.size < host.connectionsMax) {
      if (listener.addr.transport === "tcp") (conn as Deno.TcpConn).setNoDelay(true);
      new Connection(conn, host).serve();
    } else {
      host.engine.counters.connections.refused++;
      host.engine.counters.errors.too_many_connections++;
      if (refusals >= refusalsMax) {
        conn.close();
        continue;
      }
      refusals++;
      void refuse(conn).finally(() => refusals--);
    }
  }
}

async function refuse(conn: Deno.Conn): Promise<void> {
  try {
    await conn.write(tooManyConnections.line);
    await linger(conn);
  } catch {
    // It went away by itself.
  }
  try {
    conn.close();
  } catch {
    // Lingering has closed it.
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
