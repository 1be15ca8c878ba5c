/**
 * Commands that delete a key only if its value is the expected one: DELIFEQ of Valkey, DELEX of
 * Redis 8.4.
 *
 * @module
 */

import type { Arguments } from "../../protocol.ts";
import type { Context } from "../context.ts";
import { oneKey, type RedisCommand } from "./command.ts";
import { isWord } from "./words.ts";

export const delifeq: RedisCommand = {
  name: "delifeq",
  arity: 3,
  flags: ["write", "fast"],
  keys: oneKey,
  group: "string",
  summary: "Deletes a key if its value equals the given one.",
  usage: "key value",
  line: "DELETE key match=",

  execute: (context, args, bytes) => deleteIf(context, args, bytes, 2, true),
};

export const delex: RedisCommand = {
  name: "delex",
  arity: -2,
  flags: ["write", "fast"],
  keys: oneKey,
  group: "string",
  summary: "Deletes a key, or only if its value equals the given one, or does not.",
  usage: "key [IFEQ value | IFNE value]",
  line: "DELETE",

  execute(context, args, bytes) {
    const { store, redis } = context;
    if (args.count === 2) {
      return redis.integer(store.delete(bytes, args.keyStart, args.keyEnd) ? 1 : 0);
    }
    const expected = args.count === 4 && isWord(args, 2, bytes, "ifeq");
    if (!expected && !(args.count === 4 && isWord(args, 2, bytes, "ifne"))) {
      return context.failRedis("unknown_option", "ERR syntax error");
    }
    deleteIf(context, args, bytes, 3, expected);
  },
};

/** Deletes the key if it exists and whether its value equals an argument is as expected. */
function deleteIf(
  { store, redis }: Context,
  { starts, ends, keyStart, keyEnd }: Arguments,
  bytes: Uint8Array,
  value: number,
  expected: boolean,
): void {
  const handle = store.find(bytes, keyStart, keyEnd);
  const isDeleted = handle !== 0 &&
    store.equals(handle, bytes, starts[value], ends[value]) === expected;
  if (isDeleted) store.delete(bytes, keyStart, keyEnd);
  redis.integer(isDeleted ? 1 : 0);
}
