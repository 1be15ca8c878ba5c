/**
 * Gathers the figures that INFO reports. The caller passes the verbs in, so that this file does not
 * depend on the table of commands.
 *
 * @module
 */

import type { DataFileInfo, Info } from "../protocol.ts";
import type { Storage } from "../store.ts";
import { Counters, firstRedisVerb } from "./counters.ts";

/** The figures that neither the store nor the counters have. */
export interface Surroundings {
  /** Where the counts begin. */
  readonly since: "start" | "reset";
  /** The server's version. */
  readonly version: string;
  /** The event loop that serves the sockets. */
  readonly io: Info["io"];
  /** Milliseconds since the start. */
  readonly uptimeMs: number;
  /** Bytes of memory that the process holds. */
  readonly processBytes: number;
  /** The verbs, by their numbers. */
  readonly verbs: readonly string[];
  /** The commands of the Redis wire by their numbers, in capitals. */
  readonly redisVerbs: readonly string[];
  /** Shards of the store, and how often a thread waited for the lock of one. */
  readonly locks: LockFigures;
  /** Figures about the data file, if there is one. */
  readonly dataFile: DataFileInfo | undefined;
}

/** Figures about the locks of a store that threads share. */
export interface LockFigures {
  /** The parts that have a lock each. */
  readonly shards: number;
  /** How often a thread had to wait for a lock. */
  readonly lockWaits: number;
}

/** The figures of a store that one thread has to itself. */
export const noLocks: LockFigures = { shards: 1, lockWaits: 0 };

/** INFO's figures; `counters` are those of all threads. */
export function infoOf(
  store: Storage,
  counters: readonly Counters[],
  surroundings: Surroundings,
): Info {
  const totals = Counters.totals(counters, surroundings.since);
  const { evictions, expirations, expiring, overheadBytes, residentBytes } = store.stats;
  const requests: Record<string, number> = { total: 0 };
  surroundings.verbs.forEach((verb, number) => {
    requests[verb] = totals.requestsOf(number);
    requests.total += requests[verb];
  });
  const redisRequests: Record<string, number> = { total: 0 };
  surroundings.redisVerbs.forEach((verb, number) => {
    const count = totals.requestsOf(firstRedisVerb + number);
    if (count > 0) redisRequests[verb] = count;
    redisRequests.total += count;
  });
  return {
    version: surroundings.version,
    io: surroundings.io,
    threads: counters.length,
    uptime: Math.round(surroundings.uptimeMs) / 1000,
    connections: totals.connections,
    requests,
    redis_requests: redisRequests,
    hits: totals.hits,
    misses: totals.misses,
    evictions: evictions - totals.evictionsBefore,
    expirations: expirations - totals.expirationsBefore,
    bytes: {
      data: store.usage,
      overhead: overheadBytes,
      resident: residentBytes,
      process: surroundings.processBytes,
    },
    limit: store.limitBytes,
    entries: store.entries,
    expiring,
    shards: surroundings.locks.shards,
    lock_waits: surroundings.locks.lockWaits,
    errors: totals.errors,
    slowest: {
      microseconds: Math.round(totals.slowestMs * 1000),
      verb: totals.slowestMs > 0 ? nameOf(totals.slowestVerb, surroundings) : "",
    },
    ...(surroundings.dataFile === undefined ? {} : { data_file: surroundings.dataFile }),
  };
}

/** The name of a counted request; those of the Redis wire follow the verbs of lines. */
function nameOf(number: number, { verbs, redisVerbs }: Surroundings): string {
  return (number < firstRedisVerb ? verbs[number] : redisVerbs[number - firstRedisVerb]) ?? "";
}
