/**
 * `PING`: checks that the server answers.
 *
 * @module
 */

import type { Command } from "./command.ts";

export const ping: Command = {
  verb: "PING",
  aliases: [],
  args: [],
  summary: "ask whether the server answers",
  example: "PING",
  replies: ["PONG"],
  isCore: false,
  writes: false,
  needsNoAuth: true,
  timed: "never",

  parse: () => {},

  execute({ output }) {
    output.text("PONG\n");
  },
};
