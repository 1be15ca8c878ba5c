/**
 * The one error class of the client library. Every promise that a call returns is rejected with a
 * {@linkcode BlinkError}, except for a call that its caller's `AbortSignal` stopped: that one is
 * rejected with the signal's reason, as `fetch` does.
 *
 * @module
 */

/**
 * What went wrong:
 *
 * - `usage`: the call cannot be sent (its key has a blank, say). Nothing was sent.
 * - `reply`: the server answered `ERROR ...`; the message is the server's.
 * - `auth`: the server requires a token, or refused this one.
 * - `connection`: there is no connection, or it was lost.
 * - `timeout`: no reply came in time.
 * - `protocol`: the reply is not one that the request can have. The connection was closed.
 * - `range`: the number is beyond what a JavaScript number holds exactly.
 * - `overload`: too much is waiting to be sent. Nothing was sent.
 * - `lock`: another client holds the lock, or the lock was lost.
 * - `closed`: this program closed the client.
 */
export type BlinkErrorKind =
  | "usage"
  | "reply"
  | "auth"
  | "connection"
  | "timeout"
  | "protocol"
  | "range"
  | "overload"
  | "lock"
  | "closed";

/** The options of a {@linkcode BlinkError}. */
export interface BlinkErrorOptions extends ErrorOptions {
  /** True when the server may have run the request although its reply is unknown; else false. */
  mayHaveRun?: boolean;
}

/**
 * An error of the client library.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { BlinkError } from "@blink/store/client";
 *
 * const error = new BlinkError("usage", "Cannot use the key: it is empty");
 * assert(error.kind === "usage" && !error.mayHaveRun);
 * ```
 */
export class BlinkError extends Error {
  /** What went wrong, to switch on. */
  readonly kind: BlinkErrorKind;
  /**
   * True when the request was sent and its outcome is unknown: it may have run or not. When false,
   * it is safe to make the call again.
   */
  readonly mayHaveRun: boolean;

  /**
   * Makes an error of a kind.
   *
   * @param kind What went wrong.
   * @param message One line that says what, where and, if there is one, the limit.
   * @param options Its cause, and whether the command may have run.
   */
  constructor(kind: BlinkErrorKind, message: string, options: BlinkErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "BlinkError";
    this.kind = kind;
    this.mayHaveRun = options.mayHaveRun ?? false;
  }
}

/** The message of anything thrown, without the runtime's `(os error N)`, to stand after a colon. */
export function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message || error.name : String(error);
  const plain = text.replace(/ ?\(os error \d+\)/, "").replace(/\.$/, "");
  return /^[A-Z][a-z]/.test(plain) ? plain[0].toLowerCase() + plain.slice(1) : plain;
}
