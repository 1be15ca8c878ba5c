/**
 * Values as replies of the Redis wire: at once, or copied and sent in parts.
 *
 * @module
 */

import type { Arguments } from "../../protocol.ts";
import type { Handle } from "../../store.ts";
import type { Context } from "../context.ts";
import type { Operation, Step } from "../operation.ts";
import type { SessionControl } from "../session_control.ts";
import { appendBulk, LargeReply, partBytesMax, ValueParts } from "../value_reply.ts";

/** Values up to this size do not count against the server's bound. */
const smallValueBytes = 16 * 1024;

/** What is done with the key in the moment in which its value is read. */
export type AfterRead = (context: Context, args: Arguments, bytes: Uint8Array) => void;

/** Answers with the value of the request's only key, and counts a hit or a miss. */
export function replyWithValue(
  context: Context,
  args: Arguments,
  bytes: Uint8Array,
  session: SessionControl,
  after?: AfterRead,
): Operation | undefined {
  const { store, counters } = context;
  const handle = store.get(bytes, args.keyStart, args.keyEnd);
  if (handle === 0) {
    counters.misses++;
    context.redis.missing();
    return undefined;
  }
  const length = store.lengthOf(handle);
  if (length > partBytesMax && !context.isAtomic) return new LargeValue(args, session, after);
  if (!mayReply(context, length, session)) {
    return context.isAtomic ? refuseReply(context) : new LargeValue(args, session, after);
  }
  counters.hits++;
  appendBulk(context, handle, length);
  after?.(context, args, bytes);
}

/** Whether there is memory for a value of so many bytes in the reply. */
function mayReply(context: Context, length: number, session: SessionControl): boolean {
  return hasReplySpace(context, length) && (length <= smallValueBytes || session.tryHold(length));
}

/** Whether a transaction may reply with so many bytes more; outside of one, true. */
export function hasReplySpace(
  { isAtomic, output, requestBytesMax }: Context,
  more: number,
): boolean {
  return !isAtomic || output.length + more <= requestBytesMax;
}

/** Answers where a reply would exceed the memory for replies and cannot wait. */
export function refuseReply(context: Context): undefined {
  const text = context.isAtomic
    ? `ERR no memory for this reply: the replies of a transaction have at most ` +
      `${context.requestBytesMax} bytes`
    : "ERR the server has no memory for this reply now; try again";
  context.failRedis("server_busy", text);
}

/** Answers with the value of an entry in the moment in which it is about to be replaced. */
export function replyWithOld(context: Context, handle: Handle, session: SessionControl): boolean {
  if (handle === 0) {
    context.redis.missing();
    return true;
  }
  const length = context.store.lengthOf(handle);
  if (!mayReply(context, length, session)) {
    refuseReply(context);
    return false;
  }
  appendBulk(context, handle, length);
  return true;
}

/** A value that waits for memory, is copied, and is sent in parts. */
class LargeValue extends LargeReply {
  readonly #args: Arguments;
  readonly #after: AfterRead | undefined;

  constructor(args: Arguments, session: SessionControl, after: AfterRead | undefined) {
    super(session);
    this.#args = args;
    this.#after = after;
  }

  step(context: Context, bytes: Uint8Array): Step {
    if (this.parts === undefined) {
      const { keyStart, keyEnd } = this.#args;
      return context.withKey(bytes, keyStart, keyEnd, () => this.#copy(context, bytes));
    }
    if (!this.parts.appendNext(context)) return "drain";
    this.release(context);
    context.redis.endBulk();
    return "done";
  }

  #copy(context: Context, bytes: Uint8Array): Step {
    const { store, redis, counters } = context;
    const handle = store.find(bytes, this.#args.keyStart, this.#args.keyEnd);
    if (handle === 0) {
      counters.misses++;
      redis.missing();
      return "done";
    }
    const length = store.lengthOf(handle);
    if (!this.mayHold(length + Math.min(length, partBytesMax))) return "wait";
    counters.hits++;
    redis.bulkHead(length);
    this.parts = new ValueParts(context, handle, length);
    this.#after?.(context, this.#args, bytes);
    return "drain";
  }
}
