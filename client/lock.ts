/**
 * Locks: a key that only one client at a time can put, with a random value that only its holder
 * knows, and an expiry so that a holder that dies does not keep it. Releasing and extending name
 * the random value, so they never affect another holder's lock.
 *
 * @module
 */

// @ts-types="../types/std.d.ts"
import { delay } from "@std/async/delay";
import type { CallOptions, MatchOptions, PutOptions } from "./call_options.ts";
import { BlinkError } from "./errors.ts";

/** The first pause between two tries for a lock that another client holds, in milliseconds. */
const pauseMsMin = 10;
/** The longest such pause, in milliseconds. */
const pauseMsMax = 500;

/** The options of a `lock`. */
export interface LockOptions extends CallOptions {
  /** Seconds after which the lock frees itself, 0.001 to ten years. */
  ttl: number;
  /** How long to wait for a lock that another client holds, in milliseconds; 0 by default. */
  waitMs?: number;
}

/** The two commands that a lock needs. */
interface LockCommands {
  put(
    key: string,
    value: string,
    options: PutOptions,
  ): Promise<"stored" | "conflict" | "not found">;
  delete(key: string, options: MatchOptions): Promise<"deleted" | "conflict" | "not found">;
}

/** Takes the lock, waiting as long as the options say. */
export async function acquire(
  commands: LockCommands,
  key: string,
  options: LockOptions,
): Promise<Lock> {
  const { ttl, waitMs = 0, ...callOptions } = options;
  const token = crypto.randomUUID();
  const untilMs = performance.now() + waitMs;
  for (let pauseMs = pauseMsMin;; pauseMs = Math.min(pauseMsMax, pauseMs * 2)) {
    const askedAtMs = performance.now();
    if (await tryOnce(commands, key, token, ttl, callOptions)) {
      return new Lock(commands, key, token, ttl, askedAtMs);
    }
    const leftMs = untilMs - performance.now();
    if (leftMs <= 0) {
      const waited = waitMs > 0 ? ` after ${waitMs} ms` : "";
      throw new BlinkError("lock", `Cannot lock ${key}: another still holds it${waited}`);
    }
    // Jitter, so that clients that wait for one lock do not all ask at the same moment.
    const jittered = pauseMs * (0.5 + Math.random() / 2);
    await delay(Math.min(leftMs, jittered), { signal: options.signal });
  }
}

async function tryOnce(
  commands: LockCommands,
  key: string,
  token: string,
  ttl: number,
  options: CallOptions,
): Promise<boolean> {
  try {
    return await commands.put(key, token, { ...options, ttl, if: "absent" }) === "stored";
  } catch (error) {
    // The put may have run although its reply is lost; then this deletes what it stored.
    const refused = error instanceof BlinkError && !error.mayHaveRun;
    if (!refused) commands.delete(key, { match: token }).catch(() => {});
    throw error;
  }
}

/** A lock that is held until it is released, lost, or its time has run out. */
export class Lock implements AsyncDisposable {
  /** The key that stands for the lock. */
  readonly key: string;
  /** The random value that the key has while this lock is held. */
  readonly token: string;

  readonly #commands: LockCommands;
  #ttl: number;
  #freeAtMs: number;
  #state: "held" | "released" | "lost" = "held";

  /** Locks are made by `lock()`; `askedAtMs` is on the clock of `performance.now()`. */
  constructor(commands: LockCommands, key: string, token: string, ttl: number, askedAtMs: number) {
    this.#commands = commands;
    this.key = key;
    this.token = token;
    this.#ttl = ttl;
    this.#freeAtMs = askedAtMs + ttl * 1000;
  }

  /**
   * True while the lock is certainly held: it was not released, not found lost, and its time,
   * counted from before it was asked for, has not run out.
   */
  get held(): boolean {
    return this.#state === "held" && performance.now() < this.#freeAtMs;
  }

  /**
   * Restarts the lock's time.
   *
   * @param ttl Seconds from now; the previous `ttl` when left out.
   * @throws {BlinkError} `lock` when the lock is no longer held.
   */
  async extend(ttl: number = this.#ttl, options: CallOptions = {}): Promise<void> {
    if (this.#state !== "held") throw this.#lost();
    const askedAtMs = performance.now();
    const condition = { match: this.token };
    const outcome = await this.#commands.put(this.key, this.token, {
      ...options,
      ttl,
      if: condition,
    });
    if (outcome !== "stored") {
      this.#state = "lost";
      throw this.#lost();
    }
    this.#ttl = ttl;
    this.#freeAtMs = askedAtMs + ttl * 1000;
  }

  /**
   * Releases the lock if it is still held. Resolves to true when it was, and to false when it had
   * been lost: its time had run out, or another client deleted the key. A second release resolves
   * to the same as the first.
   */
  async release(options: CallOptions = {}): Promise<boolean> {
    if (this.#state === "held") {
      const outcome = await this.#commands.delete(this.key, { ...options, match: this.token });
      this.#state = outcome === "deleted" ? "released" : "lost";
    }
    return this.#state === "released";
  }

  /**
   * Releases the lock at the end of an `await using` block.
   *
   * @throws {BlinkError} `lock` when it had been lost: the block may not have run alone.
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
