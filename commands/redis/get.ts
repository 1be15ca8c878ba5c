/**
 * Commands that read a value: GET, GETEX, GETDEL.
 *
 * @module
 */

import type { Arguments } from "../../protocol.ts";
import { oneKey, type RedisCommand } from "./command.ts";
import { type TimeForm, timeFormNamed, timeOf } from "./expiry.ts";
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
    const option = parseOption(args, bytes);
    if (option === undefined) return context.failRedis("unknown_option", "ERR syntax error");
    // As in Redis, a time is looked at only where it would be set.
    if (context.store.find(bytes, args.keyStart, args.keyEnd) === 0) {
      return replyWithValue(context, args, bytes, session);
    }
    const expiresAt = option.form === "persist"
      ? Infinity
      : timeOf(context, args, option.time, bytes, option.form, "getex", false);
    if (expiresAt === undefined) return undefined;
    return replyWithValue(context, args, bytes, session, ({ store }, { keyStart, keyEnd }, key) => {
      if (expiresAt <= store.now()) store.delete(key, keyStart, keyEnd);
      else store.expire(key, keyStart, keyEnd, expiresAt);
    });
  },
};

/** What GETEX's options ask for; undefined where they are wrong. The last one counts. */
function parseOption(
  args: Arguments,
  bytes: Uint8Array,
): { form: TimeForm | "persist"; time: number } | undefined {
  let form: TimeForm | "persist" | undefined;
  let time = 0;
  for (let n = 2; n < args.count; n++) {
    const given = isWord(args, n, bytes, "persist") ? "persist" : timeFormNamed(args, n, bytes);
    if (given === undefined || (form ?? given) !== given) return undefined;
    form = given;
    if (form !== "persist") time = ++n;
  }
  return form === undefined || time >= args.count ? undefined : { form, time };
}
