/**
 * What single calls may be told.
 *
 * @module
 */

import type { Value } from "./codec.ts";

/** What every call takes as its last argument. */
export interface CallOptions {
  /**
   * Stops waiting for the reply; the call is then rejected with the signal's reason. A command that
   * has been sent may run all the same.
   */
  signal?: AbortSignal;
  /** How long to wait for the reply, in milliseconds; `Infinity` waits for ever. */
  timeoutMs?: number;
}

/** When a `put` takes place: always, or only if the key is missing, is there, or has this value. */
export type PutCondition = "absent" | "present" | { readonly match: Value };

/** What a `put` may be told. */
export interface PutOptions extends CallOptions {
  /** Seconds until the key expires, 0.001 to ten years; without it the key never expires. */
  ttl?: number;
  /** Keeps the time the key has left, if it is there. Not together with `ttl`. */
  keepTtl?: boolean;
  /** Stores only on this condition. */
  if?: PutCondition;
}

/** What a `get` may be told. */
export interface GetOptions extends CallOptions {
  /** Lets the key expire this many seconds from now, 0.001 to ten years. */
  ttl?: number;
}

/** What an `increment` may be told. */
export interface IncrementOptions extends CallOptions {
  /** Lets the key expire this many seconds from now, if it has no expiry yet; one it has stays. */
  ttl?: number;
}

/** What a `delete` with a condition may be told. */
export interface MatchOptions extends CallOptions {
  /** Deletes only if the key has this value. */
  match: Value;
}

/** What a `scan` may be told. */
export interface ScanOptions extends CallOptions {
  /** Lists only the keys that begin with this. */
  prefix?: string;
  /** About how many keys to fetch at a time, 1 to 10,000; 1,000 when left out. */
  count?: number;
}
