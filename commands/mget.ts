/**
 * `MGET key ...`: fetches several values in one reply. A large reply is written and sent in parts,
 * and each part shows the values of its own moment.
 *
 * @module
 */

import {
  hasLongerWord,
  keyBytesMax,
  keyTooLong,
  type Request,
  skipBlanks,
  wordEnd,
} from "../protocol.ts";
import type { Handle } from "../store.ts";
import { type Command, key } from "./command.ts";
import type { Context } from "./context.ts";
import type { Step } from "./operation.ts";
import type { SessionControl } from "./session_control.ts";
import { appendBase64, LargeReply, partBytesMax, ValueParts } from "./value_reply.ts";

/** One step writes up to this many bytes of the reply. */
const stepBytesMax = 256 * 1024;

/** One step looks up this many keys. */
export const stepKeysMax = 512;

/** Replies up to this size do not count against the server's bound. */
const smallReplyBytes = 16 * 1024;

const head = new TextEncoder().encode("VALUES");
const emptyItem = new TextEncoder().encode('""');
const missingItem = new TextEncoder().encode("-");

export const mget: Command = {
  verb: "MGET",
  aliases: [],
  args: [{ ...key, repeated: true }],
  summary: "fetch several values in one reply",
  example: "MGET user:1 user:2",
  replies: ["VALUES item ..."],
  isCore: false,
  writes: false,
  needsNoAuth: false,
  timed: "always",

  parse(bytes, keyEnd, end, request) {
    request.valueStart = request.keyStart;
    request.valueEnd = end;
    if (hasLongerWord(bytes, keyEnd, end, keyBytesMax)) request.error = keyTooLong;
  },

  execute(context, request, bytes, session) {
    context.output.append(head);
    const before = context.output.length;
    // Most requests end in this loop, without an operation.
    for (let keys = 0; keys < stepKeysMax; keys++) {
      if (context.output.length - before > smallReplyBytes) break;
      const at = request.valueStart;
      const keyEnd = wordEnd(bytes, at, request.valueEnd);
      // A large value may have to wait for memory; the operation looks it up again.
      const isSmall = context.isShared
        ? context.withKey(bytes, at, keyEnd, () => appendIfSmall(context, bytes, at, keyEnd))
        : appendIfSmall(context, bytes, at, keyEnd);
      if (!isSmall) break;
      request.valueStart = skipBlanks(bytes, keyEnd, request.valueEnd);
      if (request.valueStart === request.valueEnd) {
        context.output.endLine();
        return undefined;
      }
    }
    return new LongMget(context.takeRequest(), session);
  },
};

/** Appends the item of a key, unless its value is large. Returns whether it did. */
function appendIfSmall(context: Context, bytes: Uint8Array, at: number, keyEnd: number): boolean {
  const { store, output } = context;
  const handle = store.get(bytes, at, keyEnd);
  if (handle !== 0 && store.lengthOf(handle) > smallReplyBytes) return false;
  output.blank();
  appendItem(context, handle);
  return true;
}

/** Appends one item of the reply, of a value that is sent in one piece. */
function appendItem(context: Context, handle: Handle): void {
  const { store, output, counters } = context;
  if (handle === 0) {
    counters.misses++;
    output.append(missingItem);
    return;
  }
  counters.hits++;
  const length = store.lengthOf(handle);
  if (length === 0) output.append(emptyItem);
  else appendBase64(context, handle, length);
}

/** The rest of an MGET with many keys or large values. `request.valueStart` is its next key. */
class LongMget extends LargeReply {
  constructor(private readonly request: Request, session: SessionControl) {
    super(session);
  }

  step(context: Context, bytes: Uint8Array): Step {
    const { output } = context;
    const request = this.request;
    if (this.parts !== undefined) {
      if (this.parts.appendNext(context)) this.release(context);
      return this.parts === undefined ? this.#next(context) : "drain";
    }
    if (!this.mayHold(stepBytesMax)) return "wait";
    for (let keys = 0; keys < stepKeysMax; keys++) {
      const at = request.valueStart;
      const keyEnd = wordEnd(bytes, at, request.valueEnd);
      const isTaken = context.withKey(
        bytes,
        at,
        keyEnd,
        () => this.#take(context, bytes, at, keyEnd),
      );
      if (!isTaken) return "wait";
      request.valueStart = skipBlanks(bytes, keyEnd, request.valueEnd);
      if (this.parts !== undefined) return "drain";
      if (request.valueStart === request.valueEnd) break;
      if (output.length >= stepBytesMax) return "drain";
    }
    return this.#next(context);
  }

  /** Appends the item of a key, or copies its large value; false where that has to wait. */
  #take(context: Context, bytes: Uint8Array, at: number, keyEnd: number): boolean {
    const { store, output } = context;
    const handle = store.get(bytes, at, keyEnd);
    const length = handle === 0 ? 0 : store.lengthOf(handle);
    if (length > partBytesMax) {
      if (!this.mayHold(length + stepBytesMax)) return false;
      context.counters.hits++;
      this.parts = new ValueParts(context, handle, length);
    }
    output.blank();
    if (this.parts === undefined) appendItem(context, handle);
    return true;
  }

  #next(context: Context): Step {
    if (this.request.valueStart < this.request.valueEnd) {
      return context.output.length > smallReplyBytes ? "drain" : "yield";
    }
    context.output.endLine();
    return "done";
  }
}
