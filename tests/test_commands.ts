/**
 * Commands that only tests have, for what no command of the table does yet.
 *
 * @module
 */

import type { Command, Context, Operation, Step } from "../commands/mod.ts";
import { parseCount } from "../protocol.ts";

/** A reply that waits for a time, as one would for a commit, while later requests go on. */
class Later implements Operation {
  readonly isExclusive = false;
  readonly heldBytes = 0;
  onReady?: () => void;
  #isDue = false;
  readonly #stop: () => void;
  readonly #reply: string;

  constructor(context: Context, delayMs: number) {
    this.#reply = `LATER ${delayMs}\n`;
    this.#stop = context.schedule(delayMs, () => {
      this.#isDue = true;
      this.onReady?.();
    });
  }

  step(context: Context): Step {
    if (!this.#isDue) return "wait";
    context.output.text(this.#reply);
    return "done";
  }

  cancel(): void {
    this.#stop();
  }
}

/** `LATER ms`: answers `LATER ms` after a time; the requests behind it do not wait. */
export const later: Command = {
  verb: "LATER",
  aliases: [],
  args: [{ name: "ms", kind: "number" }],
  summary: "answer later",
  example: "LATER 10",
  replies: ["LATER ms"],
  isCore: false,
  writes: false,
  needsNoAuth: false,
  timed: "never",

  parse(bytes, at, end, request) {
    request.count = parseCount(bytes, at, end, 100_000);
  },

  execute: (context, request) => new Later(context, request.count),
};

/** `FAULT`: throws, as a fault in the server would. */
export function faultCommand(error: () => Error): Command {
  return {
    verb: "FAULT",
    aliases: [],
    args: [],
    summary: "throw",
    example: "FAULT",
    replies: [],
    isCore: false,
    writes: false,
    needsNoAuth: false,
    timed: "never",
    parse: () => {},
    execute(context) {
      context.output.text("half a reply");
      throw error();
    },
  };
}
