/**
 * A source that speaks the protocol of Redis. It reads with SCAN, STRLEN, TYPE,
 * MGET and PEXPIRETIME; a server that is older than Redis 7 has no PEXPIRETIME, so PTTL is asked there.
 *
 * @module
 */

import {
  CopyError,
  type CopySource,
  type KeyFacts,
  type KeyPage,
  type ReadOutcome,
} from "./ports.ts";
import {
  ErrorReply,
  type RedisAddress,
  RedisConnection,
  type RedisReply,
  textOf,
} from "./redis_connection.ts";

/** Entries of a server. */
export class RedisSource implements CopySource, Disposable {
  readonly #connection: RedisConnection;
  readonly #shown: string;
  readonly #now: () => number;
  /** What asks for an expiry. */
  #expiry: "PEXPIRETIME" | "PTTL" = "PEXPIRETIME";

  /** `now` is in milliseconds since 1970. */
  constructor(address: RedisAddress, now: () => number = Date.now) {
    this.#connection = new RedisConnection("source", address);
    this.#shown = address.shown;
    this.#now = now;
  }

  identity(): Promise<string | undefined> {
    return this.#connection.identity();
  }

  async size(): Promise<number | undefined> {
    const [reply] = await this.#connection.run([["DBSIZE"]]);
    return typeof reply === "number" ? reply : undefined;
  }

  async scan(cursor: string, match: string | undefined, count: number): Promise<KeyPage> {
    const pattern = match === undefined ? [] : ["MATCH", match];
    const [reply] = await this.#connection.run([["SCAN", cursor, ...pattern, "COUNT", count]]);
    if (reply instanceof ErrorReply) {
      throw new CopyError(
        `The source ${this.#shown} cannot list its keys: ${reply.message.trim()}`,
      );
    }
    const [next, keys] = Array.isArray(reply) ? reply as RedisReply[] : [null, null];
    if (!(next instanceof Uint8Array) || !Array.isArray(keys)) {
      throw new CopyError(`The source ${this.#shown} answers SCAN with something else than keys`);
    }
    return { cursor: textOf(next), keys: keys as Uint8Array[] };
  }

  async describe(keys: readonly Uint8Array[]): Promise<KeyFacts[]> {
    const lengths = await this.#connection.run(keys.map((key) => ["STRLEN", key]));
    // A length says that the key holds a string, but 0 may also mean that there is none.
    const isCertain = lengths.map((length) => typeof length === "number" && length > 0);
    const uncertain = keys.filter((_, index) => !isCertain[index]);
    const types = uncertain.length === 0
      ? []
      : await this.#connection.run(uncertain.map((key) => ["TYPE", key]));
    let at = 0;
    return lengths.map((length, index) =>
      isCertain[index]
        ? { kind: "string", valueBytes: length as number }
        : factsOf(length, types[at++])
    );
  }

  async read(keys: readonly Uint8Array[]): Promise<ReadOutcome[]> {
    const expiry = this.#expiry;
    // The values come first: one that is set in between has the later expiry, or none.
    const [values, ...expiries] = await this.#connection.run([
      ["MGET", ...keys],
      ...keys.map((key) => [expiry, key] as const),
    ]);
    if (expiry === "PEXPIRETIME" && isUnknownCommand(expiries[0])) {
      this.#expiry = "PTTL";
      return await this.read(keys);
    }
    const from = expiry === "PTTL" ? this.#now() : 0;
    // MGET refuses all keys because of one.
    const each = Array.isArray(values)
      ? values as RedisReply[]
      : await this.#connection.run(keys.map((key) => ["GET", key]));
    const outcomes = keys.map((key, index) => outcomeOf(key, each[index], expiries[index], from));
    return await this.#withTypes(keys, outcomes);
  }

  /** Ends the connection. */
  [Symbol.dispose](): void {
    this.#connection.close();
  }

  /** Looks again at the keys that have changed since they were described. */
  async #withTypes(
    keys: readonly Uint8Array[],
    outcomes: readonly (ReadOutcome | "changed")[],
  ): Promise<ReadOutcome[]> {
    const changed = keys.filter((_, index) => outcomes[index] === "changed");
    const facts = changed.length === 0 ? [] : await this.describe(changed);
    return outcomes.map((outcome) => {
      if (outcome !== "changed") return outcome;
      const fact = facts.shift()!;
      return fact.kind === "string"
        ? { kind: "refused", reason: "source: it keeps changing its type" }
        : fact;
    });
  }
}

/** What the replies to STRLEN and TYPE say of a key. */
function factsOf(length: RedisReply, type: RedisReply): KeyFacts {
  if (type instanceof ErrorReply) return { kind: "refused", reason: `source: ${type.message}` };
  const name = textOf(type);
  if (name === "none") return { kind: "gone" };
  if (name !== "string") return { kind: "other", type: name };
  if (typeof length === "number") return { kind: "string", valueBytes: length };
  const reason = length instanceof ErrorReply ? length.message : "it does not say its length";
  return { kind: "refused", reason: `source: ${reason}` };
}

/** What the value of a key and its expiry, counted from `from`, say of it. */
function outcomeOf(
  key: Uint8Array,
  value: RedisReply,
  expiry: RedisReply,
  from: number,
): ReadOutcome | "changed" {
  if (expiry === -2) return { kind: "gone" };
  for (const reply of [expiry, value]) {
    if (reply instanceof ErrorReply && reply.code !== "WRONGTYPE") {
      return { kind: "refused", reason: `source: ${reply.message}` };
    }
  }
  // It is there, but not as a string.
  if (!(value instanceof Uint8Array)) return "changed";
  if (typeof expiry !== "number") {
    return { kind: "refused", reason: "source: it does not say when the key expires" };
  }
  const expiresAtMs = expiry < 0 ? undefined : from + expiry;
  return { kind: "entry", entry: { key, value, expiresAtMs } };
}

/** True for the error of a command that the server does not have. */
export function isUnknownCommand(reply: RedisReply): boolean {
  return reply instanceof ErrorReply && /^ERR unknown command/i.test(reply.message);
}
