/**
 * A store for tests that takes strings instead of buffers with offsets.
 *
 * @module
 */

import {
  type FlushOperation,
  type PutOperation,
  type PutOutcome,
  Store,
  type StoreOptions,
} from "../store.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Calls that one piece of work may take: more than any needs, so that a loop in a test ends. */
const callsMax = 100_000;

/** A store whose keys and values are strings; a value may also be a number of bytes. */
export class TextStore {
  readonly store: Store;
  /** Calls of put in a row that were unfinished. */
  #unfinished = 0;

  constructor(options: StoreOptions) {
    this.store = new Store({ hashKey: [3, 4], ...options });
  }

  /** One call of put; a number stands for a value of this many bytes. Throws if puts never end. */
  put(
    key: string,
    value: string | number,
    expiresAt = Infinity,
    operation?: PutOperation,
  ): PutOutcome {
    const k = encoder.encode(key);
    const v = typeof value === "string" ? encoder.encode(value) : new Uint8Array(value).fill(120);
    const outcome = this.store.put(k, 0, k.length, v, 0, v.length, expiresAt, operation);
    this.#unfinished = outcome === "unfinished" ? this.#unfinished + 1 : 0;
    if (this.#unfinished > callsMax) throw new Error(`put of ${key} never ends`);
    return outcome;
  }

  /** A put with all its calls. */
  putAll(key: string, value: string | number, expiresAt = Infinity): PutOutcome {
    let outcome = this.put(key, value, expiresAt);
    if (outcome !== "unfinished") return outcome;
    const operation = this.store.startPut();
    while (outcome === "unfinished") outcome = this.put(key, value, expiresAt, operation);
    return outcome;
  }

  /** A value as text, or undefined; counts as a visit. */
  get(key: string): string | undefined {
    const k = encoder.encode(key);
    const handle = this.store.get(k, 0, k.length);
    if (handle === 0) return undefined;
    const bytes = new Uint8Array(this.store.lengthOf(handle));
    this.store.copyTo(handle, bytes, 0);
    return decoder.decode(bytes);
  }

  /** Whether a key is there; does not count as a visit. */
  has(key: string): boolean {
    const k = encoder.encode(key);
    return this.store.find(k, 0, k.length) !== 0;
  }

  /** Removes a key. */
  delete(key: string): boolean {
    const k = encoder.encode(key);
    return this.store.delete(k, 0, k.length);
  }

  /** Sets when a key expires. */
  expire(key: string, expiresAt: number): boolean {
    const k = encoder.encode(key);
    return this.store.expire(k, 0, k.length, expiresAt);
  }

  /** Keys of one call of scan, and the next cursor. */
  scan(cursor: number, count: number, prefix?: string): { keys: string[]; next: number } {
    const keys: string[] = [];
    const visit = (bytes: Uint8Array, start: number, end: number) => {
      keys.push(decoder.decode(bytes.slice(start, end)));
    };
    const filter = prefix === undefined ? undefined : encoder.encode(prefix);
    const next = this.store.scan(cursor, count, visit, filter);
    return { keys, next };
  }

  /** Starts a flush by prefix. Its steps throw if it never ends. */
  startFlush(prefix: string): FlushOperation {
    const flush = this.store.startFlush(encoder.encode(prefix));
    let steps = 0;
    return {
      step: () => {
        if (steps++ > callsMax) throw new Error(`flush of ${prefix} never ends`);
        return flush.step();
      },
    };
  }

  /** Sweeps until nothing more is due. */
  sweepAll(): void {
    for (let calls = 0; this.store.sweep(); calls++) {
      if (calls > callsMax) throw new Error("sweep never ends");
    }
  }

  /** A flush by prefix with all its calls. */
  flush(prefix: string): number {
    const flush = this.startFlush(prefix);
    for (let calls = 0; calls < 100_000; calls++) {
      const removed = flush.step();
      if (removed !== undefined) return removed;
    }
    throw new Error(`flush of ${prefix} never ends`);
  }
}
