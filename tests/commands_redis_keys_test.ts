/** Tests of the commands of the Redis wire about one or two keys, and their expiry. */
import { Store } from "../store.ts";
import { assert, assertEquals } from "./assert.ts";
import { ModelStore } from "./model_store.ts";
import { array, joined, words } from "./redis_array.ts";
import { ask, check, noInteger, syntaxError, wrongNumber } from "./redis_asking.ts";
import { ManualServer } from "./server_manual.ts";

/** Seconds from now, as a time since 1970. */
function secondsAt(seconds: number): number {
  return Math.floor(Date.now() / 1000) + seconds;
}

Deno.test("redis TYPE", () => {
  const client = new ManualServer().connect();
  check(client, [
    ["TYPE a", "+none\r\n"],
    ["SET a 1", "+OK\r\n"],
    ["type a", "+string\r\n"],
    ["TYPE", wrongNumber("type")],
    ["TYPE a b", wrongNumber("type")],
  ]);
});

Deno.test("redis EXPIRE, TTL and PERSIST", () => {
  const server = new ManualServer();
  const client = server.connect();
  check(client, [
    ["EXPIRE a 10", ":0\r\n"],
    ["TTL a", ":-2\r\n"],
    ["PTTL a", ":-2\r\n"],
    ["EXPIRETIME a", ":-2\r\n"],
    ["PEXPIRETIME a", ":-2\r\n"],
    ["PERSIST a", ":0\r\n"],
    ["SET a 1", "+OK\r\n"],
    ["TTL a", ":-1\r\n"],
    ["PTTL a", ":-1\r\n"],
    ["EXPIRETIME a", ":-1\r\n"],
    ["PEXPIRETIME a", ":-1\r\n"],
    ["PERSIST a", ":0\r\n"],
    ["EXPIRE a 10", ":1\r\n"],
    ["TTL a", ":10\r\n"],
    ["PTTL a", ":10000\r\n"],
  ]);
  server.advance(501);
  check(client, [["PTTL a", ":9499\r\n"], ["TTL a", ":9\r\n"]]);
  check(client, [
    ["PERSIST a", ":1\r\n"],
    ["TTL a", ":-1\r\n"],
    ["PEXPIRE a 1500", ":1\r\n"],
    ["TTL a", ":2\r\n"],
    ["PTTL a", ":1500\r\n"],
  ]);
  server.advance(1499);
  check(client, [["TTL a", ":0\r\n"], ["PTTL a", ":1\r\n"], ["GET a", "$1\r\n1\r\n"]]);
  server.advance(1);
  check(client, [["TTL a", ":-2\r\n"], ["GET a", "$-1\r\n"], ["EXPIRE a 10", ":0\r\n"]]);
});

Deno.test("redis EXPIREAT and EXPIRETIME are on the wall clock", () => {
  const client = new ManualServer().connect();
  const at = secondsAt(1000);
  check(client, [
    ["SET a 1", "+OK\r\n"],
    [`EXPIREAT a ${at}`, ":1\r\n"],
    ["EXPIRETIME a", `:${at}\r\n`],
    ["PEXPIRETIME a", `:${at * 1000}\r\n`],
    [`PEXPIREAT a ${at * 1000 + 499}`, ":1\r\n"],
    ["EXPIRETIME a", `:${at}\r\n`],
    ["PEXPIRETIME a", `:${at * 1000 + 499}\r\n`],
    [`PEXPIREAT a ${at * 1000 + 500}`, ":1\r\n"],
    ["EXPIRETIME a", `:${at + 1}\r\n`],
  ]);
  const left = Number(ask(client, "TTL a").slice(1));
  assert(left > 990 && left <= 1001, `${left} seconds are left`);
});

Deno.test("redis EXPIRE with a time that is over deletes the key", () => {
  const server = new ManualServer();
  const client = server.connect();
  const requests = [
    "EXPIRE a 0",
    "EXPIRE a -1",
    "PEXPIRE a 0",
    "PEXPIRE a -9223372036854775808",
    "EXPIREAT a 0",
    "EXPIREAT a 1",
    `EXPIREAT a ${secondsAt(-5)}`,
    "PEXPIREAT a -9223372036854770000",
    "EXPIRE a -9223372036854775",
  ];
  for (const request of requests) {
    check(client, [
      ["SET a 1", "+OK\r\n"],
      [request, ":1\r\n"],
      ["EXISTS a", ":0\r\n"],
      ["DBSIZE", ":0\r\n"],
      [request, ":0\r\n"],
    ]);
  }
  assertEquals(server.store.usage, 0);
});

Deno.test("redis EXPIRE refuses what is no time", () => {
  const client = new ManualServer().connect();
  const invalid = (name: string) => `-ERR invalid expire time in '${name}' command\r\n`;
  check(client, [
    ["SET a 1", "+OK\r\n"],
    ["EXPIRE a 9223372036854775807", invalid("expire")],
    ["EXPIRE a 9223372036854776", invalid("expire")],
    // Fits as milliseconds, but not from now on.
    ["EXPIRE a 9223372036854775", invalid("expire")],
    ["EXPIRE a -9223372036854776", invalid("expire")],
    ["PEXPIRE a 9223372036854770000", invalid("pexpire")],
    ["EXPIREAT a 9223372036854776", invalid("expireat")],
    ["expireat a -9223372036854776", invalid("expireat")],
    ["PEXPIREAT a 9223372036854775808", noInteger],
    ["EXPIRE a 1.5", noInteger],
    ["EXPIRE a x", noInteger],
    ["EXPIRE a +1", noInteger],
    ["EXPIRE a", wrongNumber("expire")],
    ["PEXPIREAT a", wrongNumber("pexpireat")],
    // The option comes first.
    ["EXPIRE a x AB", "-ERR Unsupported option AB\r\n"],
    ["EXPIRE a 1 NX 2", "-ERR Unsupported option 2\r\n"],
    ["TTL a", ":-1\r\n"],
  ]);
  assertEquals(client.ask(array("EXPIRE", "a", "")), noInteger);
});

Deno.test("redis EXPIRE: the latest time that is kept as it is", () => {
  const client = new ManualServer().connect();
  const latest = Math.floor(Number.MAX_SAFE_INTEGER / 2);
  for (const [given, kept] of [[latest - 1, latest - 1], [latest, latest], [latest + 1, latest]]) {
    check(client, [
      ["SET a 1", "+OK\r\n"],
      [`PEXPIREAT a ${given}`, ":1\r\n"],
      ["PEXPIRETIME a", `:${kept}\r\n`],
    ]);
  }
  check(client, [
    ["PEXPIREAT a 9223372036854775807", ":1\r\n"],
    ["PEXPIRETIME a", `:${latest}\r\n`],
    ["GET a", "$1\r\n1\r\n"],
  ]);
});

Deno.test("redis EXPIRE with NX, XX, GT and LT", () => {
  const client = new ManualServer().connect();
  check(client, [
    ["SET a 1", "+OK\r\n"],
    // A key that never expires: NX and LT hold.
    ["EXPIRE a 100 XX", ":0\r\n"],
    ["EXPIRE a 100 GT", ":0\r\n"],
    ["EXPIRE a 100 XX GT", ":0\r\n"],
    ["EXPIRE a 100 XX LT", ":0\r\n"],
    ["TTL a", ":-1\r\n"],
    ["EXPIRE a 100 NX", ":1\r\n"],
    ["EXPIRE a 200 NX", ":0\r\n"],
    ["TTL a", ":100\r\n"],
    ["EXPIRE a 100 GT", ":0\r\n"],
    ["EXPIRE a 100 LT", ":0\r\n"],
    ["EXPIRE a 99 GT", ":0\r\n"],
    ["EXPIRE a 101 LT", ":0\r\n"],
    ["EXPIRE a 101 gt", ":1\r\n"],
    ["TTL a", ":101\r\n"],
    ["EXPIRE a 50 lt", ":1\r\n"],
    ["EXPIRE a 60 XX GT", ":1\r\n"],
    ["EXPIRE a 55 LT XX", ":1\r\n"],
    ["EXPIRE a 300 xx xx", ":1\r\n"],
    ["TTL a", ":300\r\n"],
    ["PERSIST a", ":1\r\n"],
    ["EXPIRE a 10 LT", ":1\r\n"],
    // The condition is checked also for a time that is over.
    ["EXPIRE a -1 GT", ":0\r\n"],
    ["EXPIRE a -1 LT", ":1\r\n"],
    ["EXISTS a", ":0\r\n"],
    ["EXPIRE a 10 NX", ":0\r\n"],
  ]);
  const exclusive = "-ERR NX and XX, GT or LT options at the same time are not compatible\r\n";
  check(client, [
    ["EXPIRE a 1 NX XX", exclusive],
    ["EXPIRE a 1 GT NX", exclusive],
    ["EXPIRE a 1 NX LT", exclusive],
    ["EXPIRE a 1 NX GT LT", exclusive],
    ["EXPIRE a 1 GT LT", "-ERR GT and LT options at the same time are not compatible\r\n"],
  ]);
});

Deno.test("redis RENAME and RENAMENX", () => {
  const server = new ManualServer();
  const client = server.connect();
  check(client, [
    ["RENAME a b", "-ERR no such key\r\n"],
    ["RENAMENX a b", "-ERR no such key\r\n"],
    ["RENAME a a", "-ERR no such key\r\n"],
    ["SET a 1 EX 100", "+OK\r\n"],
    ["SET b 2", "+OK\r\n"],
    ["RENAMENX a b", ":0\r\n"],
    ["RENAMENX a a", ":0\r\n"],
    ["RENAME a a", "+OK\r\n"],
    ["TTL a", ":100\r\n"],
    ["RENAME a b", "+OK\r\n"],
    ["GET b", "$1\r\n1\r\n"],
    ["EXISTS a", ":0\r\n"],
    ["TTL b", ":100\r\n"],
    ["RENAMENX b c", ":1\r\n"],
    ["TTL c", ":100\r\n"],
    // What the target had before is gone with it.
    ["SET d 4 EX 5", "+OK\r\n"],
    ["SET e 5", "+OK\r\n"],
    ["RENAME e d", "+OK\r\n"],
    ["TTL d", ":-1\r\n"],
    ["RENAME a", wrongNumber("rename")],
    ["RENAMENX a b c", wrongNumber("renamenx")],
  ]);
  assertEquals(server.store.usage, 4);
  server.advance(100_000);
  check(client, [["EXISTS c", ":0\r\n"], ["RENAME c x", "-ERR no such key\r\n"]]);
});

Deno.test("redis COPY", () => {
  const client = new ManualServer().connect();
  check(client, [
    ["COPY a b", ":0\r\n"],
    ["COPY a a", "-ERR source and destination objects are the same\r\n"],
    ["SET a 1 EX 100", "+OK\r\n"],
    ["COPY a a", "-ERR source and destination objects are the same\r\n"],
    ["COPY a b", ":1\r\n"],
    ["TTL b", ":100\r\n"],
    ["GET a", "$1\r\n1\r\n"],
    ["SET a 2", "+OK\r\n"],
    ["COPY a b", ":0\r\n"],
    ["GET b", "$1\r\n1\r\n"],
    ["COPY a b REPLACE", ":1\r\n"],
    ["GET b", "$1\r\n2\r\n"],
    ["TTL b", ":-1\r\n"],
    ["COPY a c db 0 replace", ":1\r\n"],
    ["COPY a b DB", syntaxError],
    ["COPY a b again", syntaxError],
    ["COPY a b DB 1", "-ERR DB index is out of range\r\n"],
    ["COPY a b DB -1", "-ERR DB index is out of range\r\n"],
    ["COPY a b DB x", noInteger],
    [
      "COPY a b DB 2147483648",
      "-ERR value is out of range, value must between -2147483648 and 2147483647\r\n",
    ],
    ["COPY a", wrongNumber("copy")],
  ]);
});

Deno.test("redis RENAME and COPY of large values, also in fragments, also of a shared store", () => {
  for (const isShared of [false, true]) {
    for (const length of [64 * 1024, 64 * 1024 + 1, 3 << 20]) {
      const server = new ManualServer({ limitBytes: 16 << 20, isShared });
      const client = server.connect();
      const value = "v".repeat(length);
      check(client, [["EXISTS a", ":0\r\n"]]);
      client.ask(array("SET", "a", value));
      check(client, [
        ["EXPIRE a 100", ":1\r\n"],
        ["RENAME a b", "+OK\r\n"],
        ["COPY b c", ":1\r\n"],
        ["EXISTS a b c", ":2\r\n"],
        ["TTL c", ":100\r\n"],
      ]);
      for (const key of ["b", "c"]) {
        assertEquals(
          ask(client, `GET ${key}`),
          `$${length}\r\n${value}\r\n`,
          `${key} of ${length}`,
        );
      }
      assertEquals(server.store.usage, 2 * (length + 1));
    }
  }
});

Deno.test("redis RENAME of a large value waits for memory, and goes on", () => {
  const server = new ManualServer({ limitBytes: 16 << 20, pendingBytesMax: 256 * 1024 });
  const client = server.connect();
  const length = 200 * 1024;
  check(client, [["EXISTS a", ":0\r\n"]]);
  client.ask(array("SET", "a", "v".repeat(length)));
  const reader = server.connect();
  // Its reply, which it does not take, is most of what all replies may have.
  reader.receive(words("GET a"));
  while (reader.connection.next() === "yield");
  client.receive(words("RENAME a b"));
  assertEquals(client.run(), "wait");
  assertEquals(client.taken(), "");
  reader.run();
  assertEquals(reader.taken().length, length + "$204800\r\n\r\n".length);
  assertEquals(client.run(), "read");
  assertEquals(client.taken(), "+OK\r\n");
  check(client, [["EXISTS a", ":0\r\n"], ["EXISTS b", ":1\r\n"]]);
});

Deno.test("redis RENAME leaves everything as it was where the value does not fit", () => {
  const limitBytes = 64 * 1024;
  const server = new ManualServer({ limitBytes });
  const client = server.connect();
  const value = "v".repeat(limitBytes - 1);
  check(client, [["EXISTS a", ":0\r\n"]]);
  client.ask(array("SET", "a", value));
  check(client, [
    ["EXPIRE a 100", ":1\r\n"],
    ["RENAME a bc", `-ERR value too large (max ${limitBytes - 2} bytes)\r\n`],
    ["GET a", `$${value.length}\r\n${value}\r\n`],
    ["TTL a", ":100\r\n"],
    ["RENAME a b", "+OK\r\n"],
    ["GET b", `$${value.length}\r\n${value}\r\n`],
    ["COPY b cd", `-ERR value too large (max ${limitBytes - 2} bytes)\r\n`],
    ["EXISTS b", ":1\r\n"],
  ]);
});

Deno.test("redis RENAME evicts nothing else, since the old place is free before", () => {
  const limitBytes = 64 * 1024;
  const server = new ManualServer({ limitBytes });
  const client = server.connect();
  client.ask(array("SET", "a", "v".repeat(40 * 1024)));
  client.ask(array("SET", "other", "v".repeat(16 * 1024)));
  for (let n = 0; n < 20; n++) {
    check(client, [["RENAME a b", "+OK\r\n"], ["RENAME b a", "+OK\r\n"]]);
  }
  check(client, [["EXISTS other a", ":2\r\n"]]);
  assertEquals(server.store.stats.evictions, 0);
});

Deno.test("redis keys: in a transaction, on a model and on a store", () => {
  const clock = { now: 1000 };
  const stores = [
    new Store({ limitBytes: 1 << 20, now: () => clock.now }),
    new ModelStore({ limitBytes: 1 << 20, now: () => clock.now, scattered: true }),
  ];
  for (const store of stores) {
    const client = new ManualServer({ store, isShared: true }).connect();
    const value = "v".repeat(70_000);
    const replies = client.ask(joined(
      words("MULTI"),
      array("SET", "a", value),
      words("EXPIRE a 100"),
      words("RENAME a b"),
      words("COPY b c"),
      words("TTL c"),
      words("OBJECT ENCODING c"),
      words("EXISTS a b c"),
      words("EXPIRE b 0"),
      words("EXISTS a b c"),
      words("EXEC"),
    ));
    assertEquals(
      replies,
      "+OK\r\n" + "+QUEUED\r\n".repeat(9) +
        "*9\r\n+OK\r\n:1\r\n+OK\r\n:1\r\n:100\r\n$3\r\nraw\r\n:2\r\n:1\r\n:1\r\n",
    );
  }
});
