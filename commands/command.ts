/**
 * What a command is: its entry in the table, its parsing and its execution. Each command has a file
 * of its own in this folder.
 *
 * @module
 */

import type { Request } from "../protocol.ts";
import type { Context } from "./context.ts";
import type { Operation } from "./operation.ts";
import type { SessionControl } from "./session_control.ts";

/** The kind of an argument, for completion and hints. */
export type ArgumentKind = "key" | "value" | "options" | "number" | "seconds" | "prefix" | "token";

/** One option of an option word. */
export interface Option {
  /** Its name, with its `=` where it takes a value. */
  readonly name: string;
  /** What it means, in a few words. */
  readonly meaning: string;
}

/** One argument of a command. */
export interface Argument {
  /** Its name as the usage line shows it. */
  readonly name: string;
  /** What the shell may complete there. */
  readonly kind: ArgumentKind;
  /** True when the request is valid without it. */
  readonly optional?: boolean;
  /** True when it may be given more than once. */
  readonly repeated?: boolean;
  /** The options that it may hold, in a comma-separated list. */
  readonly options?: readonly Option[];
}

/** A command's description, which the shell, the completions and the tests read. */
export interface CommandEntry {
  /** The verb, in capitals; a request may spell it in any case. At most six letters. */
  readonly verb: string;
  /** Other verbs that mean the same. */
  readonly aliases: readonly string[];
  /** Its arguments, in order. */
  readonly args: readonly Argument[];
  /** One line on what it does. */
  readonly summary: string;
  /** An example of a request. */
  readonly example: string;
  /** Every reply that is not an `ERROR`. */
  readonly replies: readonly string[];
  /** True for the five commands that every client in the field knows; the others are extensions. */
  readonly isCore: boolean;
  /** True when it can change what the store holds. */
  readonly writes: boolean;
  /** True when it is answered before AUTH, where a token is required. */
  readonly needsNoAuth: boolean;
  /** Whether INFO's slowest request counts it: always, from 16 KiB of value on, or never. */
  readonly timed: "always" | "large values" | "never";
}

/** A command: its entry, its parsing and its execution. */
export interface Command extends CommandEntry {
  /**
   * Reads the arguments in `bytes[at, end)` into the request, or sets `request.error`. `at` is the
   * first argument, or `end`. A command whose first argument is a required key gets it parsed
   * already, and `at` is right behind the key.
   */
  parse(bytes: Uint8Array, at: number, end: number, request: Request): void;
  /**
   * Runs a valid request and writes its reply to `context.output`. A request that cannot end at
   * once returns an operation that carries it on. Other requests see all of its change or none.
   */
  execute(
    context: Context,
    request: Request,
    bytes: Uint8Array,
    session: SessionControl,
  ): Operation | void;
}

/** The key argument of most commands. */
export const key: Argument = { name: "key", kind: "key" };

/** A command's usage line: its verb and arguments, such as `PUT key options [value]`. */
export function usageOf(command: CommandEntry): string {
  const words = command.args.map((argument) => {
    const name = argument.repeated ? `${argument.name} ...` : argument.name;
    return argument.optional ? `[${name}]` : name;
  });
  return [command.verb, ...words].join(" ");
}
