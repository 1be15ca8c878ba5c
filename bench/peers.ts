/**
 * The kinds of servers in a comparison: this one over each of its event loops and with several
 * threads, and Redis, memcached and pogocache where they are on the path. Each is started the way
 * its users start it, except for the memory limit, and sent what its own clients send.
 *
 * @module
 */

import config from "../deno.json" with { type: "json" };
import { blink, memcached, redis, respArray } from "../loadgen/mod.ts";
import { redisWire } from "./results.ts";
import { type PeerKind, root, type Running, start, type StartOptions } from "./processes.ts";

const memoryBytesDefault = 2 * 1024 ** 3;
const mebibyte = 1024 * 1024;
const connectionsMax = "4096";
/** What memcached starts unless it is told otherwise. */
const memcachedThreads = 4;

/** V8's flags of the `serve` task, with which users start a server. */
const engineFlags: readonly string[] = config.tasks.serve.command.split(" ")
  .filter((word) => word.startsWith("--v8-flags="));

/** The servers that take part, and why others do not. */
export interface Peers {
  /** Those that are compared, this server's first. */
  readonly kinds: readonly PeerKind[];
  /** Those that can have threads, with several numbers of them. */
  readonly threaded: readonly PeerKind[];
  /** By the name of the kind. */
  readonly leftOut: Readonly<Record<string, string>>;
}

type Command = PeerKind["command"];

interface Program {
  readonly versionCommand: readonly string[];
  readonly kindOf: (threads: number) => Omit<PeerKind, "version">;
}

/** This server, run from its sources, over an event loop and with a number of threads. */
export function blinkCommand(io: "epoll" | "portable", threads: number): Command {
  // One thread is the default.
  const threadFlags = threads === 1 ? [] : ["--threads", `${threads}`];
  return (port, { memoryBytes }) => [
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
    "serve",
    "--tcp",
    `127.0.0.1:${port}`,
    "--memory-limit",
    `${memoryBytes ?? memoryBytesDefault}`,
    "--io",
    io,
    ...threadFlags,
  ];
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

function memcachedCommand(threads: number): Command {
  const user = Deno.uid() === 0 ? ["-u", "root"] : [];
  return (port, options) => [
    "memcached",
    ...user,
    "-l",
    "127.0.0.1",
    "-p",
    `${port}`,
    "-m",
    `${mebibytesOf(options)}`,
    "-c",
    connectionsMax,
    "-t",
    `${threads}`,
  ];
}

function pogocacheCommand(threads: number): Command {
  return (port, options) => [
    "pogocache",
    "-h",
    "127.0.0.1",
    "-p",
    `${port}`,
    "-t",
    `${threads}`,
    "--maxmemory",
    `${mebibytesOf(options)}M`,
    "--maxconns",
    connectionsMax,
  ];
}

function mebibytesOf({ memoryBytes }: StartOptions): number {
  return Math.max(2, Math.round((memoryBytes ?? memoryBytesDefault) / mebibyte));
}

/** A name with the number of threads, where it is not the one that the name stands for. */
function named(name: string, threads: number, plain: number): string {
  return threads === plain ? name : `${name}, ${threads} thread${threads === 1 ? "" : "s"}`;
}

const ofBlink = (threads: number) => ({
  name: named("blink", threads, 1),
  threads,
  dialect: blink,
  command: blinkCommand("epoll", threads),
  ping: "PING\n",
});

const programs: Readonly<Record<string, Program>> = {
  blink: {
    versionCommand: [Deno.execPath(), "run", "--quiet", "-A", `${root}main.ts`, "--version"],
    kindOf: ofBlink,
  },
  "blink portable": {
    versionCommand: [Deno.execPath(), "run", "--quiet", "-A", `${root}main.ts`, "--version"],
    kindOf: () => ({
      ...ofBlink(1),
      name: "blink portable",
      command: blinkCommand("portable", 1),
    }),
  },
  [redisWire]: {
    versionCommand: [Deno.execPath(), "run", "--quiet", "-A", `${root}main.ts`, "--version"],
    kindOf: () => ({ ...ofBlink(1), name: redisWire, dialect: redis, ping: respArray(["PING"]) }),
  },
  redis: {
    versionCommand: ["redis-server", "--version"],
    kindOf: () => ({
      name: "redis",
      threads: 1,
      dialect: redis,
      command: redisCommand,
      ping: respArray(["PING"]),
    }),
  },
  memcached: {
    versionCommand: ["memcached", "--version"],
    kindOf: (threads) => ({
      name: named("memcached", threads, memcachedThreads),
      threads,
      dialect: memcached,
      command: memcachedCommand(threads),
      ping: "version\r\n",
    }),
  },
  pogocache: {
    versionCommand: ["pogocache", "--version"],
    kindOf: (threads) => ({
      name: named("pogocache", threads, 1),
      threads,
      // It speaks the wire of memcached too.
      dialect: redis,
      command: pogocacheCommand(threads),
      ping: respArray(["PING"]),
    }),
  },
};

/** The kinds of the comparison, this server's first. */
const compared: readonly (readonly [string, number])[] = [
  ["blink", 1],
  ["blink", 2],
  ["blink portable", 1],
  [redisWire, 1],
  ["redis", 1],
  ["memcached", memcachedThreads],
  ["pogocache", 1],
  ["pogocache", 2],
];

/** The programs that can have threads. */
const threadable = ["blink", "memcached", "pogocache"];

/** The servers of the comparison; the threaded ones have each of these numbers of threads. */
export async function availablePeers(threads: readonly number[]): Promise<Peers> {
  const scaled = threadable.flatMap((name) => threads.map((count) => [name, count] as const));
  const kinds = new Map<string, PeerKind>();
  const leftOut: Record<string, string> = {};
  const namesOf = async (wanted: typeof compared) => {
    const names: string[] = [];
    for (const [program, count] of wanted) {
      const { name } = programs[program].kindOf(count);
      names.push(name);
      if (kinds.has(name) || name in leftOut) continue;
      const kind = await started(program, count);
      if (typeof kind === "string") leftOut[name] = kind;
      else kinds.set(name, kind);
    }
    return names.flatMap((name) => kinds.get(name) ?? []);
  };
  return { kinds: await namesOf(compared), threaded: await namesOf(scaled), leftOut };
}

/** This server by `deno task serve`. */
export function blinkTask(port: number): string[] {
  return [Deno.execPath(), "task", "--quiet", "serve", "--tcp", `127.0.0.1:${port}`];
}

/** This server's executable, where it was compiled. */
export async function blinkExecutable(): Promise<((port: number) => string[]) | undefined> {
  const executable = `${root}dist/blink-store`;
  const isThere = await Deno.stat(executable).then(() => true, () => false);
  return isThere ? (port) => [executable, "serve", "--tcp", `127.0.0.1:${port}`] : undefined;
}

/** The kind, if it gives a reply once it is started; else why it cannot take part. */
async function started(program: string, threads: number): Promise<PeerKind | string> {
  const { versionCommand, kindOf } = programs[program];
  const version = await versionOf(versionCommand);
  if (version === undefined) return `${versionCommand[0]} is not on the path`;
  const kind = { ...kindOf(threads), version };
  try {
    await using server = await start(kind);
    if (kind.dialect === blink) await checkThreads(server);
    return kind;
  } catch (error) {
    return (error as Error).message;
  }
}

/** Throws if this server says that it has other threads than its kind. */
async function checkThreads({ kind, port }: Running): Promise<void> {
  using socket = await Deno.connect({ hostname: "127.0.0.1", port });
  await socket.write(new TextEncoder().encode("INFO\nQUIT\n"));
  let info = "";
  for await (const text of socket.readable.pipeThrough(new TextDecoderStream())) info += text;
  const threads = Number(/"threads":(\d+)/.exec(info)?.[1] ?? 1);
  if (threads !== kind.threads) throw new Error(`Cannot use ${kind.name}: it has ${threads}`);
}

async function versionOf([program, ...args]: readonly string[]): Promise<string | undefined> {
  try {
    const { stdout } = await new Deno.Command(program, { args, stdout: "piped" }).output();
    return new TextDecoder().decode(stdout).trim().split(" sha=")[0];
  } catch {
    return undefined;
  }
}
