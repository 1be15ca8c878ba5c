/**
 * COMMAND: what clients and redis-cli ask about the commands that there are. Everything comes from
 * the table. Subcommands, such as those of OBJECT, are not listed one by one.
 *
 * @module
 */

import type { Arguments } from "../../protocol.ts";
import type { Context } from "../context.ts";
import type { KeyPlaces, RedisCommand } from "./command.ts";
import { sinceOf } from "./command_since.ts";
import type { RedisTable } from "./dispatch.ts";
import { Glob } from "./glob.ts";
import { runSubcommand, type Subcommand } from "./subcommands.ts";
import { isWord, textOf } from "./words.ts";

/** Makes COMMAND; the table, which holds it, is asked for when it runs. */
export function commandOf(table: () => RedisTable): RedisCommand {
  return {
    name: "command",
    arity: -1,
    flags: ["loading", "stale"],
    group: "server",
    summary: "Returns detailed information about all commands.",
    usage: "[COUNT | LIST | INFO | DOCS | GETKEYS | HELP] [argument ...]",

    execute(context, args, bytes, session) {
      if (args.count === 1) return describeAll(context, table());
      return runSubcommand("command", subcommandsOf(table()), context, args, bytes, session);
    },
  };
}

function describeAll(context: Context, { commands }: RedisTable): void {
  context.redis.array(commands.length);
  for (const command of commands) describe(context, command);
}

/** The ten parts that Redis reports of a command. */
function describe({ redis }: Context, command: RedisCommand): void {
  const { name, arity, flags, keys } = command;
  redis.array(10);
  redis.text(name);
  redis.integer(arity);
  words(redis, flags);
  redis.integer(keys?.first ?? 0);
  redis.integer(keys?.last ?? 0);
  redis.integer(keys?.step ?? 0);
  words(redis, categoriesOf(command).map((category) => `@${category}`));
  redis.set(0); // Tips.
  redis.set(keys === undefined ? 0 : 1);
  if (keys !== undefined) describeKeys(redis, keys, flags.includes("write"));
  redis.set(0); // Subcommands.
}

/** A set of statuses. */
function words(redis: Context["redis"], all: readonly string[]): void {
  redis.set(all.length);
  for (const word of all) redis.status(word);
}

/** Where the keys are, as Redis 7 reports it: a beginning, and a range from there. */
function describeKeys(redis: Context["redis"], keys: KeyPlaces, isWritten: boolean): void {
  redis.map(3);
  redis.text("flags");
  words(redis, isWritten ? ["RW", "update"] : ["RO", "access"]);
  redis.text("begin_search");
  redis.map(2);
  redis.text("type");
  redis.text("index");
  redis.text("spec");
  redis.map(1);
  pair(redis, "index", keys.first);
  redis.text("find_keys");
  redis.map(2);
  redis.text("type");
  redis.text("range");
  redis.text("spec");
  redis.map(3);
  pair(redis, "lastkey", keys.last < 0 ? keys.last : keys.last - keys.first);
  pair(redis, "keystep", keys.step);
  pair(redis, "limit", 0);
}

function pair(redis: Context["redis"], name: string, value: number): void {
  redis.text(name);
  redis.integer(value);
}

const groupCategories: Readonly<Record<RedisCommand["group"], string | undefined>> = {
  string: "string",
  generic: "keyspace",
  connection: "connection",
  server: undefined,
  transactions: "transaction",
  cluster: undefined,
};

/** The categories of Redis's access lists that a command is in, which follow from its entry. */
export function categoriesOf({ flags, group }: RedisCommand): string[] {
  const groupCategory = groupCategories[group];
  return [
    ...groupCategory === undefined ? [] : [groupCategory],
    ...flags.includes("readonly") ? ["read"] : [],
    ...flags.includes("write") ? ["write"] : [],
    ...flags.includes("admin") ? ["admin", "dangerous"] : [],
    flags.includes("fast") ? "fast" : "slow",
  ];
}

/** The commands that the arguments after the subcommand name; all without arguments. */
function named(
  table: RedisTable,
  args: Arguments,
  bytes: Uint8Array,
): readonly (RedisCommand | undefined)[] {
  if (args.count === 2) return table.commands;
  const found: (RedisCommand | undefined)[] = [];
  for (let n = 2; n < args.count; n++) {
    found.push(table.commands[table.numberOf(bytes, args.starts[n], args.ends[n])]);
  }
  return found;
}

function inform(table: RedisTable, context: Context, args: Arguments, bytes: Uint8Array): void {
  const found = named(table, args, bytes);
  context.redis.array(found.length);
  for (const command of found) {
    if (command === undefined) context.redis.missing();
    else describe(context, command);
  }
}

function document(table: RedisTable, context: Context, args: Arguments, bytes: Uint8Array): void {
  const found = named(table, args, bytes).filter((command) => command !== undefined);
  const { redis } = context;
  redis.map(found.length);
  for (const { name, summary, group } of found) {
    redis.text(name);
    redis.map(3);
    for (const text of ["summary", summary, "since", sinceOf(name), "group", group]) {
      redis.text(text);
    }
  }
}

function list(table: RedisTable, context: Context, args: Arguments, bytes: Uint8Array): void {
  const filter = args.count === 2 ? () => true : filterOf(args, bytes);
  if (filter === undefined) return context.failRedis("unknown_option", "ERR syntax error");
  const names = table.commands.filter(filter).map(({ name }) => name);
  context.redis.array(names.length);
  for (const name of names) context.redis.text(name);
}

/** The filter that `FILTERBY kind value` names; undefined if it is none. */
function filterOf(
  args: Arguments,
  bytes: Uint8Array,
): ((command: RedisCommand) => boolean) | undefined {
  if (args.count !== 5 || !isWord(args, 2, bytes, "filterby")) return undefined;
  // No command is of a module.
  if (isWord(args, 3, bytes, "module")) return () => false;
  const value = textOf(args, 4, bytes).toLowerCase();
  if (isWord(args, 3, bytes, "aclcat")) {
    return (command) => categoriesOf(command).includes(value);
  }
  if (!isWord(args, 3, bytes, "pattern")) return undefined;
  const pattern = encoder.encode(value);
  const glob = new Glob(pattern, 0, pattern.length);
  return ({ name }) => glob.matches(encoder.encode(name), 0, name.length);
}

const encoder = new TextEncoder();

/** The keys of a request, which the arguments after GETKEYS are. */
function getKeys(table: RedisTable, context: Context, args: Arguments, bytes: Uint8Array): void {
  const offset = 2;
  const count = args.count - offset;
  const command = table.commands[table.numberOf(bytes, args.starts[offset], args.ends[offset])];
  if (command === undefined) {
    return context.failRedis("wrong_arguments", "ERR Invalid command specified");
  }
  const { keys, arity } = command;
  if (keys === undefined) {
    return context.failRedis("wrong_arguments", "ERR The command has no key arguments");
  }
  if (arity >= 0 ? count !== arity : count < -arity) {
    const text = "ERR Invalid number of arguments specified for command";
    return context.failRedis("wrong_arguments", text);
  }
  const last = keys.last < 0 ? count + keys.last : keys.last;
  context.redis.array(Math.floor((last - keys.first) / keys.step) + 1);
  for (let n = keys.first; n <= last; n += keys.step) {
    context.redis.bulk(bytes, args.starts[offset + n], args.ends[offset + n]);
  }
}

function subcommandsOf(table: RedisTable): readonly Subcommand[] {
  const on = (run: typeof inform): Subcommand["execute"] => (context, args, bytes) =>
    run(table, context, args, bytes);
  return [
    {
      name: "count",
      arity: 2,
      help: [
        "(no subcommand)",
        "    Return details about all commands.",
        "COUNT",
        "    Return the total number of commands in this server.",
      ],
      execute: ({ redis }) => redis.integer(table.commands.length),
    },
    {
      name: "list",
      arity: -2,
      help: [
        "LIST [FILTERBY <MODULE | ACLCAT | PATTERN> <value>]",
        "    Return a list of all commands in this server.",
      ],
      execute: on(list),
    },
    {
      name: "info",
      arity: -2,
      help: [
        "INFO [<command-name> ...]",
        "    Return details about multiple commands.",
        "    If no command names are given, details for all commands are returned.",
      ],
      execute: on(inform),
    },
    {
      name: "docs",
      arity: -2,
      help: [
        "DOCS [<command-name> ...]",
        "    Return documentation details about multiple commands.",
        "    If no command names are given, documentation details for all",
        "    commands are returned.",
      ],
      execute: on(document),
    },
    {
      name: "getkeys",
      arity: -3,
      help: ["GETKEYS <full-command>", "    Return the keys from a full command."],
      execute: on(getKeys),
    },
  ];
}
