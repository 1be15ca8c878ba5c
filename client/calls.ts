/**
 * The calls: one method for each request of the protocol, typed. How a line travels is not known
 * here; a single connection and a pool of them both carry the same calls.
 *
 * @module
 */

import { scanCountMax } from "../protocol.ts";
import * as codec from "./codec.ts";
import type { Line, Value } from "./codec.ts";
import type { Parse } from "./call.ts";
import type {
  CallOptions,
  GetOptions,
  IncrementOptions,
  MatchOptions,
  PutOptions,
  ScanOptions,
} from "./call_options.ts";
import { BlinkError } from "./errors.ts";
import { type Info, infoFrom } from "./info.ts";
import { deleteMatchLine, getLine, incrementLine, manyLine, putWords } from "./lines.ts";
import { acquire, type Lock, type LockOptions } from "./lock.ts";

/** How many keys a scan asks for at a time unless told otherwise. */
const scanCountDefault = 1_000;

const parseSet = codec.oneOf<void>({ OK: undefined });
const parsePut = codec.oneOf(
  { OK: "stored", CONFLICT: "conflict", NOT_FOUND: "not found" } as const,
);
const parseDelete = codec.oneOf({ OK: true, NOT_FOUND: false });
const parseDeleteMatch = codec.oneOf(
  { OK: "deleted", CONFLICT: "conflict", NOT_FOUND: "not found" } as const,
);
const parseFound = codec.oneOf({ OK: true, NOT_FOUND: false });
const parseUsage = codec.countAfter("USAGE");
const parseDeleted = codec.countAfter("DELETED");
const asIs = (reply: string) => reply;
const parsePong = codec.oneOf({ PONG: true });

/** Every call of the client library, over whatever carries its lines. */
export abstract class Calls {
  /** Sends a line and resolves to what the parser makes of its reply. */
  protected abstract submit<T>(line: Line, parse: Parse<T>, options: CallOptions): Promise<T>;

  /**
   * Submits the line that `compose` gives, or rejects with what it throws. Calls are made with this
   * instead of as async functions, each of which would cost two promises more.
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
   * Stores text, or bytes, that holds no line break; an expiry the key had is gone.
   * For values with line breaks, and for conditions, there is {@linkcode Calls.put}.
   *
   * @throws {BlinkError} `usage` for a key or value the wire cannot carry, before anything is sent;
   * `reply` when the value exceeds the server's memory limit.
   */
  set(key: string, value: Value, options: CallOptions = {}): Promise<void> {
    return this.#call(() => codec.setLine(key, value), parseSet, options);
  }

  /**
   * Stores any text or bytes, with options. Without `keepTtl`, an expiry the key had is gone.
   *
   * @returns `"stored"`; `"conflict"` when the key is there (`if: "absent"`) or has another value
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
    return this.#call(() => codec.putLine(key, putWords(options), value), parsePut, options);
  }

  /**
   * Fetches a value as text, `undefined` when the key is missing; not UTF-8 becomes U+FFFD.
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
    return this.#call(() => getLine(key, options), codec.textReply, options);
  }

  /** Fetches a value as the bytes that were stored, `undefined` when the key is missing. */
  getBytes(key: string, options: GetOptions = {}): Promise<Uint8Array | undefined> {
    return this.#call(() => getLine(key, options), codec.bytesReply, options);
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
    const parse = codec.valuesReply(keys.length, codec.textOf);
    return this.#call(() => manyLine(keys), parse, options);
  }

  /** Fetches several values as bytes with one request, in the order of the keys. */
  getManyBytes(
    keys: readonly string[],
    options: CallOptions = {},
  ): Promise<(Uint8Array | undefined)[]> {
    if (keys.length === 0) return Promise.resolve([]);
    const parse = codec.valuesReply(keys.length, (bytes) => bytes);
    return this.#call(() => manyLine(keys), parse, options);
  }

  /**
   * Removes a key only if it has the value `match`, and says which of the three it was.
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
  /** Removes a key: true when it was there. */
  delete(key: string, options?: CallOptions): Promise<boolean>;
  delete(
    key: string,
    options: CallOptions & { match?: Value } = {},
  ): Promise<boolean | "deleted" | "conflict" | "not found"> {
    const { match } = options;
    if (match === undefined) {
      return this.#call(() => `DELETE ${codec.checkedKey(key)}`, parseDelete, options);
    }
    return this.#call(() => deleteMatchLine(key, match), parseDeleteMatch, options);
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
   * @throws {BlinkError} `range` when a number does not hold the result exactly; it was added all
   * the same.
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
    const parse = typeof by === "bigint" ? codec.integerReply : codec.numberReply;
    return this.#call<number | bigint>(() => incrementLine(key, by, options), parse, options);
  }

  /** Lets a key expire so many seconds from now, or never (`Infinity`); false when it is missing. */
  expire(key: string, seconds: number, options: CallOptions = {}): Promise<boolean> {
    const when = () => seconds === Infinity ? "never" : codec.secondsText(seconds);
    return this.#call(() => `EXPIRE ${codec.checkedKey(key)} ${when()}`, parseFound, options);
  }

  /**
   * Tells how many seconds a key has left: `Infinity` for never, `undefined` when it is missing.
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
    return this.#call(() => `TTL ${codec.checkedKey(key)}`, codec.ttlReply, options);
  }

  /**
   * Lists keys, fetching them a part at a time as the loop asks for them. Every key that is there
   * from its start to its end comes at least once; a key may come twice, and keys written or deleted
   * meanwhile may or may not come. `timeoutMs` holds for each part.
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
    const { prefix = "", count = scanCountDefault, ...callOptions } = options;
    const tail = prefix === "" ? `${count}` : `${count} ${codec.checkedPrefix(prefix)}`;
    if (!(Number.isInteger(count) && count >= 1 && count <= scanCountMax)) {
      throw new BlinkError("usage", `Cannot scan ${count} keys at a time: 1 to ${scanCountMax}`);
    }
    let cursor = "0";
    do {
      const page = await this.submit(`SCAN ${cursor} ${tail}`, codec.keysReply, callOptions);
      yield* page.keys;
      cursor = page.next;
    } while (cursor !== "0");
  }

  /**
   * Removes every key, or every key with a prefix; resolves to how many there were.
   */
  flush(prefix = "", options: CallOptions = {}): Promise<number> {
    const line = () => prefix === "" ? "FLUSH" : `FLUSH ${codec.checkedPrefix(prefix)}`;
    return this.#call(line, parseDeleted, options);
  }

  /** The bytes of all keys and values that the store holds. */
  usage(options: CallOptions = {}): Promise<number> {
    return this.submit("USAGE", parseUsage, options);
  }

  /** Asks whether the server answers; resolves to how long that took, in milliseconds. */
  async ping(options: CallOptions = {}): Promise<number> {
    const sentAtMs = performance.now();
    await this.submit("PING", parsePong, options);
    return performance.now() - sentAtMs;
  }

  /**
   * The server's counters and sizes.
   */
  info(options: CallOptions = {}): Promise<Info> {
    return this.submit("INFO", infoFrom, options);
  }

  /** The verbs that the server knows. */
  help(options: CallOptions = {}): Promise<string[]> {
    return this.submit("HELP", codec.helpReply, options);
  }

  /**
   * Sends one request as it stands and resolves to its reply line, `ERROR ...` included. For what
   * has no method of its own here; the line must hold no line break, and be a request with a reply.
   */
  request(line: Line, options: CallOptions = {}): Promise<string> {
    return this.#call(() => codec.rawLine(line), asIs, options);
  }

  /**
   * Takes a lock that is released at the end of the block (`await using`) if it is still held, and
   * that frees itself when its time runs out.
   *
   * @throws {BlinkError} `lock` when another holds it and `waitMs` has passed.
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
