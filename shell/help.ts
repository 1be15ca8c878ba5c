/**
 * The shell's help, from the table of commands: `help`, `help PUT`, and a suggestion for a mistyped
 * command.
 *
 * @module
 */
// @ts-types="../types/std.d.ts"
import { closestString } from "@std/text/closest-string";
// @ts-types="../types/std.d.ts"
import { levenshteinDistance } from "@std/text/levenshtein-distance";
import { type Command, commandNamed, commands, type Option, usageOf } from "../commands/mod.ts";
import { type Colours, noColours } from "./colours.ts";
import { escapeText } from "./escape.ts";

/** The lines of `help`, or of `help WORD`. */
export function helpLines(word?: string, colours: Colours = noColours): string[] {
  if (word === undefined) return overview(colours);
  const command = commandNamed(word);
  if (command) return commandHelp(command, colours);
  const suggestion = suggestionFor(word);
  const end = suggestion ? `did you mean ${suggestion}?` : "help lists the commands";
  return [`No command "${escapeText(word)}": ${end}`];
}

function overview(colours: Colours): string[] {
  const usages = commands.map(usageOf);
  const width = Math.max(...usages.map((usage) => usage.length));
  return [
    ...commands.map((command, index) =>
      `${usages[index].padEnd(width)}  ${colours.dim(command.summary)}`
    ),
    "",
    colours.dim("help COMMAND explains one command. Tab completes commands and keys."),
  ];
}

/** Usage, summary, aliases, options, example and replies. */
function commandHelp(command: Command, { bold, dim }: Colours = noColours): string[] {
  const options = command.args.flatMap((argument) => argument.options ?? []);
  return [
    bold(usageOf(command)),
    `  ${command.summary}`,
    ...(command.aliases.length > 0 ? [`  ${dim("also:")} ${command.aliases.join(", ")}`] : []),
    ...optionLines(options, dim),
    `  ${dim("example:")} ${command.example}`,
    ...(command.replies.length > 0 ? [`  ${dim("replies:")} ${command.replies.join(" | ")}`] : []),
  ];
}

/** A line for each option. */
function optionLines(options: readonly Option[], dim: Colours["dim"]): string[] {
  if (options.length === 0) return [];
  const width = Math.max(...options.map(({ name }) => name.length));
  return [
    `  ${dim("options:")}`,
    ...options.map(({ name, meaning }) => `    ${name.padEnd(width)}  ${meaning}`),
  ];
}

/** A typed word with more edits than this is not taken for a mistyped verb. */
const editsMax = 2;

/** The verb closest to a mistyped word, if one is close. */
export function suggestionFor(word: string): string | undefined {
  const typed = word.toUpperCase();
  if (typed.length <= editsMax || typed.length > 20) return undefined;
  const verbs = commands.flatMap(({ verb, aliases }) => [verb, ...aliases]);
  const closest = closestString(typed, verbs);
  return levenshteinDistance(typed, closest) <= editsMax ? closest : undefined;
}
