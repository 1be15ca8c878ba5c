/**
 * Splits the line being typed into tokens for completion and hints: the finished words, and the
 * word at the cursor. Blanks separate words, as on the wire.
 *
 * @module
 */
import { type Argument, type Command, commandNamed } from "../commands/mod.ts";

/** The tokens of a line up to the cursor. */
export interface TypedLine {
  /** The words before the one at the cursor. */
  readonly done: readonly string[];
  /** The word at the cursor; empty after a blank. */
  readonly word: string;
  /** The command that the first word names; undefined when no command has that name. */
  readonly command: Command | undefined;
}

/** Splits the line into tokens. */
export function tokenize(line: string): TypedLine {
  const words = line.trimStart().split(/[ \t]+/);
  const word = words.pop() ?? "";
  return { done: words, word, command: commandNamed(words[0] ?? word) };
}

/** The argument at a position after the verb, 0 the first; undefined beyond the last. */
export function argumentAt(command: Command, position: number): Argument | undefined {
  const last = command.args.at(-1);
  if (position >= command.args.length) {
    return last?.repeated || last?.kind === "value" ? last : undefined;
  }
  return command.args[position];
}
