/**
 * The output buffer: replies of one connection that are not sent yet.
 *
 * A run writes them to the writer that all connections of a loop share. A driver that sends at once
 * sends them from there; then no byte is copied, and no buffer changes hands. Whatever is to wait
 * moves to a buffer of the connection's own first, and that goes back once all of it is sent.
 *
 * @module
 */

import type { Buffers, ReplyWriter } from "../protocol.ts";

import type { Replacement } from "./reply_changes.ts";

const nothing = new Uint8Array(0);

/** The replies of one connection that are not sent. */
export class OutputBuffer {
  /** True while the replies are in the shared writer: nothing else may write to it. */
  isShared = false;
  readonly #writer: ReplyWriter;
  readonly #buffers: Buffers;
  /** The buffer of its own; none while the replies are in the writer. */
  #bytes: Uint8Array<ArrayBuffer> = nothing;
  #length = 0;
  #sentLength = 0;

  constructor(writer: ReplyWriter, buffers: Buffers) {
    this.#writer = writer;
    this.#buffers = buffers;
  }

  /** Bytes that are not sent. */
  get unsentBytes(): number {
    return this.#length - this.#sentLength;
  }

  /** Takes over what the writer holds. All that it had before must be sent. */
  take(): void {
    this.#length = this.#writer.length;
    this.isShared = this.#length > 0;
  }

  /** Moves the replies to a buffer of its own, if they are in the writer. */
  keep(): void {
    if (!this.isShared) return;
    this.#bytes = this.#writer.moveOut(this.#sentLength);
    this.isShared = false;
    this.#length -= this.#sentLength;
    this.#sentLength = 0;
  }

  /** The replies, in a buffer of their own. */
  unsent(): Uint8Array<ArrayBuffer> {
    this.keep();
    return this.#bytes.subarray(this.#sentLength, this.#length);
  }

  /** An array that begins with the `unsentBytes` bytes; valid until `keep`. */
  unsentNow(): Uint8Array<ArrayBuffer> {
    const bytes = this.isShared ? this.#writer.bytes : this.#bytes;
    return this.#sentLength === 0 ? bytes : bytes.subarray(this.#sentLength, this.#length);
  }

  /** Notes that the first `bytes` bytes were sent. */
  sent(bytes: number): void {
    this.#sentLength += bytes;
    if (this.#sentLength === this.#length) this.drop();
  }

  /** Replaces parts of the replies, of which none is sent; the parts are in their order. */
  replace(parts: readonly Replacement[]): void {
    const before = this.unsent();
    const length =
      parts.reduce((sum, { start, end, bytes }) => sum + bytes.length - end + start, 0) +
      before.length;
    const after = this.#buffers.take(length);
    let from = 0;
    let to = 0;
    const append = (bytes: Uint8Array) => {
      after.set(bytes, to);
      to += bytes.length;
    };
    for (const { start, end, bytes } of parts) {
      append(before.subarray(from, start));
      append(bytes);
      from = end;
    }
    append(before.subarray(from));
    this.drop();
    this.#bytes = after;
    this.#length = length;
  }

  /** Forgets the replies, and gives the buffer back. */
  drop(): void {
    if (this.isShared) this.#writer.clear();
    else if (this.#length > 0) this.#buffers.give(this.#bytes);
    this.isShared = false;
    this.#bytes = nothing;
    this.#length = this.#sentLength = 0;
  }
}
