/**
 * Binds the addresses and socket files that the server listens on, and releases them.
 *
 * @module
 */

import { serverDefaults } from "./defaults.ts";
import type { TcpAddress, UnixAddress } from "./event_loop.ts";

/** A bound address. */
export interface Bound<Listener> {
  /** Accepts its connections. */
  readonly listener: Listener;
  /** Where it listens, with the port that the system chose. */
  readonly address: Deno.NetAddr | Deno.UnixAddr;
  /** Stops listening, and removes the socket file if it is still this listener's. */
  close(): void;
}

/** Connections that the system holds until they are accepted, so that a burst is not refused. */
export const acceptBacklog = 4096;

/**
 * Listens on a TCP address.
 *
 * @throws {Error} when the address is unavailable; its message says what to do.
 */
export function listenTcp({ hostname, port }: TcpAddress): Bound<Deno.Listener> {
  const address = `${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`;
  try {
    // The runtime's types lack `tcpBacklog`.
    const options = { transport: "tcp", hostname, port, tcpBacklog: acceptBacklog } as const;
    const listener = Deno.listen(options);
    return { listener, address: listener.addr, close: () => listener.close() };
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
  return `${describe(error)}; choose another address with --tcp HOST:PORT`;
}

/**
 * Listens on a socket file. It replaces a socket that no server listens on, and leaves a live
 * socket and any other file alone.
 *
 * @throws {Error} when the path is unavailable; its message says what to do.
 */
export function listenUnix(address: UnixAddress): Promise<Bound<Deno.Listener>> {
  return bindUnix(address, (path) => Deno.listen({ transport: "unix", path }));
}

/** What a socket file's name has at its end while it is bound. */
const bindPathEnd = "~";

/** The path of the socket file from the name that it was bound with, as the system reports it. */
export function pathOfBound(bindPath: string): string {
  return bindPath.endsWith(bindPathEnd) ? bindPath.slice(0, -bindPathEnd.length) : bindPath;
}

/**
 * Listens on a socket file by a listener that `listen` makes for a path.
 *
 * @throws {Error} when the path is unavailable; its message says what to do.
 */
export async function bindUnix<Listener extends { close(): void }>(
  { path, mode }: UnixAddress,
  listen: (path: string) => Listener,
): Promise<Bound<Listener>> {
  await removeStale(path);
  const fileMode = mode ?? serverDefaults.unixMode;
  // When the runtime closes the listener, it removes any file that has the name it bound, which may
  // be the socket of a newer server by then. So it binds another name, and the file is renamed.
  const bindPath = path + bindPathEnd;
  const before = setUmask(0o777 & ~fileMode);
  let listener: Listener | undefined;
  try {
    await removeStale(bindPath);
    listener = listen(bindPath);
    if (Deno.build.os !== "windows") Deno.chmodSync(bindPath, fileMode);
    Deno.renameSync(bindPath, path);
  } catch (error) {
    listener?.close();
    throw new Error(
      `Cannot listen on ${path}: ${describe(error)}; choose another with --unix PATH`,
    );
  } finally {
    if (before !== undefined) setUmask(before);
  }
  const file = fileAt(path);
  const bound = listener;
  return {
    listener,
    address: { transport: "unix", path },
    close: () => {
      // Removed first, while the listener still keeps another server from taking the path.
      if (file !== undefined && file === fileAt(path)) removeQuietly(path);
      bound.close();
    },
  };
}

function removeQuietly(path: string): void {
  try {
    Deno.removeSync(path);
  } catch {
    // The file was removed already.
  }
}

/**
 * The identity of the file at a path, to detect that another file replaced it; undefined if none.
 */
function fileAt(path: string): string | undefined {
  try {
    const { dev, ino, birthtime, ctime } = Deno.lstatSync(path);
    return `${dev} ${ino} ${birthtime?.getTime() ?? ctime?.getTime()}`;
  } catch {
    return undefined;
  }
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

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
