/**
 * CONFIG: the settings of the server under the names that Redis has for them. Flags choose them at
 * the start. `maxmemory` can change while the server runs; of the others, CONFIG SET accepts the
 * value that holds already, and refuses any other.
 *
 * @module
 */

import { type Arguments, memoryLimitBytesMax } from "../../protocol.ts";
import type { Context } from "../context.ts";
import type { Operation, Step } from "../operation.ts";
import { bytesOfSize } from "./byte_unit.ts";
import type { RedisCommand } from "./command.ts";
import { Glob } from "./glob.ts";
import { runSubcommand, type Subcommand } from "./subcommands.ts";
import { textOf } from "./words.ts";

export const configuration: RedisCommand = {
  name: "config",
  arity: -2,
  flags: ["admin", "noscript", "loading", "stale"],
  group: "server",
  summary: "Reads the server's settings, and resets its statistics.",
  usage: "GET pattern [pattern ...] | SET name value [name value ...] | RESETSTAT | REWRITE | HELP",

  execute: (context, args, bytes, session) =>
    runSubcommand("config", subcommands, context, args, bytes, session),
};

/** One setting. */
interface Setting {
  /** Its value now. */
  readonly value: (context: Context) => string | number;
  /** What else the refusal of another value says. */
  readonly hint: string;
  /** How the value is written, where there is more than one way. */
  readonly kind?: "bytes" | "word";
}

/** A setting that a flag of the server chooses. */
function chosen(flag: string, value: Setting["value"], kind?: Setting["kind"]): Setting {
  return { value, kind, hint: `start the server with ${flag}` };
}

/** A setting that has one value. */
function fixed(value: string | number): Setting {
  return { value: () => value, kind: "word", hint: "this server has no other value" };
}

/** A token that is required is not shown. */
const hiddenToken = "(hidden)";

/** The setting that can change. */
const memoryLimit = "maxmemory";

/** The settings, by the names that Redis has for them. */
const settings: Readonly<Record<string, Setting>> = {
  "activedefrag": fixed("no"),
  "appendfsync": chosen(
    "--sync",
    ({ settings: { sync } }) => sync === "always" ? "always" : sync === "off" ? "no" : "everysec",
  ),
  "appendonly": chosen("--data", ({ settings }) => settings.sync === undefined ? "no" : "yes"),
  "bind": chosen("--tcp HOST:PORT", (context) => context.settings.bind),
  "cluster-enabled": fixed("no"),
  "daemonize": fixed("no"),
  "databases": fixed(1),
  "dbfilename": fixed(""),
  "dir": fixed(""),
  "hz": fixed(10),
  "io-threads": chosen("--threads", (context) => context.threads),
  "latency-monitor-threshold": fixed(0),
  "lazyfree-lazy-eviction": fixed("yes"),
  "lazyfree-lazy-expire": fixed("yes"),
  "lfu-decay-time": fixed(1),
  "lfu-log-factor": fixed(10),
  // There are no lists; Redis's own tests set this one before others.
  "list-max-listpack-size": fixed(-1),
  "loglevel": fixed("notice"),
  "maxclients": chosen("--max-connections", (context) => context.settings.connectionsMax),
  [memoryLimit]: chosen("--memory-limit", ({ store }) => store.limitBytes, "bytes"),
  "maxmemory-policy": chosen(
    "--eviction",
    ({ settings }) => settings.evicts ? "allkeys-lfu" : "noeviction",
  ),
  "maxmemory-samples": fixed(5),
  "min-replicas-to-write": fixed(0),
  "notify-keyspace-events": fixed(""),
  "port": chosen("--tcp HOST:PORT", (context) => context.settings.port),
  "proto-max-bulk-len": chosen(
    "--max-line",
    (context) => context.settings.lineBytesMax,
    "bytes",
  ),
  "protected-mode": fixed("no"),
  "rdbcompression": fixed("no"),
  "requirepass": chosen("--token-file", ({ isToken }) => isToken === undefined ? "" : hiddenToken),
  "save": fixed(""),
  "slowlog-log-slower-than": fixed(-1),
  "slowlog-max-len": fixed(0),
  "tcp-backlog": fixed(511),
  "tcp-keepalive": fixed(300),
  "timeout": chosen(
    "--idle-timeout",
    (context) => Math.ceil(context.settings.idleTimeoutMs / 1000),
  ),
};

function get(context: Context, args: Arguments, bytes: Uint8Array): void {
  const globs: Glob[] = [];
  for (let n = 2; n < args.count; n++) {
    const pattern = encoder.encode(textOf(args, n, bytes).toLowerCase());
    globs.push(new Glob(pattern, 0, pattern.length));
  }
  const names = Object.keys(settings).filter((name) => {
    const text = encoder.encode(name);
    return globs.some((glob) => glob.matches(text, 0, text.length));
  });
  context.redis.map(names.length);
  for (const name of names) {
    context.redis.text(name);
    context.redis.text(String(settings[name].value(context)));
  }
}

const encoder = new TextEncoder();

function set(context: Context, args: Arguments, bytes: Uint8Array): Operation | void {
  if (args.count % 2 !== 0) return context.failRedis("unknown_option", "ERR syntax error");
  const names: string[] = [];
  for (let n = 2; n < args.count; n += 2) {
    const name = textOf(args, n, bytes);
    if (!Object.hasOwn(settings, name.toLowerCase())) {
      const text = `ERR Unknown option or number of arguments for CONFIG SET - '${name}'`;
      return context.failRedis("unknown_option", text);
    }
    if (names.includes(name.toLowerCase())) return cannotSet(context, name, "duplicate parameter");
    names.push(name.toLowerCase());
  }
  let limitBytes: number | undefined;
  for (const [n, name] of names.entries()) {
    const setting = settings[name];
    const value = textOf(args, 3 + 2 * n, bytes);
    if (isSame(setting, String(setting.value(context)), value)) continue;
    if (name !== memoryLimit) {
      return cannotSet(context, name, `it cannot change while the server runs: ${setting.hint}`);
    }
    limitBytes = limitOf(context, value);
    if (limitBytes === undefined) return undefined;
  }
  if (limitBytes === undefined) return context.redis.ok();
  context.store.setLimit(limitBytes);
  const change = new LimitChange();
  return change.step(context) === "done" ? undefined : change;
}

/** The memory limit that a value is; undefined if it cannot be one, which is answered. */
function limitOf(context: Context, value: string): number | undefined {
  const limitBytes = bytesOfSize(value);
  if (limitBytes === undefined) {
    return cannotSet(context, memoryLimit, "argument must be a memory value");
  }
  if (limitBytes < 1 || limitBytes > memoryLimitBytesMax) {
    const reason = `this store always has a limit, of 1 to ${memoryLimitBytesMax} bytes`;
    return cannotSet(context, memoryLimit, reason);
  }
  // Another client's value may be on its way, and need what is to be given up.
  if (context.isAtomic && limitBytes < context.store.limitBytes) {
    return cannotSet(context, memoryLimit, "it cannot be lowered in a transaction");
  }
  if (!context.settings.evicts && limitBytes < context.store.usage) {
    return cannotSet(context, memoryLimit, moreIsHeld);
  }
  return limitBytes;
}

const moreIsHeld = "the store holds more than that, and evicts nothing: --eviction off";

/** A change of the memory limit, in steps: a lower one evicts. */
class LimitChange implements Operation {
  readonly isExclusive = true;
  readonly heldBytes = 0;

  step(context: Context): Step {
    const { redis, store, settings } = context;
    if (store.changeLimit()) {
      redis.ok();
      return "done";
    }
    if (settings.evicts) return "yield";
    // Another client has written meanwhile: the limit stays where it is.
    store.setLimit(store.limitBytes);
    cannotSet(context, memoryLimit, moreIsHeld);
    return "done";
  }

  cancel(): void {
    // The store carries the change on.
  }
}

function cannotSet(context: Context, name: string, reason: string): undefined {
  const text = `ERR CONFIG SET failed (possibly related to argument '${name}') - ${reason}`;
  return context.failRedis("bad_option", text);
}

/** Whether a value is the one that holds. */
function isSame({ kind }: Setting, current: string, value: string): boolean {
  if (kind === "bytes") return bytesOfSize(value) === Number(current);
  return current === (kind === "word" ? value.toLowerCase() : value);
}

const subcommands: readonly Subcommand[] = [
  {
    name: "get",
    arity: -3,
    help: [
      "GET <pattern>",
      "    Return parameters matching the glob-like <pattern> and their values.",
    ],
    execute: get,
  },
  {
    name: "set",
    arity: -4,
    help: [
      "SET <directive> <value>",
      "    Set the configuration <directive> to <value>: maxmemory. Flags set the others.",
    ],
    execute: set,
  },
  {
    name: "resetstat",
    arity: 2,
    help: ["RESETSTAT", "    Reset statistics reported by the INFO command."],
    execute(context) {
      context.resetStatistics();
      context.redis.ok();
    },
  },
  {
    name: "rewrite",
    arity: 2,
    help: ["REWRITE", "    Return an error, since there is no configuration file."],
    execute: (context) =>
      context.failRedis("wrong_state", "ERR The server is running without a config file"),
  },
];
