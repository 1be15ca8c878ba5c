/** Tests of the commands of the Redis wire about the server, and of those that are refused. */
import { authDelayMs } from "../commands/mod.ts";
import { assert, assertEquals } from "./assert.ts";
import { array, words } from "./redis_array.ts";
import { bulk, check, wrongNumber } from "./redis_asking.ts";
import { type ManualConnection, ManualServer } from "./server_manual.ts";

/** The replies to TIME, in microseconds since 1970. */
function timeOf(client: ManualConnection): number {
  const reply = client.ask(words("TIME"));
  const match = /^\*2\r\n\$(\d+)\r\n(\d+)\r\n\$(\d+)\r\n(\d+)\r\n$/.exec(reply);
  assert(match !== null, `TIME answers ${JSON.stringify(reply)}`);
  const [, secondsLength, seconds, restLength, rest] = match;
  assertEquals([Number(secondsLength), Number(restLength)], [seconds.length, rest.length]);
  assert(Number(rest) < 1e6 && String(Number(rest)) === rest, rest);
  return Number(seconds) * 1e6 + Number(rest);
}

Deno.test("redis TIME is the wall clock, and agrees with EXPIRETIME", () => {
  const server = new ManualServer();
  const client = server.connect();
  const time = timeOf(client);
  assert(Math.abs(time / 1000 - Date.now()) < 5000, `TIME is ${time}`);
  server.advance(300);
  const later = timeOf(client);
  // On the server's clock, which the test moves, 300 ms have passed.
  assertEquals(later - time, 300_000);
  check(client, [
    ["SET a 1 PX 5000", "+OK\r\n"],
    ["PEXPIRETIME a", `:${Math.floor(later / 1000) + 5000}\r\n`],
    ["TIME now", wrongNumber("time")],
  ]);
});

Deno.test("redis ROLE and LASTSAVE", () => {
  const before = Math.floor(Date.now() / 1000);
  const server = new ManualServer();
  const after = Math.floor(Date.now() / 1000);
  const client = server.connect();
  check(client, [
    ["ROLE", "*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n"],
    ["ROLE x", wrongNumber("role")],
    ["LASTSAVE x", wrongNumber("lastsave")],
  ]);
  const reply = client.ask(words("LASTSAVE"));
  const started = Number(reply.slice(1));
  assertEquals(reply, `:${started}\r\n`);
  assert(started >= before && started <= after, `started at ${started}`);
  server.advance(10_000);
  check(client, [["LASTSAVE", reply]]);
});

Deno.test("redis LATENCY and SLOWLOG have no records", () => {
  const client = new ManualServer().connect();
  const badCount = "-ERR count should be greater than or equal to -1\r\n";
  check(client, [
    ["LATENCY LATEST", "*0\r\n"],
    ["latency history command", "*0\r\n"],
    ["LATENCY HISTORY", wrongNumber("latency|history")],
    ["LATENCY RESET", ":0\r\n"],
    ["LATENCY RESET a b", ":0\r\n"],
    ["LATENCY GRAPH a", "-ERR No samples available for event 'a'\r\n"],
    ["LATENCY HISTOGRAM", "*0\r\n"],
    [
      "LATENCY DOCTOR",
      bulk("The store keeps no record of latency: blink-store bench measures it.\n"),
    ],
    ["LATENCY no", "-ERR unknown subcommand 'no'. Try LATENCY HELP.\r\n"],
    ["LATENCY", wrongNumber("latency")],
    ["SLOWLOG GET", "*0\r\n"],
    ["SLOWLOG GET 10", "*0\r\n"],
    ["SLOWLOG GET -1", "*0\r\n"],
    ["SLOWLOG GET -2", badCount],
    ["SLOWLOG GET x", badCount],
    [
      "SLOWLOG GET 1 2",
      "-ERR unknown subcommand or wrong number of arguments for 'GET'. Try SLOWLOG HELP.\r\n",
    ],
    ["SLOWLOG LEN", ":0\r\n"],
    ["SLOWLOG RESET", "+OK\r\n"],
    ["SLOWLOG RESET 1", wrongNumber("slowlog|reset")],
  ]);
  client.ask(words("HELLO 3"));
  check(client, [["LATENCY HISTOGRAM", "%0\r\n"], ["SLOWLOG GET", "*0\r\n"]]);
});

Deno.test("redis MODULE, ACL and LOLWUT", () => {
  const client = new ManualServer().connect();
  const oneUser = "-ERR this store has one user, default, who may do everything; its password is " +
    "the token that the server is started with\r\n";
  check(client, [
    ["MODULE LIST", "*0\r\n"],
    ["MODULE LOAD x", "-ERR this store has no modules and loads none\r\n"],
    ["MODULE no", "-ERR unknown subcommand 'no'. Try MODULE HELP.\r\n"],
    ["MODULE", wrongNumber("module")],
    ["ACL WHOAMI", "$7\r\ndefault\r\n"],
    ["ACL WHOAMI x", wrongNumber("acl|whoami")],
    ["ACL LIST", oneUser],
    ["ACL SETUSER somebody on", oneUser],
    ["ACL no", "-ERR unknown subcommand 'no'. Try ACL HELP.\r\n"],
    ["LOLWUT", bulk("Blink Store ver. 0\n")],
    ["LOLWUT VERSION 5", bulk("Blink Store ver. 0\n")],
  ]);
  client.ask(words("HELLO 3"));
  check(client, [["LOLWUT", "=23\r\ntxt:Blink Store ver. 0\n\r\n"]]);
});

Deno.test("redis ACL HELP lists what is not refused", () => {
  const client = new ManualServer().connect();
  const lines = [
    "ACL <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
    "WHOAMI",
    "    Return the current connection username.",
    "HELP",
    "    Prints this help.",
  ];
  const reply = `*${lines.length}\r\n${lines.map((line) => `+${line}\r\n`).join("")}`;
  check(client, [["ACL HELP", reply], ["ACL HELP x", wrongNumber("acl|help")]]);
});

Deno.test("redis: without a cluster, its commands are refused as in Redis", () => {
  const client = new ManualServer().connect();
  const noCluster = "-ERR This instance has cluster support disabled\r\n";
  for (const request of ["CLUSTER INFO", "CLUSTER SLOTS", "READONLY", "READWRITE", "ASKING"]) {
    check(client, [[request, noCluster]]);
  }
  check(client, [["CLUSTER", wrongNumber("cluster")], ["READONLY x", wrongNumber("readonly")]]);
});

Deno.test("redis: what the store has nothing for is refused, and the error says what there is", () => {
  const server = new ManualServer();
  const client = server.connect();
  const refusals: [requests: string[], text: string][] = [
    [
      ["SAVE", "BGSAVE", "BGSAVE SCHEDULE", "BGREWRITEAOF"],
      "this store is in memory and writes no files: blink-store copy copies it to another store",
    ],
    [
      ["SHUTDOWN", "SHUTDOWN NOSAVE"],
      "clients do not stop this store: send SIGTERM to its process",
    ],
    [
      ["REPLICAOF host 1", "SLAVEOF NO ONE", "SYNC", "PSYNC ? -1"],
      "this store has no replicas: blink-store copy copies it to another store",
    ],
    [["MONITOR"], "this store does not show the requests of others: INFO has their numbers"],
    [["DEBUG SLEEP 1"], "this store has no DEBUG: INFO, MEMORY and OBJECT have what there is"],
    [
      ["MIGRATE host 1 a 0 100", "DUMP a", "RESTORE a 0 x"],
      "this store has no serialized values: GET and SET carry the value, PTTL and PEXPIRE its " +
      "expiry; blink-store copy copies all keys",
    ],
    [["MOVE a 1", "SWAPDB 0 1"], "this store has database 0 alone"],
  ];
  client.ask(words("SET a 1"));
  for (const [requests, text] of refusals) {
    for (const request of requests) check(client, [[request, `-ERR ${text}\r\n`]]);
  }
  check(client, [
    ["DUMP", wrongNumber("dump")],
    ["MONITOR x", wrongNumber("monitor")],
    ["GET a", bulk("1")],
  ]);
  assert(!client.isClosed, "a refusal does not close the connection");
});

Deno.test("redis: server commands need authentication", () => {
  const client = new ManualServer({ token: "secret" }).connect();
  for (const request of ["TIME", "ROLE", "SHUTDOWN", "ACL WHOAMI", "INCR a"]) {
    assertEquals(client.ask(array(...request.split(" "))), "-NOAUTH Authentication required.\r\n");
  }
});

Deno.test("redis AUTH and SELECT say what Redis says, where no password is required", () => {
  const client = new ManualServer().connect();
  check(client, [
    ["AUTH default anything", "+OK\r\n"],
    ["SELECT 0", "+OK\r\n"],
    ["SELECT x", "-ERR value is not an integer or out of range\r\n"],
    ["SELECT 1", "-ERR DB index is out of range: this store has database 0 alone\r\n"],
  ]);
  assert(client.ask(words("AUTH anything")).startsWith("-ERR AUTH <password> called without any"));
});

Deno.test("redis AUTH with another user's name is refused, also where no password is required", () => {
  const server = new ManualServer();
  const client = server.connect();
  client.send(words("AUTH somebody anything"));
  server.advance(authDelayMs);
  client.run();
  assertEquals(
    client.taken(),
    "-WRONGPASS invalid username-password pair or user is disabled.\r\n",
  );
});
