/**
 * Key commands of the Redis wire over sockets, whichever loop and however many threads serve them.
 *
 * @module
 */

import { assert, assertEquals } from "./assert.ts";
import { RawClient } from "./raw_client.ts";
import { array, joined, words } from "./redis_array.ts";
import { serve } from "./served.ts";

const anyPort = [{ hostname: "127.0.0.1", port: 0 }];

/** Sends requests on a new connection, ends it by QUIT, and returns all that is answered. */
async function ask(
  server: { addresses: readonly (Deno.NetAddr | Deno.UnixAddr)[] },
  ...requests: readonly Uint8Array[]
): Promise<string> {
  using client = await RawClient.to(server.addresses[0]);
  await client.send(joined(...requests, words("QUIT")));
  const replies = new TextDecoder("latin1").decode(await client.restBytes());
  assert(replies.endsWith("+OK\r\n"), replies.slice(-200));
  return replies.slice(0, -"+OK\r\n".length);
}

Deno.test("redis keys: KEYS and SCAN list the keys of all threads", async () => {
  await using server = await serve({ tcp: anyPort, memoryLimitBytes: 256 << 20 });
  const keys = Array.from({ length: 5000 }, (_, n) => `key:${n}`).sort();
  for (let from = 0; from < keys.length; from += 1000) {
    await ask(server, ...keys.slice(from, from + 1000).map((key) => array("SET", key, "1")));
  }
  const listed = (reply: string) => reply.split("\r\n").filter((line) => /^key:/.test(line)).sort();
  assertEquals(listed(await ask(server, words("KEYS *"))), keys);
  assertEquals(listed(await ask(server, words("KEYS key:49*"))).length, 111);
  const scanned: string[] = [];
  let cursor = "0";
  do {
    const reply = await ask(server, words(`SCAN ${cursor} COUNT 700`));
    scanned.push(...listed(reply));
    cursor = reply.split("\r\n")[2];
  } while (cursor !== "0");
  assertEquals([...new Set(scanned)].sort(), keys);
  assertEquals(await ask(server, words("DBSIZE")), ":5000\r\n");
  assertEquals(
    await ask(server, array("DELPREFIX", "key:49"), words("DBSIZE")),
    ":111\r\n:4889\r\n",
  );
  assertEquals(await ask(server, words("FLUSHALL"), words("RANDOMKEY")), "+OK\r\n$-1\r\n");
});

Deno.test("redis keys: a large value is renamed among others", async () => {
  await using server = await serve({ tcp: anyPort, memoryLimitBytes: 256 << 20 });
  const value = new Uint8Array(1 << 20).fill(0x76);
  await ask(server, words("PING"), array("SET", "a", value), words("EXPIRE a 100"));
  const clients = Array.from({ length: 8 }, (_, n) =>
    ask(
      server,
      ...Array.from({ length: 10 }, (_, at) => words(`RENAME ${n % 2 + at % 2} x${n}`)),
      ...Array.from({ length: 10 }, () => words("COPY a b REPLACE")),
    ));
  for (const replies of await Promise.all(clients)) {
    assertEquals(replies, "-ERR no such key\r\n".repeat(10) + ":1\r\n".repeat(10));
  }
  const [rename, exists, ttl, reply] = [
    await ask(server, words("RENAME b c")),
    await ask(server, words("EXISTS a b c")),
    await ask(server, words("TTL c")),
    await ask(server, words("GET c")),
  ];
  assertEquals([rename, exists], ["+OK\r\n", ":2\r\n"]);
  assert(Number(ttl.slice(1)) > 90, ttl);
  assertEquals(reply.length, value.length + `$${value.length}\r\n\r\n`.length);
  assert(/^\$1048576\r\nv+\r\n$/.test(reply));
});
