/**
 * Commands that remove keys or count those that exist: DEL, UNLINK, EXISTS, TOUCH.
 *
 * @module
 */

import type { Arguments } from "../../protocol.ts";
import type { Context } from "../context.ts";
import { allKeys, type RedisCommand } from "./command.ts";

/** Answers with the number of keys for which `work` is true. */
function count(
  context: Context,
  { starts, ends, count }: Arguments,
  work: (start: number, end: number) => boolean,
): void {
  let total = 0;
  const countAll = () => {
    for (let n = 1; n < count; n++) if (work(starts[n], ends[n])) total++;
  };
  // Nobody sees a part of the keys removed.
  if (count > 2) context.atomically(countAll);
  else countAll();
  context.redis.integer(total);
}

function removal(name: string, summary: string): RedisCommand {
  return {
    name,
    arity: -2,
    flags: ["write"],
    keys: allKeys,
    group: "generic",
    summary,
    usage: "key [key ...]",
    line: "DELETE",

    execute: (context, args, bytes) =>
      count(context, args, (start, end) => context.store.delete(bytes, start, end)),
  };
}

export const del: RedisCommand = removal("del", "Deletes one or more keys.");
export const unlink: RedisCommand = removal("unlink", "Deletes one or more keys; the same as DEL.");

export const exists: RedisCommand = {
  name: "exists",
  arity: -2,
  flags: ["readonly", "fast"],
  keys: allKeys,
  group: "generic",
  summary: "Determines whether one or more keys exist.",
  usage: "key [key ...]",

  execute: (context, args, bytes) =>
    count(context, args, (start, end) => context.store.find(bytes, start, end) !== 0),
};

export const touch: RedisCommand = {
  name: "touch",
  arity: -2,
  flags: ["readonly", "fast"],
  keys: allKeys,
  group: "generic",
  summary: "Counts the existing keys among those given, as if they had been read.",
  usage: "key [key ...]",

  execute(context, args, bytes) {
    const { store } = context;
    // It is for this, so it counts for a client with CLIENT NO-TOUCH ON, too; so it does in Redis.
    store.countsReads = true;
    count(context, args, (start, end) => store.get(bytes, start, end) !== 0);
  },
};
