/**
 * Keys that KEYS or SCAN has found, in the form of a reply. The reply has their number before them,
 * but it is known after them, so they wait here.
 *
 * @module
 */

import { RedisWriter, ReplyWriter } from "../../protocol.ts";
import type { Context } from "../context.ts";

/** Keys wait in parts of about this size, so that no large block is copied when they grow. */
const partBytes = 128 * 1024;

/** Keys that were found. */
export class FoundKeys {
  /** How many keys there are. */
  count = 0;
  /** Bytes of the reply that they take. */
  bytes = 0;
  readonly #context: Context;
  /** The parts that are not yet written; keys are added to the last one. */
  #parts: ReplyWriter[] = [];
  #writer: RedisWriter | undefined;

  constructor(context: Context) {
    this.#context = context;
  }

  /** Bytes of memory that they take. */
  get heldBytes(): number {
    return this.#parts.reduce((sum, { bytes }) => sum + bytes.length, 0);
  }

  /** Adds a key. */
  add(bytes: Uint8Array, start: number, end: number): void {
    let part = this.#parts.at(-1);
    if (part === undefined || part.length >= partBytes) {
      part = new ReplyWriter(this.#context.buffers);
      this.#parts.push(part);
      this.#writer = new RedisWriter(part);
    }
    const before = part.length;
    this.#writer?.bulk(bytes, start, end);
    this.bytes += part.length - before;
    this.count++;
  }

  /** Writes the next part of the reply; true when that was the last. */
  writeNext(): boolean {
    const part = this.#parts.shift();
    if (part !== undefined) {
      this.#context.output.appendRange(part.bytes, 0, part.length);
      this.#giveBack(part);
    }
    return this.#parts.length === 0;
  }

  /** Forgets the keys. */
  clear(): void {
    for (const part of this.#parts.splice(0)) this.#giveBack(part);
    this.count = this.bytes = 0;
  }

  #giveBack({ bytes }: ReplyWriter): void {
    if (bytes.length > 0) this.#context.buffers.give(bytes);
  }
}
