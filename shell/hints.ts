/**
 * The hint behind the cursor while a command is typed: the arguments that are still to come.
 *
 * @module
 */
import type { Argument } from "../commands/mod.ts";
import { argumentAt, tokenize } from "./tokenizer.ts";

function named(argument: Argument, optional: boolean): string {
  const name = argument.repeated ? `${argument.name} ...` : argument.name;
  return optional ? `[${name}]` : name;
}

/**
 * What may still follow the line, with a blank before it where one is missing; `""` for nothing.
 */
export function hintFor(line: string): string {
  const { done, word, command } = tokenize(line);
  if (!command) return "";
  const verbEnded = done.length > 0;
  // The position of the first argument of which nothing is typed yet.
  const position = verbEnded ? done.length - (word === "" ? 1 : 0) : 0;
  if (verbEnded && argumentAt(command, done.length - 1)?.kind === "value" && word !== "") return "";
  const last = command.args.at(-1);
  if (command.args[position - 1]?.kind === "value") return "";
  if (position > command.args.length && !last?.repeated) return "";
  const missing = command.args.slice(position);
  const words = missing.map((argument) => named(argument, argument.optional ?? false));
  if (missing.length === 0 && last?.repeated) words.push(named(last, true));
  if (words.length === 0) return "";
  const blank = word !== "" ? " " : "";
  return blank + words.join(" ") + optionNote(missing[0], word === "");
}

/** The option words, while one of them is about to be typed. */
function optionNote(argument: Argument | undefined, now: boolean): string {
  const names = (argument?.options ?? []).map(({ name }) => name);
  return now && names.length > 1 ? `   (${names.join(" ")} or -)` : "";
}
