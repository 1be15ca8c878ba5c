/**
 * Commands that move or copy a value to another key: RENAME, RENAMENX, COPY. The expiry goes along.
 *
 * Nobody sees a state in between: the request has the whole store to itself while it works on the
 * two keys. A large value waits for memory before that, since it is copied out of the store.
 *
 * @module
 */

import { type Arguments, notAnInteger } from "../../protocol.ts";
import type { Handle } from "../../store.ts";
import type { Context } from "../context.ts";
import type { Operation, Step } from "../operation.ts";
import { put } from "../put_value.ts";
import { LargeReply } from "../value_reply.ts";
import type { SessionControl } from "../session_control.ts";
import type { KeyPlaces, RedisCommand } from "./command.ts";
import { refuseReply } from "./values.ts";
import { integerOf, isWord } from "./words.ts";

/** The first two arguments are keys. */
const twoKeys: KeyPlaces = { first: 1, last: 2, step: 1 };

/** A value up to this size is copied without asking for memory. */
const smallValueBytes = 64 * 1024;

/** What a command asks for. */
interface Transfer {
  /** Whether the first key goes away. */
  readonly moves: boolean;
  /** Whether the second key may exist; its value is then replaced. */
  readonly replaces: boolean;
  /** Whether the reply is 1 or 0. */
  readonly isCounted: boolean;
}

export const rename: RedisCommand = {
  name: "rename",
  arity: 3,
  flags: ["write"],
  keys: twoKeys,
  group: "generic",
  summary: "Renames a key and overwrites the destination.",
  usage: "key newkey",

  execute: (context, args, bytes, session) =>
    transfer(context, args, bytes, session, { moves: true, replaces: true, isCounted: false }),
};

export const renamenx: RedisCommand = {
  name: "renamenx",
  arity: 3,
  flags: ["write", "fast"],
  keys: twoKeys,
  group: "generic",
  summary: "Renames a key only when the target key name doesn't exist.",
  usage: "key newkey",

  execute: (context, args, bytes, session) =>
    transfer(context, args, bytes, session, { moves: true, replaces: false, isCounted: true }),
};

export const copy: RedisCommand = {
  name: "copy",
  arity: -3,
  flags: ["write", "denyoom"],
  keys: twoKeys,
  group: "generic",
  summary: "Copies the value of a key to a new key.",
  usage: "source destination [DB destination-db] [REPLACE]",

  execute(context, args, bytes, session) {
    let replaces = false;
    for (let n = 3; n < args.count; n++) {
      if (isWord(args, n, bytes, "replace")) replaces = true;
      else if (isWord(args, n, bytes, "db") && n + 1 < args.count) {
        if (!isOurDatabase(context, args, ++n, bytes)) return undefined;
      } else return context.failRedis("unknown_option", "ERR syntax error");
    }
    if (isSameKey(args, bytes)) {
      const text = "ERR source and destination objects are the same";
      return context.failRedis("wrong_arguments", text);
    }
    return transfer(context, args, bytes, session, { moves: false, replaces, isCounted: true });
  },
};

/** Whether an argument is the number of the only database; answers if not. */
function isOurDatabase(context: Context, args: Arguments, n: number, bytes: Uint8Array): boolean {
  const index = integerOf(args, n, bytes);
  if (index === 0n) return true;
  if (index === undefined) context.fail(notAnInteger);
  else if (BigInt.asIntN(32, index) === index) {
    context.failRedis("bad_number", "ERR DB index is out of range");
  } else {
    const text = "ERR value is out of range, value must between -2147483648 and 2147483647";
    context.failRedis("bad_number", text);
  }
  return false;
}

function isSameKey({ starts, ends }: Arguments, bytes: Uint8Array): boolean {
  const length = ends[1] - starts[1];
  if (ends[2] - starts[2] !== length) return false;
  for (let n = 0; n < length; n++) if (bytes[starts[1] + n] !== bytes[starts[2] + n]) return false;
  return true;
}

/** Moves or copies a value at once, or after a wait for memory if it is large. */
function transfer(
  context: Context,
  args: Arguments,
  bytes: Uint8Array,
  session: SessionControl,
  asked: Transfer,
): Operation | undefined {
  const needed = attempt(context, args, bytes, asked, smallValueBytes);
  if (needed === 0) return undefined;
  if (!context.isAtomic) return new LargeTransfer(args, session, asked, needed);
  if (!session.tryHold(needed)) return refuseReply(context);
  attempt(context, args, bytes, asked, needed);
}

/** A large value that waits for memory, and is then moved or copied. */
class LargeTransfer extends LargeReply {
  readonly #args: Arguments;
  readonly #asked: Transfer;
  readonly #session: SessionControl;
  #needed: number;
  #hasYielded = false;

  constructor(args: Arguments, session: SessionControl, asked: Transfer, needed: number) {
    super(session);
    this.#args = args;
    this.#asked = asked;
    this.#session = session;
    this.#needed = needed;
  }

  step(context: Context, bytes: Uint8Array): Step {
    if (!this.#session.tryHold(this.#needed)) {
      // Much was copied just now: once others had their turn, more may be. If that does not help,
      // memory is short, and the wait is longer.
      if (!this.#hasYielded) {
        this.#hasYielded = true;
        return "yield";
      }
      if (!this.mayHold(this.#needed)) return "wait";
    }
    const needed = attempt(context, this.#args, bytes, this.#asked, this.#needed);
    if (needed === 0) return "done";
    // The value is another one now, and larger.
    this.#needed = needed;
    return "yield";
  }
}

/**
 * Does the whole work and answers, and returns 0; or changes nothing and returns the bytes of
 * memory that it needs, if these are more than it may have.
 */
function attempt(
  context: Context,
  args: Arguments,
  bytes: Uint8Array,
  asked: Transfer,
  bytesMax: number,
): number {
  return context.atomically(() => {
    const { store, redis } = context;
    const { starts, ends } = args;
    const isTaken = !asked.replaces && store.find(bytes, starts[2], ends[2]) !== 0;
    const handle = store.find(bytes, starts[1], ends[1]);
    if (handle === 0) {
      if (asked.moves) context.failRedis("wrong_state", "ERR no such key");
      else redis.integer(0);
      return 0;
    }
    if (isTaken) {
      redis.integer(0);
      return 0;
    }
    const isDone = isSameKey(args, bytes);
    const length = store.lengthOf(handle);
    if (!isDone && length > bytesMax) return length;
    if (isDone || carryOver(context, args, bytes, asked, handle)) {
      if (asked.isCounted) redis.integer(1);
      else redis.ok();
    }
    return 0;
  });
}

/** Moves or copies the value of an entry to the second key; answers if the store refuses it. */
function carryOver(
  context: Context,
  { starts, ends }: Arguments,
  bytes: Uint8Array,
  { moves }: Transfer,
  handle: Handle,
): boolean {
  const { store, buffers } = context;
  const length = store.lengthOf(handle);
  const expiresAt = store.expiryOf(handle);
  const value = buffers.take(length);
  store.copyTo(handle, value, 0);
  // The space that the first key had is then free for the second.
  if (moves) store.delete(bytes, starts[1], ends[1]);
  const target = { keyStart: starts[2], keyEnd: ends[2] };
  const outcome = put(context, target, bytes, value, 0, length, expiresAt, undefined);
  if (outcome !== "stored" && moves) {
    store.putNow(bytes, starts[1], ends[1], value, 0, length, expiresAt);
  }
  buffers.give(value);
  return outcome === "stored";
}
