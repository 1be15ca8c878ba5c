/**
 * The list of commands. The parser, `HELP`, the shell's completion, hints and help read it, and so
 * does the test that the documents describe every command. A command that is not here does not
 * exist.
 *
 * @module
 */

import { auth } from "./auth.ts";
import type { Command } from "./command.ts";
import { remove } from "./delete.ts";
import { CommandTable } from "./dispatch.ts";
import { expire } from "./expire.ts";
import { flush } from "./flush.ts";
import { get } from "./get.ts";
import { help } from "./help.ts";
import { incr } from "./incr.ts";
import { info } from "./info.ts";
import { mget } from "./mget.ts";
import { ping } from "./ping.ts";
import { put } from "./put.ts";
import { quit } from "./quit.ts";
import { scan } from "./scan.ts";
import { set } from "./set.ts";
import { ttl } from "./ttl.ts";
import { usage } from "./usage.ts";

/** Every command, in the order in which `HELP` and the documents list them. */
export const commands: readonly Command[] = [
  set,
  get,
  remove,
  usage,
  quit,
  put,
  mget,
  incr,
  expire,
  ttl,
  scan,
  flush,
  ping,
  info,
  auth,
  help,
];

/** Finds, parses and runs these commands. */
export const commandTable: CommandTable = new CommandTable(commands);

/**
 * The command that a verb or an alias, in any case, names.
 *
 * @example
 * ```ts
 * import { commandNamed } from "./mod.ts";
 *
 * console.assert(commandNamed("del")?.verb === "DELETE");
 * console.assert(commandNamed("nonsense") === undefined);
 * ```
 */
export function commandNamed(word: string): Command | undefined {
  const verb = word.toUpperCase();
  return commands.find((command) => command.verb === verb || command.aliases.includes(verb));
}
