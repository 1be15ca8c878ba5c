/**
 * `QUIT`: closes the connection once pending replies are sent.
 *
 * @module
 */

import type { Command } from "./command.ts";

export const quit: Command = {
  verb: "QUIT",
  aliases: [],
  args: [],
  summary: "close the connection once pending replies are sent",
  example: "QUIT",
  replies: [],
  isCore: true,
  writes: false,
  needsNoAuth: true,
  timed: "never",

  parse: () => {},

  execute(_context, _request, _bytes, session) {
    session.close();
  },
};
