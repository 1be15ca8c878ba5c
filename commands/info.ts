/**
 * `INFO`: counters and sizes of the server, as one line of JSON.
 *
 * @module
 */

import type { Command } from "./command.ts";

export const info: Command = {
  verb: "INFO",
  aliases: [],
  args: [],
  summary: "report counters and sizes, as one line of JSON",
  example: "INFO",
  replies: ["INFO json"],
  isCore: false,
  writes: false,
  needsNoAuth: false,
  timed: "always",

  parse: () => {},

  execute(context) {
    context.output.text(`INFO ${JSON.stringify(context.info())}\n`);
  },
};
