/**
 * Servers as processes of their own, for comparison: this one, and those of Redis and memcached
 * where they are installed. What a process costs is read from /proc, so this is for Linux.
 *
 * @module
 */

import config from "../deno.json" with { type: "json" };
import { blink, type Dialect, memcached, redis } from "./dialects.ts";

/** A kind of server that takes part in the comparison. */
export interface PeerKind {
  readonly name: "blink" | "redis" | "memcached";
  readonly dialect: Dialect;
  /** The line that tells its version, or undefined where it is not installed. */
  readonly version: string;
  /** The command that starts it on a port, bound to the memory given. */
  readonly command: (port: number, options: StartOptions) => readonly string[];
  /** A request that it answers from the start. */
  readonly ping: string;
}

/** How a server is started. */
export interface StartOptions {
  /** Bytes that it may hold; default 2 GiB. */
  readonly memoryBytes?: number;
  /** Redis: its eviction policy; default allkeys-lru. */
  readonly policy?: string;
}

/** A server that runs until it is disposed of. */
export interface Running extends AsyncDisposable {
  readonly kind: PeerKind;
  readonly dialect: Dialect;
  readonly port: number;
  readonly pid: number;
  /** From the start of the process to its first reply, in milliseconds. */
  readonly firstReplyMs: number;
}

const memoryBytesDefault = 2 * 1024 ** 3;
const mebibyte = 1024 * 1024;
const startTimeoutMs = 15_000;

/** This repository's folder, which ends with a slash. */
export const root = new URL("../", import.meta.url).pathname;

/** What the `serve` task tells the engine under the runtime; whoever starts a server has it too. */
const engineFlags: readonly string[] = config.tasks.serve.command.split(" ")
  .filter((word) => word.startsWith("--v8-flags="));

/** The command of this server, run from its sources. */
export function blinkCommand(port: number, { memoryBytes }: StartOptions): string[] {
  const flags = ["serve", "--tcp", `127.0.0.1:${port}`];
  return [
    Deno.execPath(),
    "run",
    "--quiet",
    ...engineFlags,
    "--allow-net",
    "--allow-read",
    "--allow-write",
    "--allow-env",
    `${root}main.ts`,
    ...flags,
    "--memory-limit",
    `${memoryBytes ?? memoryBytesDefault}`,
  ];
}

/** The servers that can be started here, this one first. */
export async function installedPeers(): Promise<PeerKind[]> {
  const versions = {
    blink: await versionOf([
      Deno.execPath(),
      "run",
      "--quiet",
      "-A",
      `${root}main.ts`,
      "--version",
    ]),
    redis: await versionOf(["redis-server", "--version"]),
    memcached: await versionOf(["memcached", "--version"]),
  };
  const kinds: Record<PeerKind["name"], Omit<PeerKind, "name" | "version">> = {
    blink: { dialect: blink, command: blinkCommand, ping: "PING\n" },
    redis: { dialect: redis, command: redisCommand, ping: "PING\r\n" },
    memcached: { dialect: memcached, command: memcachedCommand, ping: "version\r\n" },
  };
  const names = ["blink", "redis", "memcached"] as const;
  return names.flatMap((name) => {
    const version = versions[name];
    return version === undefined ? [] : [{ name, version, ...kinds[name] }];
  });
}

function redisCommand(port: number, { memoryBytes, policy }: StartOptions): string[] {
  return [
    "redis-server",
    "--port",
    `${port}`,
    "--bind",
    "127.0.0.1",
    "--save",
    "",
    "--appendonly",
    "no",
    "--maxmemory",
    `${memoryBytes ?? memoryBytesDefault}`,
    "--maxmemory-policy",
    policy ?? "allkeys-lru",
  ];
}

function memcachedCommand(port: number, { memoryBytes }: StartOptions): string[] {
  const mebibytes = Math.max(2, Math.round((memoryBytes ?? memoryBytesDefault) / mebibyte));
  const user = Deno.uid() === 0 ? ["-u", "root"] : [];
  return [
    "memcached",
    ...user,
    "-l",
    "127.0.0.1",
    "-p",
    `${port}`,
    "-m",
    `${mebibytes}`,
    "-c",
    "4096",
  ];
}

async function versionOf([program, ...args]: string[]): Promise<string | undefined> {
  try {
    const { stdout } = await new Deno.Command(program, { args, stdout: "piped" }).output();
    return new TextDecoder().decode(stdout).trim().split(" sha=")[0];
  } catch {
    return undefined;
  }
}

/** Starts a server and waits for its first reply. */
export async function start(kind: PeerKind, options: StartOptions = {}): Promise<Running> {
  const port = freePort();
  return await startCommand(kind, port, kind.command(port, options));
}

/** Starts a server by a command of its own. */
export async function startCommand(
  kind: PeerKind,
  port: number,
  [program, ...args]: readonly string[],
): Promise<Running> {
  const startedAt = performance.now();
  const child = new Deno.Command(program, {
    args,
    stdin: "null",
    stdout: "null",
    stderr: "null",
    cwd: root,
  }).spawn();
  const stop = async () => {
    try {
      child.kill("SIGTERM");
    } catch {
      // It has ended by itself.
    }
    await child.status;
  };
  try {
    await firstReply(kind, port, startedAt);
  } catch (error) {
    await stop();
    throw error;
  }
  const firstReplyMs = performance.now() - startedAt;
  const { dialect } = kind;
  return { kind, dialect, port, pid: child.pid, firstReplyMs, [Symbol.asyncDispose]: stop };
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

async function firstReply({ name, ping }: PeerKind, port: number, startedAt: number) {
  const request = new TextEncoder().encode(ping);
  while (performance.now() - startedAt < startTimeoutMs) {
    try {
      using socket = await Deno.connect({ hostname: "127.0.0.1", port });
      await socket.write(request);
      if (await socket.read(new Uint8Array(64)) !== null) return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }
  throw new Error(`Cannot start ${name}: no reply on port ${port} in ${startTimeoutMs} ms`);
}

/** The CPU time that a process has used, user and system, in microseconds; exact to 10 ms. */
export function cpuTimeUs(pid: number): number {
  const line = Deno.readTextFileSync(`/proc/${pid}/stat`);
  const fields = line.slice(line.lastIndexOf(")") + 2).split(" ");
  const ticksPerSecond = 100;
  return (Number(fields[11]) + Number(fields[12])) * 1_000_000 / ticksPerSecond;
}

/** The memory that a process holds now, in bytes. */
export function residentBytes(pid: number): number {
  const found = /^VmRSS:\s+(\d+) kB$/m.exec(Deno.readTextFileSync(`/proc/${pid}/status`));
  if (found === null) throw new Error(`Cannot read the memory of process ${pid}`);
  return Number(found[1]) * 1024;
}
