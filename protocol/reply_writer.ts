/**
 * The reply writer: appends replies as bytes, one after another, to one buffer that grows.
 *
 * The buffer comes from a pool when the first byte is written, and stays for the next replies: who
 * sends at once sends from it, and then clears it. Who cannot moves the replies out to a buffer of
 * its own.
 *
 * @module
 */

import { base64Length, encodeBase64Into } from "./base64.ts";

/** Where buffers come from and go back to. */
export interface Buffers {
  /** Takes a buffer of at least `bytesMin` bytes, whose content is undefined. */
  take(bytesMin: number): Uint8Array<ArrayBuffer>;
  /** Gives a buffer back. The caller must not use it any more. */
  give(buffer: Uint8Array<ArrayBuffer>): void;
}

/** Allocates each buffer, and leaves it to the garbage collector. */
export const plainBuffers: Buffers = {
  take: (bytesMin) => new Uint8Array(bytesMin),
  give: () => {},
};

/** The smallest buffer that a writer takes. */
const outputBytesMin = 4096;

/** A larger buffer goes back to the pool when it is cleared. */
const keptBytesMax = 512 * 1024;

const nothing = new Uint8Array(0);
const noView = new DataView(nothing.buffer);
const lineFeed = 0x0a;
const blank = 0x20;
const digitZero = 0x30;

const encoder = new TextEncoder();
const notFound = encoder.encode("NOT_FOUND\n");

/** Appends replies to a buffer that it takes from a pool. */
export class ReplyWriter {
  /** The buffer; the first `length` bytes of it are replies. */
  bytes: Uint8Array<ArrayBuffer> = nothing;
  /** Bytes of replies in the buffer. */
  length = 0;
  readonly #buffers: Buffers;
  /** Of the whole buffer. */
  #view = noView;

  constructor(buffers: Buffers = plainBuffers) {
    this.#buffers = buffers;
  }

  /** Drops the replies. */
  clear(): void {
    this.length = 0;
    if (this.bytes.length <= keptBytesMax) return;
    this.#buffers.give(this.bytes);
    this.#use(nothing);
  }

  /**
   * Moves the replies from `start` on to a buffer that is the caller's, and drops the others. The
   * buffer begins with them; it comes from the writer's pool.
   */
  moveOut(start: number): Uint8Array<ArrayBuffer> {
    const { bytes, length } = this;
    // A buffer that is half full is handed over: less is copied, and little is wasted.
    const isHandedOver = start === 0 && length * 2 >= bytes.length;
    const moved = isHandedOver ? bytes : this.#buffers.take(length - start);
    if (isHandedOver) this.#use(nothing);
    else moved.set(bytes.subarray(start, length));
    this.clear();
    return moved;
  }

  /** Makes space for `more` bytes behind the replies. */
  reserve(more: number): void {
    if (this.length + more > this.bytes.length) this.#grow(more);
  }

  /** Appends bytes as they are. */
  append(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    let at = this.length;
    for (let from = 0; from < bytes.length; from++) this.bytes[at++] = bytes[from];
    this.length = at;
  }

  /** Appends a run of bytes of a larger array. */
  appendRange(bytes: Uint8Array, start: number, end: number): void {
    this.reserve(end - start);
    this.bytes.set(bytes.subarray(start, end), this.length);
    this.length += end - start;
  }

  /** Appends text, in UTF-8. */
  text(text: string): void {
    // Three bytes a UTF-16 unit are always enough.
    this.reserve(3 * text.length);
    const { written } = encoder.encodeInto(text, this.bytes.subarray(this.length));
    this.length += written;
  }

  /** Appends a whole number from 0 to 2^53 - 1. */
  number(value: number): void {
    this.reserve(16);
    let digits = 1;
    for (let rest = value; rest >= 10; rest = Math.floor(rest / 10)) digits++;
    for (let at = this.length + digits - 1, rest = value; at >= this.length; at--) {
      const tenth = Math.floor(rest / 10);
      this.bytes[at] = digitZero + (rest - 10 * tenth);
      rest = tenth;
    }
    this.length += digits;
  }

  /** Appends a blank. */
  blank(): void {
    this.reserve(1);
    this.bytes[this.length++] = blank;
  }

  /** Ends a reply. */
  endLine(): void {
    this.reserve(1);
    this.bytes[this.length++] = lineFeed;
  }

  /** Appends the base64 of `bytes[start, end)`. */
  base64(bytes: Uint8Array, start: number, end: number): void {
    this.reserve(base64Length(end - start));
    this.length = encodeBase64Into(bytes, start, end, this.#view, this.length);
  }

  /** The reply `OK`. */
  ok(): void {
    this.reserve(3);
    const { bytes, length } = this;
    bytes[length] = 0x4f;
    bytes[length + 1] = 0x4b;
    bytes[length + 2] = lineFeed;
    this.length = length + 3;
  }

  /** The reply `NOT_FOUND`. */
  notFound(): void {
    this.append(notFound);
  }

  /** The reply `VALUE base64`. */
  value(value: Uint8Array, start: number, end: number): void {
    this.reserve(7 + base64Length(end - start));
    const bytes = this.bytes;
    let at = this.length;
    bytes[at++] = 0x56;
    bytes[at++] = 0x41;
    bytes[at++] = 0x4c;
    bytes[at++] = 0x55;
    bytes[at++] = 0x45;
    bytes[at++] = blank;
    at = encodeBase64Into(value, start, end, this.#view, at);
    bytes[at++] = lineFeed;
    this.length = at;
  }

  /** Removes the replies from `start` on, and returns a copy of them. */
  cut(start: number): Uint8Array {
    const removed = this.bytes.slice(start, this.length);
    this.length = start;
    return removed;
  }

  #grow(more: number): void {
    const wanted = Math.max(this.length + more, 2 * this.bytes.length, outputBytesMin);
    const larger = this.#buffers.take(wanted);
    if (this.length > 0) larger.set(this.bytes.subarray(0, this.length));
    if (this.bytes.length > 0) this.#buffers.give(this.bytes);
    this.#use(larger);
  }

  #use(bytes: Uint8Array<ArrayBuffer>): void {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }
}
