/**
 * What commands about clients see of them: a record for each connection of the server, whichever
 * thread serves it.
 *
 * @module
 */

/** The socket of a connection. */
export interface SocketAddresses {
  /** Its descriptor; -1 where the runtime does not say. */
  readonly fd: number;
  /** The client's address, such as `127.0.0.1:50000`; for a Unix socket its path and `:0`. */
  readonly address: string;
  /** The server's address, in the same form. */
  readonly localAddress: string;
  readonly isUnix: boolean;
}

/** What a server knows of one of its clients. Threads can post it to each other. */
export interface ClientRecord extends SocketAddresses {
  /** The number of the connection. */
  readonly id: number;
  /** How long the connection has been open, and how long nothing has moved on it. */
  readonly ageMs: number;
  readonly idleMs: number;
  /** The last command, in lower case; empty if there was none. */
  readonly command: string;
  /** Bytes of requests that are unfinished, or wait for EXEC. */
  readonly inputBytes: number;
  readonly queuedBytes: number;
  /** Bytes of replies that it has not taken. */
  readonly outputBytes: number;
  /** 2 or 3 for a client that speaks Redis; 0 for one that sends lines. */
  readonly respVersion: number;
  /** What it says of itself. */
  readonly name: string;
  readonly libraryName: string;
  readonly libraryVersion: string;
  /** Requests that wait for EXEC; -1 outside of MULTI. */
  readonly queuedRequests: number;
  /** Keys that it watches. */
  readonly watchedKeys: number;
  /** What it has asked for with CLIENT NO-EVICT and NO-TOUCH. */
  readonly isNoEvict: boolean;
  readonly isNoTouch: boolean;
}

/** Which clients are meant: those that meet each condition that is given. */
export interface ClientFilter {
  readonly ids?: readonly number[];
  readonly address?: string;
  readonly localAddress?: string;
  /** The shortest time that the connection has been open. */
  readonly ageMsMin?: number;
  /** The number of a connection that is not meant. */
  readonly exceptId?: number;
}

/** Whether a filter means a client. */
export function isMeant(record: ClientRecord, filter: ClientFilter): boolean {
  const { ids, address, localAddress, ageMsMin, exceptId } = filter;
  return (ids === undefined || ids.includes(record.id)) &&
    (address === undefined || address === record.address) &&
    (localAddress === undefined || localAddress === record.localAddress) &&
    (ageMsMin === undefined || record.ageMs >= ageMsMin) &&
    exceptId !== record.id;
}

/** What is asked of all threads of a server. */
export interface ClientsRequest {
  /** `"list"` changes nothing; `"kill"` ends the connections of these clients. */
  readonly kind: "list" | "kill";
  readonly filter: ClientFilter;
  /** The connection that asks: `"kill"` lists it, but leaves its end to the one who asks. */
  readonly askerId: number;
}

/** The clients of a server. */
export interface Clients {
  /**
   * Finds the clients that are meant, in all threads, and calls back with their records in the order
   * of their numbers: before it returns where there is one thread, else later. Returns how to stop
   * waiting.
   */
  ask(
    request: ClientsRequest,
    done: (records: readonly ClientRecord[]) => void,
  ): () => void;
}

/** The clients where there is no server. */
export const noClients: Clients = {
  ask(_request, done) {
    done([]);
    return () => {};
  },
};
