/**
 * Commands that store a whole value: SET, SETNX, SETEX, PSETEX, GETSET.
 *
 * @module
 */

import type { Arguments } from "../../protocol.ts";
import type { Handle, Milliseconds, PutOperation } from "../../store.ts";
import type { Context } from "../context.ts";
import type { Operation } from "../operation.ts";
import { attemptPut, put } from "../put_value.ts";
import type { SessionControl } from "../session_control.ts";
import { oneKey, type RedisCommand } from "./command.ts";
import { type TimeForm, timeFormNamed, timeForms, timeOf } from "./expiry.ts";
import { replyWithOld } from "./values.ts";
import { isWord } from "./words.ts";

/** What a command asks for beside the key and the value. */
interface SetOptions {
  /** The argument that is the value. */
  readonly value: number;
  expiresAt: Milliseconds;
  keepsExpiry: boolean;
  condition: "none" | "absent" | "present" | "equal";
  /** The argument that the old value must equal. */
  equal: number;
  /** Whether the reply is the old value. */
  returnsOld: boolean;
  /** Whether the reply is 1 or 0. */
  readonly isCounted: boolean;
}

function optionsFor(value: number, isCounted = false): SetOptions {
  return {
    value,
    expiresAt: Infinity,
    keepsExpiry: false,
    condition: "none",
    equal: 0,
    returnsOld: false,
    isCounted,
  };
}

export const set: RedisCommand = {
  name: "set",
  arity: -3,
  flags: ["write", "denyoom"],
  keys: oneKey,
  group: "string",
  summary:
    "Sets the string value of a key, ignoring its type. The key is created if it doesn't exist.",
  usage: "key value [NX | XX | IFEQ comparison-value] [GET] " +
    "[EX seconds | PX milliseconds | EXAT unix-seconds | PXAT unix-milliseconds | KEEPTTL]",
  line: "SET, PUT",

  execute(context, args, bytes, session) {
    if (args.count === 3) return attemptPut(context, args, bytes, attemptPlain);
    const options = parseOptions(context, args, bytes);
    return options === undefined ? undefined : store(context, args, bytes, session, options);
  },
};

export const setnx: RedisCommand = {
  name: "setnx",
  arity: 3,
  flags: ["write", "denyoom", "fast"],
  keys: oneKey,
  group: "string",
  summary: "Sets the string value of a key only when the key doesn't exist.",
  usage: "key value",
  line: "PUT key absent",

  execute(context, args, bytes, session) {
    const options = optionsFor(2, true);
    options.condition = "absent";
    return store(context, args, bytes, session, options);
  },
};

export const getset: RedisCommand = {
  name: "getset",
  arity: 3,
  flags: ["write", "denyoom", "fast"],
  keys: oneKey,
  group: "string",
  summary: "Returns the previous string value of a key after setting it to a new value.",
  usage: "key value",

  execute(context, args, bytes, session) {
    const options = optionsFor(2);
    options.returnsOld = true;
    return store(context, args, bytes, session, options);
  },
};

function withExpiry(name: "setex" | "psetex", unit: string): RedisCommand {
  return {
    name,
    arity: 4,
    flags: ["write", "denyoom"],
    keys: oneKey,
    group: "string",
    summary: `Sets the string value and the expiration time in ${unit} of a key.`,
    usage: `key ${unit} value`,
    line: "PUT key ttl=S",

    execute(context, args, bytes, session) {
      const options = optionsFor(3);
      const form = name === "setex" ? timeForms.ex : timeForms.px;
      const expiresAt = timeOf(context, args, 2, bytes, form, name, false);
      if (expiresAt === undefined) return undefined;
      options.expiresAt = expiresAt;
      return store(context, args, bytes, session, options);
    },
  };
}

export const setex: RedisCommand = withExpiry("setex", "seconds");
export const psetex: RedisCommand = withExpiry("psetex", "milliseconds");

/** `SET key value` without options, the most frequent form. */
function attemptPlain(
  context: Context,
  args: Arguments,
  bytes: Uint8Array,
  operation: PutOperation | undefined,
): boolean {
  const { starts, ends } = args;
  const outcome = put(context, args, bytes, bytes, starts[2], ends[2], Infinity, operation);
  if (outcome === "stored") context.redis.ok();
  return outcome !== "unfinished";
}

function store(
  context: Context,
  args: Arguments,
  bytes: Uint8Array,
  session: SessionControl,
  options: SetOptions,
): Operation | undefined {
  return attemptPut(
    context,
    args,
    bytes,
    (context, args, bytes, operation) => attempt(context, args, bytes, session, options, operation),
  );
}

function attempt(
  context: Context,
  args: Arguments,
  bytes: Uint8Array,
  session: SessionControl,
  options: SetOptions,
  operation: PutOperation | undefined,
): boolean {
  const { store, output, redis } = context;
  const { returnsOld, isCounted, value } = options;
  const before = output.length;
  const handle = store.find(bytes, args.keyStart, args.keyEnd);
  // The old value is written first, since storing the new one may move it.
  if (returnsOld && !replyWithOld(context, handle, session)) return true;
  if (!conditionHolds(context, args, bytes, options, handle)) {
    if (returnsOld) return true;
    if (isCounted) redis.integer(0);
    else redis.missing();
    return true;
  }
  let { expiresAt } = options;
  if (options.keepsExpiry && handle !== 0) expiresAt = store.expiryOf(handle);
  if (expiresAt <= store.now()) {
    // A time in the past: the value is gone as soon as it is stored.
    store.delete(bytes, args.keyStart, args.keyEnd);
  } else {
    const { starts, ends } = args;
    const written = output.length;
    // deno-fmt-ignore: one line shows what is stored
    const outcome = put(context, args, bytes, bytes, starts[value], ends[value], expiresAt, operation);
    if (outcome === "unfinished") {
      output.length = before;
      return false;
    }
    if (outcome === "refused") {
      // The error is the only reply.
      if (written > before) dropBetween(context, before, written);
      return true;
    }
  }
  if (returnsOld) return true;
  if (isCounted) redis.integer(1);
  else redis.ok();
  return true;
}

/** Removes what was written from `start` to `end`. */
function dropBetween({ output }: Context, start: number, end: number): void {
  output.bytes.copyWithin(start, end, output.length);
  output.length -= end - start;
}

function conditionHolds(
  { store }: Context,
  args: Arguments,
  bytes: Uint8Array,
  { condition, equal }: SetOptions,
  handle: Handle,
): boolean {
  switch (condition) {
    case "none":
      return true;
    case "absent":
      return handle === 0;
    case "present":
      return handle !== 0;
    case "equal":
      return handle !== 0 && store.equals(handle, bytes, args.starts[equal], args.ends[equal]);
  }
}

/** The options of SET; undefined where they are wrong, which is answered. */
function parseOptions(
  context: Context,
  args: Arguments,
  bytes: Uint8Array,
): SetOptions | undefined {
  const options = optionsFor(2);
  const { count } = args;
  let form: TimeForm | undefined;
  let time = 0;
  for (let n = 3; n < count; n++) {
    const { condition } = options;
    const given = timeFormNamed(args, n, bytes);
    // An option may be there twice: the last one counts.
    const isOnlyForm = (form ?? given) === given && !options.keepsExpiry;
    if (given !== undefined && isOnlyForm && n + 1 < count) {
      form = given;
      time = ++n;
    } else if (isWord(args, n, bytes, "keepttl") && form === undefined) {
      options.keepsExpiry = true;
    } else if (isWord(args, n, bytes, "nx") && (condition === "none" || condition === "absent")) {
      options.condition = "absent";
    } else if (isWord(args, n, bytes, "xx") && (condition === "none" || condition === "present")) {
      options.condition = "present";
    } else if (isWord(args, n, bytes, "ifeq") && condition === "none" && n + 1 < count) {
      options.condition = "equal";
      options.equal = ++n;
    } else if (isWord(args, n, bytes, "get")) {
      options.returnsOld = true;
    } else {
      return context.failRedis("unknown_option", "ERR syntax error");
    }
  }
  if (form === undefined) return options;
  const expiresAt = timeOf(context, args, time, bytes, form, "set", false);
  if (expiresAt === undefined) return undefined;
  options.expiresAt = expiresAt;
  return options;
}
