/**
 * Commands that list keys: KEYS, SCAN, RANDOMKEY, DBSIZE.
 *
 * They walk over the store in bounded steps, with other requests in between, so a listing is not a
 * picture of one moment: a key that is there from the beginning to the end is listed, and one that
 * is added or removed meanwhile may be or not. Expired keys are not listed.
 *
 * @module
 */

import { type Arguments, notAnInteger } from "../../protocol.ts";
import type { Context } from "../context.ts";
import type { Operation, Step } from "../operation.ts";
import { scanReplyBytesMax } from "../scan.ts";
import type { SessionControl } from "../session_control.ts";
import type { RedisCommand } from "./command.ts";
import { Glob, patternBytesMax } from "./glob.ts";
import {
  atomicComparisonsMax,
  entriesPerCall,
  KeyWalk,
  stepCallsMax,
  stepComparisonsMax,
} from "./key_walk.ts";
import { integerOf, isWord, textOf } from "./words.ts";

/** The most bytes of the keys in a reply to KEYS; SCAN lists any number. */
export const keysReplyBytesMax = 32 * 1024 * 1024;

/** How many entries SCAN visits by default, as in Redis. */
const countDefault = 10;

/** Replies up to this size do not count against the server's bound. */
const smallReplyBytes = 16 * 1024;

/** How often a reply that grows asks for memory, each time after others had their turn. */
const holdAttemptsMax = 16;

const anyKey = new Glob(new TextEncoder().encode("*"), 0, 1);

export const keys: RedisCommand = {
  name: "keys",
  arity: 2,
  flags: ["readonly"],
  group: "generic",
  summary: "Returns all key names that match a pattern.",
  usage: "pattern",

  execute(context, args, bytes, session) {
    const glob = patternOf(context, args, 1, bytes);
    if (glob === undefined) return undefined;
    if (glob.isNothing) return context.redis.array(0);
    if (glob.isLiteral) return answerOne(context, glob.prefix);
    return new Keys(context, glob, 0, session);
  },
};

export const scan: RedisCommand = {
  name: "scan",
  arity: -2,
  flags: ["readonly"],
  group: "generic",
  summary: "Iterates over the key names in the database.",
  usage: "cursor [MATCH pattern] [COUNT count] [TYPE type]",
  line: "SCAN",

  execute(context, args, bytes, session) {
    const cursor = cursorOf(args, 1, bytes);
    if (cursor === undefined) return context.failRedis("bad_number", "ERR invalid cursor");
    let count = countDefault;
    let pattern = 0;
    let isOtherType = false;
    for (let n = 2; n < args.count; n += 2) {
      const hasValue = n + 1 < args.count;
      if (hasValue && isWord(args, n, bytes, "count")) {
        const given = integerOf(args, n + 1, bytes);
        if (given === undefined) return context.fail(notAnInteger);
        if (given < 1n) return context.failRedis("unknown_option", "ERR syntax error");
        count = Number(given);
      } else if (hasValue && isWord(args, n, bytes, "match")) {
        pattern = n + 1;
      } else if (hasValue && isWord(args, n, bytes, "type")) {
        isOtherType = !isWord(args, n + 1, bytes, "string");
      } else {
        return context.failRedis("unknown_option", "ERR syntax error");
      }
    }
    const glob = pattern === 0 ? anyKey : patternOf(context, args, pattern, bytes);
    if (glob === undefined) return undefined;
    // No key has another type. Where none can be found, the scan is at its end.
    const from = isOtherType || glob.isNothing ? Infinity : cursor;
    return new Scan(context, glob, from, count, session);
  },
};

export const randomkey: RedisCommand = {
  name: "randomkey",
  arity: 1,
  flags: ["readonly"],
  group: "generic",
  summary: "Returns a random key name from the database.",
  usage: "",

  execute: ({ store }) => new RandomKey(Math.floor(Math.random() * store.cursors)),
};

export const dbsize: RedisCommand = {
  name: "dbsize",
  arity: 1,
  flags: ["readonly", "fast"],
  group: "server",
  summary: "Returns the number of keys in the database.",
  usage: "",

  execute: ({ redis, store }) => redis.integer(store.entries),
};

/** The pattern that an argument is; undefined where it is too long, which is answered. */
function patternOf(
  context: Context,
  args: Arguments,
  n: number,
  bytes: Uint8Array,
): Glob | undefined {
  if (args.lengthOf(n) <= patternBytesMax) return new Glob(bytes, args.starts[n], args.ends[n]);
  const text = `ERR pattern too long (max ${patternBytesMax} bytes)`;
  return context.failRedis("wrong_arguments", text);
}

const cursorMax = 2n ** 64n - 1n;

/** A cursor: an unsigned 64-bit number. Those beyond the store's are at the end of a scan. */
function cursorOf(args: Arguments, n: number, bytes: Uint8Array): number | undefined {
  const text = args.lengthOf(n) <= 64 ? textOf(args, n, bytes) : "";
  if (!/^\+?[0-9]+$/.test(text)) return undefined;
  const cursor = BigInt(text.replace("+", ""));
  return cursor <= cursorMax ? Number(cursor) : undefined;
}

/** Answers KEYS for a pattern that one key alone matches. */
function answerOne(context: Context, key: Uint8Array): undefined {
  const { store, redis } = context;
  const { length } = key;
  const isThere = context.withKey(key, 0, length, () => store.find(key, 0, length)) !== 0;
  redis.array(isThere ? 1 : 0);
  if (isThere) redis.bulk(key, 0, length);
}

/** What KEYS and SCAN have in common: a walk in bounded steps. */
abstract class Listing implements Operation {
  readonly isExclusive = true;
  protected readonly walk: KeyWalk;
  /** How many bytes of the reply the server's bound allows. */
  protected allowedBytes = smallReplyBytes;
  readonly #session: SessionControl;

  constructor(context: Context, glob: Glob, cursor: number, session: SessionControl) {
    this.walk = new KeyWalk(context, glob, cursor);
    this.#session = session;
  }

  get heldBytes(): number {
    return this.walk.heldBytes;
  }

  step(context: Context): Step {
    const { walk } = this;
    walk.allow(stepComparisonsMax);
    for (let call = 0; call < stepCallsMax; call++) {
      if (walk.isCompared) walk.visit(context, this.nextCount());
      if (!walk.compare()) {
        if (!context.isAtomic || walk.comparisons < atomicComparisonsMax) return "yield";
        return this.refuse(context, "ERR the pattern takes too long to compare in a transaction");
      }
      const step = this.visited(context);
      if (step !== undefined) return step;
    }
    return "yield";
  }

  cancel(): void {
    this.walk.clear();
  }

  /** How many entries to visit next. */
  protected abstract nextCount(): number;

  /** What to do once some entries were visited and compared; undefined to visit more. */
  protected abstract visited(context: Context): Step | undefined;

  /** Whether the server has memory for a reply that grows on. */
  protected mayGrow(): boolean {
    const { bytes } = this.walk.found;
    if (bytes <= this.allowedBytes) return true;
    if (!this.#session.tryHold(2 * bytes)) return false;
    this.allowedBytes = 2 * bytes;
    return true;
  }

  /** Answers with an error. */
  protected refuse(context: Context, text: string): Step {
    this.cancel();
    context.failRedis("server_busy", text);
    return "done";
  }
}

/** A SCAN under way. It may end early: its reply says where the next one goes on. */
class Scan extends Listing {
  #entriesLeft: number;

  constructor(
    context: Context,
    glob: Glob,
    cursor: number,
    count: number,
    session: SessionControl,
  ) {
    super(context, glob, cursor, session);
    this.#entriesLeft = count;
  }

  protected nextCount(): number {
    const count = Math.min(this.#entriesLeft, entriesPerCall);
    this.#entriesLeft -= count;
    return count;
  }

  protected visited({ redis }: Context): Step | undefined {
    const { cursor, found } = this.walk;
    const isFull = found.bytes >= scanReplyBytesMax || !this.mayGrow();
    if (cursor !== 0 && this.#entriesLeft > 0 && !isFull) return undefined;
    redis.array(2);
    redis.text(`${cursor}`);
    redis.array(found.count);
    while (!found.writeNext());
    return "done";
  }
}

/** A KEYS under way: it gathers all keys, and then sends them in parts. */
class Keys extends Listing {
  #isWriting = false;
  #holdAttempts = 0;

  override step(context: Context): Step {
    if (this.#isWriting) return this.#write();
    if (!this.mayGrow()) {
      if (++this.#holdAttempts < holdAttemptsMax) return "yield";
      return this.refuse(context, "ERR the server has no memory for this reply now; use SCAN");
    }
    this.#holdAttempts = 0;
    return super.step(context);
  }

  protected nextCount(): number {
    return entriesPerCall;
  }

  protected visited(context: Context): Step | undefined {
    const { cursor, found } = this.walk;
    if (found.bytes > keysReplyBytesMax) {
      const text =
        `ERR the reply to KEYS would have more than ${keysReplyBytesMax} bytes; use SCAN`;
      return this.refuse(context, text);
    }
    if (cursor !== 0) return found.bytes > this.allowedBytes ? "yield" : undefined;
    this.#isWriting = true;
    context.redis.array(found.count);
    return this.#write();
  }

  #write(): Step {
    return this.walk.found.writeNext() ? "done" : "drain";
  }
}

/**
 * Keys among which RANDOMKEY chooses. Its candidates follow a random place, in the order of hashes,
 * and the first of them alone would be the likelier the larger the gap before it is.
 */
const candidatesMax = 16;

/** A RANDOMKEY under way: one of the keys from a random place on, which go on at the beginning. */
class RandomKey implements Operation {
  readonly isExclusive = true;
  readonly heldBytes = 0;
  readonly #start: number;
  #cursor: number;
  #isWrapped = false;
  #candidates = 0;
  #first: Uint8Array | undefined;
  #chosen: Uint8Array | undefined;

  constructor(start: number) {
    this.#start = this.#cursor = start;
  }

  step({ store, redis }: Context): Step {
    for (let call = 0; call < stepCallsMax; call++) {
      let isAround = false;
      this.#cursor = store.scan(this.#cursor, 1, (bytes, start, end) => {
        if (this.#isWrapped && this.#isFirst(bytes, start, end)) isAround = true;
        if (!isAround) this.#consider(bytes, start, end);
      });
      // Behind the start there is nothing new.
      if (this.#isWrapped) isAround ||= this.#cursor === 0 || this.#cursor > this.#start;
      if (isAround || this.#candidates >= candidatesMax) {
        if (this.#chosen === undefined) redis.missing();
        else redis.bulk(this.#chosen, 0, this.#chosen.length);
        return "done";
      }
      if (this.#cursor === 0) this.#isWrapped = true;
    }
    return "yield";
  }

  cancel(): void {}

  /** Each candidate so far is as likely to be chosen as any other. */
  #consider(bytes: Uint8Array, start: number, end: number): void {
    this.#candidates++;
    if (Math.random() * this.#candidates >= 1) return;
    this.#chosen = bytes.slice(start, end);
    this.#first ??= this.#chosen;
  }

  #isFirst(bytes: Uint8Array, start: number, end: number): boolean {
    const first = this.#first;
    return first?.length === end - start && first.every((byte, n) => byte === bytes[start + n]);
  }
}
