/**
 * Locks: a key that only one client at a time can put, with a random value that only its holder
 * knows, and an expiry so that a holder that dies does not hold it for ever. A lock releases and
 * extends only what it holds itself: both name the random value.
 *
 * @module
 */

import type { Calls } from "./calls.ts";
import { delay } from "./deadlines.ts";
import { BlinkError } from "./errors.ts";
import type { CallOptions } from "./call_options.ts";

/** The pause between two tries for a lock that another holds, in milliseconds, at the start. */
const pauseMsMin = 10;
/** The longest such pause, in milliseconds. */
const pauseMsMax = 500;

/** What a `lock` is told. */
export interface LockOptions extends CallOptions {
  /** Seconds after which the lock frees itself, 0.001 to ten years. */
  ttl: number;
  /** How long to wait for a lock that another holds, in milliseconds; 0, not at all, by default. */
  waitMs?: number;
}

/** Puts and deletes of the lock's key, which are all that a lock needs. */
type LockCalls = Pick<Calls, "put" | "delete">;

/** Takes the lock, waiting as long as the options say. */
export async function acquire(calls: LockCalls, key: string, options: LockOptions): Promise<Lock> {
  const { ttl, waitMs = 0, ...callOptions } = options;
  const token = crypto.randomUUID();
  const untilMs = performance.now() + waitMs;
  for (let pauseMs = pauseMsMin;; pauseMs = Math.min(pauseMsMax, pauseMs * 2)) {
    const askedAtMs = performance.now();
    if (await tryOnce(calls, key, token, ttl, callOptions)) {
      return new Lock(calls, key, token, ttl, askedAtMs);
    }
    const leftMs = untilMs - performance.now();
    if (leftMs <= 0) {
      const waited = waitMs > 0 ? ` after ${waitMs} ms` : "";
      throw new BlinkError("lock", `Cannot lock ${key}: another still holds it${waited}`);
    }
    // Jitter, so that those who wait for one lock do not all ask at the same moment.
    await delay(Math.min(leftMs, pauseMs * (0.5 + Math.random() / 2)), options.signal);
  }
}

async function tryOnce(
  calls: LockCalls,
  key: string,
  token: string,
  ttl: number,
  options: CallOptions,
): Promise<boolean> {
  try {
    return await calls.put(key, token, { ...options, ttl, if: "absent" }) === "stored";
  } catch (error) {
    // The lock may have been taken without our knowing; it is given back if it was.
    const refused = error instanceof BlinkError && !error.mayHaveRun;
    if (!refused) calls.delete(key, { match: token }).catch(() => {});
    throw error;
  }
}

/** A lock that is held until it is released, lost, or its time has run out. */
export class Lock implements AsyncDisposable {
  /** The key that stands for the lock. */
  readonly key: string;
  /** The random value that the key has while this lock is held. */
  readonly token: string;

  readonly #calls: LockCalls;
  #ttl: number;
  #freeAtMs: number;
  #state: "held" | "released" | "lost" = "held";

  /** Locks are made by `lock()`; `askedAtMs` is on the clock of `performance.now()`. */
  constructor(calls: LockCalls, key: string, token: string, ttl: number, askedAtMs: number) {
    this.#calls = calls;
    this.key = key;
    this.token = token;
    this.#ttl = ttl;
    this.#freeAtMs = askedAtMs + ttl * 1000;
  }

  /**
   * True while the lock is surely held: not released, not found lost, and its time, counted from
   * before it was asked for, not run out.
   */
  get held(): boolean {
    return this.#state === "held" && performance.now() < this.#freeAtMs;
  }

  /**
   * Starts the lock's time anew.
   *
   * @param ttl Seconds from now; as long as at first when left out.
   * @throws {BlinkError} `lock` when the lock is no longer this one's.
   */
  async extend(ttl: number = this.#ttl, options: CallOptions = {}): Promise<void> {
    if (this.#state !== "held") throw this.#lost();
    const askedAtMs = performance.now();
    const condition = { match: this.token };
    const outcome = await this.#calls.put(this.key, this.token, { ...options, ttl, if: condition });
    if (outcome !== "stored") {
      this.#state = "lost";
      throw this.#lost();
    }
    this.#ttl = ttl;
    this.#freeAtMs = askedAtMs + ttl * 1000;
  }

  /**
   * Releases the lock if it is still held; true when it was, false when it had been lost: its time
   * had run out, or someone deleted the key. Releasing twice gives the first answer again.
   */
  async release(options: CallOptions = {}): Promise<boolean> {
    if (this.#state === "held") {
      const outcome = await this.#calls.delete(this.key, { ...options, match: this.token });
      this.#state = outcome === "deleted" ? "released" : "lost";
    }
    return this.#state === "released";
  }

  /**
   * Releases the lock at the end of an `await using` block.
   *
   * @throws {BlinkError} `lock` when it had been lost meanwhile, since the block then may not have
   * been alone.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!await this.release()) throw this.#lost();
  }

  #lost(): BlinkError {
    const state = this.#state === "released"
      ? "it was released"
      : "its time ran out or its key was deleted";
    return new BlinkError("lock", `The lock ${this.key} is no longer held: ${state}`);
  }
}
