/**
 * Values in replies: in one piece, or copied and sent in parts.
 *
 * @module
 */

import type { Handle } from "../store.ts";
import type { Context } from "./context.ts";
import type { Operation, Step } from "./operation.ts";
import type { SessionControl } from "./session_control.ts";

/**
 * A value larger than this is copied and sent in parts of this size, so that its conversion to
 * base64 does not keep others waiting. 3 divides it: only a last part has padding.
 */
export const partBytesMax = 192 * 1024;

/** Appends `VALUE base64` and the end of the line. */
export function appendValue(context: Context, handle: Handle, length: number): void {
  const { store, output } = context;
  if (store.view(handle)) {
    const start = store.viewStart;
    output.value(store.viewBytes, start, start + length);
  } else {
    const scratch = context.scratch(length);
    store.copyTo(handle, scratch, 0);
    output.value(scratch, 0, length);
  }
}

/** Appends a value as a bulk string of the Redis wire. */
export function appendBulk(context: Context, handle: Handle, length: number): void {
  const { store, redis } = context;
  if (store.view(handle)) {
    const start = store.viewStart;
    redis.bulk(store.viewBytes, start, start + length);
  } else {
    const scratch = context.scratch(length);
    store.copyTo(handle, scratch, 0);
    redis.bulk(scratch, 0, length);
  }
}

/** Appends the base64 of a value. */
export function appendBase64(context: Context, handle: Handle, length: number): void {
  const { store, output } = context;
  if (store.view(handle)) {
    output.base64(store.viewBytes, store.viewStart, store.viewStart + length);
  } else {
    const scratch = context.scratch(length);
    store.copyTo(handle, scratch, 0);
    output.base64(scratch, 0, length);
  }
}

/** A copy of a value that is sent in parts, so that all parts are of one value. */
export class ValueParts {
  readonly #copy: Uint8Array<ArrayBuffer>;
  readonly #length: number;
  readonly #end: number;
  #sent: number;

  /** Copies the value of an entry, of which `[start, end)` is sent. */
  constructor(context: Context, handle: Handle, length: number, start = 0, end = length) {
    this.#copy = context.buffers.take(length);
    this.#length = length;
    this.#sent = start;
    this.#end = end;
    context.store.copyTo(handle, this.#copy, 0);
  }

  /** Bytes of the copy. */
  get heldBytes(): number {
    return this.#length;
  }

  /** Gives the copy back. */
  release(context: Context): void {
    context.buffers.give(this.#copy);
  }

  /** Appends the next part, for a line in base64; true when that was the last. */
  appendNext(context: Context): boolean {
    const end = Math.min(this.#end, this.#sent + partBytesMax);
    if (context.redisClient === undefined) context.output.base64(this.#copy, this.#sent, end);
    else context.output.appendRange(this.#copy, this.#sent, end);
    this.#sent = end;
    return end === this.#end;
  }
}

/** The operation of a reply that may wait for memory, and send a copied value in parts. */
export abstract class LargeReply implements Operation {
  readonly isExclusive = true;
  onReady?: () => void;
  /** The value that is being sent; undefined between values. */
  protected parts: ValueParts | undefined;
  #stopWaiting: (() => void) | undefined;

  constructor(private readonly session: SessionControl) {}

  get heldBytes(): number {
    return this.parts?.heldBytes ?? 0;
  }

  abstract step(context: Context, bytes: Uint8Array): Step;

  cancel(context: Context): void {
    this.#stopWaiting?.();
    this.release(context);
  }

  /** Gives the copied value back. */
  protected release(context: Context): void {
    this.parts?.release(context);
    this.parts = undefined;
  }

  /** Takes memory of the server's bound; false when the operation has to wait, and will be woken. */
  protected mayHold(bytes: number): boolean {
    this.#stopWaiting = undefined;
    if (this.session.tryHold(bytes)) return true;
    this.#stopWaiting = this.session.whenFree(bytes, () => this.onReady?.());
    return false;
  }
}
