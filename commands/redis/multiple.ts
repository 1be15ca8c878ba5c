/**
 * Commands on several keys and their values: MGET, MSET, MSETNX.
 *
 * MSET and MSETNX have the whole store to themselves: nobody sees a part of the keys stored. So
 * does an MGET whose reply is small. A larger reply is written and sent in parts, and each part
 * shows the values of its own moment.
 *
 * @module
 */

import { type Arguments, valueTooLarge } from "../../protocol.ts";
import type { Context } from "../context.ts";
import type { Step } from "../operation.ts";
import { put } from "../put_value.ts";
import type { SessionControl } from "../session_control.ts";
import { appendBulk, LargeReply, partBytesMax, ValueParts } from "../value_reply.ts";
import { allKeys, type KeyPlaces, type RedisCommand } from "./command.ts";
import { hasReplySpace, smallValueBytes } from "./values.ts";

/** Every other argument is a key, from the first one on. */
const keysAndValues: KeyPlaces = { first: 1, last: -1, step: 2 };

/** One step looks up this many keys. */
const stepKeysMax = 512;

/** One step writes up to about this many bytes of the reply. */
const stepBytesMax = 256 * 1024;

export const mget: RedisCommand = {
  name: "mget",
  arity: -2,
  flags: ["readonly", "fast"],
  keys: allKeys,
  group: "string",
  summary: "Atomically returns the string values of one or more keys.",
  usage: "key [key ...]",
  line: "MGET",

  execute(context, args, bytes, session) {
    context.redis.array(args.count - 1);
    // The replies of a transaction have a bound of their own.
    const mayHold = context.isAtomic ? () => true : () => session.tryHold(stepBytesMax);
    const write = () => few(context, args, bytes, mayHold);
    const next = args.count === 2
      ? context.withKey(bytes, args.starts[1], args.ends[1], write)
      : context.atomically(write);
    return next === args.count ? undefined : new LongMget(args, next, session);
  },
};

/** Appends small values, not too many; returns the argument that is the next key. */
function few(
  context: Context,
  args: Arguments,
  bytes: Uint8Array,
  mayHold: () => boolean,
): number {
  const { store, output } = context;
  const before = output.length;
  const end = Math.min(args.count, 1 + stepKeysMax);
  let allowedBytes = smallValueBytes;
  let n = 1;
  for (; n < end; n++) {
    const handle = store.get(bytes, args.starts[n], args.ends[n]);
    const length = handle === 0 ? 0 : store.lengthOf(handle);
    if (length > smallValueBytes) break;
    if (output.length - before + length > allowedBytes) {
      if (allowedBytes === stepBytesMax || !mayHold()) break;
      allowedBytes = stepBytesMax;
    }
    appendItem(context, handle, length);
  }
  return n;
}

/** Appends one value of the reply in one piece. */
function appendItem(context: Context, handle: number, length: number): void {
  if (handle === 0) {
    context.counters.misses++;
    context.redis.missing();
  } else {
    context.counters.hits++;
    appendBulk(context, handle, length);
  }
}

/** The rest of an MGET with many keys or large values. */
class LongMget extends LargeReply {
  readonly #args: Arguments;
  /** The argument that is the next key. */
  #next: number;

  constructor(args: Arguments, next: number, session: SessionControl) {
    super(session);
    this.#args = args;
    this.#next = next;
  }

  step(context: Context, bytes: Uint8Array): Step {
    if (this.parts !== undefined) {
      if (!this.parts.appendNext(context)) return "drain";
      this.release(context);
      context.redis.endBulk();
      return this.#next === this.#args.count ? "done" : "drain";
    }
    const isTransaction = context.isAtomic;
    if (!isTransaction && !this.mayHold(stepBytesMax)) return "wait";
    return context.atomically(() => this.#take(context, bytes, isTransaction));
  }

  /** Appends some values, or copies a large one. */
  #take(context: Context, bytes: Uint8Array, isTransaction: boolean): Step {
    const { store, output } = context;
    const { starts, ends, count } = this.#args;
    const before = output.length;
    const end = Math.min(count, this.#next + stepKeysMax);
    while (this.#next < end) {
      const handle = store.get(bytes, starts[this.#next], ends[this.#next]);
      const length = handle === 0 ? 0 : store.lengthOf(handle);
      if (length > partBytesMax) {
        const hasSpace = !isTransaction || hasReplySpace(context, length);
        return hasSpace && this.mayHold(length + stepBytesMax)
          ? this.#copy(context, handle, length)
          : "wait";
      }
      appendItem(context, handle, length);
      this.#next++;
      if (output.length - before >= stepBytesMax) break;
    }
    return this.#next === count ? "done" : "drain";
  }

  #copy(context: Context, handle: number, length: number): Step {
    context.counters.hits++;
    context.redis.bulkHead(length);
    this.parts = new ValueParts(context, handle, length);
    this.#next++;
    return "drain";
  }
}

export const mset: RedisCommand = {
  name: "mset",
  arity: -3,
  flags: ["write", "denyoom"],
  keys: keysAndValues,
  group: "string",
  summary: "Atomically creates or modifies the string values of one or more keys.",
  usage: "key value [key value ...]",

  execute(context, args, bytes) {
    if (!arePairs(context, args, "mset") || !fits(context, args)) return;
    context.atomically(() => {
      if (putAll(context, args, bytes)) context.redis.ok();
    });
  },
};

export const msetnx: RedisCommand = {
  name: "msetnx",
  arity: -3,
  flags: ["write", "denyoom"],
  keys: keysAndValues,
  group: "string",
  summary:
    "Atomically modifies the string values of one or more keys only when all keys don't exist.",
  usage: "key value [key value ...]",

  execute(context, args, bytes) {
    if (!arePairs(context, args, "msetnx")) return;
    context.atomically(() => {
      for (let n = 1; n < args.count; n += 2) {
        if (context.store.find(bytes, args.starts[n], args.ends[n]) === 0) continue;
        return context.redis.integer(0);
      }
      if (fits(context, args) && putAll(context, args, bytes)) context.redis.integer(1);
    });
  },
};

/** Whether each key has a value; answers if not. */
function arePairs(context: Context, { count }: Arguments, name: string): boolean {
  if (count % 2 === 1) return true;
  context.failRedis("wrong_arguments", `ERR wrong number of arguments for '${name}' command`);
  return false;
}

/** Whether each key with its value is within the store's limit; answers if not. */
function fits(context: Context, args: Arguments): boolean {
  const { limitBytes } = context.store;
  for (let n = 1; n < args.count; n += 2) {
    const valueBytesMax = Math.max(0, limitBytes - args.lengthOf(n));
    if (args.lengthOf(n + 1) <= valueBytesMax) continue;
    context.fail(valueTooLarge(valueBytesMax));
    return false;
  }
  return true;
}

/**
 * Stores all values; answers if the store refuses one, which it does only where the system has no
 * memory. Those before it are stored then.
 */
function putAll(context: Context, { starts, ends, count }: Arguments, bytes: Uint8Array): boolean {
  for (let n = 1; n < count; n += 2) {
    const target = { keyStart: starts[n], keyEnd: ends[n] };
    const [start, end] = [starts[n + 1], ends[n + 1]];
    const outcome = put(context, target, bytes, bytes, start, end, Infinity, undefined);
    if (outcome !== "stored") return false;
  }
  return true;
}
