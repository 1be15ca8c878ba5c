/**
 * Commands that look at one key or at the memory: TYPE, OBJECT, MEMORY; and WAIT.
 *
 * @module
 */

import { type Arguments, notAnInteger, parseInteger } from "../../protocol.ts";
import type { Handle } from "../../store.ts";
import type { Context } from "../context.ts";
import { oneKey, type RedisCommand } from "./command.ts";
import { runSubcommand, type Subcommand } from "./subcommands.ts";
import { integerOf, isWord } from "./words.ts";

/** The longest text of an integer, and the longest value that Redis keeps beside its header. */
const integerBytesMax = 20;
const embeddedBytesMax = 44;

/**
 * What MEMORY USAGE adds to the bytes of a key and its value: the record's header and padding and
 * its place in the index, about; and where it expires, the time.
 */
const overheadBytes = 20;
const expiryBytes = 8;

export const type: RedisCommand = {
  name: "type",
  arity: 2,
  flags: ["readonly", "fast"],
  keys: oneKey,
  group: "generic",
  summary: "Determines the type of value stored at a key.",
  usage: "key",

  execute: ({ redis, store }, { keyStart, keyEnd }, bytes) =>
    redis.status(store.find(bytes, keyStart, keyEnd) === 0 ? "none" : "string"),
};

export const object: RedisCommand = {
  name: "object",
  arity: -2,
  flags: ["readonly"],
  group: "generic",
  summary: "Tells how a value is kept.",
  usage: "ENCODING | FREQ | IDLETIME | REFCOUNT | HELP [key]",

  execute: (context, args, bytes, session) =>
    runSubcommand("object", aboutObjects, context, args, bytes, session),
};

export const memory: RedisCommand = {
  name: "memory",
  arity: -2,
  flags: ["readonly"],
  group: "server",
  summary: "Tells how much memory a key or the store takes.",
  usage: "USAGE key [SAMPLES count] | STATS | DOCTOR | PURGE | HELP",

  execute: (context, args, bytes, session) =>
    runSubcommand("memory", aboutMemory, context, args, bytes, session),
};

export const wait: RedisCommand = {
  name: "wait",
  arity: 3,
  flags: [],
  group: "generic",
  summary: "Returns how many replicas have acknowledged the changes: 0, since there are none.",
  usage: "numreplicas timeout",

  execute(context, args, bytes) {
    if (integerOf(args, 1, bytes) === undefined) return context.fail(notAnInteger);
    const timeout = integerOf(args, 2, bytes);
    if (timeout === undefined || timeout < 0n) {
      const text = timeout === undefined
        ? "ERR timeout is not an integer or out of range"
        : "ERR timeout is negative";
      return context.failRedis("bad_number", text);
    }
    context.redis.integer(0);
  },
};

/** A subcommand about the key that is the second argument; a missing one is answered with null. */
function aboutKey(
  name: string,
  arity: number,
  help: readonly string[],
  answer: (context: Context, handle: Handle, keyBytes: number) => void,
): Subcommand {
  return {
    name,
    arity,
    help,
    execute(context, args, bytes) {
      const start = args.starts[2];
      const end = args.ends[2];
      context.withKey(bytes, start, end, () => {
        const handle = context.store.find(bytes, start, end);
        if (handle === 0) context.redis.missing();
        else answer(context, handle, end - start);
      });
    },
  };
}

const switching = "Please note that when switching between policies at runtime LRU and LFU data " +
  "will take some time to adjust.";

const aboutObjects: readonly Subcommand[] = [
  aboutKey("encoding", 3, [
    "ENCODING <key>",
    "    Return the kind of internal representation used in order to store the value",
    "    associated with a <key>.",
  ], (context, handle) => context.redis.text(encodingOf(context, handle))),
  aboutKey("freq", 3, [
    "FREQ <key>",
    "    Return the access frequency index of the <key>. The returned integer is",
    "    proportional to the logarithm of the recent access frequency of the key.",
  ], (context) =>
    context.failRedis(
      "wrong_state",
      `ERR An LFU maxmemory policy is not selected, access frequency not tracked. ${switching}`,
    )),
  aboutKey("idletime", 3, [
    "IDLETIME <key>",
    "    Return the idle time of the <key>, that is the approximated number of",
    "    seconds elapsed since the last access to the key.",
  ], (context) =>
    context.failRedis(
      "wrong_state",
      `ERR An LFU maxmemory policy is selected, idle time not tracked. ${switching}`,
    )),
  aboutKey("refcount", 3, [
    "REFCOUNT <key>",
    "    Return the number of references of the value associated with the specified",
    "    <key>.",
  ], ({ redis }) => redis.integer(1)),
];

/** How Redis would keep a value that SET has stored. Here all are kept alike. */
function encodingOf(context: Context, handle: Handle): string {
  const { store } = context;
  const length = store.lengthOf(handle);
  if (length > embeddedBytesMax) return "raw";
  if (length > integerBytesMax) return "embstr";
  const value = context.scratch(integerBytesMax);
  store.copyTo(handle, value, 0);
  return parseInteger(value, 0, length) === undefined ? "embstr" : "int";
}

const usage = aboutKey("usage", -3, [
  "USAGE <key> [SAMPLES <count>]",
  "    Return memory in bytes used by <key> and its value. Nested values are",
  "    sampled up to <count> times (default: 5, 0 means sample all).",
], ({ redis, store }, handle, keyBytes) => {
  const extra = store.expiryOf(handle) === Infinity ? 0 : expiryBytes;
  redis.integer(keyBytes + store.lengthOf(handle) + overheadBytes + extra);
});

const aboutMemory: readonly Subcommand[] = [
  {
    name: "doctor",
    arity: 2,
    help: ["DOCTOR", "    Return memory problems reports."],
    execute: ({ redis }) =>
      redis.verbatim("The store keeps to its limit by itself: INFO memory has the figures.\n"),
  },
  {
    name: "purge",
    arity: 2,
    help: ["PURGE", "    Do nothing: memory that is not needed goes back by itself."],
    execute: ({ redis }) => redis.ok(),
  },
  {
    name: "stats",
    arity: 2,
    help: ["STATS", "    Return information about the memory usage of the server."],
    execute({ redis, store }) {
      const { stats } = store;
      const figures: Readonly<Record<string, number>> = {
        "total.allocated": stats.residentBytes,
        "overhead.total": stats.overheadBytes,
        "keys.count": store.entries,
        "dataset.bytes": store.usage,
      };
      redis.map(Object.keys(figures).length);
      for (const [name, figure] of Object.entries(figures)) {
        redis.text(name);
        redis.integer(figure);
      }
    },
  },
  {
    ...usage,
    execute(context, args, bytes, session) {
      if (areSamplesValid(context, args, bytes)) usage.execute(context, args, bytes, session);
    },
  },
];

/** Checks the options of MEMORY USAGE, which mean nothing for strings; answers if they are wrong. */
function areSamplesValid(context: Context, args: Arguments, bytes: Uint8Array): boolean {
  for (let n = 3; n < args.count; n += 2) {
    const hasValue = isWord(args, n, bytes, "samples") && n + 1 < args.count;
    const samples = hasValue ? integerOf(args, n + 1, bytes) : -1n;
    if (samples !== undefined && samples >= 0n) continue;
    if (samples === undefined) context.fail(notAnInteger);
    else context.failRedis("unknown_option", "ERR syntax error");
    return false;
  }
  return true;
}
