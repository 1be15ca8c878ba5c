/**
 * The hint behind the cursor while a command is typed: the arguments that are still to come.
 *
 * @module
 */
import type { Argument } from "../protocol/commands.ts";
import { argumentAt, typedLine } from "./words.ts";

function named(argument: Argument, optional: boolean): string {
  const name = argument.repeated ? `${argument.name} ...` : argument.name;
  return optional ? `[${name}]` : name;
}

/** What may still follow the line, with a blank before it where one is missing; `""` for nothing. */
export function hintFor(line: string): string {
  const { done, word, command } = typedLine(line);
  if (!command) return "";
  const verbEnded = done.length > 0;
  // The place of the first argument of which nothing is typed yet.
  const place = verbEnded ? done.length - (word === "" ? 1 : 0) : 0;
  if (verbEnded && argumentAt(command, done.length - 1)?.kind === "value" && word !== "") return "";
  const last = command.args.at(-1);
  if (command.args[place - 1]?.kind === "value") return "";
  if (place > command.args.length && !last?.repeated) return "";
  const missing = command.args.slice(place);
  const words = missing.map((argument) => named(argument, argument.optional ?? false));
  if (missing.length === 0 && last?.repeated) words.push(named(last, true));
  if (words.length === 0) return "";
  const blank = word !== "" ? " " : "";
  return blank + words.join(" ") + optionNote(missing[0], word === "");
}

/** The option words, at the moment when one is to be typed. */
function optionNote(argument: Argument | undefined, now: boolean): string {
  const options = argument?.options ?? [];
  return now && options.length > 1 ? `   (${options.join(" ")} or -)` : "";
}
