/**
 * Miss ratios: each trace is replayed on this store, on reference policies, and on real servers of
 * Redis and memcached, all with the same bytes of keys and values.
 *
 * memcached takes memory in steps of 1 MiB and divides it among size classes, so the bytes that it
 * holds at the end become the limit of the others. Redis counts its own overhead in maxmemory, so
 * the value at which it holds those bytes is found by iteration.
 *
 * @module
 */

import { respArray } from "../loadgen/mod.ts";
import { policies } from "./policies.ts";
import { type PeerKind, type Running, start } from "./processes.ts";
import { missRatio, Replayer, replayOnPolicy, replayOnStore } from "./replay.ts";
import type { MissRatios } from "./results.ts";
import { entryBytes, makeTrace, totalBytes, type Trace } from "./traces.ts";

/** The trace and the limits of a replay. */
export interface MissRatioOptions {
  readonly trace: string;
  readonly keys: number;
  readonly length: number;
  /** memcached's memory, if it takes part. */
  readonly memcachedBytes?: number;
  /** The limit as a share of the bytes of all keys, if memcached does not take part. */
  readonly share?: number;
}

const redisPolicies = ["allkeys-lru", "allkeys-lfu"];

/** Replays one trace on every cache. */
export async function measureMissRatios(
  peers: readonly PeerKind[],
  { trace: name, keys, length, memcachedBytes, share }: MissRatioOptions,
): Promise<MissRatios> {
  const trace = makeTrace(name, { keys, length });
  const total = totalBytes(trace);
  const ratios: Record<string, number> = {};
  const held: Record<string, number> = {};
  let limitBytes = Math.round(total * (share ?? 0.1));
  const memcached = peers.find((kind) => kind.name === "memcached");
  if (memcached !== undefined && memcachedBytes !== undefined) {
    const run = await replayOnMemcached(memcached, trace, memcachedBytes);
    ratios.memcached = run.ratio;
    held.memcached = 1;
    limitBytes = run.heldBytes;
  }
  ratios["blink"] = missRatio(replayOnStore(trace, limitBytes));
  for (const policy of Object.keys(policies)) {
    ratios[policy] = missRatio(replayOnPolicy(trace, policy, limitBytes));
  }
  const redis = peers.find((kind) => kind.name === "redis");
  if (redis !== undefined) {
    const runs = await Promise.all(
      redisPolicies.map((policy) => replayOnRedis(redis, trace, { policy, limitBytes })),
    );
    redisPolicies.forEach((policy, index) => {
      ratios[`redis ${policy}`] = runs[index].ratio;
      held[`redis ${policy}`] = runs[index].heldBytes / limitBytes;
    });
  }
  return { trace: name, title: trace.title, limitBytes, share: limitBytes / total, ratios, held };
}

interface PeerRun {
  readonly ratio: number;
  readonly heldBytes: number;
}

async function replayOnMemcached(
  kind: PeerKind,
  trace: Trace,
  memoryBytes: number,
): Promise<PeerRun> {
  await using server = await start(kind, { memoryBytes });
  using replayer = await Replayer.connect({ ...kind, port: server.port });
  const ratio = missRatio(await replayer.replay(trace));
  return { ratio, heldBytes: await replayer.heldBytes(trace) };
}

async function replayOnRedis(
  kind: PeerKind,
  trace: Trace,
  { policy, limitBytes }: { policy: string; limitBytes: number },
): Promise<PeerRun> {
  await using server = await start(kind, { policy });
  using replayer = await Replayer.connect({ ...kind, port: server.port });
  await boundToBytes(server, replayer, trace, limitBytes);
  const ratio = missRatio(await replayer.replay(trace));
  return { ratio, heldBytes: await replayer.heldBytes(trace) };
}

/**
 * Sets the maxmemory at which Redis holds `limitBytes` of keys and values of a trace: first what it
 * uses after they were set, then corrected by what it holds after a part of the trace.
 */
async function boundToBytes(
  { kind }: Running,
  replayer: Replayer,
  trace: Trace,
  limitBytes: number,
): Promise<void> {
  if (kind.name !== "redis") throw new Error(`Cannot bound ${kind.name}: it is not Redis`);
  await replayer.replay({ ...trace, requests: fillRequests(trace, limitBytes) });
  let used = await usedMemory(replayer);
  const overhead = used / limitBytes;
  const corrections = 2;
  const piece = Math.min(trace.requests.length, Math.ceil(limitBytes / 80) * 8);
  for (let correction = 0; correction < corrections; correction++) {
    await replayer.ask(respArray(["CONFIG", "SET", "maxmemory", `${Math.round(used)}`]));
    await replayer.replay(trace, piece);
    used += (limitBytes - await replayer.heldBytes(trace)) * overhead;
  }
  await replayer.ask(respArray(["CONFIG", "SET", "maxmemory", `${Math.round(used)}`]));
  await replayer.ask(respArray(["FLUSHALL"]));
}

/** Sets of distinct keys, `bytes` in total. */
function fillRequests(trace: Trace, bytes: number): Uint32Array {
  const requests: number[] = [];
  for (let key = 0, filled = 0; key < trace.keys; key++) {
    filled += entryBytes(trace, key);
    if (filled > bytes) break;
    requests.push(key * 2 + 1);
  }
  return Uint32Array.from(requests);
}

async function usedMemory(replayer: Replayer): Promise<number> {
  const found = /used_memory:(\d+)/.exec(await replayer.ask(respArray(["INFO", "memory"])));
  if (found === null) throw new Error("Cannot read Redis's used_memory");
  return Number(found[1]);
}
