/**
 * The servers of a comparison as processes: this one, and Redis and memcached where they are
 * installed. CPU time and memory are read from /proc, so this runs on Linux only.
 *
 * @module
 */

import config from "../deno.json" with { type: "json" };
import { blink, type Dialect, memcached, redis, respArray } from "../loadgen/mod.ts";

/** A kind of server that takes part in the comparison. */
export interface PeerKind {
  readonly name: "blink" | "redis" | "memcached";
  readonly dialect: Dialect;
  /** The line that its `--version` prints. */
  readonly version: string;
  /** The command that starts it on a port with a memory limit. */
  readonly command: (port: number, options: StartOptions) => readonly string[];
  /** A request that it answers as soon as it runs. */
  readonly ping: string;
}

/** Options of a server's start. */
export interface StartOptions {
  /** Its memory limit in bytes; default 2 GiB. */
  readonly memoryBytes?: number;
  /** Redis only: the eviction policy; default allkeys-lru. */
  readonly policy?: string;
}

/** A running server; disposing of it stops the process. */
export interface Running extends AsyncDisposable {
  readonly kind: PeerKind;
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

/** V8's flags of the `serve` task, with which users start a server. */
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
    "--allow-ffi",
    "--allow-read",
    "--allow-write",
    "--allow-env",
    `${root}main.ts`,
    ...flags,
    "--memory-limit",
    `${memoryBytes ?? memoryBytesDefault}`,
  ];
}

/** The installed servers, this one first. */
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
    redis: { dialect: redis, command: redisCommand, ping: respArray(["PING"]) },
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

/** Starts a server by a command, and waits for its first reply. */
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
      // The process has already ended.
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
  return { kind, port, pid: child.pid, firstReplyMs, [Symbol.asyncDispose]: stop };
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

/** User and system CPU time of a process in microseconds, with a resolution of 10 ms. */
export function cpuTimeUs(pid: number): number {
  const line = Deno.readTextFileSync(`/proc/${pid}/stat`);
  const fields = line.slice(line.lastIndexOf(")") + 2).split(" ");
  const ticksPerSecond = 100;
  return (Number(fields[11]) + Number(fields[12])) * 1_000_000 / ticksPerSecond;
}

/** Resident memory of a process, in bytes. */
export function residentBytes(pid: number): number {
  const found = /^VmRSS:\s+(\d+) kB$/m.exec(Deno.readTextFileSync(`/proc/${pid}/status`));
  if (found === null) throw new Error(`Cannot read the memory of process ${pid}`);
  return Number(found[1]) * 1024;
}
