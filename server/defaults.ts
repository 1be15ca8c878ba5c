/**
 * The defaults of the server's options, and its fixed times.
 *
 * @module
 */

import { hostDefault, portDefault } from "../protocol.ts";

/** The values of options that are not given. Sizes are in bytes. */
export const serverDefaults = {
  hostname: hostDefault,
  port: portDefault,
  unixMode: 0o600,
  memoryLimitBytes: 10 * 1024 * 1024,
  connectionsMax: 10_000,
  lineBytesMax: 16 * 1024 * 1024,
  pendingBytesMax: 256 * 1024 * 1024,
  idleTimeoutMs: 0,
  io: "auto",
  threads: 1,
  evicts: true,
  sync: "always",
} as const;

/** The most threads that a server may have. */
export const threadsMax = 64;

/**
 * The most threads that `"auto"` means; it means half as many as there are cores, and at least one.
 * The other half is for the kernel's part of the work and for clients on the same machine. Measured
 * on two cores with the clients beside the server: a second thread serves 13 to 34 % less with one
 * request in flight on each connection, and 22 to 31 % more with 16 or 64.
 */
export const autoThreadsMax = 8;

/** How long the main thread waits for another one to end before it ends it, in milliseconds. */
export const threadEndMs = 1000;

/**
 * A thread that does not tick during so many ticks of the main thread counts as dead. Ticks are
 * counted, not time: where the whole process is stopped for a while, no thread is to blame.
 */
export const silentTicksMax = 300;

/** How long a server that shuts down still answers the requests it has read, in milliseconds. */
export const shutdownGraceMs = 5000;

/** How often expired entries are swept and time-outs are checked, in milliseconds. */
export const tickMs = 100;
