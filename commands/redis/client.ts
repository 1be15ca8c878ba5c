/**
 * What the server knows of a client that speaks Redis, beside what every client has.
 *
 * @module
 */

import type { RespVersion } from "../../protocol.ts";
import type { Transaction } from "./transaction.ts";

/** A client that speaks Redis. */
export class RedisClient {
  /** The version of the wire; HELLO changes it. */
  version: RespVersion = 2;
  /** What CLIENT SETNAME or HELLO has set. */
  name = "";
  /** Requests between MULTI and EXEC, and watched keys; undefined while there are neither. */
  transaction: Transaction | undefined;

  /** Forgets all that the client has set, as RESET does. */
  reset(): void {
    this.version = 2;
    this.name = "";
    this.transaction = undefined;
  }
}
