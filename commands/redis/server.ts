/**
 * Commands about the server that have little to say here: TIME, ROLE, LASTSAVE, LATENCY, SLOWLOG,
 * MODULE, ACL, LOLWUT. Those that list something answer with an empty list, since the store keeps
 * no such records.
 *
 * @module
 */

import type { Arguments } from "../../protocol.ts";
import type { Context } from "../context.ts";
import type { RedisCommand } from "./command.ts";
import { wallTimeOf } from "./expiry.ts";
import { runSubcommand, type Subcommand } from "./subcommands.ts";
import { integerOf, textOf } from "./words.ts";

export const time: RedisCommand = {
  name: "time",
  arity: 1,
  flags: ["loading", "stale", "fast"],
  group: "server",
  summary: "Returns the server's time: seconds since 1970, and microseconds.",
  usage: "",

  execute(context) {
    const { redis, store } = context;
    // On the clock of EXPIRETIME, so that both agree.
    const microseconds = Math.floor(wallTimeOf(context, store.now()) * 1000);
    redis.array(2);
    redis.text(String(Math.floor(microseconds / 1e6)));
    redis.text(String(microseconds % 1e6));
  },
};

export const role: RedisCommand = {
  name: "role",
  arity: 1,
  flags: ["noscript", "loading", "stale", "fast"],
  group: "server",
  summary: "Returns the role in replication: a master without replicas.",
  usage: "",

  execute({ redis }) {
    redis.array(3);
    redis.text("master");
    redis.integer(0);
    redis.array(0);
  },
};

export const lastsave: RedisCommand = {
  name: "lastsave",
  arity: 1,
  flags: ["loading", "stale", "fast"],
  group: "server",
  summary: "Returns when the server was started, since nothing is saved to disk.",
  usage: "",

  execute: ({ redis, startedAtWallMs }) => redis.integer(Math.floor(startedAtWallMs / 1000)),
};

export const lolwut: RedisCommand = {
  name: "lolwut",
  arity: -1,
  flags: ["readonly", "fast"],
  group: "server",
  summary: "Shows the version, without art.",
  usage: "[VERSION version] [arg ...]",

  execute: (context) => context.redis.verbatim(`Blink Store ver. ${context.info().version}\n`),
};

function container(
  name: string,
  summary: string,
  usage: string,
  subcommands: readonly Subcommand[],
): RedisCommand {
  return {
    name,
    arity: -2,
    flags: ["admin", "noscript", "loading", "stale"],
    group: "server",
    summary,
    usage,
    execute: (context, args, bytes, session) =>
      runSubcommand(name, subcommands, context, args, bytes, session),
  };
}

function emptyList({ redis }: Context): void {
  redis.array(0);
}

/** Subcommands that are refused; HELP does not list them. */
function refused(names: readonly string[], text: string): Subcommand[] {
  return names.map((name) => ({
    name,
    arity: -2,
    help: [],
    execute: (context) => context.failRedis("wrong_state", text),
  }));
}

export const latency: RedisCommand = container(
  "latency",
  "Reports on slow events, of which no record is kept.",
  "DOCTOR | GRAPH event | HISTOGRAM [command ...] | HISTORY event | LATEST | RESET [event ...] | HELP",
  [
    {
      name: "doctor",
      arity: 2,
      help: ["DOCTOR", "    Return a human readable latency analysis report."],
      execute: ({ redis }) =>
        redis.verbatim("The store keeps no record of latency: blink-store bench measures it.\n"),
    },
    {
      name: "graph",
      arity: 3,
      help: ["GRAPH <event>", "    Return an ASCII latency graph for the <event> class."],
      execute(context, args, bytes) {
        const text = `ERR No samples available for event '${textOf(args, 2, bytes)}'`;
        context.failRedis("wrong_state", text);
      },
    },
    {
      name: "history",
      arity: 3,
      help: ["HISTORY <event>", "    Return time-latency samples for the <event> class."],
      execute: emptyList,
    },
    {
      name: "latest",
      arity: 2,
      help: ["LATEST", "    Return the latest latency samples for all events."],
      execute: emptyList,
    },
    {
      name: "reset",
      arity: -2,
      help: [
        "RESET [<event> ...]",
        "    Reset latency data of one or more <event> classes.",
        "    (default: reset all data for all event classes)",
      ],
      execute: ({ redis }) => redis.integer(0),
    },
    {
      name: "histogram",
      arity: -2,
      help: [
        "HISTOGRAM [COMMAND ...]",
        "    Return an empty map: the store keeps no histograms of latency.",
      ],
      execute: ({ redis }) => redis.map(0),
    },
  ],
);

export const slowlog: RedisCommand = container(
  "slowlog",
  "Lists slow requests, of which no record is kept.",
  "GET [count] | LEN | RESET | HELP",
  [
    {
      name: "get",
      arity: -2,
      help: ["GET [<count>]", "    Return an empty list: the store keeps no slow log."],
      execute: slowRequests,
    },
    {
      name: "len",
      arity: 2,
      help: ["LEN", "    Return the length of the slowlog."],
      execute: ({ redis }) => redis.integer(0),
    },
    {
      name: "reset",
      arity: 2,
      help: ["RESET", "    Reset the slowlog."],
      execute: ({ redis }) => redis.ok(),
    },
  ],
);

function slowRequests(context: Context, args: Arguments, bytes: Uint8Array): void {
  if (args.count > 3) {
    const text = "ERR unknown subcommand or wrong number of arguments for " +
      `'${textOf(args, 1, bytes)}'. Try SLOWLOG HELP.`;
    return context.failRedis("wrong_arguments", text);
  }
  const count = args.count === 2 ? 0n : integerOf(args, 2, bytes);
  if (count === undefined || count < -1n) {
    const text = "ERR count should be greater than or equal to -1";
    return context.failRedis("bad_number", text);
  }
  emptyList(context);
}

export const module: RedisCommand = container(
  "module",
  "Lists the modules, of which there are none.",
  "LIST | HELP",
  [
    {
      name: "list",
      arity: 2,
      help: ["LIST", "    Return a list of loaded modules."],
      execute: emptyList,
    },
    ...refused(["load", "loadex", "unload"], "ERR this store has no modules and loads none"),
  ],
);

export const acl: RedisCommand = container(
  "acl",
  "Names the user. There is one, whose password is the server's token.",
  "WHOAMI | HELP",
  [
    {
      name: "whoami",
      arity: 2,
      help: ["WHOAMI", "    Return the current connection username."],
      execute: ({ redis }) => redis.text("default"),
    },
    ...refused(
      [
        "cat",
        "deluser",
        "dryrun",
        "genpass",
        "getuser",
        "list",
        "load",
        "log",
        "save",
        "setuser",
        "users",
      ],
      "ERR this store has one user, default, who may do everything; its password is the token " +
        "that the server is started with",
    ),
  ],
);
