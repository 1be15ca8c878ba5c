/**
 * The look inside: what INFO tells, under names that stay.
 *
 * @module
 */

import { commands } from "../protocol/commands.ts";
import type { Counters } from "./counters.ts";
import type { Storage } from "./storage.ts";

/** INFO's JSON. Counters count from the start of the server. */
export interface Info {
  /** The server's version. */
  version: string;
  /** Seconds since the start. */
  uptime: number;
  /** Connections open now, accepted in total, and turned away at the limit. */
  connections: { now: number; total: number; refused: number };
  /** Requests by verb, and `total`; requests that no verb was found in are counted as errors. */
  requests: Record<string, number>;
  /** Keys that GET and MGET found. */
  hits: number;
  /** Keys that GET and MGET did not find. */
  misses: number;
  /** Entries removed to make room. */
  evictions: number;
  /** Entries removed because their time had come. */
  expirations: number;
  /**
   * `data`: keys and values, which is what USAGE tells; `overhead`: what the store needs beside
   * them; `resident`: what the store really holds of memory; `process`: the whole process.
   */
  bytes: { data: number; overhead: number; resident: number; process: number };
  /** The most that `bytes.data` may become. */
  limit: number;
  /** Entries held; expired ones count until they are swept. */
  entries: number;
  /** Error replies by kind. */
  errors: Record<string, number>;
  /**
   * The longest that one request, or one share of a request that is done in shares, held the
   * server, in microseconds, and its verb. Only those that can take long are timed: MGET, SCAN,
   * FLUSH and INFO, and GET, SET and PUT of values from 16 KiB on.
   */
  slowest: { microseconds: number; verb: string };
}

/** What the engine does not count itself. */
export interface Surroundings {
  /** The server's version. */
  version: string;
  /** Milliseconds since the start. */
  uptimeMs: number;
  /** Bytes of memory that the process holds. */
  processBytes: number;
}

/** Gathers what INFO tells. */
export function infoOf(store: Storage, counters: Counters, surroundings: Surroundings): Info {
  const { evictions, expirations, overheadBytes, residentBytes } = store.stats;
  const requests: Record<string, number> = { total: 0 };
  commands.forEach(({ verb }, number) => {
    requests[verb] = counters.requests[number];
    requests.total += counters.requests[number];
  });
  return {
    version: surroundings.version,
    uptime: Math.round(surroundings.uptimeMs) / 1000,
    connections: { ...counters.connections },
    requests,
    hits: counters.hits,
    misses: counters.misses,
    evictions,
    expirations,
    bytes: {
      data: store.usage,
      overhead: overheadBytes,
      resident: residentBytes,
      process: surroundings.processBytes,
    },
    limit: store.limitBytes,
    entries: store.entries,
    errors: { ...counters.errors },
    slowest: {
      microseconds: Math.round(counters.slowestMs * 1000),
      verb: counters.slowestMs > 0 ? commands[counters.slowestVerb].verb : "",
    },
  };
}
