/**
 * Since which version Redis has had a command, as its COMMAND DOCS reports it.
 *
 * @module
 */

const namesSince: Readonly<Record<string, string>> = {
  "1.0.0": "auth bgrewriteaof bgsave dbsize debug decr decrby del echo exists expire flushall " +
    "flushdb get getset incr incrby info keys lastsave mget monitor move ping quit randomkey " +
    "rename renamenx save select set setnx shutdown slaveof sort substr sync ttl type",
  "1.0.1": "mset msetnx",
  "1.2.0": "exec expireat multi",
  "2.0.0": "append config discard setex",
  "2.2.0": "persist setrange strlen unwatch watch",
  "2.2.3": "object",
  "2.2.12": "slowlog",
  "2.4.0": "client getrange",
  "2.6.0": "dump incrbyfloat migrate pexpire pexpireat psetex pttl restore time",
  "2.8.0": "psync scan",
  "2.8.12": "role",
  "2.8.13": "command latency",
  "3.0.0": "replconf restore-asking wait",
  "3.2.1": "touch",
  "4.0.0": "memory module swapdb unlink",
  "5.0.0": "lolwut replicaof",
  "6.0.0": "acl hello",
  "6.2.0": "copy failover getdel getex reset",
  "7.0.0": "expiretime function lcs pexpiretime sort_ro",
};

const sinceOfName = new Map(
  Object.entries(namesSince).flatMap(([since, names]) =>
    names.split(" ").map((name) => [name, since] as const)
  ),
);

/** The version; that of the first Redis for a command that Redis does not have. */
export function sinceOf(name: string): string {
  return sinceOfName.get(name) ?? "1.0.0";
}
