/**
 * Many clients on all threads of a server, over sockets: what is promised for one thread holds for
 * several. Each test ends with exact figures, whatever the order in which the threads took turns.
 *
 * @module
 */

import { loadLibc } from "../server/libc.ts";
import { serve, type Server } from "../server.ts";
import { openSharedMemory } from "../store.ts";
import { assert, assertEquals } from "./assert.ts";
import { RawClient } from "./raw_client.ts";

// Older runtimes watch that no test leaves a library open: so both are opened before the first.
const ignore = loadLibc() === undefined || openSharedMemory() === undefined;
const threads = 4;
const clientsPerThread = 3;

/** A server of several threads, and clients on each of them. */
async function crowd(memoryLimitBytes = 64 << 20) {
  const tcp = [{ hostname: "127.0.0.1", port: 0 }];
  const server = await serve({ tcp, threads, memoryLimitBytes });
  const clients: RawClient[] = [];
  while (clients.length < threads * clientsPerThread) {
    const client = await RawClient.to(server.addresses[0]);
    await client.ask("PING\n");
    clients.push(client);
  }
  assertEquals(server.info().connections.per_thread, Array(threads).fill(clientsPerThread));
  return {
    server,
    clients,
    async [Symbol.asyncDispose]() {
      for (const client of clients) client[Symbol.dispose]();
      await server.shutdown();
    },
  };
}

/** Every key that SCAN lists, once for each time. */
async function scanAll(client: RawClient, prefix = ""): Promise<string[]> {
  const keys: string[] = [];
  let cursor = "0";
  do {
    const [reply] = await client.ask(`SCAN ${cursor} 50 ${prefix}\n`);
    assert(reply.startsWith("KEYS "), reply);
    const [, next, ...found] = reply.split(" ");
    keys.push(...found);
    cursor = next;
  } while (cursor !== "0");
  return keys;
}

/** At rest: what USAGE, INFO and SCAN say is the same. */
async function verifyAtRest({ store }: Server, client: RawClient): Promise<void> {
  const keys = await scanAll(client);
  assertEquals(new Set(keys).size, keys.length, "at rest SCAN lists each key once");
  let bytes = 0;
  for (const key of keys) {
    const [reply] = await client.ask(`GET ${key}\n`);
    assert(reply.startsWith("VALUE"), `${key}: ${reply}`);
    bytes += key.length + atob(reply.slice(6)).length;
  }
  assertEquals(await client.ask("USAGE\n"), [`USAGE ${bytes}`]);
  assertEquals([store.usage, store.entries], [bytes, keys.length]);
}

Deno.test({
  name: "stress: counters by INCR from all threads end exact, and no number is given twice",
  ignore,
  async fn() {
    await using all = await crowd();
    const rounds = 20;
    const counters = 4;
    const perRound = 25;
    const seen = Array.from({ length: counters }, () => new Set<string>());
    await Promise.all(all.clients.map(async (client) => {
      for (let round = 0; round < rounds; round++) {
        const counter = round % counters;
        for (const reply of await client.ask(`INCR n${counter}\n`.repeat(perRound))) {
          assert(!seen[counter].has(reply), `twice: ${reply}`);
          seen[counter].add(reply);
        }
      }
    }));
    const total = all.clients.length * rounds * perRound / counters;
    for (let counter = 0; counter < counters; counter++) {
      assertEquals(await all.clients[0].ask(`GET n${counter}\n`), [`VALUE ${btoa(`${total}`)}`]);
    }
    assertEquals(all.server.info().requests.INCR, total * counters);
    await verifyAtRest(all.server, all.clients[1]);
  },
});

Deno.test({
  name: "stress: a lock by PUT absent has one owner, and is released by its owner alone",
  ignore,
  async fn() {
    await using all = await crowd();
    let owners = 0;
    let acquired = 0;
    await Promise.all(all.clients.map(async (client, id) => {
      for (let tries = 0; tries < 200; tries++) {
        const [reply] = await client.ask(`PUT lock absent,ttl=60 ${id}\n`);
        if (reply === "CONFLICT") continue;
        assertEquals(reply, "OK");
        assertEquals(++owners, 1, "there is one owner");
        acquired++;
        assertEquals(await client.ask("INCR guarded\n"), [`INT ${acquired}`]);
        const other = btoa(`${id + 1}`);
        assertEquals(await client.ask(`DELETE lock match=${other}\n`), ["CONFLICT"]);
        owners--;
        assertEquals(await client.ask(`DELETE lock match=${btoa(`${id}`)}\n`), ["OK"]);
      }
    }));
    assert(acquired > all.clients.length, `${acquired}`);
  },
});

Deno.test({
  name: "stress: of changes with match= from all threads none is lost",
  ignore,
  async fn() {
    await using all = await crowd();
    await all.clients[0].ask("SET sum 0\n");
    const changes = 15;
    await Promise.all(all.clients.map(async (client) => {
      for (let done = 0; done < changes;) {
        const [reply] = await client.ask("GET sum\n");
        const value = Number(atob(reply.slice(6)));
        const match = btoa(`${value}`);
        const [outcome] = await client.ask(`PUT sum match=${match} ${value + 1}\n`);
        if (outcome === "OK") done++;
        else assertEquals(outcome, "CONFLICT");
      }
    }));
    const sum = all.clients.length * changes;
    assertEquals(await all.clients[5].ask("GET sum\n"), [`VALUE ${btoa(`${sum}`)}`]);
  },
});

Deno.test({
  name: "stress: SCAN lists every key that stays, while all threads write",
  ignore,
  async fn() {
    await using all = await crowd();
    const [scanner, ...writers] = all.clients;
    const stable = Array.from({ length: 400 }, (_, n) => `stays:${n}`);
    await scanner.ask(stable.map((key) => `SET ${key} v\n`).join(""));
    let isWriting = true;
    const writing = writers.map(async (client, id) => {
      for (let n = 0; isWriting; n++) {
        const key = `${id}:${n % 50}`;
        await client.ask(`SET ${key} ${"x".repeat(n % 200)}\nDELETE ${id}:${(n + 25) % 50}\n`);
        // Those that stay move in memory, too.
        await client.ask(`SET ${stable[(id * 37 + n) % stable.length]} ${"y".repeat(n % 300)}\n`);
      }
    });
    for (let round = 0; round < 5; round++) {
      const keys = new Set(await scanAll(scanner));
      const missing = stable.filter((key) => !keys.has(key));
      assertEquals(missing, []);
      assertEquals(new Set(await scanAll(scanner, "stays:")), new Set(stable));
    }
    isWriting = false;
    await Promise.all(writing);
    await verifyAtRest(all.server, scanner);
  },
});

Deno.test({
  name: "stress: USAGE is never above the limit, and exact at rest",
  ignore,
  async fn() {
    const limitBytes = 256 * 1024;
    await using all = await crowd(limitBytes);
    const [watcher, ...writers] = all.clients;
    let isWriting = true;
    const writing = Promise.all(writers.map(async (client, id) => {
      for (let n = 0; n < 60; n++) {
        const sizes = [10, 300, 5000, 20_000, 60_000];
        const lines = sizes.map((size, m) =>
          `SET ${id}:${n % 20}:${m} ${"z".repeat(size + n)}\nEXPIRE ${id}:${n % 20}:${m} 100\n`
        );
        const replies = await client.ask(lines.join(""));
        assert(replies.every((reply) => reply === "OK" || reply === "NOT_FOUND"), `${replies}`);
      }
    })).finally(() => isWriting = false);
    while (isWriting) {
      const [usage] = await watcher.ask("USAGE\n");
      assert(Number(usage.slice(6)) <= limitBytes, usage);
    }
    await writing;
    // A value as large as the limit fits, too.
    const value = "w".repeat(limitBytes - 3);
    assertEquals(await watcher.ask(`SET max ${value}\nUSAGE\n`), ["OK", `USAGE ${limitBytes}`]);
    await watcher.ask("DELETE max\n");
    await writers[0].ask("SET a 1\nSET b 22\n");
    await verifyAtRest(all.server, watcher);
  },
});

Deno.test({
  name: "stress: FLUSH looks to all threads as if it happened at once",
  ignore,
  async fn() {
    await using all = await crowd();
    const [flusher, ...readers] = all.clients;
    const keys = 300;
    for (const flush of ["FLUSH f:", "FLUSH"]) {
      const lines = Array.from({ length: keys }, (_, n) => `SET f:${n} v\n`);
      await flusher.ask(lines.join(""));
      const reading = readers.map(async (client, id) => {
        // Once one key is gone, no later request finds another one.
        let isGone = false;
        for (let n = id; !isGone || n % keys !== 0; n++) {
          const [reply] = await client.ask(`GET f:${n * 7 % keys}\n`);
          assert(!isGone || reply === "NOT_FOUND", `a key is back: ${reply}`);
          isGone = reply === "NOT_FOUND";
        }
      });
      assertEquals(await flusher.ask(`${flush}\n`), [`DELETED ${keys}`]);
      await Promise.all(reading);
      assertEquals(await readers[2].ask("USAGE\n"), ["USAGE 0"]);
    }
  },
});

Deno.test({
  name: "stress: large values from all threads at once are stored and read whole",
  ignore,
  async fn() {
    await using all = await crowd();
    const bytes = 3 << 20;
    await Promise.all(all.clients.map(async (client, id) => {
      const letter = String.fromCharCode(0x61 + id);
      const value = letter.repeat(bytes);
      const [stored] = await client.ask(`SET ${letter} ${value}\n`);
      assertEquals(stored, "OK");
      const [reply] = await client.ask(`GET ${letter}\n`);
      assert(reply === `VALUE ${btoa(value)}`, `the value of ${letter}`);
      // Everybody writes this one, and no reader sees two writers in one value.
      await client.ask(`SET common ${value}\n`);
      const [common] = await client.ask("GET common\n");
      const [first] = atob(common.slice(6, 10));
      assert(common === `VALUE ${btoa(first.repeat(bytes))}`, `one value of ${first}`);
    }));
    assertEquals(all.server.store.entries, all.clients.length + 1);
  },
});
