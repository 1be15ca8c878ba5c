/**
 * `GET key [ttl=S]`: fetches a value in base64, and may set when the key expires.
 *
 * @module
 */

import { base64Length, type Request, skipBlanks } from "../protocol.ts";
import type { Handle } from "../store.ts";
import { type Command, key } from "./command.ts";
import type { Context } from "./context.ts";
import { timedValueBytesMin } from "./dispatch.ts";
import type { Operation, Step } from "./operation.ts";
import { parseLastOptions } from "./options.ts";
import type { SessionControl } from "./session_control.ts";
import { appendValue, LargeReply, partBytesMax, ValueParts } from "./value_reply.ts";

export const get: Command = {
  verb: "GET",
  aliases: [],
  args: [
    key,
    {
      name: "ttl=S",
      kind: "options",
      optional: true,
      options: [{ name: "ttl=", meaning: "the key then expires after this many seconds" }],
    },
  ],
  summary: "fetch a value, in base64; with ttl=S it then expires S seconds from now",
  example: "GET user",
  replies: ["VALUE base64", "NOT_FOUND"],
  isCore: true,
  writes: false,
  needsNoAuth: false,
  timed: "large values",

  parse(bytes, at, end, request) {
    request.expiry = "keep";
    if (at === end) return;
    const rest = skipBlanks(bytes, at, end);
    if (rest < end) parseLastOptions(bytes, rest, end, ["ttl="], request);
  },

  execute(context, request, bytes, session) {
    const { store, output, counters } = context;
    const handle = store.get(bytes, request.keyStart, request.keyEnd);
    if (handle === 0) {
      counters.misses++;
      output.notFound();
      return undefined;
    }
    const length = store.lengthOf(handle);
    if (length >= timedValueBytesMin) return large(context, request, bytes, handle, session);
    counters.hits++;
    appendValue(context, handle, length);
    setExpiry(context, request, bytes);
  },
};

/** Answers with a value of 16 KiB or more: timed, in parts, or after a wait for memory. */
function large(
  context: Context,
  request: Request,
  bytes: Uint8Array,
  handle: Handle,
  session: SessionControl,
): Operation | undefined {
  const length = context.store.lengthOf(handle);
  if (length > partBytesMax || !session.tryHold(base64Length(length))) {
    return new LargeGet(context.takeRequest(), session);
  }
  const before = context.now();
  context.counters.hits++;
  appendValue(context, handle, length);
  setExpiry(context, request, bytes);
  context.counters.time(request.verb, context.now() - before);
}

/** Sets the expiry of `GET key ttl=S`. It may move the value, so the value is copied before. */
function setExpiry({ store }: Context, request: Request, bytes: Uint8Array): void {
  if (typeof request.expiry !== "number") return;
  store.expire(bytes, request.keyStart, request.keyEnd, store.now() + request.expiry);
}

/** A GET that waits for memory, copies the value, and sends it in parts. */
class LargeGet extends LargeReply {
  constructor(private readonly request: Request, session: SessionControl) {
    super(session);
  }

  step(context: Context, bytes: Uint8Array): Step {
    if (this.parts === undefined) return this.#begin(context, bytes);
    if (!this.parts.appendNext(context)) return "drain";
    this.release(context);
    context.output.endLine();
    return "done";
  }

  #begin(context: Context, bytes: Uint8Array): Step {
    const { keyStart, keyEnd } = this.request;
    return context.withKey(bytes, keyStart, keyEnd, () => this.#copy(context, bytes));
  }

  #copy(context: Context, bytes: Uint8Array): Step {
    const { store, output, counters } = context;
    const request = this.request;
    const handle = store.find(bytes, request.keyStart, request.keyEnd);
    if (handle === 0) {
      counters.misses++;
      output.notFound();
      return "done";
    }
    const length = store.lengthOf(handle);
    const held = length + base64Length(Math.min(length, partBytesMax));
    if (!this.mayHold(held)) return "wait";
    counters.hits++;
    output.text("VALUE ");
    this.parts = new ValueParts(context, handle, length);
    setExpiry(context, request, bytes);
    return "drain";
  }
}
