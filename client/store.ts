/**
 * A client on one connection at a time.
 *
 * @module
 */

import type { Parse } from "./call.ts";
import { Calls } from "./calls.ts";
import { Channel } from "./channel.ts";
import type { Line } from "./codec.ts";
import type { CallOptions } from "./call_options.ts";
import { type ConnectOptions, settingsFrom } from "./options.ts";

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
export class BlinkStore extends Calls implements AsyncDisposable {
  readonly #channel: Channel;

  /**
   * Makes a client that is not connected yet.
   *
   * @throws {BlinkError} `usage` for options that make no sense.
   */
  constructor(options: ConnectOptions = {}) {
    super();
    this.#channel = new Channel(settingsFrom(options));
  }

  /** The server's address, as messages show it. */
  get address(): string {
    return this.#channel.address;
  }

  /** True while there is a connection that is not known to be lost. */
  get connected(): boolean {
    return this.#channel.connected;
  }

  /** How many calls are waiting or in flight. */
  get pending(): number {
    return this.#channel.pending;
  }

  /**
   * Connects now, with one attempt; without it, the first call connects.
   *
   * @throws {BlinkError} as {@linkcode connect} does.
   */
  async open(options: Pick<CallOptions, "signal"> = {}): Promise<void> {
    await this.#channel.open(options.signal);
  }

  /** Shows a token to the server; once accepted it is shown on every later connection as well. */
  async auth(token: string, options: CallOptions = {}): Promise<void> {
    await this.#channel.authenticate(token, options);
  }

  /** Lets the pending calls finish, then says QUIT and closes; later calls are refused. */
  close(): Promise<void> {
    return this.#channel.close();
  }

  /** Closes at once; pending calls are rejected. */
  abort(): void {
    this.#channel.abort();
  }

  /** As {@linkcode BlinkStore.close}, at the end of an `await using` block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Sends a line on the connection. */
  protected override submit<T>(line: Line, parse: Parse<T>, options: CallOptions): Promise<T> {
    return this.#channel.submit(line, parse, options);
  }
}

/**
 * Connects to a server. One attempt is made; later, when the connection is lost, the next call
 * connects again.
 *
 * @throws {BlinkError} `connection` when there is no server; `auth` when it does not accept the
 * token; `usage` for options that make no sense.
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
