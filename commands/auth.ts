/**
 * `AUTH token`: logs in, where the server requires a token.
 *
 * @module
 */

import { authenticationFailed, trimEnd } from "../protocol.ts";
import type { Command } from "./command.ts";
import type { Context } from "./context.ts";
import type { Operation, Step } from "./operation.ts";

/** How long the reply to a wrong token takes, so that tokens cannot be tried quickly. */
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
    // A token may hold blanks, but neither begins nor ends with one.
    request.valueStart = at;
    request.valueEnd = trimEnd(bytes, at, end);
  },

  execute(context, request, bytes, session) {
    const { isToken } = context;
    if (isToken !== undefined && !isToken(bytes, request.valueStart, request.valueEnd)) {
      session.authenticationFailed();
      return new DelayedRefusal(context);
    }
    session.isAuthenticated = true;
    context.output.ok();
  },
};

/** The reply to a wrong token, which waits; so does everything behind it on the connection. */
class DelayedRefusal implements Operation {
  readonly isExclusive = true;
  readonly heldBytes = 0;
  onReady?: () => void;
  #isDue = false;
  readonly #stop: () => void;

  constructor({ schedule }: Context) {
    this.#stop = schedule(authDelayMs, () => {
      this.#isDue = true;
      this.onReady?.();
    });
  }

  step(context: Context): Step {
    if (!this.#isDue) return "wait";
    context.fail(authenticationFailed);
    return "done";
  }

  cancel(): void {
    this.#stop();
  }
}
