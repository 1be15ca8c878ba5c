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
import { BlinkError } from "./errors.ts";
import { type Info, infoFrom } from "./info.ts";
import { acquire, type Lock, type LockOptions } from "./lock.ts";
import type { CallOptions } from "./options.ts";

/** When a `put` takes place: always, or only if the key is missing, is there, or has this value. */
export type PutCondition = "absent" | "present" | { readonly match: Value };

/** What a `put` may be told. */
export interface PutOptions extends CallOptions {
  /** Seconds until the key expires, 0.001 to ten years; without it the key never expires. */
  ttl?: number;
  /** Keeps the time the key has left, if it is there. Not together with `ttl`. */
  keepTtl?: boolean;
  /** Stores only on this condition. */
  if?: PutCondition;
}

/** What a `get` may be told. */
export interface GetOptions extends CallOptions {
  /** Lets the key expire this many seconds from now, 0.001 to ten years. */
  ttl?: number;
}

/** What an `increment` may be told. */
export interface IncrementOptions extends CallOptions {
  /** Lets the key expire this many seconds from now, if it has no expiry yet; one it has stays. */
  ttl?: number;
}

/** What a `delete` with a condition may be told. */
export interface MatchOptions extends CallOptions {
  /** Deletes only if the key has this value. */
  match: Value;
}

/** What a `scan` may be told. */
export interface ScanOptions extends CallOptions {
  /** Lists only the keys that begin with this. */
  prefix?: string;
  /** About how many keys to fetch at a time, 1 to 10,000; 1,000 when left out. */
  count?: number;
}

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
const parsePong = codec.oneOf({ PONG: true });

/** Every call of the client library, over whatever carries its lines. */
export abstract class Calls {
  /** Sends a line and resolves to what the parser makes of its reply. */
  protected abstract submit<T>(line: Line, parse: Parse<T>, options: CallOptions): Promise<T>;

  /**
   * Stores text, or bytes, that holds no line break; an expiry the key had is gone.
   * For values with line breaks, and for conditions, there is {@linkcode Calls.put}.
   *
   * @throws {BlinkError} `usage` for a key or value the wire cannot carry, before anything is sent;
   * `reply` when the value exceeds the server's memory limit.
   */
  async set(key: string, value: Value, options: CallOptions = {}): Promise<void> {
    return await this.submit(codec.setLine(key, value), parseSet, options);
  }

  /**
   * Stores any text or bytes, with options. Without `keepTtl`, an expiry the key had is gone.
   *
   * @returns `"stored"`; `"conflict"` when the key is there (`if: "absent"`) or has another value
   * (`if: { match }`); `"not found"` when it is missing (`if: "present"`, `if: { match }`).
   */
  async put(
    key: string,
    value: Value,
    options: PutOptions = {},
  ): Promise<"stored" | "conflict" | "not found"> {
    const words: string[] = [];
    if (options.ttl !== undefined) words.push(`ttl=${codec.secondsText(options.ttl)}`);
    if (options.keepTtl) words.push("keepttl");
    if (typeof options.if === "string") words.push(options.if);
    else if (options.if) words.push(`match=${codec.base64Of(options.if.match)}`);
    return await this.submit(codec.putLine(key, words, value), parsePut, options);
  }

  /** Fetches a value as text, `undefined` when the key is missing; not UTF-8 becomes U+FFFD. */
  async get(key: string, options: GetOptions = {}): Promise<string | undefined> {
    return await this.submit(getLine(key, options), codec.textReply, options);
  }

  /** Fetches a value as the bytes that were stored, `undefined` when the key is missing. */
  async getBytes(key: string, options: GetOptions = {}): Promise<Uint8Array | undefined> {
    return await this.submit(getLine(key, options), codec.bytesReply, options);
  }

  /** Fetches several values as text with one request, in the order of the keys. */
  async getMany(
    keys: readonly string[],
    options: CallOptions = {},
  ): Promise<(string | undefined)[]> {
    if (keys.length === 0) return [];
    const parse = codec.valuesReply(keys.length, codec.textOf);
    return await this.submit(manyLine(keys), parse, options);
  }

  /** Fetches several values as bytes with one request, in the order of the keys. */
  async getManyBytes(
    keys: readonly string[],
    options: CallOptions = {},
  ): Promise<(Uint8Array | undefined)[]> {
    if (keys.length === 0) return [];
    const parse = codec.valuesReply(keys.length, (bytes) => bytes);
    return await this.submit(manyLine(keys), parse, options);
  }

  /** Removes a key only if it has the value `match`, and says which of the three it was. */
  delete(
    key: string,
    options: MatchOptions,
  ): Promise<"deleted" | "conflict" | "not found">;
  /** Removes a key: true when it was there. */
  delete(key: string, options?: CallOptions): Promise<boolean>;
  async delete(
    key: string,
    options: CallOptions & { match?: Value } = {},
  ): Promise<boolean | "deleted" | "conflict" | "not found"> {
    const line = `DELETE ${codec.checkedKey(key)}`;
    if (options.match === undefined) return await this.submit(line, parseDelete, options);
    const matching = `${line} match=${codec.base64Of(options.match)}`;
    return await this.submit(matching, parseDeleteMatch, options);
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
   */
  increment(key: string, by?: number, options?: IncrementOptions): Promise<number>;
  async increment(
    key: string,
    by: number | bigint = 1,
    options: IncrementOptions = {},
  ): Promise<number | bigint> {
    if (typeof by === "number" && !Number.isSafeInteger(by)) {
      throw new BlinkError("usage", `Cannot add ${by}: it is not a whole number held exactly`);
    }
    const ttl = options.ttl === undefined ? "" : ` ttl=${codec.secondsText(options.ttl)}`;
    const line = `INCR ${codec.checkedKey(key)} ${by}${ttl}`;
    const parse = typeof by === "bigint" ? codec.integerReply : codec.numberReply;
    return await this.submit<number | bigint>(line, parse, options);
  }

  /** Lets a key expire so many seconds from now, or never (`Infinity`); false when it is missing. */
  async expire(key: string, seconds: number, options: CallOptions = {}): Promise<boolean> {
    const when = seconds === Infinity ? "never" : codec.secondsText(seconds);
    return await this.submit(`EXPIRE ${codec.checkedKey(key)} ${when}`, parseFound, options);
  }

  /** Tells how many seconds a key has left: `Infinity` for never, `undefined` when it is missing. */
  async ttl(key: string, options: CallOptions = {}): Promise<number | undefined> {
    return await this.submit(`TTL ${codec.checkedKey(key)}`, codec.ttlReply, options);
  }

  /**
   * Lists keys, fetching them a part at a time as the loop asks for them. Every key that is there
   * from its start to its end comes at least once; a key may come twice, and keys written or deleted
   * meanwhile may or may not come. `timeoutMs` holds for each part.
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

  /** Removes every key, or every key with a prefix; resolves to how many there were. */
  async flush(prefix = "", options: CallOptions = {}): Promise<number> {
    const line = prefix === "" ? "FLUSH" : `FLUSH ${codec.checkedPrefix(prefix)}`;
    return await this.submit(line, parseDeleted, options);
  }

  /** The bytes of all keys and values that the store holds. */
  async usage(options: CallOptions = {}): Promise<number> {
    return await this.submit("USAGE", parseUsage, options);
  }

  /** Asks whether the server answers; resolves to how long that took, in milliseconds. */
  async ping(options: CallOptions = {}): Promise<number> {
    const sentAtMs = performance.now();
    await this.submit("PING", parsePong, options);
    return performance.now() - sentAtMs;
  }

  /** The server's counters and sizes. */
  async info(options: CallOptions = {}): Promise<Info> {
    return await this.submit("INFO", infoFrom, options);
  }

  /** The verbs that the server knows. */
  async help(options: CallOptions = {}): Promise<string[]> {
    return await this.submit("HELP", codec.helpReply, options);
  }

  /**
   * Sends one request as it stands and resolves to its reply line, `ERROR ...` included. For what
   * has no method of its own here; the line must hold no line break, and be a request with a reply.
   */
  async request(line: Line, options: CallOptions = {}): Promise<string> {
    return await this.submit(codec.rawLine(line), (reply) => reply, options);
  }

  /**
   * Takes a lock that is released at the end of the block (`await using`) if it is still held, and
   * that frees itself when its time runs out.
   *
   * @throws {BlinkError} `lock` when another holds it and `waitMs` has passed.
   */
  lock(key: string, options: LockOptions): Promise<Lock> {
    return acquire(this, key, options);
  }
}

function getLine(key: string, options: GetOptions): string {
  const line = `GET ${codec.checkedKey(key)}`;
  return options.ttl === undefined ? line : `${line} ttl=${codec.secondsText(options.ttl)}`;
}

function manyLine(keys: readonly string[]): string {
  return `MGET ${keys.map(codec.checkedKey).join(" ")}`;
}
