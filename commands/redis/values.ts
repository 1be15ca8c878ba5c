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
export const smallValueBytes = 16 * 1024;

/** What is done with the key in the moment in which its value is read. */
export type AfterRead = (context: Context, args: Arguments, bytes: Uint8Array) => void;

/** The part of a value of so many bytes that a reply is: from where, and up to where. */
export type RangeOf = (length: number) => [start: number, end: number];

/**
 * Answers with the value of the request's only key, and counts a hit or a miss. With a range, the
 * reply is a part of the value, and empty if the key does not exist.
 */
export function replyWithValue(
  context: Context,
  args: Arguments,
  bytes: Uint8Array,
  session: SessionControl,
  after?: AfterRead,
  rangeOf?: RangeOf,
): Operation | undefined {
  const { store, counters } = context;
  const handle = store.get(bytes, args.keyStart, args.keyEnd);
  if (handle === 0) return answerMissing(context, rangeOf);
  const length = store.lengthOf(handle);
  const [start, end] = rangeOf?.(length) ?? [0, length];
  if (end - start > 0 && length > partBytesMax && !context.isAtomic) {
    return new LargeValue(args, session, after, rangeOf);
  }
  if (!mayReply(context, end - start, session)) {
    return context.isAtomic ? refuseReply(context) : new LargeValue(args, session, after, rangeOf);
  }
  counters.hits++;
  if (end - start === length) appendBulk(context, handle, length);
  else appendRange(context, handle, length, start, end);
  after?.(context, args, bytes);
}

/** Answers where the key does not exist. */
function answerMissing({ counters, redis }: Context, rangeOf: RangeOf | undefined): undefined {
  counters.misses++;
  if (rangeOf === undefined) redis.missing();
  else redis.text("");
}

/** Appends a part of a value. */
function appendRange(
  context: Context,
  handle: Handle,
  length: number,
  start: number,
  end: number,
): void {
  const { store, redis } = context;
  if (start === end) {
    redis.text("");
  } else if (store.view(handle)) {
    redis.bulk(store.viewBytes, store.viewStart + start, store.viewStart + end);
  } else {
    const scratch = context.scratch(length);
    store.copyTo(handle, scratch, 0);
    redis.bulk(scratch, start, end);
  }
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
  readonly #rangeOf: RangeOf | undefined;

  constructor(
    args: Arguments,
    session: SessionControl,
    after: AfterRead | undefined,
    rangeOf: RangeOf | undefined,
  ) {
    super(session);
    this.#args = args;
    this.#after = after;
    this.#rangeOf = rangeOf;
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
      answerMissing(context, this.#rangeOf);
      return "done";
    }
    const length = store.lengthOf(handle);
    if (!this.mayHold(length + Math.min(length, partBytesMax))) return "wait";
    counters.hits++;
    const [start, end] = this.#rangeOf?.(length) ?? [0, length];
    redis.bulkHead(end - start);
    this.parts = new ValueParts(context, handle, length, start, end);
    this.#after?.(context, this.#args, bytes);
    return "drain";
  }
}
