/**
 * `USAGE`: the bytes of all keys and values.
 *
 * @module
 */

import type { Command } from "./command.ts";

export const usage: Command = {
  verb: "USAGE",
  aliases: ["STATS"],
  args: [],
  summary: "count the bytes of all keys and values held",
  example: "USAGE",
  replies: ["USAGE n"],
  isCore: true,
  writes: false,
  needsNoAuth: false,
  timed: "never",

  parse: () => {},

  execute({ store, output }) {
    output.text("USAGE ");
    output.number(store.usage);
    output.endLine();
  },
};
