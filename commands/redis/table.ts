/**
 * The list of commands of the Redis wire. COMMAND, the documents and the tests read it. A command
 * that is not here does not exist.
 *
 * @module
 */

import type { RedisCommand } from "./command.ts";
import { auth, echo, hello, ping, quit, reset, select } from "./connection.ts";
import { client } from "./client_commands.ts";
import { commandOf } from "./command_info.ts";
import { configuration } from "./config.ts";
import { del, exists, touch, unlink } from "./delete.ts";
import { delex, delifeq } from "./delete_if.ts";
import { RedisTable } from "./dispatch.ts";
import { append, setrange } from "./edit.ts";
import {
  expire,
  expireat,
  expiretime,
  persist,
  pexpire,
  pexpireat,
  pexpiretime,
  pttl,
  ttl,
} from "./expire.ts";
import { delprefix, flushall, flushdb } from "./flush.ts";
import { functions } from "./functions.ts";
import { get, getdel, getex } from "./get.ts";
import { decr, decrby, incr, incrby, incrbyfloat } from "./increment.ts";
import { info } from "./info.ts";
import { memory, object, type, wait } from "./inspect.ts";
import { dbsize, keys, randomkey, scan } from "./listing.ts";
import { mget, mset, msetnx } from "./multiple.ts";
import { getrange, strlen, substr } from "./ranges.ts";
import { copy, rename, renamenx } from "./rename.ts";
import { refusedCommands } from "./refused.ts";
import { acl, lastsave, latency, lolwut, module, role, slowlog, time } from "./server.ts";
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
  mget,
  mset,
  msetnx,
  strlen,
  getrange,
  substr,
  append,
  setrange,
  delifeq,
  delex,
  incr,
  decr,
  incrby,
  decrby,
  incrbyfloat,
  del,
  unlink,
  exists,
  touch,
  type,
  expire,
  pexpire,
  expireat,
  pexpireat,
  ttl,
  pttl,
  expiretime,
  pexpiretime,
  persist,
  rename,
  renamenx,
  copy,
  keys,
  scan,
  randomkey,
  dbsize,
  flushdb,
  flushall,
  delprefix,
  object,
  memory,
  wait,
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
  client,
  info,
  configuration,
  commandOf(() => redisTable),
  functions,
  time,
  role,
  lastsave,
  latency,
  slowlog,
  module,
  acl,
  lolwut,
  ...refusedCommands,
];

/** Finds and runs these commands. */
export const redisTable: RedisTable = new RedisTable(redisCommands);
