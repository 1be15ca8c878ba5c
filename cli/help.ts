/**
 * Help, from the list of subcommands and their tables of flags. Every screen fits 24 lines of 80
 * columns.
 *
 * @module
 */

import { version } from "../version.ts";
import { nameOf, type Option, type Subcommand } from "./option.ts";
import { subcommands, summaryOf } from "./subcommands.ts";
import { UsageError } from "./usage_error.ts";

const program = "blink-store";

/** `blink-store help [SUBCOMMAND]`, and what `blink-store` alone does. */
export async function run([name, ...rest]: readonly string[]): Promise<number> {
  if (name === undefined) {
    console.log(overview());
    return 0;
  }
  const subcommand = subcommands.find((one) => one.name === name);
  if (subcommand === undefined) throw unknownSubcommand(name);
  if (rest.length > 0) throw new UsageError(`unexpected word "${rest[0]}"`);
  return showHelp(await subcommand.load());
}

/** The error for a first word that is not a subcommand. */
export function unknownSubcommand(name: string): UsageError {
  const flag = name.startsWith("-");
  const known = flag ? ["--help", "--version"] : subcommands.map(({ name }) => name);
  return new UsageError(`unknown ${flag ? "flag" : "subcommand"} ${name}`, name, known);
}

/** `blink-store --version`. */
export function showVersion(): number {
  console.log(`blink-store ${version}`);
  return 0;
}

/** Prints the help of a subcommand; returns the exit status. */
export function showHelp(subcommand: Subcommand): number {
  console.log(helpOf(subcommand));
  return 0;
}

/** What `blink-store --help` prints. */
export function overview(): string {
  const names = Math.max(...subcommands.map(({ name }) => name.length));
  return [
    `Blink Store ${version}: an in-memory key-value store.`,
    "",
    `Usage: ${program} SUBCOMMAND [flags]`,
    "",
    ...subcommands.map(({ name, summary }) => `  ${name.padEnd(names)}  ${summary}`),
    `  ${"help".padEnd(names)}  explain a subcommand, as SUBCOMMAND --help does`,
    "",
    "A first look, in two terminals:",
    "",
    `  ${program} serve`,
    `  ${program} client SET user alice`,
    "",
    "  -h, --help     print this",
    "  -V, --version  print the version",
  ].join("\n");
}

/** What `blink-store SUBCOMMAND --help` prints. */
export function helpOf(subcommand: Subcommand): string {
  const [first, ...others] = subcommand.usage.map((usage) =>
    `${program} ${subcommand.name} ${usage}`
  );
  const lines = [`Usage: ${first}`, ...others.map((usage) => `       ${usage}`)];
  lines.push(capitalized(summaryOf(subcommand.name)) + ".");
  const shorts = subcommand.options.some(({ short }) => short !== undefined);
  const flags = subcommand.options.map((option) => flagOf(option, shorts));
  const width = Math.max(0, ...flags.map((flag) => flag.length));
  for (const [group, options] of Map.groupBy(subcommand.options, ({ group }) => group)) {
    lines.push(`${group}:`);
    for (const option of options) {
      const note = option.default === undefined ? "" : ` (${option.default})`;
      lines.push(`  ${flagOf(option, shorts).padEnd(width)}  ${option.help}${note}`);
    }
  }
  if (subcommand.options.length > 0) lines.push("");
  lines.push(...subcommand.notes);
  return lines.join("\n");
}

function flagOf(option: Option, shorts: boolean): string {
  const short = option.short === undefined ? "    " : `-${option.short}, `;
  return (shorts ? short : "") + nameOf(option) +
    (option.value === undefined ? "" : ` ${option.value}`);
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
