/**
 * The server's options where they are silent.
 *
 * @module
 */

import { hostDefault, portDefault } from "../protocol.ts";

/** What holds where an option is not given. Sizes are in bytes. */
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
} as const;

/** How long requests already read may take to be answered when the server ends. */
export const shutdownGraceMs = 5000;

/** How often expired entries are swept and time-outs are checked. */
export const tickMs = 100;
