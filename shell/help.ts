/**
 * What the shell says about commands, all of it from the one table: `help`, `help PUT`, and the
 * command that a mistyped one was probably meant to be.
 *
 * @module
 */
import { type Command, commandNamed, commands, usageOf } from "../protocol/commands.ts";
import { type Colours, noColours } from "./colours.ts";
import { escapeText } from "./escape.ts";

/** The lines of `help`, or of `help WORD`. */
export function helpLines(word?: string, colours: Colours = noColours): string[] {
  if (word === undefined) return overview(colours);
  const command = commandNamed(word);
  if (command) return detailed(command, colours);
  const suggestion = suggestionFor(word);
  const end = suggestion ? `did you mean ${suggestion}?` : "help lists the commands";
  return [`No command "${escapeText(word)}": ${end}`];
}

function overview(colours: Colours): string[] {
  const usages = commands.map(usageOf);
  const width = Math.max(...usages.map((usage) => usage.length));
  return [
    ...commands.map((command: Command, index) =>
      `${usages[index].padEnd(width)}  ${colours.dim(command.summary)}`
    ),
    "",
    colours.dim("help COMMAND tells more of one. Tab completes commands and keys."),
  ];
}

function detailed(command: Command, { bold, dim }: Colours): string[] {
  const options = command.args.flatMap((argument) => argument.options ?? []);
  return [
    bold(usageOf(command)),
    `  ${command.summary}`,
    ...(command.aliases.length > 0 ? [`  ${dim("also:")} ${command.aliases.join(", ")}`] : []),
    ...(options.length > 0 ? [`  ${dim("options:")} ${options.join(" ")}`] : []),
    ...(command.replies.length > 0 ? [`  ${dim("replies:")} ${command.replies.join(" | ")}`] : []),
  ];
}

/** At most this many changed letters make a mistyped verb. */
const changesMax = 2;

/** The verb that a mistyped one was probably meant to be. */
export function suggestionFor(word: string): string | undefined {
  const typed = word.toUpperCase();
  if (typed.length > 20) return undefined;
  let best: string | undefined;
  let fewest = Math.min(changesMax, typed.length - 1) + 1;
  for (const command of commands as readonly Command[]) {
    for (const verb of [command.verb, ...command.aliases]) {
      const changes = changesBetween(typed, verb);
      if (changes < fewest) [best, fewest] = [verb, changes];
    }
  }
  return best;
}

/** Letters put in, left out or replaced between two words (Levenshtein's distance). */
function changesBetween(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (let i = 0; i < one.length; i++) {
    const next = [i + 1];
    for (let j = 0; j < other.length; j++) {
      const replaced = row[j] + (one[i] === other[j] ? 0 : 1);
      next.push(Math.min(replaced, row[j + 1] + 1, next[j] + 1));
    }
    row = next;
  }
  return row[other.length];
}
