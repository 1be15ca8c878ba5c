/**
 * Replies of the Redis wire, in its versions 2 and 3. Version 2 has no maps, sets, doubles and
 * booleans, and its clients get what Redis sends them instead: arrays, bulk strings and integers.
 *
 * Source: the Redis serialization protocol specification, redis.io.
 *
 * @module
 */

import type { ReplyWriter } from "./reply_writer.ts";

/** A version of the Redis wire. */
export type RespVersion = 2 | 3;

const encoder = new TextEncoder();
const okReply = encoder.encode("+OK\r\n");
const queuedReply = encoder.encode("+QUEUED\r\n");
const nullReply = encoder.encode("_\r\n");
const nullBulk = encoder.encode("$-1\r\n");
const nullArray = encoder.encode("*-1\r\n");
const emptyBulk = encoder.encode("$0\r\n\r\n");

const dollar = 0x24;
const asterisk = 0x2a;
const percent = 0x25;
const tilde = 0x7e;
const colon = 0x3a;
const minus = 0x2d;
const carriageReturn = 0x0d;
const lineFeed = 0x0a;
const digitZero = 0x30;

/** Up to this many bytes a loop copies faster than a call of the runtime. */
const loopBytesMax = 96;

/** The longest number and its marks: a sign, 16 digits, a type and a line end. */
const numberBytesMax = 24;

/** Writes replies in the Redis wire to the writer that all replies share. */
export class RedisWriter {
  /** The version that the client speaks whose request runs. */
  version: RespVersion = 2;
  readonly #output: ReplyWriter;

  constructor(output: ReplyWriter) {
    this.#output = output;
  }

  /** `OK`. */
  ok(): void {
    this.#output.append(okReply);
  }

  /** `QUEUED`, the reply to a command in a transaction. */
  queued(): void {
    this.#output.append(queuedReply);
  }

  /** A status: a word or a short text without line breaks. */
  status(text: string): void {
    this.#output.text(`+${text}\r\n`);
  }

  /** An error; the text begins with its code, such as `ERR`. Line breaks become spaces. */
  error(text: string): void {
    this.#output.text(`-${text.replace(/[\r\n]/g, " ")}\r\n`);
  }

  /** A whole number from -(2^53 - 1) to 2^53 - 1. */
  integer(value: number): void {
    this.#number(colon, value);
  }

  /** A signed 64-bit number. */
  bigInteger(value: bigint): void {
    this.#output.text(`:${value}\r\n`);
  }

  /** True or false: in version 2, 1 or 0. */
  boolean(value: boolean): void {
    if (this.version === 3) this.#output.text(value ? "#t\r\n" : "#f\r\n");
    else this.integer(value ? 1 : 0);
  }

  /** A number with a fraction: in version 2, its text. */
  double(text: string): void {
    if (this.version === 3) this.#output.text(`,${text}\r\n`);
    else this.text(text);
  }

  /** No value. */
  missing(): void {
    this.#output.append(this.version === 3 ? nullReply : nullBulk);
  }

  /** No array, as EXEC answers when a watched key has changed. */
  missingArray(): void {
    this.#output.append(this.version === 3 ? nullReply : nullArray);
  }

  /** The bytes `bytes[start, end)`. */
  bulk(bytes: Uint8Array, start: number, end: number): void {
    const length = end - start;
    if (length === 0) return this.#output.append(emptyBulk);
    this.bulkHead(length);
    const output = this.#output;
    output.reserve(length + 2);
    if (length <= loopBytesMax) {
      const to = output.bytes;
      let at = output.length;
      while (start < end) to[at++] = bytes[start++];
      output.length = at;
    } else {
      output.bytes.set(bytes.subarray(start, end), output.length);
      output.length += length;
    }
    this.endBulk();
  }

  /** What precedes so many bytes; `endBulk` follows them. */
  bulkHead(length: number): void {
    this.#number(dollar, length);
  }

  /** Ends a bulk string. */
  endBulk(): void {
    const output = this.#output;
    output.reserve(2);
    output.bytes[output.length] = carriageReturn;
    output.bytes[output.length + 1] = lineFeed;
    output.length += 2;
  }

  /** A text as a bulk string, in UTF-8. */
  text(text: string): void {
    const bytes = encoder.encode(text);
    this.bulk(bytes, 0, bytes.length);
  }

  /** A long text for people: version 3 marks it as such. */
  verbatim(text: string): void {
    if (this.version === 2) return this.text(text);
    const bytes = encoder.encode(`txt:${text}`);
    this.#output.text(`=${bytes.length}\r\n`);
    this.#output.append(bytes);
    this.endBulk();
  }

  /** The head of an array of so many replies. */
  array(count: number): void {
    this.#number(asterisk, count);
  }

  /** The head of a map of so many pairs: in version 2, of an array of twice as many replies. */
  map(pairs: number): void {
    if (this.version === 3) this.#number(percent, pairs);
    else this.array(2 * pairs);
  }

  /** The head of a set: in version 2, of an array. */
  set(count: number): void {
    this.#number(this.version === 3 ? tilde : asterisk, count);
  }

  #number(mark: number, value: number): void {
    const output = this.#output;
    output.reserve(numberBytesMax);
    const { bytes } = output;
    bytes[output.length++] = mark;
    if (value < 0) {
      bytes[output.length++] = minus;
      value = -value;
    }
    if (value < 10) bytes[output.length++] = digitZero + value;
    else output.number(value);
    bytes[output.length] = carriageReturn;
    bytes[output.length + 1] = lineFeed;
    output.length += 2;
  }
}
