/**
 * The JSON of INFO, which the server writes and the client reads. Names do not change between
 * versions.
 *
 * @module
 */

/** INFO's JSON: the server's counters and sizes. Counters count from the server's start. */
export interface Info {
  /** The server's version. */
  readonly version: string;
  /** The event loop that serves the sockets; none where there are no sockets. */
  readonly io: "epoll" | "portable" | "none";
  /** The threads that serve the sockets, each with an event loop of its own. */
  readonly threads: number;
  /** Seconds since the start. */
  readonly uptime: number;
  /** Connections open now, accepted in total, refused at the limit, and open in each thread. */
  readonly connections: {
    readonly now: number;
    readonly total: number;
    readonly refused: number;
    readonly per_thread: readonly number[];
  };
  /**
   * Requests by verb, and their `total`; a line without a known verb counts as an error instead.
   */
  readonly requests: Readonly<Record<string, number>>;
  /**
   * Requests of the Redis wire by command, in capitals, as far as there were any, and their
   * `total`.
   */
  readonly redis_requests: Readonly<Record<string, number>>;
  /** Keys that GET and MGET found. */
  readonly hits: number;
  /** Keys that GET and MGET did not find. */
  readonly misses: number;
  /** Entries removed to make room. */
  readonly evictions: number;
  /** Entries removed because they had expired. */
  readonly expirations: number;
  /**
   * Bytes of keys and values (`data`, as USAGE reports them), of what the store needs beside them
   * (`overhead`), of memory that the store holds (`resident`), and of the whole `process`.
   */
  readonly bytes: {
    readonly data: number;
    readonly overhead: number;
    readonly resident: number;
    readonly process: number;
  };
  /** The most that `bytes.data` may become. */
  readonly limit: number;
  /** Entries held; expired ones count until they are swept. */
  readonly entries: number;
  /** Those of them that expire. */
  readonly expiring: number;
  /** Parts of the store that have a lock each; one part needs no lock. */
  readonly shards: number;
  /** How often a thread had to wait until another one let go of such a part. */
  readonly lock_waits: number;
  /** Error replies by kind. */
  readonly errors: Readonly<Record<string, number>>;
  /**
   * The longest time that one request, or one step of a request that is done in steps, held the
   * server, in microseconds, and its verb (empty: none yet). Only requests that can take long are
   * timed: MGET, SCAN, FLUSH and INFO, and GET, SET and PUT of values of 16 KiB or more.
   */
  readonly slowest: { readonly microseconds: number; readonly verb: string };
  /** Figures about the data file; absent where there is none. */
  readonly data_file?: DataFileInfo;
}

/** Figures about the data file. */
export interface DataFileInfo {
  /** Its path. */
  readonly path: string;
  /** When changes reach the disk. */
  readonly sync: "always" | "interval" | "off";
  /**
   * `"keeping"`: changes are kept; `"undoing"`: a commit has failed, and its changes are being undone;
   * `"refusing"`: the file cannot be written, and requests that change something are refused.
   */
  readonly state: "keeping" | "undoing" | "refusing";
  /** Bytes of the file, and of its write-ahead log. */
  readonly bytes: number;
  /** Changes that are not committed yet. */
  readonly uncommitted: number;
  /** Commits since the start. */
  readonly commits: number;
  /** When the last commit ended, in milliseconds since 1970; 0: none yet. */
  readonly last_commit_at: number;
  /** How many milliseconds it took. */
  readonly last_commit_ms: number;
  /** Commits that failed since the start. */
  readonly errors: number;
}
