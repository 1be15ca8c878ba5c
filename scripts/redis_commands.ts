/**
 * Writes the lists of commands in docs/redis.md from the table of the Redis wire, between the two
 * comments that mark them. Run it after a command was added, then `deno fmt`.
 *
 * Use: `deno task redis:docs`
 *
 * @module
 */

import { redisCommands } from "../commands/mod.ts";

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

/** The lists as Markdown, before the formatter has aligned their columns. */
export function commandLists(): string {
  return Object.entries(headings).map(([group, heading]) => {
    const rows = redisCommands.filter((command) => command.group === group)
      .map(({ name, usage, summary }) => {
        const words = `${name.toUpperCase()} ${usage}`.trim().replaceAll("|", "\\|");
        return `| \`${words}\` | ${summary} |`;
      });
    return `**${heading}**\n\n| command | what it does |\n| --- | --- |\n${rows.join("\n")}`;
  }).join("\n\n");
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
