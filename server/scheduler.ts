/**
 * Fairness among connections.
 *
 * In one look at the sockets the runtime lets 128 reads and writes succeed, and puts the rest off.
 * In its next look it takes the sockets that became ready since first, and only then those that it
 * has put off. So with more busy connections than that, those that were served and ask again are
 * served again, and the others wait, some of them for a hundred times as long.
 *
 * So connections are served in rounds. Once a round has served its share, whoever was served is
 * held back, and a bell makes the runtime look again, until hardly anybody is left to be served:
 * then nobody is put off any more, and the next round begins for all. No connection is served a
 * third time while another waits for its first.
 *
 * A client that sends or fetches much would keep the loop to itself in the same way, so requests
 * and bytes count too, however few connections there are.
 *
 * @module
 */

/** Reads after which a round begins to end; a read and its reply are two of the runtime's 128. */
export const roundReads = 60;

/** Requests after which a round begins to end: a quarter of a millisecond's work. */
export const roundRequests = 512;

/** Bytes read and sent after which a round begins to end. */
export const roundBytes = 256 * 1024;

/** With no more connections than this nobody is put off by the others' number. */
export const fairConnections = 100;

/** Something that makes the runtime look at the sockets, and resolves when it has. */
export interface Look {
  ring(): Promise<void>;
}

/** See the head of this file. */
export class Turns {
  readonly #bell: Look | undefined;
  readonly #connections: { readonly size: number };
  #reads = 0;
  #requests = 0;
  #bytes = 0;
  #next: Promise<void> | undefined;

  /** Turns among these connections. Without a bell a timer is used, which costs more time. */
  constructor(connections: { readonly size: number }, bell?: Look) {
    this.#connections = connections;
    this.#bell = bell;
  }

  /** Counts a read that is served. */
  countRead(bytes: number): void {
    this.#reads++;
    this.#bytes += bytes;
  }

  /** Counts what was done for a connection: requests that were run, and bytes to be sent. */
  countWork(requests: number, bytes: number): void {
    this.#requests += requests;
    this.#bytes += bytes;
  }

  /** True when whoever was served has to wait for the next round. */
  get isOver(): boolean {
    return this.#requests >= roundRequests || this.#bytes >= roundBytes ||
      this.#reads >= roundReads && this.#connections.size > fairConnections;
  }

  /** Resolves when the next round begins, after the others had their turn. */
  next(): Promise<void> {
    this.#next ??= this.#finish();
    return this.#next;
  }

  async #finish(): Promise<void> {
    let before: number;
    do {
      before = this.#reads;
      await this.#look();
    } while (this.#reads - before >= roundReads);
    this.#reads = 0;
    this.#requests = 0;
    this.#bytes = 0;
    this.#next = undefined;
  }

  async #look(): Promise<void> {
    if (this.#bell === undefined) await new Promise((resolve) => setTimeout(resolve, 0));
    else await this.#bell.ring();
  }
}
