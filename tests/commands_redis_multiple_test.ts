/** Tests of the commands of the Redis wire about several values at once: MGET, MSET, MSETNX. */
import { assert, assertEquals } from "./assert.ts";
import { array, joined, words } from "./redis_array.ts";
import { ask, bulk, check, missing, servers, wrongNumber } from "./redis_asking.ts";
import { ManualServer } from "./server_manual.ts";

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
