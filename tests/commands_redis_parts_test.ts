/** Tests of the commands of the Redis wire about parts of values: STRLEN, GETRANGE, APPEND, SETRANGE. */
import { Store } from "../store.ts";
import { assert, assertEquals } from "./assert.ts";
import { ModelStore } from "./model_store.ts";
import { bytesOf } from "./raw_client.ts";
import { array, joined, words } from "./redis_array.ts";
import { ask, bulk, check, noInteger, servers, wrongNumber } from "./redis_asking.ts";
import { ManualServer } from "./server_manual.ts";

const tooLong = "-ERR string exceeds maximum allowed size (proto-max-bulk-len)\r\n";

Deno.test("redis STRLEN", () => {
  const server = new ManualServer();
  const client = server.connect();
  check(client, [
    ["STRLEN a", ":0\r\n"],
    ["SET a hello", "+OK\r\n"],
    ["STRLEN a", ":5\r\n"],
    ["STRLEN a b", wrongNumber("strlen")],
  ]);
  client.ask(array("SET", "a", "v".repeat(500_000)));
  check(client, [["STRLEN a", ":500000\r\n"]]);
});

Deno.test("redis GETRANGE and SUBSTR", () => {
  for (const server of servers({})) {
    const client = server.connect();
    for (const name of ["GETRANGE", "substr"]) {
      check(client, [
        ["DEL a", name === "substr" ? ":1\r\n" : ":0\r\n"],
        [`${name} a 0 -1`, "$0\r\n\r\n"],
        ["SET a hello", "+OK\r\n"],
        [`${name} a 0 -1`, bulk("hello")],
        [`${name} a 0 0`, bulk("h")],
        [`${name} a 1 3`, bulk("ell")],
        [`${name} a -3 -2`, bulk("ll")],
        [`${name} a -100 100`, bulk("hello")],
        [`${name} a 4 4`, bulk("o")],
        [`${name} a 5 5`, bulk("")],
        [`${name} a 3 2`, bulk("")],
        [`${name} a -2 -3`, bulk("")],
        // Redis counts an end before the beginning as the first byte.
        [`${name} a 0 -100`, bulk("h")],
        [`${name} a -9223372036854775808 -9223372036854775807`, bulk("h")],
        [`${name} a -9223372036854775807 -9223372036854775808`, bulk("")],
        [`${name} a -9223372036854775808 9223372036854775807`, bulk("hello")],
        [`${name} a 0 9223372036854775808`, noInteger],
        [`${name} a x 1`, noInteger],
        [`${name} a 1 1.5`, noInteger],
        [`${name} a 1`, wrongNumber(name.toLowerCase())],
      ]);
      assertEquals(client.ask(array("SET", "e", "")), "+OK\r\n");
      check(client, [[`${name} e 0 -1`, bulk("")]]);
    }
  }
});

Deno.test("redis GETRANGE of large values", () => {
  for (const server of servers({ limitBytes: 4 << 20 })) {
    const client = server.connect();
    for (const size of [9000, 192 * 1024, 192 * 1024 + 1, 1_000_000]) {
      const value = Array.from({ length: Math.ceil(size / 8) }, (_, n) => `${n}`.padEnd(8, "-"))
        .join("").slice(0, size);
      client.ask(array("SET", "a", value));
      const ranges = [[0, 9], [5, size - 6], [0, size - 1], [size - 1, size - 1], [size, size]];
      for (const [start, end] of ranges) {
        const asked = joined(words(`GETRANGE a ${start} ${end}`), words("GETRANGE none 0 1"));
        assertEquals(client.ask(asked), bulk(value.slice(start, end + 1)) + bulk(""));
      }
    }
  }
});

Deno.test("redis APPEND", () => {
  for (const server of servers({})) {
    const client = server.connect();
    check(client, [
      ["APPEND a hello", ":5\r\n"],
      ["TTL a", ":-1\r\n"],
      ["EXPIRE a 100", ":1\r\n"],
      ["append a -world", ":11\r\n"],
      ["GET a", bulk("hello-world")],
      ["TTL a", ":100\r\n"],
      ["APPEND a", wrongNumber("append")],
    ]);
    assertEquals(client.ask(array("APPEND", "a", "")), ":11\r\n");
    assertEquals(client.ask(array("APPEND", "empty", "")), ":0\r\n");
    check(client, [["EXISTS empty", ":1\r\n"], ["APPEND empty x", ":1\r\n"]]);
  }
});

Deno.test("redis SETRANGE", () => {
  for (const server of servers({})) {
    const client = server.connect();
    check(client, [
      ["SETRANGE a 3 abc", ":6\r\n"],
      ["GET a", bulk("\0\0\0abc")],
      ["EXPIRE a 100", ":1\r\n"],
      ["SETRANGE a 1 xy", ":6\r\n"],
      ["GET a", bulk("\0xyabc")],
      ["SETRANGE a 6 d", ":7\r\n"],
      ["SETRANGE a 9 e", ":10\r\n"],
      ["GET a", bulk("\0xyabcd\0\0e")],
      ["TTL a", ":100\r\n"],
      ["SETRANGE a -1 x", "-ERR offset is out of range\r\n"],
      ["SETRANGE a x x", noInteger],
      ["SETRANGE a 9223372036854775808 x", noInteger],
      ["SETRANGE a 536870912 x", tooLong],
      ["SETRANGE none 9223372036854775807 x", tooLong],
      ["SETRANGE a 1", wrongNumber("setrange")],
    ]);
    // Nothing to write: no key is made, and no offset is too far.
    assertEquals(client.ask(array("SETRANGE", "none", "5", "")), ":0\r\n");
    assertEquals(client.ask(array("SETRANGE", "a", "536870912", "")), ":10\r\n");
    assertEquals(
      client.ask(array("SETRANGE", "a", "-1", "")),
      "-ERR offset is out of range\r\n",
    );
    check(client, [["EXISTS none", ":0\r\n"], ["STRLEN a", ":10\r\n"]]);
    // The gap is empty also where the scratch memory was used before.
    client.ask(array("SETRANGE", "big", "0", "v".repeat(60_000)));
    check(client, [["SETRANGE big 60000 w", ":60001\r\n"], ["SETRANGE gap 50000 x", ":50001\r\n"]]);
    check(client, [["GET gap", bulk("\0".repeat(50_000) + "x")]]);
  }
});

Deno.test("redis APPEND and SETRANGE: the store's limit", () => {
  const limitBytes = 200_000;
  for (const server of servers({ limitBytes })) {
    const client = server.connect();
    const error = `-ERR value too large (max ${limitBytes - 1} bytes)\r\n`;
    const half = "v".repeat(100_000);
    assertEquals(client.ask(array("APPEND", "a", half)), ":100000\r\n");
    assertEquals(client.ask(array("APPEND", "a", half)), error);
    check(client, [
      ["STRLEN a", ":100000\r\n"],
      ["SETRANGE a 199999 x", error],
      ["SETRANGE b 536870911 x", error],
      ["STRLEN a", ":100000\r\n"],
    ]);
    assertEquals(client.ask(array("APPEND", "a", half.slice(1))), ":199999\r\n");
    check(client, [["GET a", bulk("v".repeat(199_999))]]);
  }
});

Deno.test("redis APPEND and SETRANGE: large values keep their expiry", () => {
  for (const server of servers({ limitBytes: 16 << 20 })) {
    const client = server.connect();
    let expected = "a".repeat(65_000);
    client.ask(array("SET", "a", expected, "EX", "100"));
    for (const size of [536, 1, 100_000, 1_000_000, 3_000_000]) {
      const part = `${size % 10}`.repeat(size);
      expected += part;
      assertEquals(client.ask(array("APPEND", "a", part)), `:${expected.length}\r\n`);
      assertEquals(ask(client, "GET a"), bulk(expected));
    }
    for (const offset of [0, 70_000, expected.length + 5]) {
      expected = expected.slice(0, offset).padEnd(offset, "\0") + "xyz" +
        expected.slice(offset + 3);
      assertEquals(ask(client, `SETRANGE a ${offset} xyz`), `:${expected.length}\r\n`);
      assertEquals(ask(client, "GET a"), bulk(expected));
    }
    check(client, [["TTL a", ":100\r\n"]]);
    assertEquals(server.context.commands.counters.hits, 8);
  }
});

Deno.test("redis APPEND does not lose what it appends to where others are evicted", () => {
  const server = new ManualServer({ limitBytes: 8 << 20 });
  const client = server.connect();
  let expected = "";
  for (let n = 0; n < 60; n++) {
    client.ask(array("SET", `other:${n}`, "o".repeat(200_000)));
    const part = `${n % 10}`.repeat(100_000);
    expected += part;
    assertEquals(client.ask(array("APPEND", "a", part)), `:${expected.length}\r\n`);
  }
  assertEquals(ask(client, "GET a"), bulk(expected));
});

Deno.test("redis APPEND begins again where its key changes before it is done", () => {
  const server = new ManualServer({ limitBytes: 32 << 20 });
  const [client, other] = [server.connect(), server.connect()];
  const value = "v".repeat(3_000_000);
  for (const replaced of ["SET a short", "DEL a", "SET a short EX 100"]) {
    client.ask(array("SET", "a", value));
    // Only this request is under way.
    assertEquals(client.run(), "read");
    client.receive(words("APPEND a -end"));
    assertEquals(client.step(), "yield");
    ask(other, replaced);
    const end = replaced.startsWith("DEL") ? "-end" : "short-end";
    client.run();
    assertEquals(client.taken(), `:${end.length}\r\n`, replaced);
    check(client, [
      ["GET a", bulk(end)],
      ["TTL a", replaced.includes("EX") ? ":100\r\n" : ":-1\r\n"],
    ]);
  }
});

Deno.test("redis APPEND ends also where its key changes in each step", () => {
  const server = new ManualServer({ limitBytes: 32 << 20 });
  const { store } = server;
  const client = server.connect();
  const key = bytesOf("a");
  const value = new Uint8Array(3_000_100).fill(0x76);
  let length = 3_000_000;
  const change = () => {
    store.enterAll();
    assertEquals(store.putNow(key, 0, 1, value, 0, ++length, Infinity), "stored");
    store.leaveAll();
  };
  change();
  client.run();
  client.receive(words("APPEND a -end"));
  let steps = 0;
  for (; client.step() === "yield"; steps++) {
    assert(steps < 100, "the put does not end");
    change();
  }
  assert(steps > 8, `${steps} steps`);
  client.run();
  assertEquals(client.taken(), `:${length + 4}\r\n`);
  assertEquals(ask(client, `GETRANGE a ${length - 1} -1`), bulk("v-end"));
});

Deno.test("redis APPEND that is cancelled gives its memory back", () => {
  const server = new ManualServer({ limitBytes: 32 << 20 });
  const [client, other] = [server.connect(), server.connect()];
  const value = "v".repeat(3_000_000);
  client.ask(array("SET", "a", value));
  client.run();
  client.receive(words("APPEND a -end"));
  assertEquals(client.step(), "yield");
  client.close();
  assertEquals(server.context.replies.bytes, 0);
  // The put does not keep its place in the line of puts.
  assertEquals(other.ask(array("APPEND", "a", "x")), `:${value.length + 1}\r\n`);
  assertEquals(server.store.usage, 1 + value.length + 1);
});

Deno.test("redis APPEND and SETRANGE of large values in a transaction", () => {
  const stores = [
    new Store({ limitBytes: 8 << 20, now: () => 1000 }),
    new ModelStore({ limitBytes: 8 << 20, now: () => 1000, scattered: true }),
  ];
  for (const store of stores) {
    const client = new ManualServer({ store, isShared: true }).connect();
    const value = "v".repeat(2_000_000);
    const replies = client.ask(joined(
      words("MULTI"),
      array("APPEND", "a", value),
      words("APPEND a x"),
      words("SETRANGE a 0 y"),
      words("SETRANGE b 100000 z"),
      words("GETRANGE a 1999999 -1"),
      words("GETRANGE a 0 1"),
      words("EXEC"),
    ));
    const results = ":2000000\r\n:2000001\r\n:2000001\r\n:100001\r\n" + bulk("vx") + bulk("yv");
    assertEquals(replies, `+OK\r\n${"+QUEUED\r\n".repeat(6)}*6\r\n${results}`);
  }
});
