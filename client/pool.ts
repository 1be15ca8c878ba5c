/**
 * A client that spreads its calls over several connections.
 *
 * @module
 */

import type { Parse } from "./call.ts";
import type { CallOptions } from "./call_options.ts";
import { Commands } from "./commands.ts";
import { BlinkError } from "./errors.ts";
import { type ConnectOptions, settingsFrom } from "./options.ts";
import type { Line } from "./request_lines.ts";
import { RequestQueue } from "./request_queue.ts";

/** How many connections a pool has by default. */
export const poolSizeDefault = 4;
/** The most connections a pool can have. */
export const poolSizeMax = 1_000;

/** The options of {@linkcode pool}: those of a connection, and how many to make. */
export interface PoolOptions extends ConnectOptions {
  /** How many connections to make, 1 to 1,000; 4 when left out. */
  size?: number;
}

/**
 * A client of one server on several connections. Each call takes the connection with the fewest
 * calls pending; so two calls made without awaiting the first may run in either order.
 * {@linkcode pool} makes one that is connected; one made with `new` connects when it is used.
 */
export class Pool extends Commands implements AsyncDisposable {
  readonly #queues: readonly RequestQueue[];

  /**
   * Makes a client that is not connected yet.
   *
   * @throws {BlinkError} `usage` for options that are not valid.
   */
  constructor(options: PoolOptions = {}) {
    super();
    const { size = poolSizeDefault, ...connectOptions } = options;
    if (!(Number.isInteger(size) && size >= 1 && size <= poolSizeMax)) {
      throw new BlinkError("usage", `Cannot use size ${size}: 1 to ${poolSizeMax} connections`);
    }
    const settings = settingsFrom(connectOptions);
    this.#queues = Array.from({ length: size }, () => new RequestQueue(settings));
  }

  /** The server's address, as messages show it. */
  get address(): string {
    return this.#queues[0].address;
  }

  /** How many connections the pool has. */
  get size(): number {
    return this.#queues.length;
  }

  /** How many calls are waiting or in flight, on all connections. */
  get pending(): number {
    return this.#queues.reduce((sum, queue) => sum + queue.pending, 0);
  }

  /**
   * Makes every connection now, with one attempt each; if one fails, the pool is closed.
   *
   * @throws {BlinkError} as {@linkcode pool} does.
   */
  async open(options: Pick<CallOptions, "signal"> = {}): Promise<void> {
    try {
      await Promise.all(this.#queues.map((queue) => queue.open(options.signal)));
    } catch (error) {
      this.abort();
      throw error;
    }
  }

  /**
   * Logs in on every connection. Later connections log in with the token too.
   *
   * @throws {BlinkError} `auth` when the server does not accept it.
   */
  async auth(token: string, options: CallOptions = {}): Promise<void> {
    await Promise.all(this.#queues.map((queue) => queue.authenticate(token, options)));
  }

  /** Closes every connection as {@linkcode BlinkStore.close} does; later calls are refused. */
  async close(): Promise<void> {
    await Promise.all(this.#queues.map((queue) => queue.close()));
  }

  /** Closes every connection at once; pending calls are rejected. */
  abort(): void {
    for (const queue of this.#queues) queue.abort();
  }

  /** Closes at the end of an `await using` block, as {@linkcode Pool.close} does. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Sends a line on the connection with the fewest calls pending. */
  protected override submit<T>(line: Line, parse: Parse<T>, options: CallOptions): Promise<T> {
    let best = this.#queues[0];
    for (const queue of this.#queues) if (queue.pending < best.pending) best = queue;
    return best.submit(line, parse, options);
  }
}

/**
 * Connects to a server several times.
 *
 * @throws {BlinkError} as {@linkcode connect} does; no connection is left open then.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { pool } from "@blink/store/client";
 * import { serve } from "@blink/store/server";
 *
 * await using server = await serve({ tcp: [{ hostname: "127.0.0.1", port: 0 }] });
 * const { port } = server.addresses[0] as Deno.NetAddr;
 *
 * await using store = await pool({ port, size: 2 });
 * await Promise.all([store.increment("visits"), store.increment("visits")]);
 * assert(await store.get("visits") === "2");
 * ```
 */
export async function pool(options: PoolOptions = {}): Promise<Pool> {
  const made = new Pool(options);
  await made.open(options);
  return made;
}
