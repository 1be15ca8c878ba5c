/**
 * INFO, CONFIG and COMMAND of the Redis wire, as the tools of Redis read them.
 *
 * @module
 */

import { redisCommands } from "../commands/mod.ts";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "./assert.ts";
import { array, joined, words } from "./redis_array.ts";
import { type ManualConnection, ManualServer } from "./server_manual.ts";

function ask(client: ManualConnection, ...requests: readonly string[]): string {
  return client.ask(joined(...requests.map(words)));
}

/** A reply of version 2, read. */
type Reply = string | number | null | readonly Reply[];

function read(text: string): Reply {
  let at = 0;
  const next = (): Reply => {
    const end = text.indexOf("\r\n", at);
    const [mark, line] = [text[at], text.slice(at + 1, end)];
    at = end + 2;
    if (mark === ":") return Number(line);
    if (mark === "*") return Array.from({ length: Number(line) }, next);
    if (mark !== "$") return mark + line;
    if (line === "-1") return null;
    at += Number(line) + 2;
    return text.slice(at - 2 - Number(line), at - 2);
  };
  const reply = next();
  assertEquals(at, text.length);
  return reply;
}

function list(client: ManualConnection, request: string): readonly Reply[] {
  const reply = read(ask(client, request));
  assert(Array.isArray(reply), `${request}: ${JSON.stringify(reply)}`);
  return reply;
}

/** Pairs of a flat list, as an object. */
function pairs(replies: readonly Reply[]): Record<string, Reply> {
  const result: Record<string, Reply> = {};
  for (let n = 0; n < replies.length; n += 2) result[String(replies[n])] = replies[n + 1];
  return result;
}

/** INFO as its sections, each with its fields. */
function info(client: ManualConnection, sections = ""): Record<string, Record<string, string>> {
  const text = read(ask(client, `INFO ${sections}`.trim()));
  const result: Record<string, Record<string, string>> = {};
  for (const section of String(text).split("\r\n\r\n").filter((part) => part !== "")) {
    const [heading, ...lines] = section.trimEnd().split("\r\n");
    assertMatch(heading, /^# [A-Z]/);
    result[heading.slice(2)] = Object.fromEntries(lines.map((line) => {
      const at = line.indexOf(":");
      assert(at > 0, line);
      return [line.slice(0, at), line.slice(at + 1)];
    }));
  }
  return result;
}

Deno.test("redis INFO: its figures are those of the store and the server", () => {
  const server = new ManualServer({ limitBytes: 1 << 20 });
  const client = server.connect();
  server.connect().ask("PUT a ttl=100 1\nSET b 2\nGET b\nGET missing\nNONSENSE\n");
  ask(client, "SET c 3", "GET c", "GET missing", "NONSENSE");
  const { Server, Clients, Memory, Stats, Keyspace, Replication, Cluster, Errorstats, Blink } =
    info(
      client,
    );
  assertEquals(Server.redis_mode, "standalone");
  assertMatch(Server.redis_version, /^7\.\d+\.\d+$/);
  assertEquals([Clients.connected_clients, Clients.blocked_clients], ["2", "0"]);
  assertEquals([Memory.used_memory, Memory.maxmemory], ["6", String(1 << 20)]);
  assertEquals(Memory.maxmemory_human, "1.00M");
  assertEquals([Stats.keyspace_hits, Stats.keyspace_misses], ["2", "2"]);
  // Four lines that are valid, three arrays before this one, and this one.
  assertEquals(Stats.total_commands_processed, "8");
  assertEquals(Stats.total_error_replies, "2");
  assertEquals(Errorstats, { errorstat_ERR: "count=2" });
  assertEquals(Keyspace, { db0: "keys=3,expires=1,avg_ttl=0" });
  assertEquals([Replication.role, Replication.connected_slaves], ["master", "0"]);
  assertEquals(Cluster, { cluster_enabled: "0" });
  assertMatch(Replication.master_replid, /^[0-9a-f]{40}$/);
  assertEquals(Blink.bytes_data, "6");
});

Deno.test("redis INFO: sections by name, in any case; commands only where they are asked for", () => {
  const client = new ManualServer().connect();
  assertEquals(Object.keys(info(client, "server")), ["Server"]);
  assertEquals(Object.keys(info(client, "MEMORY cpu nonsense")), ["Memory", "CPU"]);
  assert(!Object.keys(info(client)).includes("Commandstats"));
  assert(!Object.keys(info(client, "default")).includes("Commandstats"));
  const { Commandstats } = info(client, "all");
  assertEquals(Commandstats.cmdstat_info.split(",")[0], "calls=5");
  assertEquals(
    Object.keys(info(client, "everything")).length,
    Object.keys(info(client, "all")).length,
  );
  assertEquals(ask(client, "INFO nonsense"), "$0\r\n\r\n");
  assertMatch(
    ask(client, "HELLO 3", "INFO server").split("\r\n").slice(-30).join("\r\n"),
    /=\d+\r\ntxt:# Server/,
  );
});

Deno.test("redis INFO: requests a second, over the last ticks", () => {
  const server = new ManualServer();
  const client = server.connect();
  const rate = () => Number(info(client, "stats").Stats.instantaneous_ops_per_sec);
  assertEquals(rate(), 0);
  for (let tick = 0; tick < 50; tick++) {
    server.clock.advance(100);
    server.context.tick(server.clock.nowMs);
    ask(client, ...Array.from({ length: 20 }, () => "PING"));
  }
  // 20 in each tenth of a second.
  assertEquals(rate(), 200);
  for (let tick = 0; tick < 50; tick++) {
    server.clock.advance(100);
    server.context.tick(server.clock.nowMs);
  }
  assertEquals(rate(), 0);
});

Deno.test("redis CONFIG RESETSTAT: INFO counts from there; what is open stays", () => {
  const server = new ManualServer();
  const client = server.connect();
  ask(client, "SET a 1", "GET a", "GET b", "NONSENSE");
  assertEquals(ask(client, "CONFIG RESETSTAT"), "+OK\r\n");
  const { Stats, Clients, Errorstats } = info(client);
  assertEquals([Stats.keyspace_hits, Stats.keyspace_misses, Stats.total_error_replies], [
    "0",
    "0",
    "0",
  ]);
  assertEquals([Stats.total_commands_processed, Clients.connected_clients], ["1", "1"]);
  assertEquals(Errorstats, {});
  // The figures of the line wire are from the start.
  assertStringIncludes(server.connect().ask("INFO\n"), '"hits":1,"misses":1');
});

Deno.test("redis CONFIG GET: patterns, in any case, and names that clients ask for", () => {
  const client = new ManualServer({ limitBytes: 1 << 20 }).connect();
  assertEquals(list(client, "CONFIG GET maxmemory"), ["maxmemory", String(1 << 20)]);
  assertEquals(list(client, "CONFIG GET MAXCLIENTS"), ["maxclients", "10000"]);
  assertEquals(Object.keys(pairs(list(client, "CONFIG GET maxmemory*"))), [
    "maxmemory",
    "maxmemory-policy",
    "maxmemory-samples",
  ]);
  const asked = pairs(list(client, "CONFIG GET save appendonly nonsense databases"));
  assertEquals(asked, { appendonly: "no", databases: "1", save: "" });
  const all = pairs(list(client, "CONFIG GET *"));
  for (const name of ["timeout", "requirepass", "notify-keyspace-events", "port"]) {
    assert(name in all);
  }
  assertEquals(all.requirepass, "");
  assertEquals(list(client, "CONFIG GET nonsense"), []);
});

Deno.test("redis CONFIG GET: the token is not shown", () => {
  const client = new ManualServer({ token: "s3cret" }).connect();
  ask(client, "AUTH s3cret");
  assertEquals(list(client, "CONFIG GET requirepass"), ["requirepass", "(hidden)"]);
  assert(!ask(client, "CONFIG GET *").includes("s3cret"));
});

Deno.test("redis CONFIG SET: what holds already is accepted, anything else says what to do", () => {
  const client = new ManualServer().connect();
  assertEquals(ask(client, "CONFIG SET appendonly no databases 1"), "+OK\r\n");
  assertEquals(client.ask(array("CONFIG", "SET", "save", "")), "+OK\r\n");
  assertMatch(
    ask(client, "CONFIG SET maxclients 5"),
    /^-ERR CONFIG SET failed \(possibly related to argument 'maxclients'\) - .*--max-connections/,
  );
  assertMatch(ask(client, "CONFIG SET appendonly yes"), /^-ERR CONFIG SET failed/);
  assertMatch(ask(client, "CONFIG SET nonsense 1"), /^-ERR Unknown option or number of arguments/);
  assertMatch(ask(client, "CONFIG SET hz 10 hz 10"), /duplicate parameter/);
  assertMatch(ask(client, "CONFIG SET hz 10 port"), /^-ERR syntax error/);
  assertMatch(ask(client, "CONFIG REWRITE"), /^-ERR The server is running without a config file/);
});

Deno.test("redis COMMAND: every command has its entry, with keys and flags", () => {
  const client = new ManualServer().connect();
  const all = list(client, "COMMAND");
  assertEquals(read(ask(client, "COMMAND COUNT")), redisCommands.length);
  assertEquals(all.length, redisCommands.length);
  assertEquals(list(client, "COMMAND LIST"), redisCommands.map(({ name }) => name));
  const entry = (name: string) => list(client, `COMMAND INFO ${name}`)[0] as readonly Reply[];
  const [name, arity, flags, first, last, step, categories] = entry("SET");
  assertEquals([name, arity, first, last, step], ["set", -3, 1, 1, 1]);
  assert((flags as string[]).includes("+write") && (categories as string[]).includes("+@string"));
  assertEquals(entry("mset").slice(3, 6), [1, -1, 2]);
  assertEquals(entry("del").slice(3, 6), [1, -1, 1]);
  assertEquals(entry("ping").slice(3, 6), [0, 0, 0]);
  assertEquals(list(client, "COMMAND INFO get nonsense")[1], null);
  assertEquals(all.every((one) => Array.isArray(one) && one.length === 10), true);
});

Deno.test("redis COMMAND DOCS, LIST FILTERBY and GETKEYS", () => {
  const client = new ManualServer().connect();
  const docs = pairs(list(client, "COMMAND DOCS get nonsense set"));
  assertEquals(Object.keys(docs), ["get", "set"]);
  const { summary, since, group } = pairs(docs.get as readonly Reply[]);
  assertEquals([summary, since, group], ["Returns the string value of a key.", "1.0.0", "string"]);
  assertEquals(list(client, "COMMAND DOCS").length, 2 * redisCommands.length);
  assertEquals(list(client, "COMMAND LIST FILTERBY PATTERN mset*"), ["mset", "msetnx"]);
  assertEquals(list(client, "COMMAND LIST FILTERBY MODULE x"), []);
  assert(list(client, "COMMAND LIST FILTERBY ACLCAT string").includes("append"));
  assertMatch(ask(client, "COMMAND LIST FILTERBY NONSENSE x"), /^-ERR syntax error/);
  assertEquals(list(client, "COMMAND GETKEYS MSET a 1 b 2"), ["a", "b"]);
  assertEquals(list(client, "COMMAND GETKEYS GET a"), ["a"]);
  assertMatch(ask(client, "COMMAND GETKEYS PING"), /^-ERR The command has no key arguments/);
  assertMatch(ask(client, "COMMAND GETKEYS GET"), /^-ERR/);
  assertMatch(ask(client, "COMMAND GETKEYS NONSENSE a"), /^-ERR Invalid command specified/);
  assertMatch(ask(client, "COMMAND NONSENSE"), /^-ERR unknown subcommand/);
});
