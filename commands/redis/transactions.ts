/**
 * Commands of transactions: MULTI, EXEC, DISCARD, WATCH, UNWATCH.
 *
 * EXEC runs its requests in one go: no other client sees or changes anything meanwhile, in any
 * thread. What bounds that time is the size of a transaction, which is limited like a request. Its
 * replies have the same limit: beyond it, requests that read are refused.
 *
 * @module
 */

import type { Context } from "../context.ts";
import type { Operation } from "../operation.ts";
import type { SessionControl } from "../session_control.ts";
import type { RedisClient } from "./client.ts";
import { allKeys, type RedisCommand } from "./command.ts";
import type { RedisTable } from "./dispatch.ts";
import { Transaction } from "./transaction.ts";
import { hasReplySpace, refuseReply } from "./values.ts";

export const multi: RedisCommand = {
  name: "multi",
  arity: 1,
  flags: ["noscript", "loading", "stale", "fast"],
  group: "transactions",
  summary: "Starts a transaction.",
  usage: "",
  isImmediate: true,

  execute(context, _args, _bytes, { redis: client }) {
    if (client === undefined) return;
    if (client.transaction?.isOpen === true) {
      return context.failRedis("wrong_state", "ERR MULTI calls can not be nested");
    }
    transactionOf(context, client).isOpen = true;
    context.redis.ok();
  },
};

export const discard: RedisCommand = {
  name: "discard",
  arity: 1,
  flags: ["noscript", "loading", "stale", "fast"],
  group: "transactions",
  summary: "Discards a transaction.",
  usage: "",
  isImmediate: true,

  execute(context, _args, _bytes, { redis: client }) {
    if (client?.transaction?.isOpen !== true) {
      return context.failRedis("wrong_state", "ERR DISCARD without MULTI");
    }
    client.transaction = undefined;
    context.redis.ok();
  },
};

export const watch: RedisCommand = {
  name: "watch",
  arity: -2,
  flags: ["noscript", "loading", "stale", "fast", "no_multi"],
  keys: allKeys,
  group: "transactions",
  summary: "Monitors changes to keys to determine the execution of a transaction.",
  usage: "key [key ...]",

  execute(context, args, bytes, { redis: client }) {
    if (client === undefined) return;
    const transaction = transactionOf(context, client);
    for (let n = 1; n < args.count; n++) {
      if (transaction.watch(context, bytes, args.starts[n], args.ends[n])) continue;
      const text =
        `ERR too many watched keys: they take more than ${context.requestBytesMax} bytes`;
      return context.failRedis("line_too_long", text);
    }
    context.redis.ok();
  },
};

export const unwatch: RedisCommand = {
  name: "unwatch",
  arity: 1,
  flags: ["noscript", "loading", "stale", "fast"],
  group: "transactions",
  summary: "Forgets about watched keys of a transaction.",
  usage: "",

  execute(context, _args, _bytes, { redis: client }) {
    const transaction = client?.transaction;
    transaction?.unwatch();
    if (client !== undefined && transaction?.isOpen === false) client.transaction = undefined;
    context.redis.ok();
  },
};

/** EXEC runs the commands of the table that it is in. */
export function execOf(table: () => RedisTable): RedisCommand {
  return {
    name: "exec",
    arity: 1,
    flags: ["noscript", "loading", "stale"],
    group: "transactions",
    summary: "Executes all commands in a transaction.",
    usage: "",
    isImmediate: true,

    execute(context, _args, _bytes, session) {
      const { redis: client } = session;
      const transaction = client?.transaction;
      if (client === undefined || transaction?.isOpen !== true) {
        return context.failRedis("wrong_state", "ERR EXEC without MULTI");
      }
      client.transaction = undefined;
      if (transaction.isRefused) {
        const text = "EXECABORT Transaction discarded because of previous errors.";
        return context.failRedis("wrong_state", text);
      }
      context.atomically(() => run(context, transaction, table(), session));
    },
  };
}

function transactionOf(context: Context, client: RedisClient): Transaction {
  return client.transaction ??= new Transaction(context.requestBytesMax);
}

function run(
  context: Context,
  transaction: Transaction,
  table: RedisTable,
  session: SessionControl,
): void {
  if (!transaction.isUnchanged(context)) return context.redis.missingArray();
  const { bytes } = transaction;
  context.redis.array(transaction.count);
  transaction.forEach((number, args) => {
    const before = context.output.length;
    const isReading = table.commands[number].flags.includes("readonly");
    if (isReading && !hasReplySpace(context, 0)) return refuseReply(context);
    const operation = table.execute(context, number, args, bytes, session);
    if (operation !== undefined) finish(context, operation, isReading, bytes, before);
  });
}

/**
 * Carries an operation to its end. One that reads is replaced by an error where its reply needs
 * more memory than there is. One that changes something has a short reply, and always ends.
 */
function finish(
  context: Context,
  operation: Operation,
  isReading: boolean,
  bytes: Uint8Array,
  before: number,
): void {
  for (;;) {
    const step = operation.step(context, bytes);
    if (step === "done") return;
    if (step !== "wait" && (!isReading || hasReplySpace(context, 0))) continue;
    operation.cancel(context);
    context.output.length = before;
    refuseReply(context);
    return;
  }
}
