/**
 * What `info()` gives: the server's counters and sizes under the names that the protocol's document
 * lists.
 *
 * @module
 */

import { infoReply } from "./codec.ts";

/** The server's counters and sizes; counters count from its start. */
export interface Info {
  /** The server's version. */
  readonly version: string;
  /** Seconds since its start. */
  readonly uptime: number;
  /** Connections open now, accepted in total, and turned away at the limit. */
  readonly connections: {
    readonly now: number;
    readonly total: number;
    readonly refused: number;
  };
  /** Requests by verb, and their `total`. */
  readonly requests: Readonly<Record<string, number>>;
  /** Keys that were asked for and found. */
  readonly hits: number;
  /** Keys that were asked for and not found. */
  readonly misses: number;
  /** Entries removed to make room. */
  readonly evictions: number;
  /** Entries removed because their time had come. */
  readonly expirations: number;
  /**
   * Bytes of keys and values (`data`, which `usage()` tells as well), of what the store needs beside
   * them (`overhead`), of memory that the store really holds (`resident`), of the whole `process`.
   */
  readonly bytes: {
    readonly data: number;
    readonly overhead: number;
    readonly resident: number;
    readonly process: number;
  };
  /** The most that `bytes.data` may become. */
  readonly limit: number;
  /** Entries held; expired ones count until they are swept. */
  readonly entries: number;
  /** Error replies by kind. */
  readonly errors: Readonly<Record<string, number>>;
  /** The longest that one timed request held the server, and its verb (empty: none yet). */
  readonly slowest: { readonly microseconds: number; readonly verb: string };
}

/** `INFO json` as a typed object; trusts that the server means by its names what `Info` says. */
export function infoFrom(reply: string): Info {
  return infoReply(reply) as unknown as Info;
}
