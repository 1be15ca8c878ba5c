/**
 * Makes one request line of the words of a one-off command. The line is always one request with
 * exactly these arguments: a key or option with blanks or line breaks is refused, and a
 * value that a plain line cannot carry (with a line feed in it, or a carriage return at its end)
 * goes as `PUT … b64`, which stores the same bytes.
 *
 * @module
 */
// @ts-types="../types/std.d.ts"
import { concat } from "@std/bytes/concat";
import { type Argument, type Command, commandNamed, usageOf } from "../commands/mod.ts";
import { escapeText } from "./escape.ts";
import { suggestionFor } from "./help.ts";

/** The error for words that are not a command; its message shows the usage. */
export class UsageError extends Error {
  override name = "UsageError";
}

const encoder = new TextEncoder();
const lineFeed = 10;
const carriageReturn = 13;

/** The one request line, without its line break, that the words and the value from input make. */
export function requestLine(words: readonly string[], input?: Uint8Array): Uint8Array {
  const command = commandNamed(words[0] ?? "");
  if (!command) throw new UsageError(unknownCommand(words[0] ?? ""));
  const args: readonly Argument[] = command.args;
  const valueAt = args.findIndex((argument) => argument.kind === "value");
  const given = words.slice(1);
  if (valueAt >= 0) return valueLine(command, valueAt, given, input);
  const all = input === undefined ? given : [...given, wordFrom(command, input)];
  // The protocol ignores words after these two.
  if (command.verb === "USAGE" || command.verb === "QUIT") return encoder.encode(command.verb);
  checkWords(command, all);
  return encoder.encode([command.verb, ...all].join(" "));
}

/** The message for an unknown verb. */
export function unknownCommand(word: string): string {
  const suggestion = suggestionFor(word);
  return `Unknown command "${escapeText(word)}": ${
    suggestion ? `did you mean ${suggestion}?` : "HELP lists the commands"
  }`;
}

function usageError(command: Command, problem: string): UsageError {
  return new UsageError(`${problem}; usage: ${usageOf(command)}`);
}

/** Refuses words that would not arrive as these arguments. */
function checkWords(command: Command, words: readonly string[]) {
  const args: readonly Argument[] = command.args;
  words.forEach((word, index) => {
    const name = args[Math.min(index, args.length - 1)]?.name ?? "argument";
    if (word === "") throw usageError(command, `The ${name} is empty`);
    if (/[ \t\r\n]/.test(word)) {
      throw usageError(
        command,
        `The ${name} "${escapeText(word)}" has a blank or line break in it`,
      );
    }
  });
  const missing = args.slice(words.length).find((argument) => !argument.optional);
  if (missing && !(missing.repeated && words.length >= args.length)) {
    throw usageError(command, `${command.verb} requires ${missing.name}`);
  }
  if (words.length > args.length && !args.at(-1)?.repeated) {
    throw usageError(command, `${command.verb} takes no "${escapeText(words[args.length])}"`);
  }
}

/** A word read from standard input, without the line break that an editor or `echo` adds. */
function wordFrom(command: Command, input: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(input).replace(/\r?\n$/, "");
  } catch {
    throw usageError(command, "The argument from standard input is not UTF-8");
  }
}

/** The line of a command whose last argument is a value. */
function valueLine(
  command: Command,
  valueAt: number,
  given: readonly string[],
  input: Uint8Array | undefined,
): Uint8Array {
  const before = given.slice(0, valueAt);
  const rest = given.slice(valueAt);
  if (input !== undefined && rest.length > 0) {
    throw usageError(
      command,
      "With -x the value comes from standard input: leave it out of the words",
    );
  }
  const missing = command.args[before.length];
  if (before.length < valueAt) {
    throw usageError(command, `${command.verb} requires ${missing.name}`);
  }
  checkWords({ ...command, args: command.args.slice(0, valueAt) }, before);
  const value = input ?? encoder.encode(rest.join(" "));
  const [key, options = ""] = before;
  if (options.split(",").includes("b64")) {
    return joined(["PUT", key, options], withoutBlanks(value));
  }
  if (!needsBase64(value)) return joined([command.verb, ...before], value);
  const encoded = encoder.encode(value.toBase64());
  return joined(["PUT", key, /^-?$/.test(options) ? "b64" : `${options},b64`], encoded);
}

/** True when a plain line cannot carry these bytes unchanged. */
function needsBase64(value: Uint8Array): boolean {
  return value.includes(lineFeed) || value.at(-1) === carriageReturn;
}

/** Removes the line feeds that `base64 file` writes; base64 on the wire has none. */
function withoutBlanks(text: Uint8Array): Uint8Array {
  return text.filter((byte) => byte > 32);
}

function joined(words: readonly string[], value: Uint8Array): Uint8Array {
  return concat([encoder.encode(words.join(" ") + " "), value]);
}
