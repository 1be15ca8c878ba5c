/**
 * What the server knows of a client that speaks Redis, beside what every client has.
 *
 * @module
 */

import type { RespVersion } from "../../protocol.ts";
import type { Transaction } from "./transaction.ts";

/** The longest name of a client or of its library, in characters. */
export const clientNameCharactersMax = 1024;

/** Which replies a client gets; CLIENT REPLY sets it. */
export type ReplyMode = "on" | "off" | "skip next";

/** A client that speaks Redis. */
export class RedisClient {
  /** The version of the wire; HELLO changes it. */
  version: RespVersion = 2;
  /** What CLIENT SETNAME or HELLO has set. */
  name = "";
  /** What CLIENT SETINFO has set. */
  libraryName = "";
  libraryVersion = "";
  /** Requests between MULTI and EXEC, and watched keys; undefined while there are neither. */
  transaction: Transaction | undefined;
  /** Which replies it gets from now on. */
  replyMode: ReplyMode = "on";
  /** False once it wants its reads not to count as uses of a key. */
  countsReads = true;
  /** What CLIENT NO-EVICT has set. It is listed, and changes nothing. */
  isNoEvict = false;

  /** Forgets what the client has set, as RESET does. What its library is called stays. */
  reset(): void {
    this.version = 2;
    this.name = "";
    this.transaction = undefined;
    this.replyMode = "on";
    this.countsReads = true;
    this.isNoEvict = false;
  }
}

/** Whether a text can be the name of a client or of its library. */
export function isClientName(text: string): boolean {
  return /^[!-~]*$/.test(text);
}
