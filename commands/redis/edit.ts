/**
 * Commands that write a part of a value: APPEND, SETRANGE. The expiry stays.
 *
 * The whole new value is composed and then put, in one go or, if the store needs several calls, in
 * steps with other requests in between. A step whose key has changed meanwhile begins again.
 *
 * @module
 */

import { type Arguments, notAnInteger, valueTooLarge } from "../../protocol.ts";
import type { Handle, PutOperation } from "../../store.ts";
import type { Context } from "../context.ts";
import type { Operation, Step } from "../operation.ts";
import { put } from "../put_value.ts";
import type { SessionControl } from "../session_control.ts";
import { LargeReply } from "../value_reply.ts";
import { oneKey, type RedisCommand } from "./command.ts";
import { refuseReply } from "./values.ts";
import { numberOf } from "./words.ts";

/** The longest value that these commands make, in bytes; as in Redis. */
export const editedBytesMax = 512 * 1024 * 1024;

/** A new value up to this size is composed without asking for memory. */
const smallValueBytes = 64 * 1024;

/** How often a put begins again before it takes the whole store to itself, so that it ends. */
const restartsMax = 8;

export const append: RedisCommand = {
  name: "append",
  arity: 3,
  flags: ["write", "denyoom", "fast"],
  keys: oneKey,
  group: "string",
  summary: "Appends a string to the value of a key. Creates the key if it doesn't exist.",
  usage: "key value",

  execute: (context, args, bytes, session) =>
    begin(context, bytes, session, new Edit(args, 2, undefined, session)),
};

export const setrange: RedisCommand = {
  name: "setrange",
  arity: 4,
  flags: ["write", "denyoom"],
  keys: oneKey,
  group: "string",
  summary: "Overwrites a part of a string value with another by an offset. " +
    "Creates the key if it doesn't exist.",
  usage: "key offset value",

  execute(context, args, bytes, session) {
    const offset = numberOf(args, 2, bytes);
    if (offset === undefined) return context.fail(notAnInteger);
    if (offset < 0) return context.failRedis("bad_number", "ERR offset is out of range");
    return begin(context, bytes, session, new Edit(args, 3, offset, session));
  },
};

/** Edits at once, or returns the operation where that needs memory or several calls. */
function begin(
  context: Context,
  bytes: Uint8Array,
  session: SessionControl,
  edit: Edit,
): Operation | undefined {
  const needed = edit.attempt(context, bytes);
  if (needed === "done") return undefined;
  if (!context.isAtomic || typeof needed !== "number") return edit;
  if (!session.tryHold(needed)) return refuseReply(context);
  edit.allowedBytes = needed;
  edit.attempt(context, bytes);
  edit.cancel(context);
}

/** Bytes that are written into the value of a key. */
class Edit extends LargeReply {
  /** How many bytes of memory it may take. */
  allowedBytes = smallValueBytes;
  readonly #args: Arguments;
  /** The argument that is written. */
  readonly #part: number;
  /** Where it is written; undefined for the end of the value. */
  readonly #offset: number | undefined;
  /** The composed value; undefined while there is none. */
  #composed: Uint8Array<ArrayBuffer> | undefined;
  #put: PutOperation | undefined;
  /** What the put began with. */
  #version = 0;
  #oldLength = -1;
  #restarts = 0;

  constructor(
    args: Arguments,
    part: number,
    offset: number | undefined,
    session: SessionControl,
  ) {
    super(session);
    this.#args = args;
    this.#part = part;
    this.#offset = offset;
  }

  override get heldBytes(): number {
    return this.#composed?.length ?? 0;
  }

  step(context: Context, bytes: Uint8Array): Step {
    const { keyStart, keyEnd } = this.#args;
    const attempt = () => this.attempt(context, bytes);
    const again = () => {
      if (this.#restarts > restartsMax) return context.atomically(attempt);
      this.#put ??= context.store.startPut();
      return context.withKey(bytes, keyStart, keyEnd, attempt);
    };
    let outcome = again();
    if (typeof outcome === "number") {
      if (!this.mayHold(outcome)) {
        // Other puts go on meanwhile.
        this.release(context);
        return "wait";
      }
      this.allowedBytes = outcome;
      outcome = again();
    }
    if (outcome === "unfinished") return "yield";
    this.release(context);
    if (outcome === "done") return "done";
    this.#restarts++;
    return "yield";
  }

  /**
   * Makes the edit and answers, as far as one call can. Returns the bytes of memory that it needs,
   * if these are more than it may take, and `"changed"` where the put has begun with another value.
   */
  attempt(context: Context, bytes: Uint8Array): "done" | "unfinished" | "changed" | number {
    const { store, redis } = context;
    const { keyStart, keyEnd } = this.#args;
    const [start, end] = [this.#args.starts[this.#part], this.#args.ends[this.#part]];
    // Counts as an access, so that what is stored does not take the place of what it is made from.
    const handle = store.get(bytes, keyStart, keyEnd);
    const oldLength = handle === 0 ? 0 : store.lengthOf(handle);
    if (this.#offset !== undefined && start === end) {
      redis.integer(oldLength);
      return "done";
    }
    const offset = this.#offset ?? oldLength;
    const length = Math.max(oldLength, offset + end - start);
    if (!this.#mayBe(context, offset + end - start, length)) return "done";
    if (this.#put !== undefined && !context.isAtomic && !this.#isAsBefore(context, bytes, handle)) {
      return "changed";
    }
    const isWhole = oldLength === 0 && offset === 0;
    if (!isWhole && length > this.allowedBytes) return length;
    const value = isWhole ? bytes : this.#compose(context, handle, bytes, offset, length);
    const from = isWhole ? start : 0;
    const expiresAt = handle === 0 ? Infinity : store.expiryOf(handle);
    // deno-fmt-ignore: one line shows what is stored
    const outcome = put(context, this.#args, bytes, value, from, from + length, expiresAt, this.#put);
    if (outcome === "unfinished") return outcome;
    if (outcome === "stored") redis.integer(length);
    return "done";
  }

  protected override release(context: Context): void {
    super.release(context);
    this.#put?.cancel();
    this.#put = undefined;
    if (this.#composed !== undefined) context.buffers.give(this.#composed);
    this.#composed = undefined;
    this.#oldLength = -1;
  }

  /** Whether a value may become so long; answers if not. */
  #mayBe(context: Context, writtenEnd: number, length: number): boolean {
    if (writtenEnd > editedBytesMax) {
      const text = "ERR string exceeds maximum allowed size (proto-max-bulk-len)";
      context.failRedis("value_too_large", text);
      return false;
    }
    const { keyStart, keyEnd } = this.#args;
    const valueBytesMax = Math.max(0, context.store.limitBytes - (keyEnd - keyStart));
    if (length > valueBytesMax) context.fail(valueTooLarge(valueBytesMax));
    return length <= valueBytesMax;
  }

  /** Whether the key is as it was when the put began; notes how it is if it begins now. */
  #isAsBefore({ store }: Context, bytes: Uint8Array, handle: Handle): boolean {
    const version = store.version(bytes, this.#args.keyStart, this.#args.keyEnd);
    const oldLength = handle === 0 ? 0 : store.lengthOf(handle);
    if (this.#oldLength === -1) {
      this.#version = version;
      this.#oldLength = oldLength;
    }
    return version === this.#version && oldLength === this.#oldLength;
  }

  /** The new value, from 0 on; one that a later step needs, too, is composed once. */
  #compose(
    context: Context,
    handle: Handle,
    bytes: Uint8Array,
    offset: number,
    length: number,
  ): Uint8Array {
    const { store, buffers } = context;
    if (this.#put !== undefined && this.#composed !== undefined) return this.#composed;
    const isKept = this.#put !== undefined || length > smallValueBytes;
    const value = isKept ? (this.#composed ??= buffers.take(length)) : context.scratch(length);
    const oldLength = handle === 0 ? 0 : store.lengthOf(handle);
    if (handle !== 0) store.copyTo(handle, value, 0);
    if (offset > oldLength) value.fill(0, oldLength, offset);
    value.set(bytes.subarray(this.#args.starts[this.#part], this.#args.ends[this.#part]), offset);
    return value;
  }
}
