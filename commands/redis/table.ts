/**
 * The list of commands of the Redis wire. COMMAND, the documents and the tests read it. A command
 * that is not here does not exist.
 *
 * @module
 */

import type { RedisCommand } from "./command.ts";
import { auth, echo, hello, ping, quit, reset, select } from "./connection.ts";
import { del, exists, touch, unlink } from "./delete.ts";
import { RedisTable } from "./dispatch.ts";
import { functions } from "./functions.ts";
import { get, getdel, getex } from "./get.ts";
import { getset, psetex, set, setex, setnx } from "./set.ts";
import { discard, execOf, multi, unwatch, watch } from "./transactions.ts";

/** Every command, in the order in which the documents list them. */
export const redisCommands: readonly RedisCommand[] = [
  get,
  set,
  setnx,
  setex,
  psetex,
  getset,
  getdel,
  getex,
  del,
  unlink,
  exists,
  touch,
  multi,
  execOf(() => redisTable),
  discard,
  watch,
  unwatch,
  ping,
  echo,
  quit,
  select,
  auth,
  hello,
  reset,
  functions,
];

/** Finds and runs these commands. */
export const redisTable: RedisTable = new RedisTable(redisCommands);
