/**
 * A session: one client's requests, run in order, and their replies in the same order.
 *
 * A session takes whole lines, records whether the client has logged in, and owns the operations of
 * its requests. While an exclusive operation is under way, it runs no further line. Behind any
 * other operation it runs further lines, and holds their replies back until the operation's reply
 * is written. A session knows neither sockets nor how lines are found.
 *
 * @module
 */

import {
  type ClientRecord,
  type CommandTable,
  type Context,
  type Operation,
  RedisClient,
  redisTable,
  type SessionControl,
  type SocketAddresses,
  type Step,
} from "../commands/mod.ts";
import type { ThreadJournal } from "../journal/mod.ts";
import {
  Arguments,
  type ArrayParser,
  authenticationRequired,
  type ErrorReply,
} from "../protocol.ts";
import { holdArray, holdLine } from "./held_request.ts";

/** The most replies that one session holds back behind an operation. */
export const heldRepliesMax = 1024;

/** Bytes of held-back replies beyond which a session runs no further line. */
export const heldReplyBytesMax = 256 * 1024;

/** The interface of a connection to its session. */
export interface SessionOwner {
  /** See `SessionControl.tryHold`. */
  tryHold(bytes: number): boolean;
  /** See `SessionControl.whenFree`. */
  whenFree(bytes: number, callback: () => void): () => void;
  /** See `SessionControl.authenticationFailed`. */
  authenticationFailed(): void;
  /** An operation that waited can go on: step the session. */
  wake(): void;
  /**
   * The output has the reply to a change, or a part of one, at `[start, end)`: it must not leave
   * before the journal has decided about the change at this position.
   */
  hasChanged?(start: number, end: number, position: number): void;
}

/** The part of a client's record that its session knows. */
export type SessionRecord = Omit<
  ClientRecord,
  keyof SocketAddresses | "ageMs" | "idleMs" | "inputBytes" | "outputBytes"
>;

/** A reply that is incomplete, or held back behind an earlier one. */
interface PendingReply {
  /** The operation that writes the reply; undefined when the reply is complete. */
  operation: Operation | undefined;
  /** The result of the operation's last step. */
  step: Step;
  /** The parts of the reply that were written while it was not the first. */
  readonly written: Uint8Array[];
  /** The verb's number, for INFO. */
  readonly verb: number;
  /** Whether the client does not want it. */
  readonly isMuted: boolean;
  /** The position of the last change of the request, where replies wait for the disk. */
  position?: number;
}

/** Runs the requests of one client. */
export class Session implements SessionControl {
  /** The number of the connection. */
  readonly id: number;
  /** Whether the client has logged in, or no token is required. */
  isAuthenticated: boolean;
  /** True once no further request of this client runs. */
  isClosing = false;
  /** True while a reply is incomplete or held back. */
  hasPending = false;
  /** True while no further line may run. */
  isBusy = false;
  /** What the server knows of a client that speaks Redis; undefined for one that sends lines. */
  redis: RedisClient | undefined;
  /** The number of the last request's verb; -1 before the first one. */
  lastVerb = noVerb;
  readonly #context: Context;
  readonly #table: CommandTable;
  readonly #owner: SessionOwner;
  /** Where changes are recorded; undefined where nothing is kept. */
  readonly #journal: ThreadJournal | undefined;
  /** Replies that are not completely written to the output, in the order of their requests. */
  readonly #pending: PendingReply[] = [];
  /** Bytes of replies that are held back. */
  #heldBackBytes = 0;

  constructor(
    context: Context,
    table: CommandTable,
    owner: SessionOwner,
    journal?: ThreadJournal,
  ) {
    this.#journal = journal;
    this.#context = context;
    this.#table = table;
    this.#owner = owner;
    this.id = context.connectionId();
    this.isAuthenticated = context.isToken === undefined;
  }

  /** What CLIENT LIST shows of the client. */
  record(): SessionRecord {
    const { redis, lastVerb } = this;
    const transaction = redis?.transaction;
    return {
      id: this.id,
      command: lastVerb === noVerb ? "" : this.#context.nameOf(lastVerb).toLowerCase(),
      queuedBytes: this.queuedBytes,
      respVersion: redis?.version ?? 0,
      name: redis?.name ?? "",
      libraryName: redis?.libraryName ?? "",
      libraryVersion: redis?.libraryVersion ?? "",
      queuedRequests: transaction?.isOpen === true ? transaction.count : -1,
      watchedKeys: transaction?.watchedKeys ?? 0,
      isNoEvict: redis?.isNoEvict ?? false,
      isNoTouch: redis?.countsReads === false,
    };
  }

  /** Bytes of requests that wait for the end of a transaction. */
  get queuedBytes(): number {
    return this.redis?.transaction?.heldBytes ?? 0;
  }

  /** Bytes that operations hold, and bytes of replies that are held back. */
  get heldBytes(): number {
    if (this.#pending.length === 0) return 0;
    return this.#pending.reduce(
      (sum, { operation }) => sum + (operation?.heldBytes ?? 0),
      this.#heldBackBytes,
    );
  }

  /** Whether the client has sent an array: it speaks Redis to its end. */
  get speaksRedis(): boolean {
    return this.redis !== undefined;
  }

  /** Runs the line `bytes[start, end)`. The session must not be busy. */
  run(bytes: Uint8Array, start: number, end: number): void {
    const context = this.#context;
    const table = this.#table;
    const journal = this.#journal;
    context.redisClient = undefined;
    const { output } = context;
    const before = output.length;
    const changesBefore = journal === undefined ? 0 : journal.changes;
    // The arguments of a client that has not logged in are not parsed.
    if (!this.isAuthenticated && !table.needsNoAuth(bytes, start, end)) {
      context.fail(authenticationRequired);
    } else {
      const { request } = context;
      table.parse(bytes, start, end, request);
      if (request.error !== undefined) {
        context.fail(request.error);
      } else {
        this.lastVerb = request.verb;
        const operation = journal?.holdsWrites === true && table.mayWrite(request)
          ? holdLine(journal, context, table, this)
          : table.execute(context, request, bytes, this);
        if (operation !== undefined) {
          this.#begin(operation, request.verb, bytes, before, false, changesBefore);
          return;
        }
      }
    }
    if (this.hasPending) this.#holdBack(undefined, noVerb, before);
    if (journal !== undefined && journal.changes !== changesBefore) this.#changed(before);
  }

  /** Runs the array that the parser has read. The session must not be busy. */
  runArray(bytes: Uint8Array, parser: ArrayParser): void {
    const context = this.#context;
    const client = this.redis ??= new RedisClient();
    context.redisClient = client;
    const before = context.output.length;
    const isSkipped = client.replyMode === "skip next";
    if (isSkipped) client.replyMode = "on";
    const journal = this.#journal;
    const changesBefore = journal === undefined ? 0 : journal.changes;
    const isHeld = journal?.holdsWrites === true && this.isAuthenticated &&
      redisTable.mayWrite(parser.args, bytes, this);
    const operation = isHeld
      ? holdArray(journal, context, parser.args, this)
      : redisTable.run(context, parser.args, bytes, this);
    const { verb } = parser.args;
    if (verb >= 0) this.lastVerb = verb;
    const isMuted = isSkipped || client.replyMode === "off";
    if (isMuted) context.output.length = before;
    if (operation !== undefined) {
      // Its offsets are the operation's now.
      parser.args = new Arguments();
      this.#begin(operation, verb, bytes, before, isMuted, changesBefore);
      return;
    }
    if (this.hasPending) this.#holdBack(undefined, noVerb, before);
    if (journal !== undefined && journal.changes !== changesBefore) this.#changed(before);
  }

  /** The output since `before`, or the last reply that is held back, says that something changed. */
  #changed(before: number): void {
    const { waits, position } = this.#journal!;
    if (!waits) return;
    if (this.hasPending) this.#pending[this.#pending.length - 1].position = position;
    else this.#owner.hasChanged?.(before, this.#context.output.length, position);
  }

  /** Answers an array that cannot be read; what follows it cannot be read either. */
  refuseArray(error: string): void {
    const context = this.#context;
    context.redisClient = this.redis ??= new RedisClient();
    const before = context.output.length;
    context.failRedis("broken_request", `ERR Protocol error: ${error}`);
    this.#answered(before);
    this.close();
  }

  /** Answers with an error instead of running a line. */
  answer(error: ErrorReply): void {
    const context = this.#context;
    context.redisClient = this.redis;
    const before = context.output.length;
    context.fail(error);
    this.#answered(before);
  }

  /** Puts the output since `before` behind the pending replies; drops it where none is wanted. */
  #answered(before: number): void {
    if (this.redis?.replyMode === "off") this.#context.output.length = before;
    else if (this.hasPending) this.#holdBack(undefined, noVerb, before);
  }

  /** Answers with an error, and ends the connection. */
  refuse(error: ErrorReply): void {
    this.answer(error);
    this.close();
  }

  /** The result of the first pending reply's last step; `"done"` when none is pending. */
  get pendingStep(): Step {
    return this.#pending.length === 0 ? "done" : this.#pending[0].step;
  }

  /** Steps each operation that can go on; an exclusive one only when its reply is the first. */
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

  /** Cancels every operation. No further request runs. */
  cancel(): void {
    this.isClosing = true;
    for (const reply of this.#pending.splice(0)) {
      reply.operation?.cancel(this.#context);
      reply.operation = undefined;
    }
    this.#pendingChanged();
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

  #begin(
    operation: Operation,
    verb: number,
    bytes: Uint8Array,
    before: number,
    isMuted: boolean,
    changesBefore: number,
  ): void {
    const isFirst = this.#pending.length === 0;
    const journal = this.#journal;
    const hasChanged = journal !== undefined && journal.changes !== changesBefore;
    if (!isFirst) {
      this.#holdBack(operation, verb, before, isMuted);
      if (hasChanged) this.#changed(before);
      return;
    }
    const reply: PendingReply = { operation, step: "yield", written: [], verb, isMuted };
    if (hasChanged && journal.waits) reply.position = journal.position;
    this.#pending.push(reply);
    operation.onReady = () => this.#ready(reply);
    this.#stepOne(reply, operation, bytes, true);
    this.#writeCompleted();
  }

  /** Moves the output since `before` behind the pending replies. */
  #holdBack(
    operation: Operation | undefined,
    verb: number,
    before: number,
    isMuted = false,
  ): void {
    const written = this.#context.output.cut(before);
    this.#heldBackBytes += written.length;
    const reply: PendingReply = {
      operation,
      step: operation === undefined ? "done" : "yield",
      written: written.length > 0 ? [written] : [],
      verb,
      isMuted,
    };
    if (operation !== undefined) operation.onReady = () => this.#ready(reply);
    this.#pending.push(reply);
    this.#pendingChanged();
  }

  #stepOne(
    reply: PendingReply,
    operation: Operation,
    bytes: Uint8Array,
    isFirst: boolean,
  ): void {
    const context = this.#context;
    context.redisClient = this.redis;
    const before = context.output.length;
    const startMs = context.now();
    const journal = this.#journal;
    const changesBefore = journal === undefined ? 0 : journal.changes;
    reply.step = operation.step(context, bytes);
    if (journal?.waits === true && journal.changes !== changesBefore) {
      reply.position = journal.position;
    }
    context.counters.time(reply.verb, context.now() - startMs);
    if (reply.step === "done") reply.operation = undefined;
    if (reply.isMuted) context.output.length = before;
    if (context.output.length === before) return;
    if (isFirst) {
      if (reply.position === undefined) return;
      this.#owner.hasChanged?.(before, context.output.length, reply.position);
      return;
    }
    const written = context.output.cut(before);
    reply.written.push(written);
    this.#heldBackBytes += written.length;
  }

  /** Writes the complete replies at the front, and the written part of the first incomplete one. */
  #writeCompleted(): void {
    const pending = this.#pending;
    const { output } = this.#context;
    let completed = 0;
    for (const reply of pending) {
      const before = output.length;
      for (const part of reply.written) {
        output.appendRange(part, 0, part.length);
        this.#heldBackBytes -= part.length;
      }
      if (reply.position !== undefined && output.length > before) {
        this.#owner.hasChanged?.(before, output.length, reply.position);
      }
      reply.written.length = 0;
      if (reply.operation !== undefined) break;
      completed++;
    }
    pending.splice(0, completed);
    this.#pendingChanged();
  }

  /** Keeps what is asked for each line in fields, which are read without a call. */
  #pendingChanged(): void {
    const { length } = this.#pending;
    this.hasPending = length > 0;
    this.isBusy = length > 0 &&
      (length >= heldRepliesMax || this.#heldBackBytes >= heldReplyBytesMax ||
        this.#pending[length - 1].operation?.isExclusive === true);
  }

  #ready(reply: PendingReply): void {
    if (reply.operation === undefined) return;
    if (reply.step === "wait") reply.step = "yield";
    this.#owner.wake();
  }
}

/** The verb's number of a reply that no operation writes. */
const noVerb = -1;
