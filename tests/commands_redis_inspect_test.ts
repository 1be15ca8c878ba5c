/** Tests of the commands of the Redis wire that tell how a key and the memory are kept, and of WAIT. */
import { assert, assertEquals } from "./assert.ts";
import { array } from "./redis_array.ts";
import { ask, check, noInteger, syntaxError, wrongNumber } from "./redis_asking.ts";
import { ManualServer } from "./server_manual.ts";

Deno.test("redis OBJECT", () => {
  const client = new ManualServer().connect();
  const encodings: [value: string, encoding: string][] = [
    ["", "embstr"],
    ["0", "int"],
    ["-9223372036854775808", "int"],
    ["9223372036854775807", "int"],
    ["9223372036854775808", "embstr"],
    ["01", "embstr"],
    ["-0", "embstr"],
    ["+1", "embstr"],
    ["1 ", "embstr"],
    ["x".repeat(44), "embstr"],
    ["x".repeat(45), "raw"],
    ["x".repeat(100_000), "raw"],
  ];
  for (const [value, encoding] of encodings) {
    client.ask(array("SET", "a", value));
    assertEquals(ask(client, "OBJECT ENCODING a"), `$${encoding.length}\r\n${encoding}\r\n`, value);
  }
  const note =
    "Please note that when switching between policies at runtime LRU and LFU data will " +
    "take some time to adjust.";
  check(client, [
    ["object refcount a", ":1\r\n"],
    ["OBJECT ENCODING b", "$-1\r\n"],
    ["OBJECT REFCOUNT b", "$-1\r\n"],
    ["OBJECT FREQ b", "$-1\r\n"],
    ["OBJECT IDLETIME b", "$-1\r\n"],
    [
      "OBJECT FREQ a",
      `-ERR An LFU maxmemory policy is not selected, access frequency not tracked. ${note}\r\n`,
    ],
    [
      "OBJECT IDLETIME a",
      `-ERR An LFU maxmemory policy is selected, idle time not tracked. ${note}\r\n`,
    ],
    ["OBJECT", wrongNumber("object")],
    ["OBJECT ENCODING", wrongNumber("object|encoding")],
    ["OBJECT Freq a b", wrongNumber("object|freq")],
    ["OBJECT HELP me", wrongNumber("object|help")],
    ["OBJECT none a", "-ERR unknown subcommand 'none'. Try OBJECT HELP.\r\n"],
  ]);
  assertEquals(client.ask(array("OBJECT", "ENCODING", "")), "$-1\r\n");
  const help = ask(client, "OBJECT HELP").split("\r\n");
  assertEquals([help[0], help.length], ["*15", 17]);
  assertEquals(help[1], "+OBJECT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:");
  ask(client, "HELLO 3");
  check(client, [["OBJECT ENCODING b", "_\r\n"], ["MEMORY USAGE b", "_\r\n"]]);
});

Deno.test("redis MEMORY", () => {
  const server = new ManualServer();
  const client = server.connect();
  check(client, [
    ["MEMORY USAGE abc", "$-1\r\n"],
    ["SET abc 12345", "+OK\r\n"],
    ["MEMORY USAGE abc", ":28\r\n"],
    ["MEMORY USAGE abc SAMPLES 0", ":28\r\n"],
    ["memory usage abc samples 5 samples 6", ":28\r\n"],
    ["EXPIRE abc 10", ":1\r\n"],
    ["MEMORY USAGE abc", ":36\r\n"],
    ["MEMORY USAGE abc SAMPLES", syntaxError],
    ["MEMORY USAGE abc SAMPLES -1", syntaxError],
    ["MEMORY USAGE abc SAMPLES x", noInteger],
    ["MEMORY USAGE abc COUNT 1", syntaxError],
    ["MEMORY USAGE", wrongNumber("memory|usage")],
    ["MEMORY STATS now", wrongNumber("memory|stats")],
    ["MEMORY", wrongNumber("memory")],
    ["MEMORY none", "-ERR unknown subcommand 'none'. Try MEMORY HELP.\r\n"],
    ["MEMORY PURGE", "+OK\r\n"],
  ]);
  assert(ask(client, "MEMORY STATS").includes("$10\r\nkeys.count\r\n:1\r\n"));
  assert(ask(client, "MEMORY DOCTOR").startsWith("$"));
  ask(client, "HELLO 3");
  assert(ask(client, "MEMORY STATS").startsWith("%4\r\n"));
  assert(ask(client, "MEMORY DOCTOR").startsWith("="));
});

Deno.test("redis WAIT: there are no replicas", () => {
  const client = new ManualServer().connect();
  check(client, [
    ["WAIT 0 100", ":0\r\n"],
    ["WAIT 3 0", ":0\r\n"],
    ["WAIT x 0", noInteger],
    ["WAIT 0 x", "-ERR timeout is not an integer or out of range\r\n"],
    ["WAIT 0 -1", "-ERR timeout is negative\r\n"],
    ["WAIT 0", wrongNumber("wait")],
  ]);
});
