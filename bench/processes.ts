/**
 * The servers of a comparison as processes: started, stopped, and looked at. CPU time and memory
 * are read from /proc, so this runs on Linux only.
 *
 * @module
 */

import type { Dialect } from "../loadgen/mod.ts";

/** A kind of server that takes part in the comparison. */
export interface PeerKind {
  /** Its column in tables. */
  readonly name: string;
  /** Its threads that serve clients. */
  readonly threads: number;
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
  /** Where a server that keeps its data keeps it. */
  readonly folder?: string;
}

/** A running server; disposing of it stops the process. */
export interface Running extends AsyncDisposable {
  readonly kind: PeerKind;
  readonly port: number;
  readonly pid: number;
  /** From the start of the process to its first reply, in milliseconds. */
  readonly firstReplyMs: number;
}

const startTimeoutMs = 30_000;

/** This repository's folder, which ends with a slash. */
export const root = new URL("../", import.meta.url).pathname;

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
    stderr: "piped",
    cwd: root,
  }).spawn();
  // Read to its end, so that the server never waits for a reader.
  const complaint = firstLine(child.stderr);
  let hasEnded = false;
  child.status.then(() => hasEnded = true);
  const stop = async () => {
    try {
      child.kill("SIGTERM");
    } catch {
      // The process has already ended.
    }
    await child.status;
  };
  try {
    await firstReply(kind, { port, startedAt, hasEnded: () => hasEnded });
  } catch (error) {
    await stop();
    // What it started may still hold its standard error.
    const silence = new Promise<string>((resolve) => setTimeout(() => resolve("silent"), 1000));
    throw new Error(`${(error as Error).message}: ${await Promise.race([complaint, silence])}`);
  }
  const firstReplyMs = performance.now() - startedAt;
  return { kind, port, pid: child.pid, firstReplyMs, [Symbol.asyncDispose]: stop };
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

async function firstReply(
  { name, ping }: PeerKind,
  { port, startedAt, hasEnded }: { port: number; startedAt: number; hasEnded: () => boolean },
) {
  const request = new TextEncoder().encode(ping);
  while (performance.now() - startedAt < startTimeoutMs) {
    if (hasEnded()) throw new Error(`Cannot start ${name}: it ended`);
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

/** The first line of a text that has some, once it has ended. */
async function firstLine(text: ReadableStream<Uint8Array>): Promise<string> {
  const lines = (await new Response(text).text()).split("\n");
  return lines.find((line) => line.trim() !== "") ?? "it said nothing";
}

/** User and system CPU time of a process in microseconds, with a resolution of 10 ms. */
export function cpuTimeUs(pid: number | string): number {
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

/** The CPU time of each thread of a process in microseconds, with a resolution of 10 ms. */
export function threadCpuTimesUs(pid: number): Map<string, number> {
  const threads = [...Deno.readDirSync(`/proc/${pid}/task`)].map(({ name }) => name);
  return new Map(threads.map((thread) => [thread, cpuTimeUs(`${pid}/task/${thread}`)]));
}
