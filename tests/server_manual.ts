/**
 * A server without sockets and timers. The test drives each connection, moves the time, and chooses
 * how requests are cut. Replies are collected.
 *
 * @module
 */

import {
  type Command,
  commands,
  CommandTable,
  Context,
  Counters,
  redisTable,
} from "../commands/mod.ts";
import { BufferPool } from "../server/buffer_pool.ts";
import { Connection, type ConnectionDriver, type Want } from "../server/connection.ts";
import { type Limits, ServerContext } from "../server/context.ts";
import { serverDefaults } from "../server/defaults.ts";
import { EventLog } from "../server/event_log.ts";
import { type Storage, Store } from "../store.ts";
import { bytesOf } from "./raw_client.ts";

export { Connection };

/** A clock that a test moves, and the timers on it. */
export class ManualClock {
  nowMs = 1000;
  readonly #timers = new Set<{ readonly dueMs: number; readonly callback: () => void }>();

  readonly now = (): number => this.nowMs;

  readonly schedule = (delayMs: number, callback: () => void): () => void => {
    const timer = { dueMs: this.nowMs + delayMs, callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  };

  /** Timers that have not run. */
  get timers(): number {
    return this.#timers.size;
  }

  /** Lets time pass, and runs what is due. */
  advance(ms: number): void {
    const untilMs = this.nowMs + ms;
    for (;;) {
      const due = [...this.#timers].filter(({ dueMs }) => dueMs <= untilMs);
      due.sort((a, b) => a.dueMs - b.dueMs);
      const next = due.at(0);
      if (next === undefined) break;
      this.#timers.delete(next);
      this.nowMs = Math.max(this.nowMs, next.dueMs);
      next.callback();
    }
    this.nowMs = untilMs;
  }
}

/** The options of a manual server. */
export interface ManualOptions extends Partial<Limits> {
  /** The store; a new one of `limitBytes` by default. */
  readonly store?: Storage;
  /** The store's limit; 1 MiB by default. */
  readonly limitBytes?: number;
  /** The token that clients must log in with. */
  readonly token?: string;
  /** Commands besides those of the table. */
  readonly commands?: readonly Command[];
  /** The clock; a new one by default. */
  readonly clock?: ManualClock;
  /** Whether other threads use the store: each request then enters its key. */
  readonly isShared?: boolean;
}

/** A server that a test drives by hand. */
export class ManualServer {
  readonly clock: ManualClock;
  readonly store: Storage;
  readonly context: ServerContext;
  /** What was reported. */
  readonly events: string[] = [];
  /** The invariant that is broken, if one is. */
  broken: Error | undefined;

  constructor(options: ManualOptions = {}) {
    this.clock = options.clock ?? new ManualClock();
    this.store = options.store ??
      new Store({ limitBytes: options.limitBytes ?? 1 << 20, now: this.clock.now });
    const table = new CommandTable([...commands, ...options.commands ?? []]);
    const token = options.token === undefined ? undefined : bytesOf(options.token);
    const buffers = new BufferPool();
    const counters = new Counters();
    this.context = new ServerContext({
      commands: new Context({
        store: this.store,
        version: "0",
        verbs: table.verbs,
        redisVerbs: redisTable.verbs,
        schedule: this.clock.schedule,
        now: this.clock.now,
        buffers,
        requestBytesMax: options.lineBytesMax,
        shared: options.isShared
          ? {
            counters,
            allCounters: [counters],
            locks: { shards: 1, lockWaits: 0 },
            startedAtMs: this.clock.nowMs,
          }
          : undefined,
        isToken: token &&
          ((bytes, start, end) =>
            end - start === token.length && token.every((byte, n) => byte === bytes[start + n])),
      }),
      table,
      buffers,
      limits: { ...serverDefaults, ...options },
      events: new EventLog((event) => this.events.push(event)),
      onBroken: (error) => this.broken ??= error,
    });
  }

  /** A new connection. */
  connect(): ManualConnection {
    return new ManualConnection(this.context);
  }

  /** Lets time pass, with the ticks of a server. */
  advance(ms: number, tickMs = 100): void {
    for (let left = ms; left > 0; left -= tickMs) {
      this.clock.advance(Math.min(left, tickMs));
      this.context.tick(this.clock.nowMs);
    }
  }
}

/**
 * One buffer that connections read into by turns, as in the epoll loop. It is spoiled when it is
 * given back, so that a connection which still reads it is found out.
 */
export class LentBuffer {
  readonly #bytes = new Uint8Array(64 * 1024);
  #borrower: Connection | undefined;

  /** Lends it for a read; returns the space for that. */
  lend(connection: Connection): Uint8Array {
    this.takeBack();
    this.#borrower = connection;
    return connection.space(this.#bytes);
  }

  /** Takes it back, unless this connection has it. */
  takeBack(except?: Connection): void {
    if (this.#borrower === undefined || this.#borrower === except) return;
    this.#borrower.settle();
    this.#borrower = undefined;
    this.#bytes.fill(0x21);
  }
}

const decoder = new TextDecoder("latin1");

/** Steps that one connection may take in a test. */
const stepsMax = 10_000_000;

/** One client of a manual server. */
export class ManualConnection implements ConnectionDriver {
  readonly connection: Connection;
  /** The replies that came. */
  replies = "";
  isClosed = false;
  isWoken = false;
  #steps = 0;

  readonly #context: ServerContext;

  constructor(context: ServerContext) {
    this.#context = context;
    this.connection = new Connection(context);
    this.connection.driver = this;
  }

  wake(): void {
    this.isWoken = true;
  }

  abort(): void {
    this.isClosed = true;
  }

  peer(): string {
    return "from a test";
  }

  /**
   * Asks the connection once what to do, and does it; takes at most `sendBytesMax` bytes of
   * replies. Throws after far more steps than a test needs, so that a loop over steps ends.
   */
  step(sendBytesMax = Infinity): Want {
    if (this.#steps++ > stepsMax) throw new Error("The connection goes on without end");
    const want = this.connection.next();
    if (want === "send") {
      const part = this.connection.unsent().subarray(0, sendBytesMax);
      this.replies += decoder.decode(part);
      this.connection.sent(part.length);
    } else if (want === "linger" || want === "close") {
      this.close();
    } else {
      // Other connections have their turn: a server would poll its sockets.
      this.#context.polled();
    }
    return want;
  }

  /** Goes on until the connection wants bytes, waits, or has ended; returns which. */
  run(): Want {
    let want: Want;
    do want = this.step(); while (want === "send" || want === "yield");
    return want;
  }

  /** Lets bytes arrive, without running anything. The connection must want to read. */
  receive(bytes: Uint8Array): number {
    const space = this.connection.space();
    const part = bytes.subarray(0, space.length);
    space.set(part);
    this.connection.received(part.length);
    return part.length;
  }

  /** Sends everything, running in between; stops where the connection does not want to read. */
  send(input: string | Uint8Array): Want {
    const bytes = bytesOf(input);
    let want = this.run();
    for (let from = 0; from < bytes.length && want === "read";) {
      from += this.receive(bytes.subarray(from));
      want = this.run();
    }
    return want;
  }

  /** Ends the client's sending side. */
  end(): Want {
    this.run();
    this.connection.inputEnded();
    return this.run();
  }

  /** The replies so far, which are then forgotten. */
  taken(): string {
    const { replies } = this;
    this.replies = "";
    return replies;
  }

  /** Sends, and returns what is answered. */
  ask(input: string | Uint8Array): string {
    this.send(input);
    return this.taken();
  }

  /** The client or the server closes the connection. */
  close(): void {
    this.connection.abort();
    this.connection.release();
    this.isClosed = true;
  }
}
