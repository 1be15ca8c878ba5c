/**
 * The values and options that calls take.
 *
 * @module
 */

/** A value to store: text, which is sent as UTF-8, or bytes. */
export type Value = string | Uint8Array;

/** The options of every call, its last argument. */
export interface CallOptions {
  /**
   * Stops waiting for the reply; the call is then rejected with the signal's reason. A command that
   * has been sent may run all the same.
   */
  signal?: AbortSignal;
  /**
   * How long to wait for the reply, in milliseconds; `Infinity` waits without end. The default is
   * the client's `timeoutMs`.
   */
  timeoutMs?: number;
}

/** The condition of a `put`: the key is missing, exists, or has this value. */
export type PutCondition = "absent" | "present" | { readonly match: Value };

/** The options of a `put`. */
export interface PutOptions extends CallOptions {
  /** Seconds until the key expires, 0.001 to ten years; without it the key never expires. */
  ttl?: number;
  /** Keeps the expiry that the key has, if any. Not together with `ttl`. */
  keepTtl?: boolean;
  /** Stores only on this condition. */
  if?: PutCondition;
}

/** The options of a `get`. */
export interface GetOptions extends CallOptions {
  /** Sets the key to expire this many seconds from now, 0.001 to ten years. */
  ttl?: number;
}

/** The options of an `increment`. */
export interface IncrementOptions extends CallOptions {
  /**
   * Seconds until the key expires, 0.001 to ten years. Ignored if the key has an expiry already.
   */
  ttl?: number;
}

/** The options of a `delete` on a condition. */
export interface MatchOptions extends CallOptions {
  /** Deletes only if the key has this value. */
  match: Value;
}

/** The options of a `scan`. */
export interface ScanOptions extends CallOptions {
  /** Lists only the keys that begin with this. */
  prefix?: string;
  /** About how many keys to fetch at a time, 1 to 10,000; 1,000 when left out. */
  count?: number;
}
