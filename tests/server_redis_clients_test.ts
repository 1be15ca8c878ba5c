/**
 * CLIENT LIST and KILL over sockets: they see the clients of every thread, over each loop.
 *
 * @module
 */

import { assert, assertEquals } from "./assert.ts";
import { RawClient } from "./raw_client.ts";
import { joined, words } from "./redis_array.ts";
import { serve, testThreads } from "./served.ts";

const anyPort = [{ hostname: "127.0.0.1", port: 0 }];

/** The fields of the clients that CLIENT LIST shows. */
async function list(client: RawClient, options = ""): Promise<Record<string, string>[]> {
  await client.send(joined(words(`CLIENT LIST${options}`), words("PING")));
  const records: Record<string, string>[] = [];
  await client.lines(1);
  for (let line; (line = (await client.lines(1))[0]) !== "\r";) {
    records.push(Object.fromEntries(line.split(" ").map((field) => field.split("=", 2))));
  }
  assertEquals(await client.lines(1), ["+PONG\r"]);
  return records;
}

async function idOf(client: RawClient): Promise<number> {
  await client.send(words("CLIENT ID"));
  return Number((await client.lines(1))[0].slice(1));
}

Deno.test("clients: each thread lists and ends those of all threads", async () => {
  await using server = await serve({ tcp: anyPort });
  const [address] = server.addresses;
  const clients: RawClient[] = [];
  for (let n = 0; n < 6; n++) clients.push(await RawClient.to(address));
  const ids = await Promise.all(clients.map(idOf));
  assertEquals(new Set(ids).size, 6);
  const sorted = ids.map(String).sort((a, b) => Number(a) - Number(b));
  for (const client of clients) {
    const records = await list(client);
    assertEquals(records.map(({ id }) => id), sorted);
    for (const { addr, laddr } of records) {
      assert(addr.startsWith("127.0.0.1:") && addr !== laddr, addr);
      assertEquals(laddr, `127.0.0.1:${(address as Deno.NetAddr).port}`);
    }
  }
  // Two connections, one behind the other, cannot be in one thread while the other has fewer.
  const [asker, ...others] = clients;
  for (const [n, other] of others.entries()) {
    if (n % 2 === 0) {
      await asker.send(words(`CLIENT KILL ID ${ids[n + 1]}`));
      assertEquals(await asker.lines(1), [":1\r"]);
    } else {
      const { addr } = (await list(asker, ` ID ${ids[n + 1]}`))[0];
      await asker.send(words(`CLIENT KILL ${addr}`));
      assertEquals(await asker.lines(1), ["+OK\r"]);
    }
    assertEquals(await other.rest(), "");
  }
  assertEquals((await list(asker)).length, 1);
  assertEquals(server.info().connections.now, 1);
  for (const client of clients) client[Symbol.dispose]();
});

Deno.test("clients: many threads' clients ask at the same time", async () => {
  await using server = await serve({ tcp: anyPort });
  const clients = await Promise.all(
    Array.from({ length: 2 * testThreads + 2 }, () => RawClient.to(server.addresses[0])),
  );
  await Promise.all(clients.map(idOf));
  await Promise.all(clients.map(async (client) => {
    for (let n = 0; n < 5; n++) assertEquals((await list(client)).length, clients.length);
  }));
  // One that leaves while it waits does no harm.
  await clients[0].send(words("CLIENT LIST"));
  clients[0][Symbol.dispose]();
  assert((await list(clients[1])).length >= clients.length - 1);
  for (const client of clients) client[Symbol.dispose]();
});

Deno.test({
  name: "clients: one of a Unix socket has its path as address",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    const folder = await Deno.makeTempDir();
    const path = `${folder}/socket`;
    await using server = await serve({ unix: [{ path }] });
    using client = await RawClient.to(server.addresses[0]);
    const [record] = await list(client);
    assertEquals([record.addr, record.laddr, record.flags], [`${path}:0`, `${path}:0`, "U"]);
    await Deno.remove(folder, { recursive: true });
  },
});

Deno.test("clients: in a transaction of several threads the list is refused", async () => {
  await using server = await serve({ tcp: anyPort });
  using client = await RawClient.to(server.addresses[0]);
  await client.send(joined(words("MULTI"), words("CLIENT LIST"), words("EXEC"), words("PING")));
  const lines = await client.lines(3);
  const [reply] = await client.lines(1);
  if (server.threads === 1) assert(reply.startsWith("$"), lines.join());
  else assertEquals(reply.startsWith("-ERR clients of several threads cannot be"), true);
});
