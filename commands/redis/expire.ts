/**
 * Commands about the expiry of a key: EXPIRE, PEXPIRE, EXPIREAT, PEXPIREAT, TTL, PTTL, EXPIRETIME,
 * PEXPIRETIME, PERSIST.
 *
 * @module
 */

import type { Arguments } from "../../protocol.ts";
import type { Milliseconds } from "../../store.ts";
import type { Context } from "../context.ts";
import { oneKey, type RedisCommand } from "./command.ts";
import { type TimeForm, timeForms, timeOf, wallTimeOf } from "./expiry.ts";
import { isWord, textOf } from "./words.ts";

/** What must be so for EXPIRE to change anything. */
interface Conditions {
  nx: boolean;
  xx: boolean;
  gt: boolean;
  lt: boolean;
}

const conditionWords = ["nx", "xx", "gt", "lt"] as const;

function setter(name: string, form: TimeForm, argument: string, summary: string): RedisCommand {
  return {
    name,
    arity: -3,
    flags: ["write", "fast"],
    keys: oneKey,
    group: "generic",
    summary,
    usage: `key ${argument} [NX | XX | GT | LT]`,
    line: "EXPIRE",

    execute(context, args, bytes) {
      const conditions = conditionsOf(context, args, bytes);
      if (conditions === undefined) return undefined;
      const expiresAt = timeOf(context, args, 2, bytes, form, name, true);
      if (expiresAt === undefined) return undefined;
      const isSet = setExpiry(context, args, bytes, expiresAt, conditions);
      context.redis.integer(isSet ? 1 : 0);
    },
  };
}

export const expire: RedisCommand = setter(
  "expire",
  timeForms.ex,
  "seconds",
  "Sets the expiration time of a key in seconds.",
);

export const pexpire: RedisCommand = setter(
  "pexpire",
  timeForms.px,
  "milliseconds",
  "Sets the expiration time of a key in milliseconds.",
);

export const expireat: RedisCommand = setter(
  "expireat",
  timeForms.exat,
  "unix-time-seconds",
  "Sets the expiration time of a key to a Unix timestamp.",
);

export const pexpireat: RedisCommand = setter(
  "pexpireat",
  timeForms.pxat,
  "unix-time-milliseconds",
  "Sets the expiration time of a key to a Unix milliseconds timestamp.",
);

/** Sets an expiry if the conditions hold; a time that is over deletes the key. */
function setExpiry(
  { store }: Context,
  { keyStart, keyEnd }: Arguments,
  bytes: Uint8Array,
  expiresAt: Milliseconds,
  { nx, xx, gt, lt }: Conditions,
): boolean {
  const handle = store.find(bytes, keyStart, keyEnd);
  if (handle === 0) return false;
  const current = store.expiryOf(handle);
  if (nx && current !== Infinity || xx && current === Infinity) return false;
  // A key that never expires expires later than any other.
  if (gt && expiresAt <= current || lt && expiresAt >= current) return false;
  if (expiresAt > store.now()) return store.expire(bytes, keyStart, keyEnd, expiresAt);
  return store.delete(bytes, keyStart, keyEnd);
}

/** The conditions that a request gives; undefined where they are wrong, which is answered. */
function conditionsOf(
  context: Context,
  args: Arguments,
  bytes: Uint8Array,
): Conditions | undefined {
  const conditions: Conditions = { nx: false, xx: false, gt: false, lt: false };
  for (let n = 3; n < args.count; n++) {
    const word = conditionWords.find((word) => isWord(args, n, bytes, word));
    if (word === undefined) {
      return context.failRedis(
        "unknown_option",
        `ERR Unsupported option ${textOf(args, n, bytes)}`,
      );
    }
    conditions[word] = true;
  }
  const { nx, xx, gt, lt } = conditions;
  if (nx && (xx || gt || lt)) {
    const text = "ERR NX and XX, GT or LT options at the same time are not compatible";
    return context.failRedis("bad_option", text);
  }
  if (gt && lt) {
    const text = "ERR GT and LT options at the same time are not compatible";
    return context.failRedis("bad_option", text);
  }
  return conditions;
}

function getter(name: string, unitMs: number, isAbsolute: boolean, summary: string): RedisCommand {
  return {
    name,
    arity: 2,
    flags: ["readonly", "fast"],
    keys: oneKey,
    group: "generic",
    summary,
    usage: "key",
    line: isAbsolute ? undefined : "TTL",

    execute(context, { keyStart, keyEnd }, bytes) {
      const { redis, store } = context;
      const handle = store.find(bytes, keyStart, keyEnd);
      if (handle === 0) return redis.integer(missingKey);
      const expiresAt = Math.floor(store.expiryOf(handle));
      if (expiresAt === Infinity) return redis.integer(neverExpires);
      const ms = isAbsolute
        ? wallTimeOf(context, expiresAt)
        : Math.max(0, expiresAt - Math.floor(store.now()));
      // Redis rounds seconds to the nearest one.
      redis.integer(unitMs === 1 ? ms : Math.floor((ms + unitMs / 2) / unitMs));
    },
  };
}

/** The replies where there is no time to tell. */
const missingKey = -2;
const neverExpires = -1;

export const ttl: RedisCommand = getter(
  "ttl",
  1000,
  false,
  "Returns the expiration time in seconds of a key.",
);

export const pttl: RedisCommand = getter(
  "pttl",
  1,
  false,
  "Returns the expiration time in milliseconds of a key.",
);

export const expiretime: RedisCommand = getter(
  "expiretime",
  1000,
  true,
  "Returns the expiration time of a key as a Unix timestamp.",
);

export const pexpiretime: RedisCommand = getter(
  "pexpiretime",
  1,
  true,
  "Returns the expiration time of a key as a Unix milliseconds timestamp.",
);

export const persist: RedisCommand = {
  name: "persist",
  arity: 2,
  flags: ["write", "fast"],
  keys: oneKey,
  group: "generic",
  summary: "Removes the expiration time of a key.",
  usage: "key",
  line: "EXPIRE key never",

  execute({ redis, store }, { keyStart, keyEnd }, bytes) {
    const handle = store.find(bytes, keyStart, keyEnd);
    const expires = handle !== 0 && store.expiryOf(handle) !== Infinity;
    redis.integer(expires && store.expire(bytes, keyStart, keyEnd, Infinity) ? 1 : 0);
  },
};
