/**
 * Writes the lists of commands in docs/redis.md from the table of the Redis wire, between the two
 * comments that mark them. Run it after a command was added, then `deno fmt`.
 *
 * Use: `deno task redis:docs`
 *
 * @module
 */

import { type RedisCommand, redisCommands } from "../commands/mod.ts";

/** The comments between which the lists are. */
export const marks = [
  "<!-- commands: written by `deno task redis:docs` -->",
  "<!-- end of the commands -->",
] as const;

/** The groups in the order of the document, with their headings. */
const headings = {
  string: "Strings",
  generic: "Keys",
  transactions: "Transactions",
  connection: "Connections",
  server: "The server",
} as const;

/** How the summary of a command begins that is always refused. */
const refusal = "Refused: ";

/** The lists as Markdown, before the formatter has aligned their columns. */
export function commandLists(): string {
  const served = redisCommands.filter(({ summary }) => !summary.startsWith(refusal));
  const refused = redisCommands.filter(({ summary }) => summary.startsWith(refusal));
  const lists = Object.entries(headings).map(([group, heading]) =>
    list(heading, "what it does", served.filter((command) => command.group === group))
  );
  return [...lists, list("Refused, with an error that says why", "in Redis it", refused)]
    .join("\n\n");
}

function list(heading: string, column: string, commands: readonly RedisCommand[]): string {
  const rows = commands.map(({ name, usage, summary }) => {
    const words = `${name.toUpperCase()} ${usage}`.trim().replaceAll("|", "\\|");
    return `| \`${words}\` | ${summary.replace(refusal, "")} |`;
  });
  return `**${heading}**\n\n| command | ${column} |\n| --- | --- |\n${rows.join("\n")}`;
}

async function main(): Promise<void> {
  const path = new URL("../docs/redis.md", import.meta.url);
  const page = await Deno.readTextFile(path);
  const start = page.indexOf(marks[0]);
  const end = page.indexOf(marks[1]);
  if (start < 0 || end < start) throw new Error("Cannot find the marks in docs/redis.md");
  const before = page.slice(0, start + marks[0].length);
  await Deno.writeTextFile(path, `${before}\n\n${commandLists()}\n\n${page.slice(end)}`);
}

if (import.meta.main) await main();
