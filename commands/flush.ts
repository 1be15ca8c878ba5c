/**
 * `FLUSH [prefix]`: removes every key, or every key with a prefix.
 *
 * @module
 */

import { wordEnd } from "../protocol.ts";
import type { FlushOperation } from "../store.ts";
import type { Command } from "./command.ts";
import type { Context } from "./context.ts";
import type { Operation, Step } from "./operation.ts";
import { refuseMore } from "./options.ts";

export const flush: Command = {
  verb: "FLUSH",
  aliases: [],
  args: [{ name: "prefix", kind: "prefix", optional: true }],
  summary: "remove every key, or every key with a prefix",
  example: "FLUSH user:",
  replies: ["DELETED n"],
  isCore: false,
  writes: true,
  needsNoAuth: false,
  timed: "always",

  parse(bytes, at, end, request) {
    request.valueStart = at;
    request.valueEnd = wordEnd(bytes, at, end);
    refuseMore(bytes, request.valueEnd, end, request);
  },

  execute(context, request, bytes) {
    const { store } = context;
    const { valueStart, valueEnd } = request;
    if (valueEnd === valueStart) {
      answer(context, store.flushAll());
      return undefined;
    }
    return new PrefixFlush(store.startFlush(bytes.slice(valueStart, valueEnd)));
  },
};

function answer({ output }: Context, count: number): void {
  output.text(`DELETED ${count}\n`);
}

/** A flush by prefix, in steps. */
class PrefixFlush implements Operation {
  readonly isExclusive = true;
  readonly heldBytes = 0;
  readonly #flush: FlushOperation;

  constructor(flush: FlushOperation) {
    this.#flush = flush;
  }

  step(context: Context): Step {
    const count = this.#flush.step();
    if (count === undefined) return "yield";
    answer(context, count);
    return "done";
  }

  cancel(): void {
    // The store finishes the flush: once begun, no request may see a key that it covers.
  }
}
