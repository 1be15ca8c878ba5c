/**
 * Commands that remove many keys: FLUSHDB, FLUSHALL, and DELPREFIX, which Redis does not have.
 *
 * @module
 */

import type { FlushOperation, Storage } from "../../store.ts";
import type { Context } from "../context.ts";
import type { Operation, Step } from "../operation.ts";
import type { RedisCommand } from "./command.ts";
import { isWord } from "./words.ts";

function flush(name: string, summary: string): RedisCommand {
  return {
    name,
    arity: -1,
    flags: ["write"],
    group: "server",
    summary,
    usage: "[ASYNC | SYNC]",
    line: "FLUSH",

    execute(context, args, bytes) {
      // Both mean the same here: everything is removed at once.
      const hasMode = args.count === 2 &&
        (isWord(args, 1, bytes, "async") || isWord(args, 1, bytes, "sync"));
      if (args.count > 1 && !hasMode) {
        return context.failRedis("unknown_option", "ERR syntax error");
      }
      context.store.flushAll();
      context.redis.ok();
    },
  };
}

export const flushdb: RedisCommand = flush("flushdb", "Removes all keys from the database.");
export const flushall: RedisCommand = flush("flushall", "Removes all keys from all databases.");

export const delprefix: RedisCommand = {
  name: "delprefix",
  arity: 2,
  flags: ["write"],
  group: "generic",
  summary: "Removes every key with a prefix, and returns how many there were.",
  usage: "prefix",
  line: "FLUSH prefix",

  execute(context, args, bytes) {
    if (args.lengthOf(1) === 0) {
      const text = "ERR the prefix is empty; FLUSHDB removes every key";
      return context.failRedis("wrong_arguments", text);
    }
    const prefix = bytes.slice(args.starts[1], args.ends[1]);
    if (context.isAtomic) return context.redis.integer(removeNow(context.store, prefix));
    return new PrefixFlush(context.store.startFlush(prefix));
  },
};

/** Keys that are collected before they are removed. */
const collectedKeysMax = 1000;

/**
 * Removes every key with a prefix in one call, in which the whole store is this request's; returns
 * how many there were. A flush of the store could have to wait for one of another thread, which in
 * turn would wait for the store.
 */
function removeNow(store: Storage, prefix: Uint8Array): number {
  let removed = 0;
  let cursor = 0;
  do {
    const keys: Uint8Array[] = [];
    const collect = (bytes: Uint8Array, start: number, end: number) =>
      keys.push(bytes.slice(start, end));
    cursor = store.scan(cursor, collectedKeysMax, collect, prefix);
    for (const key of keys) if (store.delete(key, 0, key.length)) removed++;
  } while (cursor !== 0);
  return removed;
}

/** A flush by prefix, in steps. */
class PrefixFlush implements Operation {
  readonly isExclusive = true;
  readonly heldBytes = 0;
  readonly #flush: FlushOperation;

  constructor(flush: FlushOperation) {
    this.#flush = flush;
  }

  step({ redis }: Context): Step {
    const count = this.#flush.step();
    if (count === undefined) return "yield";
    redis.integer(count);
    return "done";
  }

  cancel(): void {
    // The store finishes the flush: once begun, no request may see a key that it covers.
  }
}
