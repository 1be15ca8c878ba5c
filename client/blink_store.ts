/**
 * The client class `BlinkStore`, which uses one connection at a time, and `connect`, which makes
 * one.
 *
 * @module
 */

import type { Parse } from "./call.ts";
import type { CallOptions } from "./call_options.ts";
import { Commands } from "./commands.ts";
import { type ConnectOptions, settingsFrom } from "./options.ts";
import type { Line } from "./request_lines.ts";
import { RequestQueue } from "./request_queue.ts";

/**
 * A client of one server, on one connection: calls made without awaiting are pipelined and run in
 * the order in which they were made. {@linkcode connect} makes one that is connected; one made with
 * `new` connects when it is first used.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { BlinkStore } from "@blink/store/client";
 * import { serve } from "@blink/store/server";
 *
 * await using server = await serve({ tcp: [{ hostname: "127.0.0.1", port: 0 }] });
 * const { port } = server.addresses[0] as Deno.NetAddr;
 *
 * await using store = new BlinkStore({ port });
 * const [, visits] = await Promise.all([store.set("visits", "41"), store.increment("visits")]);
 * assert(visits === 42);
 * ```
 */
export class BlinkStore extends Commands implements AsyncDisposable {
  readonly #queue: RequestQueue;

  /**
   * Makes a client that is not connected yet.
   *
   * @throws {BlinkError} `usage` for options that are not valid.
   */
  constructor(options: ConnectOptions = {}) {
    super();
    this.#queue = new RequestQueue(settingsFrom(options));
  }

  /** The server's address, as messages show it. */
  get address(): string {
    return this.#queue.address;
  }

  /** True while there is a connection that has not ended. */
  get connected(): boolean {
    return this.#queue.connected;
  }

  /** How many calls are waiting or in flight. */
  get pending(): number {
    return this.#queue.pending;
  }

  /**
   * Connects now, with one attempt; without it, the first call connects.
   *
   * @throws {BlinkError} as {@linkcode connect} does.
   */
  async open(options: Pick<CallOptions, "signal"> = {}): Promise<void> {
    await this.#queue.open(options.signal);
  }

  /**
   * Logs in with a token. Once the server has accepted it, later connections log in with it too.
   *
   * @throws {BlinkError} `auth` when the server does not accept it.
   */
  async auth(token: string, options: CallOptions = {}): Promise<void> {
    await this.#queue.authenticate(token, options);
  }

  /**
   * Waits for the pending calls, at most `closeTimeoutMs`, then sends QUIT and closes; later calls
   * are refused. Never rejects.
   */
  close(): Promise<void> {
    return this.#queue.close();
  }

  /** Closes at once; pending calls are rejected. */
  abort(): void {
    this.#queue.abort();
  }

  /** Closes at the end of an `await using` block, as {@linkcode BlinkStore.close} does. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Sends a line on the connection. */
  protected override submit<T>(line: Line, parse: Parse<T>, options: CallOptions): Promise<T> {
    return this.#queue.submit(line, parse, options);
  }
}

/**
 * Connects to a server. One attempt is made; later, when the connection is lost, the next call
 * connects again.
 *
 * @throws {BlinkError} `connection` when there is no server; `auth` when it does not accept the
 * token; `usage` for options that are not valid.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { connect } from "@blink/store/client";
 * import { serve } from "@blink/store/server";
 *
 * await using server = await serve({ tcp: [{ hostname: "127.0.0.1", port: 0 }] });
 * const { port } = server.addresses[0] as Deno.NetAddr;
 *
 * await using store = await connect({ port });
 * await store.set("user", "alice");
 * assert(await store.get("user") === "alice");
 * ```
 */
export async function connect(options: ConnectOptions = {}): Promise<BlinkStore> {
  const store = new BlinkStore(options);
  await store.open(options);
  return store;
}
