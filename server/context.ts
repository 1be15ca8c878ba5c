/**
 * What the connections of one event loop share: the commands' context, the limits, and the counts
 * that are compared with the limits. `tick` passes the time in. A server has a context for each of
 * its threads, and its limits hold for all of them together.
 *
 * @module
 */

import type { ClientRecord, Clients, CommandTable, Context } from "../commands/mod.ts";
import { ArrayParser } from "../protocol.ts";
import type { ThreadJournal } from "../journal/mod.ts";
import { InvariantError } from "../store.ts";
import type { BufferPool } from "./buffer_pool.ts";
import type { Events } from "./event_log.ts";
import { OwnClients } from "./clients.ts";
import { MemoryBound } from "./memory_bound.ts";
import { ThreadBound } from "./thread_bounds.ts";
import type { ThreadLink } from "./thread_link.ts";
import type { BoundName } from "./thread_state.ts";

/** The limits that an operator can choose. */
export interface Limits {
  /** The most connections at a time. */
  readonly connectionsMax: number;
  /** The longest line, in bytes without its end. */
  readonly lineBytesMax: number;
  /** The most bytes of all unfinished lines; the same bound holds for all unsent replies. */
  readonly pendingBytesMax: number;
  /** Connections on which nothing moves for this long are closed; 0 for never. */
  readonly idleTimeoutMs: number;
}

/** The interface of a connection to the context. */
export interface OpenConnection {
  /** Bytes of unsent replies, including those that operations hold. */
  readonly heldReplyBytes: number;
  /** Whether the idle time-out is over. */
  isOverdue(nowMs: number, timeoutMs: number): boolean;
  /** Whether replies wait for a client that has taken nothing for `durationMs`. */
  isStalled(nowMs: number, durationMs: number): boolean;
  /** Ends the connection now. */
  abort(): void;
  /** The client's address, for reports. */
  peer(): string;
  /** What CLIENT LIST shows of it. */
  record(nowMs: number): ClientRecord;
}

/** The share of `pendingBytesMax` that clients may hold together before they log in. */
export const strangersShare = 1 / 16;

/** A connection that takes nothing of its replies for this long can be closed to make room. */
export const stalledMs = 1000;

/** Bytes of values that may be copied for replies between two polls of the sockets. */
export const copiedBytesMax = 8 * 1024 * 1024;

/** The parts of a server context. */
export interface ServerContextOptions {
  /** The context that commands run on. */
  readonly commands: Context;
  /** The table of commands. */
  readonly table: CommandTable;
  /** Where buffers come from. */
  readonly buffers: BufferPool;
  /** The limits. */
  readonly limits: Limits;
  /** Where events are reported. */
  readonly events: Events;
  /** The way to the other threads of the server, where there are some. */
  readonly link?: ThreadLink;
  /** Where changes are recorded, if they are kept. */
  readonly journal?: ThreadJournal;
  /** Makes the clients of all threads from those of this one; this one's alone by default. */
  readonly clients?: (context: ServerContext) => Clients;
  /** Called when an invariant is broken: the server cannot go on. */
  readonly onBroken: (error: Error) => void;
}

/** The state that all connections of one event loop share. */
export class ServerContext {
  readonly commands: Context;
  readonly table: CommandTable;
  readonly buffers: BufferPool;
  readonly limits: Limits;
  readonly events: Events;
  /** Where changes are recorded; undefined where nothing is kept. */
  readonly journal: ThreadJournal | undefined;
  /** Bytes of unfinished lines of all connections. */
  readonly input: MemoryBound;
  /** The part of `input` that belongs to clients that have not logged in. */
  readonly strangersInput: MemoryBound;
  /** Bytes of unsent replies of all connections. */
  readonly replies: MemoryBound;
  /** The connections that are open. */
  readonly connections: Set<OpenConnection> = new Set();
  /** Reads the arrays of the connection that runs, one that has arrived as a whole at a time. */
  arrays: ArrayParser = new ArrayParser();
  /** The time of the last tick. */
  nowMs: number;
  /** True once the server is shutting down: no connection reads on. */
  isDraining = false;
  /** Bytes of values that were copied for replies since the last poll. */
  #copiedBytes = 0;
  /** Whether a reply waits until other connections had their turn: `polled` is to be called. */
  isPollWanted = false;
  /** Called when a reply begins to wait for `polled`. A loop that does not poll anyway then does. */
  onPollWanted: (() => void) | undefined;
  readonly #onBroken: (error: Error) => void;
  readonly #link: ThreadLink | undefined;
  /** This thread's part in `replies`. */
  readonly #repliesShare: ThreadBound | undefined;

  constructor(options: ServerContextOptions) {
    const { pendingBytesMax } = options.limits;
    this.commands = options.commands;
    this.table = options.table;
    this.buffers = options.buffers;
    this.limits = options.limits;
    this.events = options.events;
    this.journal = options.journal;
    const { link } = options;
    const share = (name: BoundName, bytesMax: number) =>
      link === undefined ? undefined : new ThreadBound(link, name, bytesMax);
    const strangersBytesMax = pendingBytesMax * strangersShare;
    this.input = new MemoryBound(pendingBytesMax, share("input", pendingBytesMax));
    this.strangersInput = new MemoryBound(
      strangersBytesMax,
      share("strangersInput", strangersBytesMax),
    );
    this.#repliesShare = share("replies", pendingBytesMax);
    this.replies = new MemoryBound(pendingBytesMax, this.#repliesShare);
    this.#link = link;
    this.nowMs = options.commands.now();
    this.commands.clients = options.clients?.(this) ?? new OwnClients(this);
    this.#onBroken = options.onBroken;
  }

  /** Whether one more connection is within the limit, which holds for all threads together. */
  get mayAccept(): boolean {
    const open = this.#link?.state.connections ?? this.connections.size;
    return open < this.limits.connectionsMax;
  }

  /** Whether an invariant is broken, here or in another thread: nothing may be served any more. */
  get isBroken(): boolean {
    return this.#link !== undefined && this.#link.isBroken;
  }

  /** Counts an open connection. */
  opened(connection: OpenConnection): void {
    this.connections.add(connection);
    this.commands.counters.connectionOpened();
  }

  /** Counts a connection that has ended. */
  closed(connection: OpenConnection): void {
    if (!this.connections.delete(connection)) return;
    this.commands.counters.connectionClosed();
    this.#link?.state.addConnections(this.#link.thread, -1);
  }

  /** Whether a connection that holds `ownBytes` may now hold `bytes` more for a reply. */
  tryHold(bytes: number, ownBytes: number): boolean {
    const { replies, commands } = this;
    // The only connection that holds replies may hold a reply of any size.
    if (replies.bytes !== ownBytes && !replies.fits(bytes + commands.output.length)) {
      return false;
    }
    if (this.#copiedBytes > 0 && this.#copiedBytes + bytes > copiedBytesMax) {
      this.isPollWanted = true;
      this.onPollWanted?.();
      return false;
    }
    this.#copiedBytes += bytes;
    // A large value takes a while to be copied, and another thread may ask meanwhile.
    replies.announce(bytes + commands.output.length);
    return true;
  }

  /**
   * The sockets were polled, so other connections have had their turn: operations may copy again.
   */
  polled(): void {
    this.#copiedBytes = 0;
    this.replies.settle();
    if (!this.isPollWanted) return;
    this.isPollWanted = false;
    this.replies.wake();
  }

  /** Does work that is due without a request: expiry and flushes. True when more is due now. */
  sweep(): boolean {
    // Nothing may change while changes are being undone.
    if (this.journal?.enter() === false) return false;
    try {
      return this.commands.store.sweep();
    } catch (error) {
      this.broken(error);
      return false;
    } finally {
      this.journal?.leave();
    }
  }

  /** Closes overdue connections, and frees reply memory if an operation waits for it. */
  tick(nowMs: number): void {
    this.nowMs = nowMs;
    this.events.tick(nowMs);
    this.commands.sampleRequests(nowMs);
    this.buffers.trim();
    const { idleTimeoutMs } = this.limits;
    if (idleTimeoutMs > 0) {
      for (const connection of this.connections) {
        if (connection.isOverdue(nowMs, idleTimeoutMs)) connection.abort();
      }
    }
    this.polled();
    this.#makeRoom(nowMs);
    // A call to wake this thread may have gone unnoticed.
    this.journal?.advanced();
    if (this.#link === undefined) return;
    this.#link.state.beat(this.#link.thread);
    this.replies.showWanted();
    // Memory that another thread has freed may have gone unnoticed.
    this.replies.wake();
  }

  /** Closes stalled connections, the largest first, while an operation waits for their memory. */
  #makeRoom(nowMs: number): void {
    const { bytes, bytesMax, wantedBytes } = this.replies;
    let missing = wantedBytes === 0 ? 0 : bytes + wantedBytes - bytesMax;
    for (;;) {
      const largest = missing > 0 ? this.#largestStalled(nowMs) : undefined;
      const largestBytes = largest?.heldReplyBytes ?? 0;
      const isLargest = this.#repliesShare?.isLargestStalled(largestBytes) ?? true;
      if (largest === undefined || !isLargest) return;
      this.#closeStalled(largest, largestBytes, nowMs);
      missing -= largestBytes;
    }
  }

  /**
   * A fault while a request was run. A contradiction in the store ends the server, and so does an
   * error that only wrong code can cause, since it may have left a change half done. Any other,
   * such as memory that the system does not give, ends the connection.
   */
  runFault(error: unknown): void {
    const isFatal = error instanceof InvariantError || error instanceof TypeError ||
      error instanceof ReferenceError;
    if (isFatal) this.broken(error);
    else this.fault(error);
  }

  /** A fault that ends one connection. */
  fault(error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    this.events.report("fault", `Connection closed after a fault: ${message}`, this.nowMs);
  }

  /** Ends the server, since an invariant is broken. */
  broken(error: unknown): void {
    this.#onBroken(error instanceof Error ? error : new Error(String(error)));
  }

  /**
   * The connection that holds the most reply bytes, among those whose client has taken nothing for
   * a while: one that makes progress is never closed.
   */
  #largestStalled(nowMs: number): OpenConnection | undefined {
    let largest: OpenConnection | undefined;
    for (const connection of this.connections) {
      if (!connection.isStalled(nowMs, stalledMs)) continue;
      if (connection.heldReplyBytes > (largest?.heldReplyBytes ?? 0)) largest = connection;
    }
    return largest;
  }

  #closeStalled(connection: OpenConnection, bytes: number, nowMs: number): void {
    this.events.report(
      "slow client",
      `Closed a client that took none of its ${bytes} bytes of replies for ` +
        `${stalledMs} ms, since other replies needed the memory: ${connection.peer()}`,
      nowMs,
    );
    connection.abort();
  }
}
