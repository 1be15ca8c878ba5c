/**
 * Commands about the connection: PING, ECHO, QUIT, SELECT, AUTH, HELLO, RESET.
 *
 * @module
 */

import { type Arguments, authenticationFailed } from "../../protocol.ts";
import { DelayedRefusal } from "../auth.ts";
import type { Context } from "../context.ts";
import type { Operation } from "../operation.ts";
import type { SessionControl } from "../session_control.ts";
import { refuseName } from "./client_commands.ts";
import type { RedisCommand } from "./command.ts";
import { compatibleVersion } from "./version.ts";
import { isWord, numberOf, textOf } from "./words.ts";

/** The only user that there is. */
const userName = "default";

export const ping: RedisCommand = {
  name: "ping",
  arity: -1,
  flags: ["fast"],
  group: "connection",
  summary: "Returns the server's liveliness response.",
  usage: "[message]",
  line: "PING",

  execute(context, args, bytes) {
    if (args.count > 2) return wrongNumber(context, "ping");
    if (args.count === 1) context.redis.status("PONG");
    else context.redis.bulk(bytes, args.starts[1], args.ends[1]);
  },
};

export const echo: RedisCommand = {
  name: "echo",
  arity: 2,
  flags: ["fast"],
  group: "connection",
  summary: "Returns the given string.",
  usage: "message",

  execute: (context, args, bytes) => context.redis.bulk(bytes, args.starts[1], args.ends[1]),
};

export const quit: RedisCommand = {
  name: "quit",
  arity: -1,
  flags: ["fast", "no_auth"],
  group: "connection",
  summary: "Closes the connection.",
  usage: "",
  line: "QUIT",
  isImmediate: true,

  execute(context, _args, _bytes, session) {
    context.redis.ok();
    session.close();
  },
};

export const select: RedisCommand = {
  name: "select",
  arity: 2,
  flags: ["fast"],
  group: "connection",
  summary: "Changes the selected database. There is one, number 0.",
  usage: "index",

  execute(context, args, bytes) {
    const index = numberOf(args, 1, bytes);
    if (index === 0) return context.redis.ok();
    const text = index === undefined
      ? "ERR value is not an integer or out of range"
      : "ERR DB index is out of range: this store has database 0 alone";
    context.failRedis("bad_number", text);
  },
};

export const auth: RedisCommand = {
  name: "auth",
  arity: -2,
  flags: ["fast", "no_auth", "no_multi"],
  group: "connection",
  summary: "Authenticates the connection.",
  usage: "[username] password",
  line: "AUTH",

  execute(context, args, bytes, session) {
    if (args.count > 3) return context.failRedis("unknown_option", "ERR syntax error");
    if (context.isToken === undefined) {
      // Any password is right for the user that needs none.
      if (args.count === 3) {
        const isUser = textOf(args, 1, bytes) === userName;
        return isUser ? context.redis.ok() : wrongPassword(context, session);
      }
      return context.failRedis(
        "wrong_state",
        "ERR AUTH <password> called without any password configured for the default user. " +
          "Are you sure your configuration is correct?",
      );
    }
    const refusal = logIn(context, args, bytes, session, args.count - 2, args.count - 1);
    if (refusal !== undefined) return refusal;
    context.redis.ok();
  },
};

export const hello: RedisCommand = {
  name: "hello",
  arity: -1,
  flags: ["fast", "no_auth", "no_multi"],
  group: "connection",
  summary: "Handshakes with the server: the version of the wire, authentication, a name.",
  usage: "[protover [AUTH username password] [SETNAME clientname]]",

  execute(context, args, bytes, session) {
    const { redis: client } = session;
    if (client === undefined) return undefined;
    const version = args.count > 1 ? numberOf(args, 1, bytes) : client.version;
    if (version !== 2 && version !== 3) {
      const text = version === undefined
        ? "ERR Protocol version is not an integer or out of range"
        : "NOPROTO unsupported protocol version";
      return context.failRedis("bad_number", text);
    }
    let name: string | undefined;
    for (let n = 2; n < args.count; n++) {
      if (isWord(args, n, bytes, "auth") && n + 2 < args.count) {
        const refusal = logIn(context, args, bytes, session, n + 1, n + 2);
        if (refusal !== undefined) return refusal;
        n += 2;
      } else if (isWord(args, n, bytes, "setname") && n + 1 < args.count) {
        name = textOf(args, ++n, bytes);
        if (refuseName(context, name, "Client names")) return undefined;
      } else {
        const text = `ERR Syntax error in HELLO option '${textOf(args, n, bytes)}'`;
        return context.failRedis("unknown_option", text);
      }
    }
    if (!session.isAuthenticated) {
      return context.failRedis(
        "authentication_required",
        "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO " +
          "<proto> AUTH <user> <pass> option can be used to authenticate the client and select " +
          "the RESP protocol version at the same time",
      );
    }
    if (name !== undefined) client.name = name;
    client.version = context.redis.version = version;
    greet(context, session);
  },
};

export const reset: RedisCommand = {
  name: "reset",
  arity: 1,
  flags: ["fast", "no_auth"],
  group: "connection",
  summary: "Resets the connection.",
  usage: "",
  isImmediate: true,

  execute(context, _args, _bytes, session) {
    session.redis?.reset();
    context.redis.version = 2;
    session.isAuthenticated = context.isToken === undefined;
    context.redis.status("RESET");
  },
};

function greet({ redis }: Context, session: SessionControl): void {
  redis.map(7);
  redis.text("server");
  redis.text("blink-store");
  redis.text("version");
  redis.text(compatibleVersion);
  redis.text("proto");
  redis.integer(redis.version);
  redis.text("id");
  redis.integer(session.id);
  redis.text("mode");
  redis.text("standalone");
  redis.text("role");
  redis.text("master");
  redis.text("modules");
  redis.array(0);
}

/**
 * Logs in with the token that an argument is; a name before it must be that of the only user.
 * Returns the refusal, which takes a moment.
 */
function logIn(
  context: Context,
  args: Arguments,
  bytes: Uint8Array,
  session: SessionControl,
  user: number,
  password: number,
): Operation | undefined {
  const { isToken } = context;
  const isUser = user === 0 || textOf(args, user, bytes) === userName;
  const isRight = isToken === undefined ||
    isToken(bytes, args.starts[password], args.ends[password]);
  if (isUser && isRight) {
    session.isAuthenticated = true;
    return undefined;
  }
  return wrongPassword(context, session);
}

function wrongPassword(context: Context, session: SessionControl): Operation {
  session.authenticationFailed();
  return new DelayedRefusal(context, authenticationFailed);
}

/** Answers a request with too few or too many arguments. */
export function wrongNumber(context: Context, command: string): undefined {
  const text = `ERR wrong number of arguments for '${command}' command`;
  return context.failRedis("wrong_arguments", text);
}
