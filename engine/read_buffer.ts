/**
 * The bytes that a connection has read and not yet consumed. The buffer starts small, since most
 * connections are idle most of the time and a pending read holds its buffer; it doubles while
 * reads fill it, grows further only for an unfinished line, and shrinks when reads are short.
 *
 * What a client sends at once should fit: the rest of it costs a read more each time. So a full
 * read makes the buffer grow also where it leaves a line unfinished, and one short read, which may
 * be such a rest, does not make it shrink.
 *
 * @module
 */

import type { Buffers } from "../protocol/output.ts";

/** What an idle connection holds. */
export const readBytesMin = 512;

/** As far as full reads alone make a buffer grow. */
export const readBytesBusyMax = 64 * 1024;

/** The most that a read that may wait long is given; only one after a full read gets more. */
const readBytesWaitingMax = 16 * 1024;

/** An unfinished line makes a large buffer this many times larger, so that it is copied seldom. */
const growthFactor = 4;

const nothing = new Uint8Array(0);

/** See the head of this file. */
export class ReadBuffer {
  /** The buffer; `bytes[start, end)` is not consumed yet. */
  bytes: Uint8Array<ArrayBuffer>;
  /** Where the bytes begin. */
  start = 0;
  /** Where they end. */
  end = 0;
  readonly #buffers: Buffers;
  readonly #bytesMax: number;
  /** The bytes of the last read, and the room that it had. */
  #lastBytes = 0;
  #lastRoom = 0;
  /** The bytes of the read before it. */
  #earlierBytes = 0;

  /** A buffer for lines of up to so many bytes. */
  constructor(buffers: Buffers, lineBytesMax: number) {
    this.#buffers = buffers;
    // A line that is too long is known for certain once it has its limit and two bytes more.
    this.#bytesMax = Math.max(readBytesBusyMax, lineBytesMax + 2);
    this.bytes = buffers.take(readBytesMin);
  }

  /** Room for the next read, after what is there. */
  room(): Uint8Array<ArrayBuffer> {
    if (this.start === this.end) {
      this.start = 0;
      this.end = 0;
      const wanted = this.#wanted();
      if (wanted !== this.bytes.length) this.#exchange(wanted);
    } else {
      this.#makeRoom();
    }
    this.#lastRoom = this.bytes.length - this.end;
    return this.end === 0 ? this.bytes : this.bytes.subarray(this.end);
  }

  /** Notes that a read brought so many bytes. */
  filled(bytes: number): void {
    this.end += bytes;
    this.#earlierBytes = this.#lastBytes;
    this.#lastBytes = bytes;
  }

  /** Gives the buffer back. */
  release(): void {
    this.#buffers.give(this.bytes);
    this.bytes = nothing;
    this.start = this.end = 0;
  }

  /** True when the last read took all of its room, so that more may be there already. */
  get #wasFilled(): boolean {
    return this.#lastBytes === this.#lastRoom && this.#lastBytes > 0;
  }

  /** The size for a buffer with nothing in it. */
  #wanted(): number {
    const { length } = this.bytes;
    if (this.#wasFilled) {
      return Math.min(readBytesBusyMax, Math.max(length, 2 * this.#lastRoom));
    }
    const most = Math.max(this.#lastBytes, this.#earlierBytes);
    const kept = most * 4 <= length ? length / 2 : length;
    return Math.max(readBytesMin, Math.min(readBytesWaitingMax, kept));
  }

  #makeRoom(): void {
    const { bytes, start, end } = this;
    if (this.#wasFilled && bytes.length < readBytesBusyMax) {
      this.#exchange(2 * bytes.length);
      return;
    }
    const room = bytes.length - end;
    const unfinished = end - start;
    if (room * 2 >= bytes.length) return;
    const canGrow = bytes.length < this.#bytesMax;
    if (canGrow && unfinished * 2 > bytes.length) {
      this.#exchange(this.#larger(bytes.length));
    } else if (start > 0 && (canGrow || room === 0)) {
      bytes.copyWithin(0, start, end);
      this.start = 0;
      this.end = unfinished;
    }
  }

  #larger(length: number): number {
    const larger = length * (length < readBytesBusyMax ? 2 : growthFactor);
    return larger * 2 > this.#bytesMax ? this.#bytesMax : larger;
  }

  /** Moves what is not consumed to the start of another buffer. */
  #exchange(length: number): void {
    const old = this.bytes;
    this.bytes = this.#buffers.take(length);
    this.bytes.set(old.subarray(this.start, this.end));
    this.end -= this.start;
    this.start = 0;
    this.#buffers.give(old);
  }
}
