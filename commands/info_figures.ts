/**
 * Gathers the figures that INFO reports. The caller passes the verbs in, so that this file does not
 * depend on the table of commands.
 *
 * @module
 */

import type { Info } from "../protocol.ts";
import type { Storage } from "../store.ts";
import type { Counters } from "./counters.ts";

/** The figures that neither the store nor the counters have. */
export interface Surroundings {
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
}

/** INFO's figures. */
export function infoOf(store: Storage, counters: Counters, surroundings: Surroundings): Info {
  const { evictions, expirations, overheadBytes, residentBytes } = store.stats;
  const requests: Record<string, number> = { total: 0 };
  surroundings.verbs.forEach((verb, number) => {
    requests[verb] = counters.requests[number];
    requests.total += counters.requests[number];
  });
  return {
    version: surroundings.version,
    io: surroundings.io,
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
      verb: counters.slowestMs > 0 ? surroundings.verbs[counters.slowestVerb] : "",
    },
  };
}
