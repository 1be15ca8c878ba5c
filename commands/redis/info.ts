/**
 * INFO: counters and sizes of the server, in sections of lines `name:figure` that programs for
 * Redis read. The same figures as those of the line wire's INFO, of all threads.
 *
 * Figures of what does not exist here, such as files and replicas, are what Redis reports where
 * they are not used. What Redis has no name for is in the section Blink.
 *
 * @module
 */

import type { DataFileInfo, Info } from "../../protocol.ts";
import type { Context } from "../context.ts";
import { byteUnit } from "./byte_unit.ts";
import type { RedisCommand } from "./command.ts";
import { compatibleVersion } from "./version.ts";
import { textOf } from "./words.ts";

export const info: RedisCommand = {
  name: "info",
  arity: -1,
  flags: ["loading", "stale"],
  group: "server",
  summary: "Returns information and statistics about the server.",
  usage: "[section [section ...]]",

  execute(context, args, bytes) {
    const asked = new Set<string>();
    for (let n = 1; n < args.count; n++) asked.add(textOf(args, n, bytes).toLowerCase());
    context.redis.verbatim(infoText(context, asked));
  },
};

/** One line of a section. */
type Line = readonly [name: string, figure: string | number];

/** Makes the lines of a section. */
type Section = (info: Info, context: Context) => readonly Line[];

const secondsPerDay = 24 * 60 * 60;

/** The sections, by their headings, in their order. */
const sections: Readonly<Record<string, Section>> = {
  Server: server,
  Clients: clients,
  Memory: memory,
  Persistence: persistence,
  Stats: statistics,
  Replication: replication,
  CPU: processor,
  Modules: () => [],
  Commandstats: commandStatistics,
  Errorstats: errorStatistics,
  Cluster: () => [["cluster_enabled", 0]],
  Keyspace: keyspace,
  Blink: blink,
};

/** The section that only ALL and its own name ask for. */
const notByDefault = "commandstats";

/** The sections that are asked for; none asked: the default ones. Unknown names ask for nothing. */
function infoText(context: Context, asked: ReadonlySet<string>): string {
  const figures = context.info("reset");
  const isDefault = asked.size === 0 || asked.has("default");
  const isAll = asked.has("all") || asked.has("everything");
  const texts: string[] = [];
  for (const [heading, section] of Object.entries(sections)) {
    const name = heading.toLowerCase();
    if (!isAll && !asked.has(name) && !(isDefault && name !== notByDefault)) continue;
    const lines = section(figures, context).map(([key, figure]) => `${key}:${figure}\r\n`);
    texts.push(`# ${heading}\r\n${lines.join("")}`);
  }
  return texts.join("\r\n");
}

function server(info: Info, { settings }: Context): Line[] {
  const uptime = Math.floor(info.uptime);
  return [
    ["redis_version", compatibleVersion],
    ["redis_mode", "standalone"],
    ["os", settings.os],
    ["arch_bits", 64],
    ["multiplexing_api", info.io],
    ["process_id", settings.processId],
    ["run_id", settings.runId],
    ["tcp_port", settings.port],
    ["server_time_usec", Date.now() * 1000],
    ["uptime_in_seconds", uptime],
    ["uptime_in_days", Math.floor(uptime / secondsPerDay)],
    ["hz", 10],
    ["configured_hz", 10],
    ["config_file", ""],
    ["io_threads_active", info.threads > 1 ? 1 : 0],
  ];
}

function clients({ connections }: Info, { settings }: Context): Line[] {
  return [
    ["connected_clients", connections.now],
    ["cluster_connections", 0],
    ["maxclients", settings.connectionsMax],
    ["blocked_clients", 0],
    ["tracking_clients", 0],
  ];
}

/** A size, and the same for people. */
function size(name: string, bytes: number): Line[] {
  return [[name, bytes], [`${name}_human`, byteUnit(bytes)]];
}

/** `used_memory` is what counts against `maxmemory`: the keys and values. */
function memory({ bytes, limit }: Info, { settings }: Context): Line[] {
  // Of the store's memory alone: the runtime's would hide it where the store is small.
  const allocated = bytes.data + bytes.overhead;
  const ratio = allocated > 0 ? bytes.resident / allocated : 1;
  return [
    ...size("used_memory", bytes.data),
    ...size("used_memory_rss", bytes.process),
    ["used_memory_overhead", bytes.overhead],
    ["used_memory_dataset", bytes.data],
    ["allocator_allocated", allocated],
    ["allocator_active", bytes.resident],
    ["allocator_resident", bytes.resident],
    ...size("maxmemory", limit),
    ["maxmemory_policy", settings.evicts ? "allkeys-lfu" : "noeviction"],
    ["mem_fragmentation_ratio", ratio.toFixed(2)],
    ["mem_fragmentation_bytes", bytes.resident - allocated],
    ["mem_allocator", "blink-store"],
    ["lazyfree_pending_objects", 0],
  ];
}

/** The data file counts as an append-only file. */
function persistence(info: Info): Line[] {
  const file = info.data_file;
  const status = file === undefined || file.state === "keeping" ? "ok" : "err";
  return [
    ["loading", 0],
    ["async_loading", 0],
    ["rdb_changes_since_last_save", file?.uncommitted ?? 0],
    ["rdb_bgsave_in_progress", 0],
    ["rdb_last_save_time", Math.floor(Date.now() / 1000 - info.uptime)],
    ["rdb_last_bgsave_status", "ok"],
    ["rdb_last_bgsave_time_sec", -1],
    ["rdb_current_bgsave_time_sec", -1],
    ["aof_enabled", file === undefined ? 0 : 1],
    ["aof_rewrite_in_progress", 0],
    ["aof_rewrite_scheduled", 0],
    ["aof_last_rewrite_time_sec", -1],
    ["aof_last_bgrewrite_status", "ok"],
    ["aof_last_write_status", status],
    ...(file === undefined ? [] : dataFile(file)),
  ];
}

function dataFile(file: DataFileInfo): Line[] {
  return [
    ["aof_current_size", file.bytes],
    ["data_file", file.path],
    ["data_file_sync", file.sync],
    ["data_file_state", file.state],
    ["data_file_uncommitted", file.uncommitted],
    ["data_file_commits", file.commits],
    ["data_file_last_commit_at_ms", file.last_commit_at],
    ["data_file_last_commit_ms", file.last_commit_ms],
    ["data_file_errors", file.errors],
  ];
}

function statistics(info: Info, { requestsPerSecond }: Context): Line[] {
  const { connections, requests, redis_requests: redisRequests } = info;
  return [
    ["total_connections_received", connections.total],
    ["total_commands_processed", requests.total + redisRequests.total],
    ["instantaneous_ops_per_sec", Math.round(requestsPerSecond)],
    ["rejected_connections", connections.refused],
    ["sync_full", 0],
    ["sync_partial_ok", 0],
    ["sync_partial_err", 0],
    ["expired_keys", info.expirations],
    ["evicted_keys", info.evictions],
    ["keyspace_hits", info.hits],
    ["keyspace_misses", info.misses],
    ["pubsub_channels", 0],
    ["pubsub_patterns", 0],
    ["latest_fork_usec", 0],
    ["total_forks", 0],
    ["total_error_replies", Object.values(info.errors).reduce((sum, count) => sum + count, 0)],
  ];
}

function replication(_info: Info, { settings }: Context): Line[] {
  return [
    ["role", "master"],
    ["connected_slaves", 0],
    ["master_failover_state", "no-failover"],
    ["master_replid", settings.runId],
    ["master_replid2", "0".repeat(40)],
    ["master_repl_offset", 0],
    ["second_repl_offset", -1],
    ["repl_backlog_active", 0],
    ["repl_backlog_size", 0],
    ["repl_backlog_first_byte_offset", 0],
    ["repl_backlog_histlen", 0],
  ];
}

function processor(_info: Info, context: Context): Line[] {
  const { user, system } = context.processorTime();
  return [
    ["used_cpu_sys", (system / 1e6).toFixed(6)],
    ["used_cpu_user", (user / 1e6).toFixed(6)],
    ["used_cpu_sys_children", "0.000000"],
    ["used_cpu_user_children", "0.000000"],
  ];
}

/** Times are not measured for each command, so those are zero. */
function commandStatistics({ redis_requests: requests }: Info): Line[] {
  return Object.entries(requests).filter(([name]) => name !== "total").map(([name, calls]) => [
    `cmdstat_${name.toLowerCase()}`,
    `calls=${calls},usec=0,usec_per_call=0.00,rejected_calls=0,failed_calls=0`,
  ]);
}

/** The kinds of errors whose text begins with another code than `ERR`. */
const codes: Readonly<Record<string, string>> = {
  authentication_required: "NOAUTH",
  authentication_failed: "WRONGPASS",
  out_of_memory: "OOM",
};

function errorStatistics({ errors }: Info): Line[] {
  const counts = new Map<string, number>();
  for (const [kind, count] of Object.entries(errors)) {
    const code = codes[kind] ?? "ERR";
    if (count > 0) counts.set(code, (counts.get(code) ?? 0) + count);
  }
  return [...counts].sort(([a], [b]) => a < b ? -1 : 1)
    .map(([code, count]) => [`errorstat_${code}`, `count=${count}`]);
}

/** The mean time that entries have left is not known, and Redis estimates it: 0 stands for that. */
function keyspace({ entries, expiring }: Info): Line[] {
  return entries === 0 ? [] : [["db0", `keys=${entries},expires=${expiring},avg_ttl=0`]];
}

function blink(info: Info): Line[] {
  return [
    ["blink_version", info.version],
    ["io", info.io],
    ["threads", info.threads],
    ["shards", info.shards],
    ["lock_waits", info.lock_waits],
    ["bytes_data", info.bytes.data],
    ["bytes_overhead", info.bytes.overhead],
    ["bytes_resident", info.bytes.resident],
    ["bytes_process", info.bytes.process],
    ["eviction", "two FIFO queues, whose entries stay longer the more often they are read"],
    ["slowest_microseconds", info.slowest.microseconds],
    ["slowest_command", info.slowest.verb],
  ];
}
