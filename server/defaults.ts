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
} as const;

/** How long a server that shuts down still answers the requests it has read, in milliseconds. */
export const shutdownGraceMs = 5000;

/** How often expired entries are swept and time-outs are checked, in milliseconds. */
export const tickMs = 100;
