/**
 * CLIENT: what a client says of itself, which replies it gets, and the list of all clients.
 *
 * Subcommands for what does not exist here answer as Redis does where it is not used: no client is
 * tracked, paused or blocked.
 *
 * @module
 */

import type { Arguments } from "../../protocol.ts";
import type { Context } from "../context.ts";
import { clientNameCharactersMax, isClientName, type RedisClient } from "./client.ts";
import { informOfClient, killClients, listClients } from "./client_list.ts";
import type { RedisCommand } from "./command.ts";
import { runSubcommand, type Subcommand } from "./subcommands.ts";
import { integerOf, isWord, textOf } from "./words.ts";

export const client: RedisCommand = {
  name: "client",
  arity: -2,
  flags: ["noscript", "loading", "stale"],
  group: "connection",
  summary: "Names this client, lists all clients, and ends connections.",
  usage: "ID | GETNAME | SETNAME name | SETINFO attribute value | INFO | LIST [option ...] | " +
    "KILL option ... | NO-EVICT ON|OFF | NO-TOUCH ON|OFF | REPLY ON|OFF|SKIP | HELP",

  execute: (context, args, bytes, session) =>
    runSubcommand("client", subcommands, context, args, bytes, session),
};

/** Refuses a text that cannot be the name of a client or library, which `what` says. */
export function refuseName(context: Context, text: string, what: string): boolean {
  if (text.length > clientNameCharactersMax) {
    const error = `ERR ${what} cannot be longer than ${clientNameCharactersMax} characters.`;
    context.failRedis("wrong_arguments", error);
    return true;
  }
  if (isClientName(text)) return false;
  const error = `ERR ${what} cannot contain spaces, newlines or special characters.`;
  context.failRedis("wrong_arguments", error);
  return true;
}

/** A subcommand that sets something of the client that sends it. */
function setting(
  name: string,
  arity: number,
  help: readonly string[],
  set: (context: Context, client: RedisClient, args: Arguments, bytes: Uint8Array) => void,
): Subcommand {
  return {
    name,
    arity,
    help,
    execute(context, args, bytes, session) {
      // Only a client that speaks Redis sends this.
      if (session.redis !== undefined) set(context, session.redis, args, bytes);
    },
  };
}

function syntaxError(context: Context): undefined {
  return context.failRedis("unknown_option", "ERR syntax error");
}

function setInfo(
  context: Context,
  client: RedisClient,
  args: Arguments,
  bytes: Uint8Array,
): void {
  const attribute = textOf(args, 2, bytes);
  const value = textOf(args, 3, bytes);
  const isName = isWord(args, 2, bytes, "lib-name");
  if (!isName && !isWord(args, 2, bytes, "lib-ver")) {
    const text = `ERR Unrecognized option '${attribute}'`;
    return context.failRedis("unknown_option", text);
  }
  if (refuseName(context, value, attribute.toLowerCase())) return;
  if (isName) client.libraryName = value;
  else client.libraryVersion = value;
  context.redis.ok();
}

/** A subcommand whose argument is ON or OFF. */
function onOrOff(
  name: string,
  help: readonly string[],
  set: (client: RedisClient, isOn: boolean) => void,
): Subcommand {
  return setting(name, 3, help, (context, client, args, bytes) => {
    const isOn = isWord(args, 2, bytes, "on");
    if (!isOn && !isWord(args, 2, bytes, "off")) return syntaxError(context);
    set(client, isOn);
    context.redis.ok();
  });
}

function setReplyMode(
  context: Context,
  client: RedisClient,
  args: Arguments,
  bytes: Uint8Array,
): void {
  if (context.isAtomic) {
    const text = "ERR CLIENT REPLY is not allowed in a transaction";
    return context.failRedis("wrong_state", text);
  }
  if (isWord(args, 2, bytes, "on")) {
    client.replyMode = "on";
    context.redis.ok();
  } else if (isWord(args, 2, bytes, "off")) {
    client.replyMode = "off";
  } else if (isWord(args, 2, bytes, "skip")) {
    if (client.replyMode === "on") client.replyMode = "skip next";
  } else {
    syntaxError(context);
  }
}

function refuseTracking(context: Context, args: Arguments, bytes: Uint8Array): void {
  if (isWord(args, 2, bytes, "off")) return context.redis.ok();
  if (!isWord(args, 2, bytes, "on")) return syntaxError(context);
  const text = "ERR this store does not track keys: clients cannot keep values on their side";
  context.failRedis("wrong_state", text);
}

/** No client is blocked, so none is unblocked. */
function unblock(context: Context, args: Arguments, bytes: Uint8Array): void {
  if (integerOf(args, 2, bytes) === undefined) {
    return context.failRedis("bad_number", "ERR value is not an integer or out of range");
  }
  const isReason = args.count === 3 ||
    args.count === 4 && (isWord(args, 3, bytes, "timeout") || isWord(args, 3, bytes, "error"));
  if (!isReason) {
    const text = "ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR";
    return context.failRedis("unknown_option", text);
  }
  context.redis.integer(0);
}

/** Tracking is never on, and the reply says so in the form of Redis. */
function trackingInfo({ redis }: Context): void {
  redis.map(3);
  redis.text("flags");
  redis.set(1);
  redis.text("off");
  redis.text("redirect");
  redis.integer(-1);
  redis.text("prefixes");
  redis.array(0);
}

const subcommands: readonly Subcommand[] = [
  {
    name: "caching",
    arity: 3,
    help: [],
    execute: (context) =>
      context.failRedis(
        "wrong_state",
        "ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or " +
          "OPTOUT mode enabled",
      ),
  },
  {
    name: "getname",
    arity: 2,
    help: ["GETNAME", "    Return the name of the current connection."],
    execute({ redis }, _args, _bytes, session) {
      const name = session.redis?.name ?? "";
      if (name === "") redis.missing();
      else redis.text(name);
    },
  },
  {
    name: "getredir",
    arity: 2,
    help: ["GETREDIR", "    Return -1, since no client is tracked."],
    execute: ({ redis }) => redis.integer(-1),
  },
  {
    name: "id",
    arity: 2,
    help: ["ID", "    Return the ID of the current connection."],
    execute: ({ redis }, _args, _bytes, { id }) => redis.integer(id),
  },
  {
    name: "info",
    arity: 2,
    help: ["INFO", "    Return information about the current client connection."],
    execute: informOfClient,
  },
  {
    name: "kill",
    arity: -3,
    help: [
      "KILL <ip:port>",
      "    Kill connection made from <ip:port>.",
      "KILL <option> <value> [<option> <value> [...]]",
      "    Kill connections. Options are:",
      "    * ADDR (<ip:port>|<unixsocket>:0)",
      "      Kill connections made from the specified address",
      "    * LADDR (<ip:port>|<unixsocket>:0)",
      "      Kill connections made to specified local address",
      "    * TYPE (NORMAL|MASTER|REPLICA|PUBSUB)",
      "      Kill connections by type.",
      "    * USER <username>",
      "      Kill connections authenticated by <username>.",
      "    * SKIPME (YES|NO)",
      "      Skip killing current connection (default: yes).",
      "    * ID <client-id>",
      "      Kill connections by client id.",
      "    * MAXAGE <maxage>",
      "      Kill connections older than the specified age.",
    ],
    execute: killClients,
  },
  {
    name: "list",
    arity: -2,
    help: [
      "LIST [options ...]",
      "    Return information about client connections. Options:",
      "    * TYPE (NORMAL|MASTER|REPLICA|PUBSUB)",
      "      Return clients of specified type.",
      "    * ID <client-id> [<client-id> ...]",
      "      Return clients of specified IDs only.",
    ],
    execute: listClients,
  },
  onOrOff(
    "no-evict",
    ["NO-EVICT (ON|OFF)", "    Listed as a flag; connections are not evicted."],
    (client, isOn) => client.isNoEvict = isOn,
  ),
  onOrOff(
    "no-touch",
    ["NO-TOUCH (ON|OFF)", "    Reads of this client do not count as uses of a key."],
    (client, isOn) => client.countsReads = !isOn,
  ),
  {
    name: "pause",
    arity: -3,
    help: [],
    execute: (context) =>
      context.failRedis("wrong_state", "ERR this store does not pause its clients"),
  },
  setting(
    "reply",
    3,
    ["REPLY (ON|OFF|SKIP)", "    Control the replies sent to the current connection."],
    setReplyMode,
  ),
  setting(
    "setinfo",
    4,
    [
      "SETINFO <option> <value>",
      "    Set client meta attr. Options are:",
      "    * LIB-NAME: the client lib name.",
      "    * LIB-VER: the client lib version.",
    ],
    setInfo,
  ),
  setting(
    "setname",
    3,
    ["SETNAME <name>", "    Assign the name <name> to the current connection."],
    (context, client, args, bytes) => {
      const name = textOf(args, 2, bytes);
      if (refuseName(context, name, "Client names")) return;
      client.name = name;
      context.redis.ok();
    },
  ),
  {
    name: "tracking",
    arity: -3,
    help: ["TRACKING (ON|OFF) [...]", "    Return an error for ON: no client is tracked."],
    execute: refuseTracking,
  },
  {
    name: "trackinginfo",
    arity: 2,
    help: ["TRACKINGINFO", "    Report tracking status for the current connection."],
    execute: trackingInfo,
  },
  {
    name: "unblock",
    arity: -3,
    help: ["UNBLOCK <clientid> [TIMEOUT|ERROR]", "    Return 0, since no client is blocked."],
    execute: unblock,
  },
  {
    name: "unpause",
    arity: 2,
    help: ["UNPAUSE", "    Return OK, since no client is paused."],
    execute: ({ redis }) => redis.ok(),
  },
];
