/**
 * Clients that speak Redis over sockets, whichever loop serves them: pipelines, large values both
 * ways, slow readers, both wires at once, transactions between connections.
 *
 * @module
 */

import { assert, assertEquals } from "./assert.ts";
import { bytesOf, RawClient } from "./raw_client.ts";
import { array, joined, words } from "./redis_array.ts";
import { serve } from "./served.ts";

const anyPort = [{ hostname: "127.0.0.1", port: 0 }];

async function connectTo(server: { addresses: readonly (Deno.NetAddr | Deno.UnixAddr)[] }) {
  return await RawClient.to(server.addresses[0]);
}

/** Sends, ends, and returns all that is answered. */
async function askAll(client: RawClient, ...parts: readonly Uint8Array[]): Promise<string> {
  await client.send(joined(...parts));
  await client.end();
  return new TextDecoder("latin1").decode(await client.restBytes());
}

Deno.test("redis: a pipeline of a thousand requests", async () => {
  await using server = await serve({ tcp: anyPort });
  using client = await connectTo(server);
  const keys = Array.from({ length: 1000 }, (_, n) => `key:${n}`);
  const replies = await askAll(
    client,
    ...keys.map((key) => array("SET", key, `value of ${key}`)),
    ...keys.map((key) => array("GET", key)),
  );
  const values = keys.map((key) => `value of ${key}`);
  const expected = "+OK\r\n".repeat(1000) +
    values.map((value) => `$${value.length}\r\n${value}\r\n`).join("");
  assertEquals(replies, expected);
});

Deno.test("redis: values from nothing to eight megabytes, of any bytes", async () => {
  await using server = await serve({ tcp: anyPort, memoryLimitBytes: 64 << 20 });
  for (const length of [0, 1, 95, 96, 97, 16_384, 16_385, 65_536, 196_608, 196_609, 8 << 20]) {
    using client = await connectTo(server);
    const value = new Uint8Array(length).map((_, n) => n * 7 + (n >> 8));
    await client.send(joined(array("SET", "k", value), words("GET k"), words("PING")));
    await client.end();
    const replies = await client.restBytes();
    const expected = joined(
      bytesOf(`+OK\r\n$${length}\r\n`),
      value,
      bytesOf("\r\n+PONG\r\n"),
    );
    assert(
      replies.length === expected.length && replies.every((byte, n) => byte === expected[n]),
      `a value of ${length} bytes`,
    );
  }
});

Deno.test("redis: a client that reads late gets every reply in order", async () => {
  await using server = await serve({ tcp: anyPort, memoryLimitBytes: 64 << 20 });
  using client = await connectTo(server);
  const value = "v".repeat(300_000);
  await client.send(joined(array("SET", "k", value), words("SET s small")));
  await client.lines(2);
  await client.send(joined(...Array.from({ length: 20 }, () => words("GET k")), words("GET s")));
  using other = await connectTo(server);
  assertEquals(await askAll(other, words("GET s")), "$5\r\nsmall\r\n");
  await client.end();
  const rest = await client.rest();
  assert(rest === `$300000\r\n${value}\r\n`.repeat(20) + "$5\r\nsmall\r\n");
});

Deno.test("redis: lines and arrays at the same time, on one store", async () => {
  await using server = await serve({ tcp: anyPort });
  using line = await connectTo(server);
  using redis = await connectTo(server);
  for (let n = 0; n < 50; n++) {
    assertEquals(await line.ask(`SET k${n} ${n}\n`), ["OK"]);
    await redis.send(words(`GET k${n}`));
    assertEquals((await redis.lines(2))[1], `${n}\r`);
    await redis.send(words(`SET r${n} ${n}`));
    assertEquals(await redis.lines(1), ["+OK\r"]);
    assertEquals(await line.ask(`GET r${n}\n`), [`VALUE ${btoa(`${n}`)}`]);
  }
});

Deno.test("redis: HELLO, AUTH and a wrong password", async () => {
  await using server = await serve({ tcp: anyPort, token: "s3cret word" });
  using client = await connectTo(server);
  await client.send(words("GET a"));
  assertEquals(await client.lines(1), ["-NOAUTH Authentication required.\r"]);
  await client.send(words("HELLO 3 AUTH default wrong"));
  assertEquals((await client.lines(1))[0].startsWith("-WRONGPASS"), true);
  await client.send(array("HELLO", "3", "AUTH", "default", "s3cret word"));
  assertEquals((await client.lines(1))[0], "%7\r");
});

Deno.test("redis: a broken request ends its connection alone", async () => {
  await using server = await serve({ tcp: anyPort });
  using client = await connectTo(server);
  using other = await connectTo(server);
  const replies = await askAll(client, words("SET a 1"), bytesOf("*1\r\n+x\r\n"), words("GET a"));
  assertEquals(replies, "+OK\r\n-ERR Protocol error: expected '$', got '+'\r\n");
  assertEquals(await askAll(other, words("GET a")), "$1\r\n1\r\n");
});

// Each takes from one key and gives to the other; only together are they seen.
Deno.test("redis: transactions of several connections on the same keys", async () => {
  await using server = await serve({ tcp: anyPort });
  const clients = await Promise.all(Array.from({ length: 6 }, () => connectTo(server)));
  using first = await connectTo(server);
  await askAll(first, words("SET a 0"), words("SET b 0"));
  const rounds = 200;
  const move = (n: number) =>
    joined(words("MULTI"), words(`SET a ${n}`), words(`SET b ${n}`), words("EXEC"));
  const look = joined(words("MULTI"), words("GET a"), words("GET b"), words("EXEC"));
  await Promise.all(clients.map(async (client, c) => {
    for (let n = 0; n < rounds; n++) {
      await client.send(c % 2 === 0 ? move(n * 10 + c) : look);
      const lines = await client.lines(c % 2 === 0 ? 6 : 8);
      if (c % 2 === 1) assertEquals(lines[5], lines[7]);
    }
  }));
  for (const client of clients) client[Symbol.dispose]();
});

Deno.test("redis: INFO and CONFIG know how the server was started", async () => {
  const runIds: string[] = [];
  for (let n = 0; n < 2; n++) {
    await using server = await serve({ tcp: anyPort, connectionsMax: 77, idleTimeoutMs: 5000 });
    const { port } = server.addresses[0] as Deno.NetAddr;
    using client = await connectTo(server);
    const names = ["port", "maxclients", "timeout", "bind", "io-threads"];
    const replies = await askAll(client, words(`CONFIG GET ${names.join(" ")}`), words("INFO"));
    const values = [String(port), "77", "5", "127.0.0.1", String(server.threads)];
    for (const [place, name] of names.entries()) {
      const value = values[place];
      const pair = `$${name.length}\r\n${name}\r\n$${value.length}\r\n${value}\r\n`;
      assert(replies.includes(pair), `${name} is not ${value}: ${replies}`);
    }
    const field = (name: string) => new RegExp(`\r\n${name}:(.*)\r\n`).exec(replies)?.[1] ?? "";
    assertEquals([field("tcp_port"), field("maxclients")], [String(port), "77"]);
    assertEquals(field("process_id"), String(Deno.pid));
    assert(Number(field("used_cpu_user")) > 0 && Number(field("used_memory_rss")) > 1e6);
    runIds.push(field("run_id"));
  }
  assert(runIds.every((id) => /^[0-9a-f]{40}$/.test(id)) && runIds[0] !== runIds[1]);
});
