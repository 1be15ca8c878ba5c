/**
 * Values in replies: in one piece, or copied and sent in parts.
 *
 * @module
 */

import type { Handle } from "../store.ts";
import type { Context } from "./context.ts";

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
  #sent = 0;

  /** Copies the value of an entry. */
  constructor(context: Context, handle: Handle, length: number) {
    this.#copy = context.buffers.take(length);
    this.#length = length;
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

  /** Appends the next part in base64; true when that was the last. */
  appendNext(context: Context): boolean {
    const end = Math.min(this.#length, this.#sent + partBytesMax);
    context.output.base64(this.#copy, this.#sent, end);
    this.#sent = end;
    return end === this.#length;
  }
}
