/**
 * One call: its request line, the promise that its caller holds, and what may end it. A call is
 * settled once: by its reply, an error, its deadline or its caller's signal, whichever comes first.
 * Its reply is consumed all the same when it comes later, so that replies stay in step.
 *
 * @module
 */

import type { Line } from "./codec.ts";

/** What a waiting call is counted as besides its text, in bytes: its promise and bookkeeping. */
const callOverheadBytes = 256;

/** A reply line → what the caller gets; throws a `BlinkError` when there is nothing to get. */
export type Parse<T> = (reply: string) => T;

/** A call whose result type no longer matters. */
export class Call {
  /** True once its caller has an answer or an error. */
  settled = false;
  /** True from the moment its line is handed to the connection. */
  sent = false;
  /** Runs once, when the call is settled. */
  onSettled: (() => void) | undefined = undefined;

  readonly #parse: Parse<unknown>;
  readonly #resolve: (value: unknown) => void;
  readonly #reject: (reason: unknown) => void;

  constructor(
    public line: Line,
    readonly deadlineMs: number,
    readonly timeoutMs: number,
    parse: Parse<unknown>,
    resolve: (value: unknown) => void,
    reject: (reason: unknown) => void,
  ) {
    this.#parse = parse;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  /** What it counts for while it waits to be sent, in bytes. */
  get queuedBytes(): number {
    return this.line.length + callOverheadBytes;
  }

  /** Settles the call with its reply; throws what the parser throws when the call is not settled. */
  answer(reply: string): void {
    if (this.settled) return;
    const value = this.#parse(reply);
    this.#settle();
    this.#resolve(value);
  }

  /** Settles the call with an error. */
  fail(reason: unknown): void {
    if (this.settled) return;
    this.#settle();
    this.#reject(reason);
  }

  #settle(): void {
    this.settled = true;
    this.onSettled?.();
  }
}

/** First in, first out, without moving what is behind the head at each step. */
export class Queue<T> implements Iterable<T> {
  #items: (T | undefined)[] = [];
  #head = 0;

  /** How many items wait. */
  get length(): number {
    return this.#items.length - this.#head;
  }

  /** Adds an item at the end. */
  push(item: T): void {
    this.#items.push(item);
  }

  /** Takes the first item. */
  shift(): T | undefined {
    if (this.#head === this.#items.length) return undefined;
    const item = this.#items[this.#head];
    this.#items[this.#head++] = undefined;
    if (this.#head === this.#items.length) {
      this.#items.length = this.#head = 0;
    } else if (this.#head >= 1024 && this.#head * 2 > this.#items.length) {
      this.#items.splice(0, this.#head);
      this.#head = 0;
    }
    return item;
  }

  /** Drops every item. */
  clear(): void {
    this.#items.length = this.#head = 0;
  }

  /** The items, first to last. */
  *[Symbol.iterator](): Iterator<T> {
    for (let at = this.#head; at < this.#items.length; at++) yield this.#items[at] as T;
  }
}
