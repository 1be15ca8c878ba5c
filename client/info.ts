/**
 * What `info()` gives: the server's counters and sizes under the names that the protocol's document
 * lists.
 *
 * @module
 */

import { infoReply } from "./codec.ts";

/** The server's counters and sizes. */
export interface Info {
  /** A name that this version of the library does not know yet. */
  readonly [name: string]: unknown;
}

/** `INFO json` as a typed object. */
export function infoFrom(reply: string): Info {
  return infoReply(reply);
}
