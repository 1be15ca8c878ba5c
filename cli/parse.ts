/**
 * Parses the words after a subcommand, and the environment, by a table of options. A flag overrides
 * its variable. Parsing refuses what is not in the table: an unknown flag, a flag without its
 * value, a flag given twice that takes one value.
 *
 * @module
 */

// @ts-types="../types/std.d.ts"
import { parseArgs } from "@std/cli/parse-args";
import { type Kind, nameOf, type Option, type Range } from "./option.ts";
import { UsageError } from "./usage_error.ts";
import {
  readAddress,
  readBytes,
  readCount,
  readEventLoop,
  readMode,
  readNumber,
  readOnOrOff,
  readPort,
  readSeconds,
  readSyncMode,
  readText,
  readThreads,
} from "./values.ts";

const readers = {
  address: readAddress,
  bytes: readBytes,
  count: readCount,
  "event loop": readEventLoop,
  "sync mode": readSyncMode,
  "on or off": readOnOrOff,
  mode: readMode,
  number: readNumber,
  path: readText,
  port: readPort,
  seconds: readSeconds,
  text: readText,
  threads: readThreads,
  "optional text": (text: string): string => text,
} as const satisfies Record<Exclude<Kind, "switch">, (text: string, range: Range) => unknown>;

type Read<K extends Kind> = K extends keyof typeof readers ? ReturnType<typeof readers[K]>
  : boolean;

/** The values that a table of options yields: by name, `undefined` where nothing was given. */
export type Values<Options extends readonly Option[]> = {
  readonly [O in Options[number] as O["name"]]: O extends { repeatable: true } ? Read<O["kind"]>[]
    : O["kind"] extends "switch" ? boolean
    : Read<O["kind"]> | undefined;
};

/** A parsed command line. */
export interface Parsed<Options extends readonly Option[]> {
  /** The value of each option. */
  readonly values: Values<Options>;
  /** The words that are not flags, in order. */
  readonly words: string[];
  /** True for `--help`; the values are then left out. */
  readonly help: boolean;
}

/** Reads a variable of the environment: `undefined` where it is not set. */
export type Environment = (name: string) => string | undefined;

/** The environment of this process; a variable without permission to read it counts as not set. */
export function environment(name: string): string | undefined {
  try {
    return Deno.env.get(name);
  } catch {
    return undefined;
  }
}

/**
 * Reads the words that follow a subcommand.
 *
 * @param options Every flag that the subcommand takes.
 * @param args The words after the subcommand's name.
 * @param settings `env`: reads a variable where its flag is not given. `stopEarly`: the flags end
 * at the first word that is not one; that word and all that follow it stay as they are.
 * @throws {UsageError} when the words do not fit the table.
 */
export function parse<const Options extends readonly Option[]>(
  options: Options,
  args: readonly string[],
  settings: { env?: Environment; stopEarly?: boolean } = {},
): Parsed<Options> {
  const { env = environment, stopEarly = false } = settings;
  const given = splitFlags(options, args, stopEarly);
  const values: Record<string, unknown> = {};
  const help = given.flags.help !== undefined;
  for (const option of help ? [] : options) {
    values[option.name] = valueOf(option, given.flags[option.name] ?? [], env);
  }
  return { values: values as Values<Options>, words: given.words, help };
}

/** The raw texts of each flag, `true` for a switch, and the words between and after them. */
function splitFlags(options: readonly Option[], args: readonly string[], stopEarly: boolean) {
  const switches = options.filter((option) => option.kind === "switch");
  const named = (of: readonly Option[]) =>
    of.flatMap(({ name, short }) => short ? [name, short] : [name]);
  const parsed = parseArgs(args, {
    boolean: ["help", ...named(switches)],
    string: ["_", ...named(options.filter((option) => option.kind !== "switch"))],
    collect: ["help", ...named(options)],
    alias: {
      h: "help",
      ...Object.fromEntries(options.flatMap(({ name, short }) => short ? [[name, short]] : [])),
    },
    "--": true,
    stopEarly,
    unknown: (arg, key) => {
      if (key === undefined) return;
      if (/^-[\d.]/.test(arg)) {
        throw new UsageError(`no flag takes a negative number, such as ${arg}`);
      }
      const [flag] = arg.split("=");
      throw new UsageError(`unknown flag ${flag}`, flag, ["--help", ...options.map(nameOf)]);
    },
  });
  const flags: Record<string, (string | true)[]> = {};
  for (const { name } of [{ name: "help" }, ...options]) {
    const texts = parsed[name] as (string | true)[];
    if (texts.length > 0) flags[name] = texts;
  }
  const words = parsed._.map(String);
  // Flags end at the first "--". Where they had ended before it, it is a word like any other.
  const rest = parsed["--"] ?? [];
  const keepDashes = stopEarly && words.length > 0 && args.includes("--");
  return { flags, words: [...words, ...(keepDashes ? ["--"] : []), ...rest] };
}

function valueOf(option: Option, texts: readonly (string | true)[], env: Environment): unknown {
  const flag = nameOf(option);
  if (texts.length > 1 && !option.repeatable) {
    throw new UsageError(`${flag} is given ${texts.length} times: give it once`);
  }
  if (option.kind === "switch") return texts.length > 0;
  if (texts.length > 0) {
    const values = texts.map((text) => readAs(option, flag, String(text)));
    return option.repeatable ? values : values[0];
  }
  const set = option.env === undefined ? undefined : env(option.env);
  if (set === undefined || set === "") return option.repeatable ? [] : undefined;
  if (!option.repeatable) return readAs(option, option.env!, set);
  return set.split(",").map((text) => readAs(option, option.env!, text.trim()));
}

function readAs(option: Option, from: string, text: string): unknown {
  if (option.kind === "switch") return true;
  if (text === "" && option.kind !== "optional text") {
    throw new UsageError(`${from} needs a value: ${nameOf(option)} ${option.value}`);
  }
  try {
    return readers[option.kind](text, option);
  } catch (error) {
    if (error instanceof UsageError) throw new UsageError(`${from}: ${error.message}`);
    throw error;
  }
}
