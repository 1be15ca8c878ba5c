/**
 * What the connections of one server share: the engine, the limits, and the counts that the limits
 * are held against.
 *
 * @module
 */

import type { Engine } from "../engine/engine.ts";
import type { SessionOptions } from "../engine/session.ts";
import type { Bell } from "./bell.ts";
import type { BufferPool } from "./buffers.ts";
import type { Connection } from "./connection.ts";
import { Turns } from "./turns.ts";

/** What is the same for every connection. */
export interface HostOptions {
  /** Runs the requests. */
  engine: Engine;
  /** Where buffers come from. */
  buffers: BufferPool;
  /** Lets the runtime look at the sockets, where it can be had. */
  bell: Bell | undefined;
  /** What sessions may do. */
  session: SessionOptions;
  /** The most connections at a time. */
  connectionsMax: number;
  /** The most bytes of all unfinished lines, and likewise of all replies that wait. */
  pendingBytesMax: number;
  /** Is told, in a line, what an operator should know. */
  onEvent: (event: string) => void;
}

/** See the head of this file. */
export class Host {
  readonly engine: Engine;
  readonly buffers: BufferPool;
  /** Who is served when. */
  readonly turns: Turns;
  readonly session: SessionOptions;
  readonly connectionsMax: number;
  readonly pendingBytesMax: number;
  readonly onEvent: (event: string) => void;
  /** The connections that are open. */
  readonly connections: Set<Connection> = new Set();
  /** Bytes of unfinished lines of all connections. */
  unfinishedBytes = 0;
  /** Bytes of replies that wait in all connections. */
  unsentBytes = 0;
  /** Counts sends, so that the connection that waits longest is known without a clock. */
  sends = 0;
  /** Coarse time, in ticks of the timer that watches for idle connections. */
  idleTicks = 0;
  /** True once the server is to end: no connection reads on. */
  isDraining = false;

  constructor(options: HostOptions) {
    this.engine = options.engine;
    this.buffers = options.buffers;
    this.turns = new Turns(this.connections, options.bell);
    this.session = options.session;
    this.connectionsMax = options.connectionsMax;
    this.pendingBytesMax = options.pendingBytesMax;
    this.onEvent = options.onEvent;
  }

  /** Counts an open connection. */
  open(connection: Connection): void {
    this.connections.add(connection);
    const counts = this.engine.counters.connections;
    counts.now = this.connections.size;
    counts.total++;
  }

  /** Counts a connection that has ended. */
  closed(connection: Connection): void {
    this.connections.delete(connection);
    this.engine.counters.connections.now = this.connections.size;
  }

  /**
   * When too many replies wait, closes those connections that have made no progress for longest.
   * One that is alone may always be sent to, however large its reply.
   */
  relieve(except: Connection): void {
    while (this.unsentBytes > this.pendingBytesMax) {
      let stuck: Connection | undefined;
      for (const connection of this.connections) {
        if (connection === except || connection.unsentBytes === 0) continue;
        if (stuck === undefined || connection.lastSend < stuck.lastSend) stuck = connection;
      }
      if (stuck === undefined) return;
      stuck.abort();
    }
  }
}
