/**
 * Commands whose first argument names what to do, such as OBJECT and MEMORY.
 *
 * @module
 */

import type { Arguments } from "../../protocol.ts";
import type { Context } from "../context.ts";
import type { Operation } from "../operation.ts";
import type { SessionControl } from "../session_control.ts";
import { isWord, textOf } from "./words.ts";

/** One of the things that a command can do. */
export interface Subcommand {
  /** Its name, in lower case. */
  readonly name: string;
  /** How many arguments it has, the names of the command and its own included; -n: at least n. */
  readonly arity: number;
  /** The lines that HELP has about it: first its usage. */
  readonly help: readonly string[];
  /** Runs it; the number of arguments is checked already. */
  execute(
    context: Context,
    args: Arguments,
    bytes: Uint8Array,
    session: SessionControl,
  ): Operation | void;
}

/** The most characters of a name that an error repeats, as in Redis. */
const echoedCharactersMax = 128;

/** Runs what the first argument of a command names; HELP lists what there is. */
export function runSubcommand(
  command: string,
  subcommands: readonly Subcommand[],
  context: Context,
  args: Arguments,
  bytes: Uint8Array,
  session: SessionControl,
): Operation | void {
  if (isWord(args, 1, bytes, "help")) return help(command, subcommands, context, args);
  const found = subcommands.find(({ name }) => isWord(args, 1, bytes, name));
  if (found === undefined) {
    const name = textOf(args, 1, bytes).slice(0, echoedCharactersMax);
    const text = `ERR unknown subcommand '${name}'. Try ${command.toUpperCase()} HELP.`;
    return context.failRedis("unknown_command", text);
  }
  const { name, arity } = found;
  if (arity >= 0 ? args.count !== arity : args.count < -arity) {
    return wrongNumber(context, command, name);
  }
  return found.execute(context, args, bytes, session);
}

function help(
  command: string,
  subcommands: readonly Subcommand[],
  context: Context,
  args: Arguments,
): void {
  if (args.count > 2) return wrongNumber(context, command, "help");
  const { redis } = context;
  const lines = [
    `${command.toUpperCase()} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:`,
    ...subcommands.flatMap(({ help }) => help),
    "HELP",
    "    Prints this help.",
  ];
  redis.array(lines.length);
  for (const line of lines) redis.status(line);
}

function wrongNumber(context: Context, command: string, name: string): undefined {
  const text = `ERR wrong number of arguments for '${command}|${name}' command`;
  return context.failRedis("wrong_arguments", text);
}
