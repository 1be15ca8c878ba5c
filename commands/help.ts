/**
 * `HELP`: lists the verbs.
 *
 * @module
 */

import type { Command } from "./command.ts";

export const help: Command = {
  verb: "HELP",
  aliases: [],
  args: [],
  summary: "list the verbs",
  example: "HELP",
  replies: ["HELP verb ..."],
  isCore: false,
  writes: false,
  needsNoAuth: true,
  timed: "never",

  parse: () => {},

  execute({ output, verbs }) {
    output.text(`HELP ${verbs.join(" ")}\n`);
  },
};
