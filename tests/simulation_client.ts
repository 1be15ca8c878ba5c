/**
 * A simulated client: a connection without a socket, the bytes that it has still to send, and the
 * requests that are not answered yet.
 *
 * @module
 */

import type { Random } from "../loadgen/mod.ts";
import { Connection, type LentBuffer, type ManualServer } from "./server_manual.ts";
import type { FlushUnderWay, ScanUnderWay, Watch } from "./simulation_model.ts";
import { arrayOf, type LineReply, lineReply } from "./simulation_redis.ts";

/** The wire that a client speaks: lines, or a version of Redis's. */
export type Wire = "lines" | "RESP2" | "RESP3";

/** A request that was sent and is not answered. */
export interface Sent {
  readonly line: string;
  readonly flush?: FlushUnderWay;
  readonly scan?: ScanUnderWay;
  /** For EXEC and DISCARD, the requests of the transaction. */
  readonly transaction?: readonly Sent[];
  /** For a request that waits for EXEC. */
  readonly isQueued?: boolean;
  /** For WATCH and EXEC, what is watched. */
  readonly watch?: Watch;
  /** For GET and MGET, the possible texts of each part of the reply when that part began. */
  readonly begun: (readonly string[])[];
}

/** One simulated client. */
export class SimulatedClient {
  readonly connection: Connection;
  readonly wire: Wire;
  /** Requests that are not answered, in order. */
  readonly sent: Sent[] = [];
  /** The reply that is not complete. */
  partial = "";
  /** What it has seen of the connection's output, but not taken. */
  #seen: Uint8Array | undefined;
  /** True while the client takes no replies. */
  isStill = false;
  /** True once the client has half-closed. */
  hasEnded = false;
  /** True once the server has aborted the connection. */
  isClosed = false;
  scan: ScanUnderWay | undefined;
  /** Bytes that are not delivered yet. */
  #outbox: Uint8Array = new Uint8Array(0);

  /** A client whose driver sends from the writer that all share, or from a buffer of its own. */
  constructor(server: ManualServer, sharesOutput: boolean, wire: Wire) {
    this.wire = wire;
    this.connection = new Connection(server.context);
    this.connection.sharesOutput = sharesOutput;
    this.connection.driver = {
      wake() {},
      abort: () => {
        this.isClosed = true;
      },
      peer: () => "simulated",
    };
  }

  /** True when every byte of its requests is delivered. */
  get hasDelivered(): boolean {
    return this.#outbox.length === 0;
  }

  /** True while a reply that waits for time to pass is due. */
  get awaitsLater(): boolean {
    return this.sent.some(({ line }) => line.startsWith("LATER"));
  }

  /** Adds a request behind those that are not delivered yet. */
  send(request: Omit<Sent, "begun">): void {
    const { line } = request;
    const text = this.wire === "lines" ? `${line}\n` : arrayOf(line);
    const outbox = new Uint8Array(this.#outbox.length + text.length);
    outbox.set(this.#outbox);
    for (let at = 0; at < text.length; at++) {
      outbox[this.#outbox.length + at] = text.charCodeAt(at);
    }
    this.#outbox = outbox;
    this.sent.push({ ...request, begun: [] });
  }

  /** The reply to a request, as that to its line, as far as it has come. */
  replyTo(sent: Sent | undefined): LineReply {
    const { partial } = this;
    if (this.wire !== "lines" && sent !== undefined) {
      if (sent.isQueued === true) return lineReply("QUEUED", partial);
      return lineReply(sent.line, partial, sent.transaction?.map(({ line }) => line));
    }
    const lineFeed = partial.indexOf("\n");
    if (lineFeed < 0) return { texts: [partial], isWhole: false, length: 0 };
    return { texts: [partial.slice(0, lineFeed)], isWhole: true, length: lineFeed + 1 };
  }

  /** The connection's output; undefined where it was seen before, and has not changed. */
  unsent(): Uint8Array | undefined {
    const { connection } = this;
    const unsent = connection.sharesOutput
      ? connection.unsentNow().subarray(0, connection.unsentBytes)
      : connection.unsent();
    const seen = this.#seen;
    this.#seen = unsent.slice();
    if (seen === undefined) return unsent;
    if (seen.length === unsent.length && seen.every((byte, n) => byte === unsent[n])) return;
    throw new Error("Replies changed before they were sent");
  }

  /** Takes some of the connection's output, as much as the random choice says. */
  take(random: Random): void {
    const { unsentBytes } = this.connection;
    const part = random.below(3) === 0 ? 1 + random.below(unsentBytes) : unsentBytes;
    this.connection.sent(part);
    this.#seen = part === unsentBytes ? undefined : this.#seen?.subarray(part);
  }

  /** Brings some of its bytes to the server, as many as the random choice says. */
  deliver(random: Random, lent: LentBuffer): void {
    // A driver has a buffer for each connection, or one that it lends.
    const isLent = random.below(2) === 0;
    const space = isLent ? lent.lend(this.connection) : this.connection.space();
    const most = Math.min(space.length, this.#outbox.length);
    const bytes = random.below(3) === 0 ? 1 + random.below(most) : most;
    space.set(this.#outbox.subarray(0, bytes));
    this.connection.received(bytes);
    this.#outbox = this.#outbox.subarray(bytes);
  }
}
