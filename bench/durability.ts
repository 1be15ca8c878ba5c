/**
 * What it costs to keep data on a disk: durable writes beside Redis with its append-only file on
 * the same disk, reads while others write, and the loading of a data file.
 *
 * @module
 */

import { median, medianOf } from "./median.ts";
import { durable } from "./durable_names.ts";
import { generate, measureSpeed, warmUp } from "./measures.ts";
import { note } from "./note.ts";
import type { Extent, PartOptions } from "./extent.ts";
import { blinkCommand } from "./peers.ts";
import { type PeerKind, root, type Running, start, type StartOptions } from "./processes.ts";
import { type Durability, redisWire, type Speed } from "./results.ts";

const loads = [{ connections: 50, pipeline: 1 }, { connections: 50, pipeline: 16 }];
// Few are encoded, which at these rates are enough, so that both processes start soon.
const paced = { pipeline: 1, requestsMin: 20_000 } as const;
const readers = { ...paced, connections: 50, requestsPerSecond: 5000, only: "get" } as const;
/** A p99 of reads takes longer than a throughput: it is about one request in a hundred. */
const readsTimes = 3;
const writers = {
  ...paced,
  connections: 10,
  requestsPerSecond: 2000,
  only: "set",
  // Other keys than those that are read, whose replies are compared.
  firstKey: 100_000,
} as const;

/** Measures all of it; undefined without the light generator or without Redis. */
export async function measureDurability(
  { peers, extent, isLight }: PartOptions,
): Promise<Durability | undefined> {
  const named = (name: string) => peers.find((kind) => kind.name === name);
  const [lines, arrays, redis] = [named("blink"), named(redisWire), named("redis")];
  if (!isLight || lines === undefined || arrays === undefined || redis === undefined) {
    note("durability is left out: it needs the light generator and Redis");
    return undefined;
  }
  const kinds = [
    keptInFile(lines, durable.lines, "always"),
    keptInFile(arrays, durable.arrays, "always"),
    appended(redis, durable.redis, "always"),
    keptInFile(arrays, durable.interval, "interval"),
    appended(redis, durable.everysec, "everysec"),
  ];
  return {
    writes: await writes(kinds, extent),
    reads: await reads(kinds[0], lines, extent),
    loading: await loading(kinds[0], extent),
  };
}

/** This server with a data file. */
function keptInFile(kind: PeerKind, name: string, sync: string): PeerKind {
  const command = blinkCommand("epoll", 1);
  return {
    ...kind,
    name,
    command: (port, options) => [
      ...command(port, options),
      "--data",
      `${options.folder}/store.db`,
      "--sync",
      sync,
    ],
  };
}

/** Redis with an append-only file. */
function appended(kind: PeerKind, name: string, sync: string): PeerKind {
  return {
    ...kind,
    name,
    command: (port, options) => [
      ...kind.command(port, options).map((word, n, words) =>
        words[n - 1] === "--appendonly" ? "yes" : word
      ),
      "--appendfsync",
      sync,
      "--dir",
      options.folder!,
    ],
  };
}

/** A folder on the disk of the sources, since `/tmp` may be in memory. */
async function folderOn(name: string): Promise<{ path: string } & AsyncDisposable> {
  const path = await Deno.makeTempDir({ dir: `${root}bench/results`, prefix: `.${name}-` });
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

/** All servers run at the same time; each load goes to one after the other, round by round. */
async function writes(
  kinds: readonly PeerKind[],
  { rounds, secondsPerLoad: seconds }: Extent,
): Promise<Record<string, Speed[]>> {
  await using stack = new AsyncDisposableStack();
  const running: Running[] = [];
  for (const kind of kinds) {
    const { path: folder } = stack.use(await folderOn("durable"));
    running.push(stack.use(await start(kind, { folder })));
  }
  const options = { isLight: true, seconds, only: "set" } as const;
  for (const server of running) await warmUp(server, options);
  const measured = kinds.map(() => loads.map((): Speed[] => []));
  for (let round = 1; round <= rounds; round++) {
    for (const [index, load] of loads.entries()) {
      note(`durability: round ${round}, ${load.connections} connections × ${load.pipeline}`);
      for (const [n, server] of running.entries()) {
        measured[n][index].push(await measureSpeed(server, load, options));
      }
    }
  }
  return Object.fromEntries(kinds.map(({ name }, n) => [name, measured[n].map(medianOf)]));
}

/**
 * Readers on a server with a data file and on one without, while ten clients write. All keep a rate
 * that both servers reach: without one, the server that writes faster would have more to do.
 */
async function reads(
  kept: PeerKind,
  plain: PeerKind,
  { readsRounds, secondsPerLoad }: Extent,
): Promise<Durability["reads"]> {
  await using stack = new AsyncDisposableStack();
  const { path: folder } = stack.use(await folderOn("reads"));
  const servers: Running[] = [];
  for (const [kind, options] of [[kept, { folder }], [plain, {}]] as [PeerKind, StartOptions][]) {
    servers.push(stack.use(await start(kind, options)));
  }
  for (const server of servers) {
    await warmUp(server, { isLight: true, seconds: 0 });
    // The code of a commit is compiled in it, and the write-ahead log grows for the first time.
    await readsOf(server, secondsPerLoad);
  }
  const measured: { p99Ms: number; setsPerSecond: number }[][] = [[], []];
  for (let round = 1; round <= readsRounds; round++) {
    note(`durability: round ${round}, reads while others write`);
    for (const [n, server] of servers.entries()) {
      measured[n].push(await readsOf(server, readsTimes * secondsPerLoad));
    }
  }
  const [ofKept, ofPlain] = measured.map(medianOf);
  return {
    withMs: ofKept.p99Ms,
    withoutMs: ofPlain.p99Ms,
    setsPerSecond: { with: ofKept.setsPerSecond, without: ofPlain.setsPerSecond },
  };
}

/** One server's readers, with writers from before their measured time until after it. */
async function readsOf(server: Running, seconds: number) {
  for (const marginSeconds of [0.5, 1, 2, 4, 8]) {
    const [read, written] = await Promise.all([
      generate(server, { ...readers, warmUpSeconds: marginSeconds, seconds }),
      generate(server, { ...writers, warmUpSeconds: 0, seconds: seconds + 2 * marginSeconds }),
    ]);
    if (written.beganAtMs <= read.beganAtMs && read.endedAtMs <= written.endedAtMs) {
      return { p99Ms: read.latencyMs.p99, setsPerSecond: written.requestsPerSecond };
    }
    // One of the two processes took too long to start.
    note("durability: the writers did not write all the time, once more");
  }
  throw new Error("Cannot measure reads: the writers did not write all the time");
}

/** Starts on a file with many entries: the time to the first reply, less that on an empty file. */
async function loading(kept: PeerKind, { loadedEntries, rounds }: Extent): Promise<{
  entries: number;
  seconds: number;
}> {
  await using folder = await folderOn("loading");
  note(`durability: a file of ${loadedEntries} entries`);
  await fillFile(`${folder.path}/store.db`, loadedEntries);
  const measured: number[] = [];
  for (let round = 1; round <= rounds; round++) {
    note(`durability: round ${round}, loading`);
    await using empty = await folderOn("empty");
    const first = await firstReply(kept, empty.path);
    measured.push((await firstReply(kept, folder.path) - first) / 1000);
  }
  return { entries: loadedEntries, seconds: median(measured) };
}

async function firstReply(kind: PeerKind, folder: string): Promise<number> {
  await using server = await start(kind, { folder });
  return server.firstReplyMs;
}

/** Writes a file of entries of 16 + 64 bytes. */
async function fillFile(file: string, entries: number): Promise<void> {
  const process = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "-A", `${root}main.ts`, "data", "load", file],
    stdin: "piped",
    stderr: "null",
  }).spawn();
  const writer = process.stdin.getWriter();
  const encoder = new TextEncoder();
  const linesAtATime = 10_000;
  for (let from = 0; from < entries; from += linesAtATime) {
    const count = Math.min(linesAtATime, entries - from);
    const lines = Array.from({ length: count }, (_, n) => {
      const digits = String(from + n).padStart(12, "0");
      return `{"key":"key:${digits}","value":"${digits.repeat(6).slice(0, 64)}"}\n`;
    });
    await writer.write(encoder.encode(lines.join("")));
  }
  await writer.close();
  const { success } = await process.status;
  if (!success) throw new Error("Cannot write the data file that is to be loaded");
}
