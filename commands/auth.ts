/**
 * `AUTH token`: logs in, where the server requires a token.
 *
 * @module
 */

import { authenticationFailed, type ErrorReply, trimEnd } from "../protocol.ts";
import type { Command } from "./command.ts";
import type { Context } from "./context.ts";
import type { Operation, Step } from "./operation.ts";

/** The delay of the reply to a wrong token, in milliseconds, so that guessing is slow. */
export const authDelayMs = 250;

export const auth: Command = {
  verb: "AUTH",
  aliases: [],
  args: [{ name: "token", kind: "token" }],
  summary: "log in with the token, where the server requires one",
  example: "AUTH correct-horse-battery-staple",
  replies: ["OK"],
  isCore: false,
  writes: false,
  needsNoAuth: true,
  timed: "never",

  parse(bytes, at, end, request) {
    // A token may contain blanks, but must not begin or end with one.
    request.valueStart = at;
    request.valueEnd = trimEnd(bytes, at, end);
  },

  execute(context, request, bytes, session) {
    const { isToken } = context;
    if (isToken !== undefined && !isToken(bytes, request.valueStart, request.valueEnd)) {
      session.authenticationFailed();
      return new DelayedRefusal(context, authenticationFailed);
    }
    session.isAuthenticated = true;
    context.output.ok();
  },
};

/** The delayed reply to a wrong token. Requests behind it on the connection wait too. */
export class DelayedRefusal implements Operation {
  readonly isExclusive = true;
  readonly heldBytes = 0;
  onReady?: () => void;
  #isDue = false;
  readonly #error: ErrorReply;
  readonly #stop: () => void;

  constructor({ schedule }: Context, error: ErrorReply) {
    this.#error = error;
    this.#stop = schedule(authDelayMs, () => {
      this.#isDue = true;
      this.onReady?.();
    });
  }

  step(context: Context): Step {
    if (!this.#isDue) return "wait";
    context.fail(this.#error);
    return "done";
  }

  cancel(): void {
    this.#stop();
  }
}
