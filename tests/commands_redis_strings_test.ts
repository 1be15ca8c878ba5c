/** Tests of the commands of the Redis wire about parts of values, and several values at once. */
import { Store } from "../store.ts";
import { assert, assertEquals } from "./assert.ts";
import { ModelStore } from "./model_store.ts";
import { bytesOf } from "./raw_client.ts";
import { array, joined, words } from "./redis_array.ts";
import { type ManualConnection, type ManualOptions, ManualServer } from "./server_manual.ts";

/** Asks for the words of a text. */
function ask(client: ManualConnection, text: string): string {
  return client.ask(words(text));
}

/** Checks the replies to requests, one after another, each given as words. */
function check(client: ManualConnection, exchanges: readonly [request: string, reply: string][]) {
  for (const [request, reply] of exchanges) assertEquals(ask(client, request), reply, request);
}

/** A text as a bulk string. */
function bulk(text: string): string {
  return `$${text.length}\r\n${text}\r\n`;
}

function wrongNumber(name: string): string {
  return `-ERR wrong number of arguments for '${name}' command\r\n`;
}

const missing = "$-1\r\n";
const syntaxError = "-ERR syntax error\r\n";
const noInteger = "-ERR value is not an integer or out of range\r\n";
const tooLong = "-ERR string exceeds maximum allowed size (proto-max-bulk-len)\r\n";

/** Servers on a store of one thread, on one that others use, and on a model. */
function servers(options: ManualOptions): ManualServer[] {
  const { limitBytes = 1 << 20 } = options;
  const model = new ModelStore({ limitBytes, now: () => 1000, scattered: true });
  return [
    new ManualServer(options),
    new ManualServer({ ...options, isShared: true }),
    new ManualServer({ ...options, store: model, isShared: true }),
  ];
}

Deno.test("redis MGET", () => {
  for (const server of servers({})) {
    const client = server.connect();
    check(client, [
      ["MSET a 1 b two", "+OK\r\n"],
      ["SET empty x", "+OK\r\n"],
      ["SETRANGE empty 0 y", ":1\r\n"],
      ["MGET a", "*1\r\n$1\r\n1\r\n"],
      ["MGET none", "*1\r\n$-1\r\n"],
      ["mget b none a b", "*4\r\n$3\r\ntwo\r\n$-1\r\n$1\r\n1\r\n$3\r\ntwo\r\n"],
      ["MGET", wrongNumber("mget")],
    ]);
    assertEquals(client.ask(array("SET", "e", "")), "+OK\r\n");
    check(client, [["MGET e", "*1\r\n$0\r\n\r\n"]]);
    const { hits, misses } = server.context.commands.counters;
    assertEquals([hits, misses], [5, 2]);
    ask(client, "HELLO 3");
    check(client, [["MGET none a", "*2\r\n_\r\n$1\r\n1\r\n"]]);
  }
});

Deno.test("redis MGET with many keys", () => {
  for (const server of servers({})) {
    const client = server.connect();
    const keys = Array.from({ length: 1025 }, (_, n) => `key:${n}`);
    assertEquals(client.ask(array("MSET", ...keys.flatMap((key) => [key, key]))), "+OK\r\n");
    for (const count of [511, 512, 513, 1024, 1025]) {
      const asked = keys.slice(0, count);
      const reply = client.ask(array("MGET", ...asked));
      assertEquals(reply, `*${count}\r\n${asked.map(bulk).join("")}`, `${count}`);
    }
    assertEquals(server.context.commands.counters.hits, 511 + 512 + 513 + 1024 + 1025);
  }
});

Deno.test("redis MGET with large values", () => {
  for (const server of servers({ limitBytes: 16 << 20 })) {
    const client = server.connect();
    const sizes = [16 * 1024, 16 * 1024 + 1, 192 * 1024, 192 * 1024 + 1, 3_000_000, 5, 250_000];
    const values = sizes.map((size, n) => `${n}`.repeat(size));
    values.forEach((value, n) => client.ask(array("SET", `key:${n}`, value)));
    const keys = sizes.map((_, n) => `key:${n}`);
    const inOrder = [...keys, "none", ...keys.toReversed()];
    const replies = [...values.map(bulk), missing, ...values.toReversed().map(bulk)];
    const pipelined = joined(array("MGET", ...inOrder), words("GET key:5"));
    client.send(pipelined);
    // Much is copied: a server polls in between.
    for (let runs = 0; client.isWoken && runs < 100; runs++) {
      client.isWoken = false;
      client.run();
    }
    assertEquals(client.taken(), `*15\r\n${replies.join("")}${bulk("55555")}`);
    // Many that are small alone.
    const sixteen = Array.from({ length: 100 }, () => "key:0");
    const reply = client.ask(array("MGET", ...sixteen));
    assertEquals(reply, `*100\r\n${bulk(values[0]).repeat(100)}`);
  }
});

Deno.test("redis MGET sends a value that is longer than a request may be", () => {
  const client = new ManualServer({ limitBytes: 8 << 20, lineBytesMax: 1 << 20 }).connect();
  const part = "v".repeat(1_000_000);
  for (const end of [1, 2, 3]) {
    assertEquals(client.ask(array("APPEND", "a", part)), `:${end * part.length}\r\n`);
  }
  const value = bulk(part.repeat(3));
  check(client, [["MGET a none a", `*3\r\n${value}${missing}${value}`]]);
  // In a transaction its size is bounded.
  const replies = client.ask(joined(words("MULTI"), words("MGET none a"), words("EXEC")));
  assert(replies.startsWith("+OK\r\n+QUEUED\r\n*1\r\n-ERR no memory for this reply"), replies);
});

Deno.test("redis MGET in a transaction", () => {
  const client = new ManualServer({ limitBytes: 8 << 20 }).connect();
  const value = "v".repeat(300_000);
  const keys = Array.from({ length: 600 }, (_, n) => `${n}`);
  const replies = client.ask(joined(
    words("MULTI"),
    array("SET", "a", value),
    words("MGET a b a"),
    array("MGET", ...keys),
    words("MSETNX a 1 b 1"),
    words("EXEC"),
  ));
  const results = `+OK\r\n*3\r\n${bulk(value)}${missing}${bulk(value)}` +
    `*600\r\n${missing.repeat(600)}:0\r\n`;
  assertEquals(replies, `+OK\r\n${"+QUEUED\r\n".repeat(4)}*4\r\n${results}`);
});

Deno.test("redis MSET and MSETNX", () => {
  for (const server of servers({})) {
    const client = server.connect();
    check(client, [
      ["MSET a 1 b 2 a 3", "+OK\r\n"],
      ["MGET a b", "*2\r\n$1\r\n3\r\n$1\r\n2\r\n"],
      ["EXPIRE a 100", ":1\r\n"],
      ["MSET a 4", "+OK\r\n"],
      ["TTL a", ":-1\r\n"],
      ["MSETNX c 1 a 2 d 3", ":0\r\n"],
      ["EXISTS c d", ":0\r\n"],
      ["MSETNX c 1 d 2 c 3", ":1\r\n"],
      ["MGET c d", "*2\r\n$1\r\n3\r\n$1\r\n2\r\n"],
      ["MSET a", wrongNumber("mset")],
      ["MSET x 1 y", wrongNumber("mset")],
      ["MSETNX x 1 y", wrongNumber("msetnx")],
      ["MSETNX", wrongNumber("msetnx")],
      ["EXISTS x y", ":0\r\n"],
    ]);
  }
});

Deno.test("redis MSET stores nothing where one value is too large", () => {
  const limitBytes = 10_000;
  for (const server of servers({ limitBytes })) {
    const client = server.connect();
    const error = `-ERR value too large (max ${limitBytes - 3} bytes)\r\n`;
    const value = "v".repeat(limitBytes - 3);
    for (const name of ["MSET", "MSETNX"]) {
      assertEquals(client.ask(array(name, "a", "1", "big", `${value}v`)), error);
      assertEquals(server.store.entries, 0);
    }
    ask(client, "SET a 1");
    assertEquals(client.ask(array("MSETNX", "a", "1", "big", `${value}v`)), ":0\r\n");
    assertEquals(client.ask(array("MSET", "a", "1", "big", value)), "+OK\r\n");
    assertEquals(client.ask(words("GET big")), bulk(value));
  }
});

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

Deno.test("redis DELIFEQ and DELEX", () => {
  for (const server of servers({})) {
    const client = server.connect();
    check(client, [
      ["DELIFEQ a 1", ":0\r\n"],
      ["SET a 1", "+OK\r\n"],
      ["DELIFEQ a 2", ":0\r\n"],
      ["DELIFEQ a 11", ":0\r\n"],
      ["EXISTS a", ":1\r\n"],
      ["delifeq a 1", ":1\r\n"],
      ["EXISTS a", ":0\r\n"],
      ["DELIFEQ a", wrongNumber("delifeq")],
      ["DELEX a", ":0\r\n"],
      ["DELEX a IFEQ 1", ":0\r\n"],
      ["DELEX a IFNE 1", ":0\r\n"],
      ["SET a 1", "+OK\r\n"],
      ["DELEX a IFEQ 2", ":0\r\n"],
      ["DELEX a ifne 1", ":0\r\n"],
      ["DELEX a ifeq 1", ":1\r\n"],
      ["SET a 1", "+OK\r\n"],
      ["DELEX a IFNE 2", ":1\r\n"],
      ["SET a 1", "+OK\r\n"],
      ["DELEX a IFDEQ 0123456789abcdef", syntaxError],
      ["DELEX a IFDNE 0123456789abcdef", syntaxError],
      ["DELEX a IFEQ", syntaxError],
      ["DELEX a IFEQ 1 2", syntaxError],
      ["DELEX a", ":1\r\n"],
      ["DELEX", wrongNumber("delex")],
    ]);
    const value = "v".repeat(300_000);
    client.ask(array("SET", "a", value));
    assertEquals(client.ask(array("DELIFEQ", "a", `${value.slice(1)}w`)), ":0\r\n");
    assertEquals(client.ask(array("DELIFEQ", "a", value)), ":1\r\n");
    assertEquals(server.store.usage, 0);
  }
});

Deno.test("redis SET and GETEX take an option twice, and the last one counts", () => {
  const client = new ManualServer().connect();
  check(client, [
    ["SET a 1 EX 100 EX 200 NX NX", "+OK\r\n"],
    ["TTL a", ":200\r\n"],
    ["SET a 2 XX XX GET GET KEEPTTL KEEPTTL", bulk("1")],
    ["TTL a", ":200\r\n"],
    ["SET a 2 EX 100 PX 100", syntaxError],
    ["SET a 2 EX 100 KEEPTTL", syntaxError],
    ["SET a 2 NX XX", syntaxError],
    // The syntax is checked before the time.
    ["SET a 2 EX x no", syntaxError],
    ["SET a 2 EX x EX 5", "+OK\r\n"],
    ["GETEX a EX x EX 50", bulk("2")],
    ["TTL a", ":50\r\n"],
    ["GETEX a PERSIST EX 5", syntaxError],
    ["GETEX a EX 5 EX", syntaxError],
    ["GETEX a EX x", noInteger],
    ["GETEX none EX x", missing],
    ["GETEX none EX x no", syntaxError],
    ["GETEX a PERSIST PERSIST", bulk("2")],
    ["TTL a", ":-1\r\n"],
  ]);
});
