/**
 * What a command's entry in the table says beyond its usage line, in the form that the shell shows:
 * the options with their meanings, the details and the example. An entry may leave any of it out.
 *
 * @module
 */
import type { Argument, Command } from "../commands/mod.ts";

/** A word of an options argument; the meaning is empty where the table gives none. */
export interface OptionText {
  readonly name: string;
  readonly meaning: string;
}

/** The options that an argument takes; none for other arguments. */
export function optionsOf(argument: Argument | undefined): OptionText[] {
  const options: readonly (string | OptionText)[] = argument?.options ?? [];
  return options.map((option) =>
    typeof option === "string" ? { name: option, meaning: "" } : option
  );
}

/** The parts of an entry that are prose, line by line. */
interface Prose {
  readonly verb: string;
  readonly details?: string | readonly string[];
  readonly example?: string | readonly string[];
}

/** The lines of a command's details or of its example; none where the entry has none. */
export function linesOf(command: Command, part: "details" | "example"): string[] {
  const text = (command as Prose)[part] ?? [];
  return typeof text === "string" ? text.split("\n") : [...text];
}
