/**
 * The interface of a session to the commands that it runs.
 *
 * @module
 */

import type { RedisClient } from "./redis/client.ts";

/** What a command can do with the session that runs it. */
export interface SessionControl {
  /** Whether the client has logged in, or no token is required. */
  isAuthenticated: boolean;
  /** The number of the connection, from 1 on; no two connections of a server have the same. */
  readonly id: number;
  /** The client, if it speaks Redis. */
  readonly redis: RedisClient | undefined;
  /** Closes the connection once pending replies are sent; later requests do not run. */
  close(): void;
  /** Reports a failed AUTH to the operator. */
  authenticationFailed(): void;
  /** Counts bytes of a large reply against the server's bound; false when they exceed it now. */
  tryHold(bytes: number): boolean;
  /** Calls back once `tryHold` of so many bytes may succeed; returns how to stop waiting. */
  whenFree(bytes: number, callback: () => void): () => void;
}
