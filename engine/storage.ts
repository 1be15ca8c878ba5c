/**
 * What the engine asks of a store. `store.ts` provides it; the tests' model provides it too, and
 * so the same requests can be held against both.
 *
 * @module
 */

import type { Handle, Milliseconds, PutOutcome } from "../store.ts";

export type { Handle, Milliseconds, PutOutcome };

/** Keys and values as bytes, with expiry, exact accounting and bounded work in every call. */
export interface Storage {
  /** The most bytes of keys and values that may be held. */
  readonly limitBytes: number;
  /** The bytes of keys and values held now, exactly. */
  readonly usage: number;
  /** How many entries are held. */
  readonly entries: number;
  /** Bytes of the value that `view` found, from `viewStart`; valid until the next change. */
  readonly viewBytes: Uint8Array;
  /** Where in `viewBytes` the value begins. */
  readonly viewStart: number;
  /** Counters since the start, and the memory that is really held. */
  readonly stats: {
    readonly evictions: number;
    readonly expirations: number;
    readonly overheadBytes: number;
    readonly residentBytes: number;
  };
  /** Finds a live entry without counting an access. */
  find(bytes: Uint8Array, start: number, end: number): Handle;
  /** Finds a live entry and counts an access. */
  get(bytes: Uint8Array, start: number, end: number): Handle;
  /** The value's bytes. */
  lengthOf(handle: Handle): number;
  /** Points `viewBytes` at the value and returns true, where it is contiguous in memory. */
  view(handle: Handle): boolean;
  /** Copies the whole value into `target` from `at` on. */
  copyTo(handle: Handle, target: Uint8Array, at: number): void;
  /** True when the value is exactly these bytes. */
  equals(handle: Handle, bytes: Uint8Array, start: number, end: number): boolean;
  /** When the entry expires, on the store's clock; `Infinity` for never. */
  expiryOf(handle: Handle): Milliseconds;
  /** Inserts or replaces an entry. */
  put(
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    value: Uint8Array,
    valueStart: number,
    valueEnd: number,
    expiresAt: Milliseconds,
    owner?: object,
  ): PutOutcome;
  /** Removes a key; false when there was none. */
  delete(bytes: Uint8Array, start: number, end: number): boolean;
  /** Removes an entry. */
  remove(handle: Handle): void;
  /** Sets when a key expires; false when there is none. */
  expire(bytes: Uint8Array, start: number, end: number, expiresAt: Milliseconds): boolean;
  /** Visits about `count` entries from a cursor on; returns the next cursor, 0 at the end. */
  scan(
    cursor: number,
    count: number,
    visit: (bytes: Uint8Array, start: number, end: number) => void,
    prefix?: Uint8Array,
  ): number;
  /** Removes everything; returns how many entries there were. */
  flushAll(): number;
  /** Removes keys with a prefix, a bounded share a call; `undefined` until it is done. */
  flushPrefix(prefix: Uint8Array): number | undefined;
  /** Removes a bounded share of what has expired; true when more is due now. */
  sweep(): boolean;
  /** The store's clock. */
  now(): Milliseconds;
}
