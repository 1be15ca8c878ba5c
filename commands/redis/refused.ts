/**
 * Commands that are refused since the store has nothing for them to work on: files, replication,
 * other databases, a cluster. The error says what there is instead.
 *
 * @module
 */

import { oneKey, type RedisCommand, type RedisFlag, type RedisGroup } from "./command.ts";

/** What a refused command is: its form, and the error. */
type Refusal = readonly [
  name: string,
  arity: number,
  flags: readonly RedisFlag[],
  usage: string,
  summary: string,
];

function refusing(
  group: RedisGroup,
  text: string,
  refusals: readonly Refusal[],
  keys?: typeof oneKey,
): RedisCommand[] {
  return refusals.map(([name, arity, flags, usage, summary]) => ({
    name,
    arity,
    flags,
    keys,
    group,
    summary: `Refused: ${summary}`,
    usage,
    execute: (context) => context.failRedis("wrong_state", text),
  }));
}

const inMemory = "ERR this store is in memory and writes no files: blink-store copy copies it to " +
  "another store";
const noReplicas = "ERR this store has no replicas: blink-store copy copies it to another store";
const noSerialization = "ERR this store has no serialized values: GET and SET carry the value, " +
  "PTTL and PEXPIRE its expiry; blink-store copy copies all keys";
const oneDatabase = "ERR this store has database 0 alone";
const noCluster = "ERR This instance has cluster support disabled";
const noShutdown = "ERR clients do not stop this store: send SIGTERM to its process";
const noMonitor = "ERR this store does not show the requests of others: INFO has their numbers";
const noDebug = "ERR this store has no DEBUG: INFO, MEMORY and OBJECT have what there is";

const admin: readonly RedisFlag[] = ["admin", "noscript"];
const adminAlone: readonly RedisFlag[] = ["admin", "noscript", "no_multi"];
const keyless: readonly RedisFlag[] = ["loading", "stale", "fast"];

/** The refused commands. */
export const refusedCommands: readonly RedisCommand[] = [
  ...refusing("server", inMemory, [
    ["save", 1, adminAlone, "", "saves the data to disk."],
    ["bgsave", -1, admin, "[SCHEDULE]", "saves the data to disk in the background."],
    ["bgrewriteaof", 1, admin, "", "rewrites the append-only file."],
  ]),
  ...refusing("server", noShutdown, [
    [
      "shutdown",
      -1,
      [...adminAlone, "loading", "stale"],
      "[NOSAVE | SAVE] [NOW] [FORCE] [ABORT]",
      "stops the server.",
    ],
  ]),
  ...refusing("server", noReplicas, [
    ["replicaof", 3, [...admin, "stale"], "host port | NO ONE", "makes the server a replica."],
    ["slaveof", 3, [...admin, "stale"], "host port | NO ONE", "makes the server a replica."],
    ["sync", 1, adminAlone, "", "starts the replication of the data."],
    ["psync", -3, adminAlone, "replicationid offset", "starts the replication of the data."],
  ]),
  ...refusing("server", noMonitor, [
    ["monitor", 1, [...admin, "loading", "stale"], "", "shows all requests as they come."],
  ]),
  ...refusing("server", noDebug, [
    ["debug", -2, [...admin, "loading", "stale"], "subcommand [arg ...]", "debugs the server."],
  ]),
  ...refusing("generic", noSerialization, [
    [
      "migrate",
      -6,
      ["write"],
      "host port key destination-db timeout [COPY] [REPLACE] [AUTH password] [KEYS key [key ...]]",
      "moves keys to another server.",
    ],
  ]),
  ...refusing("generic", noSerialization, [
    ["dump", 2, ["readonly"], "key", "returns a serialized value."],
    [
      "restore",
      -4,
      ["write", "denyoom"],
      "key ttl serialized-value [REPLACE] [ABSTTL] [IDLETIME seconds] [FREQ frequency]",
      "stores a serialized value.",
    ],
  ], oneKey),
  ...refusing("generic", oneDatabase, [
    ["move", 3, ["write", "fast"], "key db", "moves a key to another database."],
  ], oneKey),
  ...refusing("server", oneDatabase, [
    ["swapdb", 3, ["write", "fast"], "index1 index2", "swaps two databases."],
  ]),
  ...refusing("cluster", noCluster, [
    ["cluster", -2, [], "subcommand [arg ...]", "works on a cluster."],
    ["readonly", 1, keyless, "", "lets a replica in a cluster answer."],
    ["readwrite", 1, keyless, "", "ends what READONLY began."],
    ["asking", 1, ["fast"], "", "follows a redirection in a cluster."],
  ]),
];
