/**
 * What a server is and how it was started, as far as clients ask for it. The values do not change
 * while it runs, are the same in all its threads, and can be posted to a Worker.
 *
 * @module
 */

/** How a server was started. */
export interface Settings {
  /** 40 hexadecimal digits, which each start of a server chooses. */
  readonly runId: string;
  /** The number of its process; 0: unknown. */
  readonly processId: number;
  /** The operating system and the processor; empty: unknown. */
  readonly os: string;
  /** The TCP port that it listens on, the first one of several; 0: none. */
  readonly port: number;
  /** The addresses that it listens on, with a space between two. */
  readonly bind: string;
  /** The most connections at a time. */
  readonly connectionsMax: number;
  /** Connections on which nothing moves for this long are closed; 0 for never. */
  readonly idleTimeoutMs: number;
  /** The longest request, in bytes. */
  readonly lineBytesMax: number;
  /** Whether entries are evicted to make room. */
  readonly evicts: boolean;
  /** When changes reach the disk; undefined where there is no data file. */
  readonly sync?: "always" | "interval" | "off";
}

/** The settings where there is no server, such as in a program that holds its own store. */
export const settingsDefault: Settings = {
  runId: "0".repeat(40),
  processId: 0,
  os: "",
  port: 0,
  bind: "",
  connectionsMax: 10_000,
  idleTimeoutMs: 0,
  lineBytesMax: 16 * 1024 * 1024,
  evicts: true,
};

/** Microseconds of processor time that the process has used. */
export interface ProcessorTime {
  readonly user: number;
  readonly system: number;
}
