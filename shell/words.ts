/**
 * A line being typed, as the completion and the hints see it: its finished words, and the one at
 * the cursor. Words are separated by blanks, as on the wire.
 *
 * @module
 */
import { type Argument, type Command, commandNamed } from "../protocol/commands.ts";

/** The line up to the cursor, in words. */
export interface TypedLine {
  /** The words before the one at the cursor. */
  readonly done: readonly string[];
  /** The word at the cursor; empty after a blank. */
  readonly word: string;
  /** The command that the first word names, once a blank has ended it or it is whole. */
  readonly command: Command | undefined;
}

/** Takes the line apart. */
export function typedLine(line: string): TypedLine {
  const words = line.trimStart().split(/[ \t]+/);
  const word = words.pop() ?? "";
  return { done: words, word, command: commandNamed(words[0] ?? word) };
}

/** The argument that stands at a place after the verb, 0 the first; undefined beyond the last. */
export function argumentAt(command: Command, place: number): Argument | undefined {
  const last = command.args.at(-1);
  if (place >= command.args.length) {
    return last?.repeated || last?.kind === "value" ? last : undefined;
  }
  return command.args[place];
}
