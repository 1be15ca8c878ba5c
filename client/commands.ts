/**
 * The commands: one typed method for each request of the protocol. A subclass sends the lines, on
 * one connection or on a pool of connections.
 *
 * @module
 */

import { type Info, scanCountMax } from "../protocol.ts";
import type { Parse } from "./call.ts";
import type {
  CallOptions,
  GetOptions,
  IncrementOptions,
  MatchOptions,
  PutOptions,
  ScanOptions,
  Value,
} from "./call_options.ts";
import { BlinkError } from "./errors.ts";
import { acquire, type Lock, type LockOptions } from "./lock.ts";
import * as lines from "./request_lines.ts";
import type { Line } from "./request_lines.ts";
import * as results from "./results.ts";

/** How many entries each request of a scan visits by default: many, for few round trips. */
const scanPageCount = 1_000;

const setResult = results.oneOf<void>({ OK: undefined });
const putResult = results.oneOf(
  { OK: "stored", CONFLICT: "conflict", NOT_FOUND: "not found" } as const,
);
const foundResult = results.oneOf({ OK: true, NOT_FOUND: false });
const deleteMatchResult = results.oneOf(
  { OK: "deleted", CONFLICT: "conflict", NOT_FOUND: "not found" } as const,
);
const pongResult = results.oneOf<void>({ PONG: undefined });
const lineResult = (line: string) => line;

/**
 * The commands of a client. {@linkcode BlinkStore} sends them on one connection, {@linkcode Pool}
 * on several. A class of your own implements `submit` only.
 */
export abstract class Commands {
  /**
   * Sends a request line and resolves to what `parse` makes of its reply line.
   *
   * @param line The request, without its line feed.
   * @param parse Makes the result; what it throws rejects the call.
   * @param options The call's signal and time-out.
   */
  protected abstract submit<T>(line: Line, parse: Parse<T>, options: CallOptions): Promise<T>;

  /**
   * Submits the line that `compose` returns, or rejects with what it throws. Calls are made with
   * this and not as async functions, which would cost two more promises each.
   */
  #call<T>(compose: () => Line, parse: Parse<T>, options: CallOptions): Promise<T> {
    let line: Line;
    try {
      line = compose();
    } catch (error) {
      return Promise.reject(error);
    }
    return this.submit(line, parse, options);
  }

  /**
   * Stores text or bytes without a line break, and removes an expiry that the key had. For values
   * with line breaks, and for conditions, use {@linkcode Commands.put}.
   *
   * @throws {BlinkError} `usage` for a key or value the wire cannot carry, before anything is sent;
   * `reply` when the value exceeds the server's memory limit.
   */
  set(key: string, value: Value, options: CallOptions = {}): Promise<void> {
    return this.#call(() => lines.setLine(key, value), setResult, options);
  }

  /**
   * Stores any text or bytes, with options. Without `keepTtl`, it removes an expiry that the key
   * had.
   *
   * @throws {BlinkError} as {@linkcode Commands.set} does; line breaks are allowed.
   *
   * @returns `"stored"`; `"conflict"` when the key exists (`if: "absent"`) or has another value
   * (`if: { match }`); `"not found"` when it is missing (`if: "present"`, `if: { match }`).
   *
   * @example
   * ```ts
   * import assert from "node:assert/strict";
   * import { connect } from "@blink/store/client";
   * import { serve } from "@blink/store/server";
   *
   * await using server = await serve({ tcp: [{ hostname: "127.0.0.1", port: 0 }] });
   * const { port } = server.addresses[0] as Deno.NetAddr;
   * await using store = await connect({ port });
   *
   * await store.put("session", new Uint8Array([0, 10, 255]), { ttl: 3600 });
   * const outcome = await store.put("session", "mine", { if: "absent" });
   * assert(outcome === "conflict");
   * ```
   */
  put(
    key: string,
    value: Value,
    options: PutOptions = {},
  ): Promise<"stored" | "conflict" | "not found"> {
    return this.#call(() => lines.putLine(key, lines.putWords(options), value), putResult, options);
  }

  /**
   * Fetches a value as text, `undefined` when the key is missing; bytes that are not UTF-8 become
   * U+FFFD.
   *
   * @example
   * ```ts
   * import assert from "node:assert/strict";
   * import { connect } from "@blink/store/client";
   * import { serve } from "@blink/store/server";
   *
   * await using server = await serve({ tcp: [{ hostname: "127.0.0.1", port: 0 }] });
   * const { port } = server.addresses[0] as Deno.NetAddr;
   * await using store = await connect({ port });
   *
   * await store.set("user", "alice");
   * assert(await store.get("user") === "alice");
   * assert(await store.get("nobody") === undefined);
   * ```
   */
  get(key: string, options: GetOptions = {}): Promise<string | undefined> {
    return this.#call(() => lines.getLine(key, options), results.textResult, options);
  }

  /** Fetches a value as the bytes that were stored, `undefined` when the key is missing. */
  getBytes(key: string, options: GetOptions = {}): Promise<Uint8Array | undefined> {
    return this.#call(() => lines.getLine(key, options), results.bytesResult, options);
  }

  /**
   * Fetches several values as text with one request, in the order of the keys.
   *
   * @example
   * ```ts
   * import assert from "node:assert/strict";
   * import { connect } from "@blink/store/client";
   * import { serve } from "@blink/store/server";
   *
   * await using server = await serve({ tcp: [{ hostname: "127.0.0.1", port: 0 }] });
   * const { port } = server.addresses[0] as Deno.NetAddr;
   * await using store = await connect({ port });
   *
   * await Promise.all([store.set("a", "1"), store.set("b", "2")]);
   * const [a, none, b] = await store.getMany(["a", "none", "b"]);
   * assert(a === "1" && none === undefined && b === "2");
   * ```
   */
  getMany(
    keys: readonly string[],
    options: CallOptions = {},
  ): Promise<(string | undefined)[]> {
    if (keys.length === 0) return Promise.resolve([]);
    const parse = results.valuesResult(keys.length, results.textOf);
    return this.#call(() => lines.manyLine(keys), parse, options);
  }

  /** Fetches several values as bytes with one request, in the order of the keys. */
  getManyBytes(
    keys: readonly string[],
    options: CallOptions = {},
  ): Promise<(Uint8Array | undefined)[]> {
    if (keys.length === 0) return Promise.resolve([]);
    const parse = results.valuesResult(keys.length, (bytes) => bytes);
    return this.#call(() => lines.manyLine(keys), parse, options);
  }

  /**
   * Removes a key only if it has the value `match`.
   *
   * @returns `"deleted"`; `"conflict"` when the key has another value; `"not found"` when it is
   * missing.
   *
   * @example
   * ```ts
   * import assert from "node:assert/strict";
   * import { connect } from "@blink/store/client";
   * import { serve } from "@blink/store/server";
   *
   * await using server = await serve({ tcp: [{ hostname: "127.0.0.1", port: 0 }] });
   * const { port } = server.addresses[0] as Deno.NetAddr;
   * await using store = await connect({ port });
   *
   * await store.set("draft", "version 1");
   * assert(await store.delete("draft", { match: "version 2" }) === "conflict");
   * assert(await store.delete("draft") === true);
   * ```
   */
  delete(
    key: string,
    options: MatchOptions,
  ): Promise<"deleted" | "conflict" | "not found">;
  /** Removes a key; resolves to whether it existed. */
  delete(key: string, options?: CallOptions): Promise<boolean>;
  delete(
    key: string,
    options: CallOptions & { match?: Value } = {},
  ): Promise<boolean | "deleted" | "conflict" | "not found"> {
    const { match } = options;
    if (match === undefined) {
      return this.#call(() => `DELETE ${lines.checkedKey(key)}`, foundResult, options);
    }
    return this.#call(() => lines.deleteMatchLine(key, match), deleteMatchResult, options);
  }

  /**
   * Adds to a number kept as decimal text, a signed 64-bit integer; a missing key counts from 0.
   *
   * @throws {BlinkError} `reply` when the value is not such a number or would overflow.
   */
  increment(key: string, by: bigint, options?: IncrementOptions): Promise<bigint>;
  /**
   * Adds to a number as with a bigint, and gives the result as a number.
   *
   * @throws {BlinkError} `range` when a number does not hold the result exactly; the sum was stored
   * nevertheless.
   *
   * @example
   * ```ts
   * import assert from "node:assert/strict";
   * import { connect } from "@blink/store/client";
   * import { serve } from "@blink/store/server";
   *
   * await using server = await serve({ tcp: [{ hostname: "127.0.0.1", port: 0 }] });
   * const { port } = server.addresses[0] as Deno.NetAddr;
   * await using store = await connect({ port });
   *
   * assert(await store.increment("visits") === 1);
   * assert(await store.increment("visits", 41, { ttl: 60 }) === 42);
   * assert(await store.increment("visits", 1n) === 43n);
   * ```
   */
  increment(key: string, by?: number, options?: IncrementOptions): Promise<number>;
  increment(
    key: string,
    by: number | bigint = 1,
    options: IncrementOptions = {},
  ): Promise<number | bigint> {
    const parse = typeof by === "bigint" ? results.integerResult : results.numberResult;
    return this.#call<number | bigint>(() => lines.incrementLine(key, by, options), parse, options);
  }

  /**
   * Sets a key to expire `seconds` from now, 0.001 to ten years, or never (`Infinity`); resolves to
   * whether the key exists.
   */
  expire(key: string, seconds: number, options: CallOptions = {}): Promise<boolean> {
    const when = () => seconds === Infinity ? "never" : lines.secondsText(seconds);
    return this.#call(() => `EXPIRE ${lines.checkedKey(key)} ${when()}`, foundResult, options);
  }

  /**
   * How many seconds a key has left, to the millisecond: `Infinity` for never, `undefined` when it
   * is missing.
   *
   * @example
   * ```ts
   * import assert from "node:assert/strict";
   * import { connect } from "@blink/store/client";
   * import { serve } from "@blink/store/server";
   *
   * await using server = await serve({ tcp: [{ hostname: "127.0.0.1", port: 0 }] });
   * const { port } = server.addresses[0] as Deno.NetAddr;
   * await using store = await connect({ port });
   *
   * await store.set("user", "alice");
   * await store.expire("user", 60);
   * assert((await store.ttl("user"))! <= 60);
   * await store.expire("user", Infinity);
   * assert(await store.ttl("user") === Infinity);
   * ```
   */
  ttl(key: string, options: CallOptions = {}): Promise<number | undefined> {
    return this.#call(() => `TTL ${lines.checkedKey(key)}`, results.ttlResult, options);
  }

  /**
   * Lists keys, a page at a time as the loop asks for them. Every key that exists from the start of
   * the scan to its end is listed at least once. A key may be listed twice, and keys written or
   * deleted meanwhile may be listed or not. `timeoutMs` holds for each page.
   *
   * Clients of the Redis wire can write keys with blanks and line breaks. The loop yields them as
   * they are, but no call here takes such a key: it rejects with a `usage` error.
   *
   * @example
   * ```ts
   * import assert from "node:assert/strict";
   * import { connect } from "@blink/store/client";
   * import { serve } from "@blink/store/server";
   *
   * await using server = await serve({ tcp: [{ hostname: "127.0.0.1", port: 0 }] });
   * const { port } = server.addresses[0] as Deno.NetAddr;
   * await using store = await connect({ port });
   *
   * await Promise.all([store.set("user:1", "alice"), store.set("user:2", "bob")]);
   * const users = new Set<string>();
   * for await (const key of store.scan({ prefix: "user:" })) users.add(key);
   * assert(users.size === 2);
   * ```
   */
  async *scan(options: ScanOptions = {}): AsyncGenerator<string, void, void> {
    const { prefix = "", count = scanPageCount, ...callOptions } = options;
    const tail = prefix === "" ? `${count}` : `${count} ${lines.checkedPrefix(prefix)}`;
    if (!(Number.isInteger(count) && count >= 1 && count <= scanCountMax)) {
      throw new BlinkError("usage", `Cannot scan ${count} keys at a time: 1 to ${scanCountMax}`);
    }
    let cursor = "0";
    do {
      const page = await this.submit(`SCAN ${cursor} ${tail}`, results.keysResult, callOptions);
      yield* page.keys;
      cursor = page.next;
    } while (cursor !== "0");
  }

  /** Removes every key, or every key with a prefix; resolves to how many it removed. */
  flush(prefix = "", options: CallOptions = {}): Promise<number> {
    const line = () => prefix === "" ? "FLUSH" : `FLUSH ${lines.checkedPrefix(prefix)}`;
    return this.#call(line, results.deletedResult, options);
  }

  /** The bytes of all keys and values that the store holds. */
  usage(options: CallOptions = {}): Promise<number> {
    return this.submit("USAGE", results.usageResult, options);
  }

  /** Checks that the server answers; resolves to the round trip, in milliseconds. */
  async ping(options: CallOptions = {}): Promise<number> {
    const sentAtMs = performance.now();
    await this.submit("PING", pongResult, options);
    return performance.now() - sentAtMs;
  }

  /** The server's counters and sizes. */
  info(options: CallOptions = {}): Promise<Info> {
    return this.submit("INFO", results.infoResult, options);
  }

  /** The verbs that the server knows. */
  help(options: CallOptions = {}): Promise<string[]> {
    return this.submit("HELP", results.helpResult, options);
  }

  /**
   * Sends one request as it stands and resolves to its reply line, `ERROR ...` included: for
   * requests that have no method here. {@linkcode parseReply} decodes the reply.
   *
   * @throws {BlinkError} `usage` for a line with a line break, and for QUIT, which has no reply.
   *
   * @example
   * ```ts
   * import assert from "node:assert/strict";
   * import { connect } from "@blink/store/client";
   * import { serve } from "@blink/store/server";
   *
   * await using server = await serve({ tcp: [{ hostname: "127.0.0.1", port: 0 }] });
   * const { port } = server.addresses[0] as Deno.NetAddr;
   * await using store = await connect({ port });
   *
   * assert(await store.request("PING") === "PONG");
   * assert(await store.request("GET") === "ERROR GET requires key");
   * ```
   */
  request(line: Line, options: CallOptions = {}): Promise<string> {
    return this.#call(() => lines.rawLine(line), lineResult, options);
  }

  /**
   * Takes a lock. It is released at the end of the block (`await using`) if it is still held, and
   * it expires by itself after `ttl` seconds.
   *
   * @throws {BlinkError} `lock` when another client still holds it after `waitMs`.
   *
   * @example
   * ```ts
   * import assert from "node:assert/strict";
   * import { connect } from "@blink/store/client";
   * import { serve } from "@blink/store/server";
   *
   * await using server = await serve({ tcp: [{ hostname: "127.0.0.1", port: 0 }] });
   * const { port } = server.addresses[0] as Deno.NetAddr;
   * await using store = await connect({ port });
   *
   * await using lock = await store.lock("nightly-job", { ttl: 30, waitMs: 1000 });
   * assert(lock.held);
   * ```
   */
  lock(key: string, options: LockOptions): Promise<Lock> {
    return acquire(this, key, options);
  }
}
