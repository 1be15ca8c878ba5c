/**
 * The input buffer: bytes that a connection has read and not consumed yet, and the requests in
 * them, which are lines or arrays.
 *
 * The buffer starts small, since most connections are idle most of the time and a pending read
 * holds its buffer. It grows fourfold while reads fill it, up to 64 KiB, and shrinks when reads are
 * short. The bytes that a client sends at once should fit, since a rest costs a second read each
 * time. So a full read makes the buffer grow even if a line is unfinished, and one short read,
 * which may be a rest, does not make it shrink.
 *
 * A loop that reads only what is there already can lend its own buffer for a read instead: then a
 * connection holds memory only for what it has not consumed.
 *
 * A line longer than 64 KiB is kept in chunks until its end has arrived, and only then joined. So
 * an unfinished line never holds much more memory than its bytes, its bytes are not copied while it
 * grows, and all its memory comes from the pool and returns to it.
 *
 * @module
 */

import { type ArrayParser, type Buffers, findLineFeed, startsArray } from "../protocol.ts";

/** The size of an idle connection's buffer, in bytes. */
export const inputBytesMin = 512;

/** The largest buffer for reads, and the size of a chunk. */
export const chunkBytes = 64 * 1024;

/** A buffer that a read has filled is made this many times larger. */
const growth = 4;

/** From this length on, a line is kept in larger chunks, which need fewer reads. */
const largeLineBytes = 1024 * 1024;
const largeChunkBytes = 256 * 1024;

/**
 * The largest buffer for a read that may wait long. A read after a full read may get a larger one.
 */
const idleReadBytesMax = 16 * 1024;

const lineFeed = 0x0a;
const lineFeedBytes = 1;
const carriageReturn = 0x0d;
const nothing = new Uint8Array(0);

/** The result of a search for a line. */
export type LineResult = "line" | "none" | "too long";

/** The result of a search for an array; the parser says what is wrong with a broken one. */
export type ArrayResult = "array" | "none" | "broken";

/** Bytes that were read and not consumed, and the lines in them. */
export class InputBuffer {
  /** The buffer; `bytes[start, end)` is not consumed yet. */
  bytes: Uint8Array<ArrayBuffer> = nothing;
  /** Where the unconsumed bytes begin. */
  start = 0;
  /** Where the unconsumed bytes end. */
  end = 0;
  /** Where the line found last begins, in `bytes`. */
  lineStart = 0;
  /** Where the line found last ends, without its line break. */
  lineEnd = 0;
  readonly #buffers: Buffers;
  /** Full chunks of an unfinished line, which `bytes` continues. */
  #chunks: Uint8Array<ArrayBuffer>[] | undefined;
  /** Where the line begins in the first chunk. */
  #firstChunkStart = 0;
  /** Bytes of the line in the chunks. */
  #chunkedBytes = 0;
  /** Bytes from `start` on that are known to hold no line feed. */
  #searchedBytes = 0;
  /** True while the rest of a line that is too long is discarded. */
  #isSkipping = false;
  /** The bytes that the last read brought, and the space that it had. */
  #lastBytes = 0;
  #lastSpace = 0;
  /** The bytes that the read before it brought. */
  #earlierBytes = 0;
  /** True while `bytes` is lent. */
  #isLent = false;

  constructor(buffers: Buffers) {
    this.#buffers = buffers;
  }

  /** Bytes of the unfinished line. */
  get unfinishedBytes(): number {
    return this.#chunkedBytes + this.end - this.start;
  }

  /** The space for the next read. Lines found before are no longer valid. */
  space(): Uint8Array<ArrayBuffer> {
    if (this.#isLent) this.#moveOut(false);
    if (this.start === this.end) {
      this.start = 0;
      this.end = 0;
      const wanted = this.#chunks === undefined ? this.#wantedBytes() : this.bytes.length;
      if (wanted !== this.bytes.length) this.#exchange(wanted);
    } else if (this.#chunks === undefined) {
      this.#makeSpace();
    }
    if (this.end === this.bytes.length) this.#startChunk();
    this.#lastSpace = this.bytes.length - this.end;
    return this.end === 0 ? this.bytes : this.bytes.subarray(this.end);
  }

  /** The space for the next read: `lent` until `settle`, where no line is unfinished. */
  lentSpace(lent: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
    if (this.#isLent) this.#moveOut(false);
    if (this.start !== this.end || this.#chunks !== undefined) return this.space();
    this.#buffers.give(this.bytes);
    this.bytes = lent;
    this.#isLent = true;
    this.start = this.end = 0;
    this.#lastSpace = lent.length;
    return lent;
  }

  /**
   * Gives back what was lent, and a buffer of our own that is empty: what is not consumed moves to
   * one. `isInUse` says that an operation reads a line of it, which keeps its place then.
   */
  settle(isInUse: boolean): void {
    if (this.#isLent) return this.#moveOut(isInUse);
    const isEmpty = this.start === this.end && this.#chunks === undefined;
    if (!isEmpty || isInUse || this.bytes === nothing) return;
    this.#buffers.give(this.bytes);
    this.bytes = nothing;
    this.start = this.end = 0;
  }

  #moveOut(isInUse: boolean): void {
    this.#isLent = false;
    const { bytes, end } = this;
    const from = isInUse ? 0 : this.start;
    if (from === end) {
      this.bytes = nothing;
    } else {
      this.bytes = this.#buffers.take(end - from);
      this.bytes.set(bytes.subarray(from, end));
    }
    this.start -= from;
    this.end -= from;
  }

  /** Notes that a read brought this many bytes. */
  filled(bytes: number): void {
    this.end += bytes;
    // It ends the search for a line; the next read writes over it.
    if (this.end < this.bytes.length) this.bytes[this.end] = lineFeed;
    this.#earlierBytes = this.#lastBytes;
    this.#lastBytes = bytes;
  }

  /**
   * Consumes the next line of up to `lineBytesMax` bytes: `lineStart` and `lineEnd` say where it
   * is. `"none"`: more bytes are needed. `"too long"`: the line is discarded, including the part of
   * it that has not arrived yet.
   */
  nextLine(lineBytesMax: number): LineResult {
    for (;;) {
      const found = findLineFeed(this.bytes, this.start + this.#searchedBytes, this.end);
      if (found < 0) return this.#unfinished(lineBytesMax);
      this.#searchedBytes = 0;
      if (this.#isSkipping) {
        this.#isSkipping = false;
        this.start = found + lineFeedBytes;
        continue;
      }
      const length = this.#chunkedBytes + found - this.start;
      if (length > lineBytesMax + 1) {
        this.lineStart = this.start;
        this.lineEnd = this.#chunks === undefined ? this.#withoutReturn(found) : this.start;
        this.#discardLine(found + lineFeedBytes);
        return "too long";
      }
      const start = this.#chunks === undefined ? this.start : this.#join();
      const end = start + length;
      this.lineStart = start;
      this.lineEnd = this.#withoutReturn(end);
      this.start = end + lineFeedBytes;
      return this.lineEnd - start > lineBytesMax ? "too long" : "line";
    }
  }

  /** Consumes the last line at the end of the input, which has no line feed. */
  lastLine(lineBytesMax: number): LineResult {
    const length = this.unfinishedBytes;
    if (length === 0 || this.#isSkipping) return "none";
    if (length > lineBytesMax) {
      this.#discardLine(this.end);
      return "too long";
    }
    this.lineStart = this.#chunks === undefined ? this.start : this.#join();
    this.lineEnd = this.lineStart + length;
    this.start = this.lineEnd;
    return "line";
  }

  /** Whether a request begins here that is an array. */
  get startsArray(): boolean {
    return this.start < this.end && startsArray(this.bytes[this.start]) &&
      this.#chunks === undefined && !this.#isSkipping;
  }

  /**
   * Consumes the next array; the parser has its arguments, as offsets into `bytes`. Where it is
   * broken, nothing behind it can be understood.
   */
  nextArray(parser: ArrayParser): ArrayResult {
    const from = this.start + this.#searchedBytes;
    const requestStart = this.start - this.#chunkedBytes;
    switch (parser.parse(this.bytes, from, this.end, requestStart)) {
      case "broken":
        return "broken";
      case "unfinished":
        this.#searchedBytes = this.end - this.start;
        return "none";
      case "request":
    }
    const length = parser.at - requestStart;
    this.#searchedBytes = 0;
    this.lineStart = requestStart;
    if (this.#chunks !== undefined) {
      this.lineStart = this.#join();
      parser.args.move(this.lineStart - requestStart);
    }
    this.lineEnd = this.start = this.lineStart + length;
    return "array";
  }

  /** The beginning of the unfinished line, up to 64 KiB. */
  head(): Uint8Array {
    const first = this.#chunks?.at(0);
    return first === undefined
      ? this.bytes.subarray(this.start, this.end)
      : first.subarray(this.#firstChunkStart);
  }

  /** Gives all memory back. */
  release(): void {
    this.#dropChunks();
    if (!this.#isLent) this.#buffers.give(this.bytes);
    this.#isLent = false;
    this.bytes = nothing;
    this.start = this.end = 0;
  }

  /** The end of the line without one carriage return at it. */
  #withoutReturn(end: number): number {
    const last = end - 1;
    return last >= this.lineStart && this.bytes[last] === carriageReturn ? last : end;
  }

  #unfinished(lineBytesMax: number): LineResult {
    if (this.#isSkipping) {
      this.start = this.end;
      return "none";
    }
    const { unfinishedBytes } = this;
    // A carriage return at the end does not count, since a line feed may follow.
    const counted = unfinishedBytes > 0 && this.bytes[this.end - 1] === carriageReturn
      ? unfinishedBytes - 1
      : unfinishedBytes;
    if (counted > lineBytesMax) {
      this.lineStart = this.lineEnd = this.end;
      this.#discardLine(this.end);
      this.#isSkipping = true;
      return "too long";
    }
    this.#searchedBytes = this.end - this.start;
    return "none";
  }

  #discardLine(start: number): void {
    this.#dropChunks();
    this.start = start;
    this.#searchedBytes = 0;
  }

  #dropChunks(): void {
    for (const chunk of this.#chunks ?? []) this.#buffers.give(chunk);
    this.#chunks = undefined;
    this.#chunkedBytes = 0;
  }

  /** The buffer is full of one unfinished line: it becomes a chunk, and another buffer follows. */
  #startChunk(): void {
    if (this.#chunks === undefined) {
      this.#chunks = [];
      this.#firstChunkStart = this.start;
    }
    this.#chunks.push(this.bytes);
    this.#chunkedBytes += this.end - this.start;
    const bytes = this.#chunkedBytes < largeLineBytes ? chunkBytes : largeChunkBytes;
    this.bytes = this.#buffers.take(bytes);
    this.start = this.end = this.#searchedBytes = 0;
  }

  /** Joins the chunks and the buffer into one; returns where the line begins in it. */
  #join(): number {
    const chunks = this.#chunks ?? [];
    const joined = this.#buffers.take(this.unfinishedBytes);
    let at = 0;
    chunks.forEach((chunk, n) => {
      const part = n === 0 ? chunk.subarray(this.#firstChunkStart) : chunk;
      joined.set(part, at);
      at += part.length;
      this.#buffers.give(chunk);
    });
    joined.set(this.bytes.subarray(this.start, this.end), at);
    this.#buffers.give(this.bytes);
    this.bytes = joined;
    this.end = at + this.end - this.start;
    this.start = 0;
    this.#chunks = undefined;
    this.#chunkedBytes = 0;
    return 0;
  }

  /** True when the last read filled its space, so that more bytes may have arrived already. */
  get #wasFilled(): boolean {
    return this.#lastBytes === this.#lastSpace && this.#lastBytes > 0;
  }

  /** The size for an empty buffer. */
  #wantedBytes(): number {
    const { length } = this.bytes;
    if (this.#wasFilled) return Math.min(chunkBytes, Math.max(length, growth * this.#lastSpace));
    const most = Math.max(this.#lastBytes, this.#earlierBytes);
    const kept = most * 4 <= length ? length / 2 : length;
    return Math.max(inputBytesMin, Math.min(idleReadBytesMax, kept));
  }

  #makeSpace(): void {
    const { bytes, start, end } = this;
    const unfinished = end - start;
    if (bytes.length > chunkBytes) {
      // The buffer is a joined line that is consumed by now.
      this.#exchange(Math.max(chunkBytes, unfinished));
      return;
    }
    if (this.#wasFilled && bytes.length < chunkBytes) {
      this.#exchange(Math.min(chunkBytes, growth * bytes.length));
      return;
    }
    const space = bytes.length - end;
    if (space * 2 >= bytes.length) return;
    const canGrow = bytes.length < chunkBytes;
    if (canGrow && unfinished * 2 > bytes.length) {
      this.#exchange(Math.min(chunkBytes, growth * bytes.length));
    } else if (start > 0 && (canGrow || space === 0)) {
      bytes.copyWithin(0, start, end);
      this.start = 0;
      this.end = unfinished;
    }
  }

  /** Moves the unconsumed bytes to the start of another buffer. */
  #exchange(length: number): void {
    const old = this.bytes;
    this.bytes = this.#buffers.take(length);
    this.bytes.set(old.subarray(this.start, this.end));
    this.end -= this.start;
    this.start = 0;
    this.#buffers.give(old);
  }
}
