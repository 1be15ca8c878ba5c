/**
 * What a command of the Redis wire is: its entry in the table, and its execution. Commands that
 * belong together share a file of this folder.
 *
 * @module
 */

import type { Arguments } from "../../protocol.ts";
import type { Context } from "../context.ts";
import type { Operation } from "../operation.ts";
import type { SessionControl } from "../session_control.ts";

/** The flags that Redis's COMMAND reports, as far as they apply here. */
export type RedisFlag =
  | "write"
  | "readonly"
  | "denyoom"
  | "admin"
  | "noscript"
  | "loading"
  | "stale"
  | "fast"
  | "no_auth"
  | "no_multi";

/** The groups that Redis's COMMAND DOCS reports. */
export type RedisGroup =
  | "string"
  | "generic"
  | "connection"
  | "server"
  | "transactions"
  | "cluster";

/** Where a command's keys are among its arguments, as Redis's COMMAND reports it. */
export interface KeyPlaces {
  /** The number of the first key. */
  readonly first: number;
  /** The number of the last key; negative numbers count from the end. */
  readonly last: number;
  /** The distance between two keys. */
  readonly step: number;
}

/** The only key is the first argument. */
export const oneKey: KeyPlaces = { first: 1, last: 1, step: 1 };

/** Every argument is a key. */
export const allKeys: KeyPlaces = { first: 1, last: -1, step: 1 };

/** A command of the Redis wire. */
export interface RedisCommand {
  /** Its name, in lower case; a request may spell it in any case. */
  readonly name: string;
  /** How many arguments it has, its name included; -n: at least n. */
  readonly arity: number;
  readonly flags: readonly RedisFlag[];
  /** Where its keys are; undefined for a command without keys. */
  readonly keys?: KeyPlaces;
  readonly group: RedisGroup;
  /** What it does, in one line. */
  readonly summary: string;
  /** Its arguments as a usage line shows them, such as `key value [NX | XX]`. */
  readonly usage: string;
  /** The verb of the line wire that does the same or most of it; undefined if there is none. */
  readonly line?: string;
  /** True where it runs at once in a transaction instead of waiting for EXEC. */
  readonly isImmediate?: boolean;
  /**
   * Runs a request and writes its reply to `context.redis`. The number of arguments and the keys
   * are checked already. A command whose only key is `oneKey` has that key to itself. A request
   * that cannot end at once returns an operation, unless `context.isAtomic`.
   */
  execute(
    context: Context,
    args: Arguments,
    bytes: Uint8Array,
    session: SessionControl,
  ): Operation | void;
}
