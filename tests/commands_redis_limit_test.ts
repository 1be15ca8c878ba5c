/**
 * The memory limit changes while the server runs, by CONFIG SET maxmemory.
 *
 * @module
 */

import { memoryLimitBytesMax } from "../protocol.ts";
import { assert, assertEquals, assertMatch } from "./assert.ts";
import { array, joined, words } from "./redis_array.ts";
import { type ManualConnection, ManualServer } from "./server_manual.ts";
import { Rotation } from "./store_rotation.ts";

function ask(client: ManualConnection, ...requests: readonly string[]): string {
  return client.ask(joined(...requests.map(words)));
}

const ok = "+OK\r\n";
const mib = 1 << 20;

/** Servers of one thread, and of several that take turns. */
function servers(): { name: string; server: ManualServer }[] {
  const now = () => 0;
  const store = new Rotation({ limitBytes: 4 * mib, threads: 3, shards: 4, now });
  return [
    { name: "one thread", server: new ManualServer({ limitBytes: 4 * mib }) },
    { name: "three threads", server: new ManualServer({ store, isShared: true }) },
  ];
}

Deno.test("redis CONFIG SET maxmemory: lower, higher, in Redis's units; both wires show it", () => {
  for (const { name, server } of servers()) {
    const client = server.connect();
    const line = server.connect();
    for (let n = 0; n < 3000; n++) client.ask(array("SET", `key:${n}`, "v".repeat(1000)));
    const usage = () => Number(line.ask("USAGE\n").split(" ")[1]);
    assert(usage() > 3_000_000, name);
    assertEquals(
      ask(client, "CONFIG SET maxmemory 1mb", "CONFIG GET maxmemory"),
      `${ok}*2\r\n$9\r\nmaxmemory\r\n$7\r\n1048576\r\n`,
    );
    assert(usage() <= mib && usage() > 0.97 * mib, `${name}: ${usage()}`);
    assert(line.ask("INFO\n").includes('"limit":1048576'));
    assert(ask(client, "INFO memory").includes("maxmemory:1048576\r\n"));
    // A value as large as the limit still fits, and none that is larger.
    assertEquals(client.ask(array("SET", "k", "v".repeat(mib - 1))), ok);
    assertEquals(usage(), mib);
    assertMatch(client.ask(array("SET", "k", "v".repeat(mib))), /^-ERR value too large/);
    assertEquals(ask(client, "CONFIG SET MAXMEMORY 2097152"), ok);
    assertEquals(client.ask(array("SET", "other", "v".repeat(mib - 5))), ok);
    assertEquals(usage(), 2 * mib, name);
  }
});

Deno.test("redis CONFIG SET maxmemory: other clients write while entries leave", () => {
  for (const { server } of servers()) {
    const client = server.connect();
    const other = server.connect();
    for (let n = 0; n < 3000; n++) client.ask(array("SET", `key:${n}`, "v".repeat(1000)));
    client.receive(words("CONFIG SET maxmemory 100kb"));
    let turns = 0;
    while (client.connection.next() === "yield") {
      assertEquals(other.ask(array("SET", `new:${turns % 10}`, "v".repeat(1000))), ok);
      assert(++turns < 10_000, "it does not end");
    }
    assert(turns > 5, `${turns} turns`);
    assert(server.context.commands.store.usage <= 102_400);
  }
});

Deno.test("redis CONFIG SET maxmemory: a client that leaves does not end the change", () => {
  for (const { server } of servers()) {
    const client = server.connect();
    for (let n = 0; n < 3000; n++) client.ask(array("SET", `key:${n}`, "v".repeat(1000)));
    client.receive(words("CONFIG SET maxmemory 100kb"));
    client.connection.next();
    client.close();
    const { store } = server.context.commands;
    assert(store.usage > 102_400);
    for (let n = 0; store.sweep(); n++) assert(n < 10_000);
    assert(store.usage <= 102_400 && store.limitBytes === 102_400);
  }
});

Deno.test("redis CONFIG SET maxmemory: the smallest limit, and what cannot be one", () => {
  for (const { server } of servers()) {
    const client = server.connect();
    ask(client, "SET a 1");
    const error = /^-ERR CONFIG SET failed \(possibly related to argument 'maxmemory'\) - /;
    for (const wrong of ["0", "-1", "x", "1.5mb", `${memoryLimitBytesMax + 1}`]) {
      assertMatch(ask(client, `CONFIG SET maxmemory ${wrong}`), error, wrong);
    }
    assertEquals(ask(client, "CONFIG SET maxmemory 1"), ok);
    assertEquals(ask(client, "DBSIZE"), ":0\r\n");
    const limit = memoryLimitBytesMax;
    assertEquals(ask(client, `CONFIG SET maxmemory ${limit}`, "SET a 1"), ok + ok);
    // With another setting that is refused, nothing changes.
    assertMatch(ask(client, "CONFIG SET maxmemory 1 hz 77"), /^-ERR CONFIG SET failed/);
    assertEquals(server.context.commands.store.limitBytes, limit);
  }
});

Deno.test("redis CONFIG SET maxmemory: in a transaction it can rise, and not fall", () => {
  for (const { server } of servers()) {
    const client = server.connect();
    const replies = ask(
      client,
      "MULTI",
      "CONFIG SET maxmemory 8mb",
      "CONFIG SET maxmemory 1mb",
      "EXEC",
    );
    assertMatch(replies, /\*2\r\n\+OK\r\n-ERR CONFIG SET failed.* it cannot be lowered in a/);
  }
});

Deno.test("redis CONFIG SET maxmemory: a large value on its way may be too large then", () => {
  for (const { server } of servers()) {
    const client = server.connect();
    const other = server.connect();
    other.send(array("SET", "large", "v".repeat(3 * mib)).subarray(0, -100));
    assertEquals(ask(client, "CONFIG SET maxmemory 1mb"), ok);
    const rest = array("SET", "large", "v".repeat(3 * mib)).subarray(-100);
    assertMatch(other.ask(rest), /^-ERR value too large/);
    assertEquals(ask(client, "DBSIZE", "SET a 1"), `:0\r\n${ok}`);
  }
});
