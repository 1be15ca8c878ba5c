/**
 * One call: its request line, and the promise that its caller holds. A call is settled once: by its
 * reply, an error, its deadline or its caller's signal, whichever comes first. A reply that comes
 * later is still consumed, so that replies and calls stay in step.
 *
 * @module
 */

import type { Line } from "./request_lines.ts";

/** The estimated bytes of a waiting call besides its line: its promise and bookkeeping. */
const callOverheadBytes = 256;

/**
 * Makes a call's result from its reply line, given without its line break. Throws a `BlinkError`
 * for a reply that the request cannot have.
 */
export type Parse<T> = (reply: string) => T;

/**
 * A call from when it is made until its reply is consumed. The type of its result is erased.
 */
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

  /** The bytes that the call counts for while it waits to be sent. */
  get queuedBytes(): number {
    return this.line.length + callOverheadBytes;
  }

  /**
   * Settles the call with its reply; throws what the parser throws when the call is not settled.
   */
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
