/**
 * A session: one client's requests, run in order, and their replies in the same order.
 *
 * It gets whole lines, keeps whether the client has logged in, and owns the operations that its
 * requests became. While an exclusive operation is under way, it runs no further line. Behind one
 * that is not exclusive it goes on, and holds the later replies back until the earlier one is
 * written. It knows neither sockets nor how lines are found.
 *
 * @module
 */

import type { CommandTable, Context, Operation, SessionControl, Step } from "../commands/mod.ts";
import { authenticationRequired, type ErrorReply } from "../protocol.ts";

/** Replies that one session may hold back behind an operation that waits. */
export const heldRepliesMax = 1024;

/** Bytes of such replies beyond which it runs no further line. */
export const heldReplyBytesMax = 256 * 1024;

/** What a session asks of its connection. */
export interface SessionOwner {
  /** See `SessionControl.tryHold`. */
  tryHold(bytes: number): boolean;
  /** See `SessionControl.whenFree`. */
  whenFree(bytes: number, callback: () => void): () => void;
  /** See `SessionControl.authenticationFailed`. */
  authenticationFailed(): void;
  /** An operation that waited can go on: the session is to be stepped. */
  wake(): void;
}

/** A reply that is not written yet, or that waits for one before it. */
interface PendingReply {
  /** The operation that writes it; undefined when it is complete. */
  operation: Operation | undefined;
  /** How far its last step came. */
  step: Step;
  /** What is written of it while it is not the first. */
  readonly written: Uint8Array[];
  /** Its verb's number, for INFO. */
  readonly verb: number;
}

/** Runs the requests of one client. */
export class Session implements SessionControl {
  /** Whether the client has logged in, or no token is required. */
  isAuthenticated: boolean;
  /** True once nothing more of this client is run. */
  isClosing = false;
  readonly #context: Context;
  readonly #table: CommandTable;
  readonly #owner: SessionOwner;
  /** Replies that are not written to the output yet, in the order of their requests. */
  readonly #pending: PendingReply[] = [];
  /** Bytes of replies that are written but held back. */
  #heldBackBytes = 0;

  constructor(context: Context, table: CommandTable, owner: SessionOwner) {
    this.#context = context;
    this.#table = table;
    this.#owner = owner;
    this.isAuthenticated = context.isToken === undefined;
  }

  /** True while no further line may be run. */
  get isBusy(): boolean {
    const { length } = this.#pending;
    if (length === 0) return false;
    return length >= heldRepliesMax || this.#heldBackBytes >= heldReplyBytesMax ||
      this.#pending[length - 1].operation?.isExclusive === true;
  }

  /** True while replies are missing that only operations can complete. */
  get hasPending(): boolean {
    return this.#pending.length > 0;
  }

  /** Bytes that its operations hold, and replies that it holds back. */
  get heldBytes(): number {
    if (this.#pending.length === 0) return 0;
    return this.#pending.reduce(
      (sum, { operation }) => sum + (operation?.heldBytes ?? 0),
      this.#heldBackBytes,
    );
  }

  /** Runs the line `bytes[start, end)`. Only while the session is not busy. */
  run(bytes: Uint8Array, start: number, end: number): void {
    const context = this.#context;
    const table = this.#table;
    const { output } = context;
    const before = output.length;
    // A stranger's arguments are not even looked at.
    if (!this.isAuthenticated && !table.needsNoAuth(bytes, start, end)) {
      context.fail(authenticationRequired);
    } else {
      const { request } = context;
      table.parse(bytes, start, end, request);
      if (request.error !== undefined) {
        context.fail(request.error);
      } else {
        const operation = table.execute(context, request, bytes, this);
        if (operation !== undefined) {
          this.#begin(operation, request.verb, bytes, before);
          return;
        }
      }
    }
    if (this.#pending.length > 0) this.#holdBack(undefined, noVerb, before);
  }

  /** Answers a line that is not run with an error. */
  answer(error: ErrorReply): void {
    const before = this.#context.output.length;
    this.#context.fail(error);
    if (this.#pending.length > 0) this.#holdBack(undefined, noVerb, before);
  }

  /** How far the first operation came; `"done"` when none is pending. */
  get pendingStep(): Step {
    return this.#pending.length === 0 ? "done" : this.#pending[0].step;
  }

  /** Steps each operation that can go on, an exclusive one only when it is the first. */
  step(bytes: Uint8Array): void {
    const pending = this.#pending;
    for (let n = 1; n < pending.length; n++) {
      const { operation, step } = pending[n];
      if (operation === undefined || step === "wait" || operation.isExclusive) continue;
      this.#stepOne(pending[n], operation, bytes, false);
    }
    const first = pending.at(0);
    if (first?.operation !== undefined && first.step !== "wait") {
      this.#stepOne(first, first.operation, bytes, true);
    }
    this.#writeCompleted();
  }

  /** Cancels every operation. Nothing more is run. */
  cancel(): void {
    this.isClosing = true;
    for (const reply of this.#pending.splice(0)) {
      reply.operation?.cancel(this.#context);
      reply.operation = undefined;
    }
  }

  close(): void {
    this.isClosing = true;
  }

  authenticationFailed(): void {
    this.#owner.authenticationFailed();
  }

  tryHold(bytes: number): boolean {
    return this.#owner.tryHold(bytes);
  }

  whenFree(bytes: number, callback: () => void): () => void {
    return this.#owner.whenFree(bytes, callback);
  }

  #begin(operation: Operation, verb: number, bytes: Uint8Array, before: number): void {
    const isFirst = this.#pending.length === 0;
    if (!isFirst) {
      this.#holdBack(operation, verb, before);
      return;
    }
    const reply: PendingReply = { operation, step: "yield", written: [], verb };
    this.#pending.push(reply);
    operation.onReady = () => this.#ready(reply);
    this.#stepOne(reply, operation, bytes, true);
    this.#writeCompleted();
  }

  /** Moves what was written since `before` behind the replies that are pending. */
  #holdBack(operation: Operation | undefined, verb: number, before: number): void {
    const written = this.#context.output.cut(before);
    this.#heldBackBytes += written.length;
    const reply: PendingReply = {
      operation,
      step: operation === undefined ? "done" : "yield",
      written: written.length > 0 ? [written] : [],
      verb,
    };
    if (operation !== undefined) operation.onReady = () => this.#ready(reply);
    this.#pending.push(reply);
  }

  #stepOne(
    reply: PendingReply,
    operation: Operation,
    bytes: Uint8Array,
    isFirst: boolean,
  ): void {
    const context = this.#context;
    const before = context.output.length;
    const startMs = context.now();
    reply.step = operation.step(context, bytes);
    context.counters.time(reply.verb, context.now() - startMs);
    if (reply.step === "done") reply.operation = undefined;
    if (isFirst || context.output.length === before) return;
    const written = context.output.cut(before);
    reply.written.push(written);
    this.#heldBackBytes += written.length;
  }

  /** Writes the complete replies at the front, and what there is of the first incomplete one. */
  #writeCompleted(): void {
    const pending = this.#pending;
    const { output } = this.#context;
    let completed = 0;
    for (const reply of pending) {
      for (const part of reply.written) {
        output.appendRange(part, 0, part.length);
        this.#heldBackBytes -= part.length;
      }
      reply.written.length = 0;
      if (reply.operation !== undefined) break;
      completed++;
    }
    pending.splice(0, completed);
  }

  #ready(reply: PendingReply): void {
    if (reply.operation === undefined) return;
    if (reply.step === "wait") reply.step = "yield";
    this.#owner.wake();
  }
}

/** The verb's number of a reply that no operation writes. */
const noVerb = -1;
