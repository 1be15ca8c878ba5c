/**
 * Commands that read a value: GET, GETEX, GETDEL.
 *
 * @module
 */

import type { Arguments } from "../../protocol.ts";
import type { Milliseconds } from "../../store.ts";
import type { Context } from "../context.ts";
import { oneKey, type RedisCommand } from "./command.ts";
import { timeFormNamed, timeOf } from "./expiry.ts";
import { replyWithValue } from "./values.ts";
import { isWord } from "./words.ts";

export const get: RedisCommand = {
  name: "get",
  arity: 2,
  flags: ["readonly", "fast"],
  keys: oneKey,
  group: "string",
  summary: "Returns the string value of a key.",
  usage: "key",
  line: "GET",

  execute: (context, args, bytes, session) => replyWithValue(context, args, bytes, session),
};

export const getdel: RedisCommand = {
  name: "getdel",
  arity: 2,
  flags: ["write", "fast"],
  keys: oneKey,
  group: "string",
  summary: "Returns the string value of a key after deleting the key.",
  usage: "key",

  execute: (context, args, bytes, session) =>
    replyWithValue(context, args, bytes, session, ({ store }, { keyStart, keyEnd }, key) => {
      store.delete(key, keyStart, keyEnd);
    }),
};

export const getex: RedisCommand = {
  name: "getex",
  arity: -2,
  flags: ["write", "fast"],
  keys: oneKey,
  group: "string",
  summary: "Returns the string value of a key after setting its expiration time.",
  usage:
    "key [EX seconds | PX milliseconds | EXAT unix-seconds | PXAT unix-milliseconds | PERSIST]",
  line: "GET key ttl=S",

  execute(context, args, bytes, session) {
    if (args.count === 2) return replyWithValue(context, args, bytes, session);
    const expiresAt = newExpiry(context, args, bytes);
    if (expiresAt === undefined) return undefined;
    return replyWithValue(context, args, bytes, session, ({ store }, { keyStart, keyEnd }, key) => {
      if (expiresAt <= store.now()) store.delete(key, keyStart, keyEnd);
      else store.expire(key, keyStart, keyEnd, expiresAt);
    });
  },
};

/** The expiry that GETEX's option asks for; undefined where it is wrong, which is answered. */
function newExpiry(context: Context, args: Arguments, bytes: Uint8Array): Milliseconds | undefined {
  if (args.count === 3 && isWord(args, 2, bytes, "persist")) return Infinity;
  const form = args.count === 4 ? timeFormNamed(args, 2, bytes) : undefined;
  if (form === undefined) return context.failRedis("unknown_option", "ERR syntax error");
  return timeOf(context, args, 3, bytes, form, "getex", false);
}
