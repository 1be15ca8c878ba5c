/**
 * The fair scheduler of the portable event loop: it decides which connections yield, and when they
 * go on.
 *
 * In one poll of the sockets the runtime lets 128 reads and writes succeed, and postpones the rest.
 * Its next poll serves newly ready sockets first, and postponed ones after them. So with more than
 * 128 busy connections, the ones served first are served repeatedly, and the others wait, some
 * of them a hundred times as long.
 *
 * Therefore connections are served in rounds. Once a round has served its share, every connection
 * that was served yields, and a waker makes the runtime poll again, until few connections remain to
 * be served. Then the runtime postpones none, and the next round begins for all. No connection is
 * served a third time while another waits for its first turn.
 *
 * A client that sends or fetches much would keep the event loop to itself, too. So requests and
 * bytes also count, even with few connections.
 *
 * @module
 */

/** Reads after which a round begins to end; a read and its reply are two of the runtime's 128. */
export const roundReads = 60;

/** Requests after which a round begins to end: a quarter of a millisecond's work. */
export const roundRequests = 512;

/** Bytes read and sent after which a round begins to end. */
export const roundBytes = 256 * 1024;

/** With no more connections than this, the runtime postpones none for their number alone. */
export const fairConnections = 100;

/** With more connections a read takes up to this many bytes. */
const crowdedReadBytes = 16 * 1024;

/** Makes the runtime poll the sockets, and resolves when it has. */
export interface Poll {
  wake(): Promise<void>;
}

/** Decides when connections yield, and when they go on. */
export class Scheduler {
  readonly #poll: Poll | undefined;
  readonly #connections: { readonly size: number };
  readonly #onPoll: () => void;
  #reads = 0;
  #requests = 0;
  #bytes = 0;
  #nextRound: Promise<void> | undefined;
  /** Whether somebody waits for a poll that begins from now on. */
  #isPollWanted = false;

  /** Schedules these connections. Without a poll it uses a timer, which takes longer. */
  constructor(
    connections: { readonly size: number },
    poll?: Poll,
    onPoll: () => void = () => {},
  ) {
    this.#connections = connections;
    this.#poll = poll;
    this.#onPoll = onPoll;
  }

  /** Counts a read. */
  countRead(bytes: number): void {
    this.#reads++;
    this.#bytes += bytes;
  }

  /** Counts requests that were run, and bytes to be sent. */
  countWork(requests: number, bytes: number): void {
    this.#requests += requests;
    this.#bytes += bytes;
  }

  /** True when a connection that was served must yield. */
  get shouldYield(): boolean {
    return this.#requests >= roundRequests || this.#bytes >= roundBytes ||
      this.#reads >= roundReads && this.#connections.size > fairConnections;
  }

  /** Resolves when the next round begins, after other connections had their turn. */
  yield(): Promise<void> {
    this.#nextRound ??= this.#finishRound();
    return this.#nextRound;
  }

  /** Makes the runtime poll, even if no connection yields. */
  wantPoll(): void {
    this.#isPollWanted = true;
    void this.yield();
  }

  /** The most bytes that one read should take, so that a round of all connections stays short. */
  get readBytesMax(): number {
    return this.#connections.size > fairConnections ? crowdedReadBytes : Infinity;
  }

  async #finishRound(): Promise<void> {
    let before: number;
    // New connections, however many, must not keep those waiting that were served.
    let pollsLeft = 2 + Math.ceil(this.#connections.size / roundReads);
    do {
      before = this.#reads;
      if (this.#poll === undefined) await new Promise((resolve) => setTimeout(resolve, 0));
      else await this.#poll.wake();
      this.#isPollWanted = false;
      this.#onPoll();
    } while (this.#reads - before >= roundReads && --pollsLeft > 0);
    this.#reads = 0;
    this.#requests = 0;
    this.#bytes = 0;
    this.#nextRound = undefined;
    // What went on after the last poll may wait for another one.
    if (this.#isPollWanted) this.wantPoll();
  }
}
