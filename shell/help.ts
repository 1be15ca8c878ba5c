/**
 * What the shell says about commands, all of it from the one table: `help`, `help PUT`, and the
 * command that a mistyped one was probably meant to be.
 *
 * @module
 */
// @ts-types="../types/std.d.ts"
import { levenshteinDistance } from "@std/text/levenshtein-distance";
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

/** At most this many letters put in, left out or replaced make a mistyped verb. */
const slipsMax = 2;

/** The verb that a mistyped one was probably meant to be. */
export function suggestionFor(word: string): string | undefined {
  const typed = word.toUpperCase();
  if (typed.length <= slipsMax || typed.length > 20) return undefined;
  const verbs = (commands as readonly Command[]).flatMap(({ verb, aliases }) => [verb, ...aliases]);
  const [best] = verbs.map((verb) => ({ verb, slips: levenshteinDistance(typed, verb) }))
    .sort((one, other) => one.slips - other.slips);
  return best.slips <= slipsMax ? best.verb : undefined;
}
