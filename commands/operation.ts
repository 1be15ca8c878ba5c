/**
 * Operations: unfinished work of a request. There is no other kind.
 *
 * A request that cannot end at once (a large value that is copied in parts, a flush, a reply that
 * waits for a commit) becomes an operation that its session owns. The session takes its first step
 * at once, steps it until it is done, and cancels it when the client leaves or a limit is hit.
 * Replies leave in the order of the requests, whatever the order in which operations end.
 *
 * @module
 */

import type { Context } from "./context.ts";

/**
 * How far a step came:
 *
 * - `"done"`: the reply is complete;
 * - `"yield"`: step again after other connections had their turn;
 * - `"drain"`: step again once what is written so far was sent;
 * - `"wait"`: step again after the operation has called `onReady`.
 */
export type Step = "done" | "yield" | "drain" | "wait";

/** Unfinished work of one request. */
export interface Operation {
  /**
   * True: later requests of the connection do not begin before the operation is done, and the bytes
   * of its own request stay where they are. False: later requests run, and their replies wait for
   * the operation's reply; it must have copied what it needs of its request.
   */
  readonly isExclusive: boolean;
  /** Bytes of memory that it holds for its reply. */
  readonly heldBytes: number;
  /** Set by the session. An operation that waits calls it when it can go on. */
  onReady?: () => void;
  /** Does a bounded share of the work, and writes a part of the reply to `context.output`. */
  step(context: Context, bytes: Uint8Array): Step;
  /** Gives back everything that the operation holds. No step follows. */
  cancel(context: Context): void;
}
