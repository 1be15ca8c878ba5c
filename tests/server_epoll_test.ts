/**
 * What only the epoll loop has: addresses in memory, descriptors of its own, turns of the thread.
 * What it shares with the portable loop is in the other tests of the server, which run over both.
 *
 * @module
 */

import { loadLibc } from "../server/libc.ts";
import {
  ipSocketAddress,
  readSocketAddress,
  unixSocketAddress,
  withoutZone,
} from "../server/socket_address.ts";
import { serve } from "../server.ts";
import { assert, assertEquals, assertRejects } from "./assert.ts";
import { RawClient, until, within } from "./raw_client.ts";

const ignore = loadLibc() === undefined;
const anyPort = [{ hostname: "127.0.0.1", port: 0 }];

/** Descriptors of this process. */
function descriptors(): number {
  return [...Deno.readDirSync("/proc/self/fd")].length;
}

Deno.test("epoll: IP addresses as the system has them in memory", () => {
  const addresses: [string, string][] = [
    ["127.0.0.1", "127.0.0.1"],
    ["255.254.3.0", "255.254.3.0"],
    ["::", "::"],
    ["::1", "::1"],
    ["2001:DB8::a:0:1", "2001:db8::a:0:1"],
    ["1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"],
    ["fe80::1:2", "fe80::1:2"],
    ["::ffff:10.0.0.1", "::ffff:10.0.0.1"],
  ];
  for (const [text, shown] of addresses) {
    const address = ipSocketAddress(text, 0x1234);
    assert(address !== undefined, text);
    assertEquals([...address.subarray(2, 4)], [0x12, 0x34]);
    assertEquals(readSocketAddress(address), { hostname: shown, port: 0x1234 });
  }
  for (const text of ["localhost", "256.0.0.1", "1.2.3", "01.2.3.4", ":::", "fe80::1%eth0", ""]) {
    assertEquals(ipSocketAddress(text, 1), undefined, text);
  }
});

Deno.test("epoll: zones of IPv6 addresses", () => {
  assertEquals(withoutZone("fe80::1%eth0.1"), ["fe80::1", "eth0.1"]);
  assertEquals(withoutZone("fe80::1"), ["fe80::1", undefined]);
  assertEquals(withoutZone("50%off"), ["50%off", undefined]);
  const address = ipSocketAddress("fe80::1", 1, 0x01020304);
  assert(address !== undefined);
  assertEquals(new DataView(address.buffer).getUint32(24, true), 0x01020304);
});

const local = Deno.networkInterfaces().find(({ address }) => address.startsWith("fe80:"));

// It fell back to the runtime, which listened there, and then said that the address is unavailable.
Deno.test({
  name: "epoll: an address that holds on one network only",
  ignore: ignore || local === undefined,
  async fn() {
    for (const zone of [local?.name, local?.scopeid]) {
      const hostname = `${local?.address}%${zone}`;
      await using server = await serve({ tcp: [{ hostname, port: 0 }], io: "epoll" });
      const [address] = server.addresses;
      assert(address.transport === "tcp" && address.port > 0);
      using client = await RawClient.to({ ...address, hostname });
      assertEquals(await client.ask("PING\n"), ["PONG"]);
    }
    for (const zone of ["nosuch", "0", ""]) {
      const tcp = [{ hostname: `${local?.address}%${zone}`, port: 0 }];
      const error = await assertRejects(() => serve({ tcp, io: "epoll" }), Error);
      assert(error.message.startsWith("Cannot listen on"), error.message);
    }
  },
});

Deno.test("epoll: paths of Unix sockets up to their longest", () => {
  assertEquals(unixSocketAddress("x".repeat(107))?.length, 110);
  assertEquals(unixSocketAddress("x".repeat(108)), undefined);
  assertEquals(unixSocketAddress("a\0b"), undefined);
});

Deno.test({
  name: "epoll: a server leaves no descriptor open, however it ends",
  ignore,
  async fn() {
    const round = async (end: "shutdown" | "abort" | "fail") => {
      const server = await serve({ tcp: anyPort, io: "epoll", connectionsMax: 3 });
      const [address] = server.addresses;
      assert(address.transport === "tcp");
      if (end === "fail") {
        await assertRejects(() => serve({ tcp: [...anyPort, address], io: "epoll" }));
        await assertRejects(() => serve({ tcp: anyPort, io: "epoll", memoryLimitBytes: 0 }));
      }
      const clients = await Promise.all([1, 2, 3].map(() => RawClient.to(address)));
      for (const client of clients) assertEquals(await client.ask("PING\n"), ["PONG"]);
      using refused = await RawClient.to(address);
      assertEquals(await refused.lines(1), ["ERROR too many connections"]);
      clients[0][Symbol.dispose]();
      await clients[1].send("GET ");
      if (end === "abort") server.abort();
      await within(server.shutdown(), "the server's end");
      for (const client of clients) client[Symbol.dispose]();
      await assertRejects(() => RawClient.to(address), Deno.errors.ConnectionRefused);
      // The port is free again.
      await using _next = await serve({ tcp: [address], io: "epoll" });
    };
    await round("shutdown");
    const before = descriptors();
    for (const end of ["shutdown", "abort", "fail"] as const) await round(end);
    await until(() => descriptors() <= before, "descriptors to be closed");
  },
});

Deno.test({
  name: "epoll: two servers in one process, one of which owns the thread",
  ignore,
  async fn() {
    await using shared = await serve({ tcp: anyPort, io: "epoll" });
    await using owner = await serve({ tcp: anyPort, ownsThread: true });
    assertEquals([shared.io, owner.io], ["epoll", "epoll"]);
    using one = await RawClient.to(shared.addresses[0]);
    using other = await RawClient.to(owner.addresses[0]);
    for (let n = 0; n < 10; n++) {
      assertEquals(await one.ask(`SET k ${n}\n`), ["OK"]);
      assertEquals(await other.ask(`SET k x${n}\nGET k\n`), ["OK", `VALUE ${btoa(`x${n}`)}`]);
    }
    assertEquals(await one.ask("GET k\n"), ["VALUE OQ=="]);
  },
});

Deno.test({
  name: "epoll: more connections than one wait reports",
  ignore,
  async fn() {
    await using server = await serve({ tcp: anyPort, io: "epoll" });
    const clients: RawClient[] = [];
    while (clients.length < 700) clients.push(await RawClient.to(server.addresses[0]));
    await Promise.all(clients.map((client) => client.send("INCR n\n")));
    await Promise.all(clients.map((client) => client.lines(1)));
    assertEquals(await clients[0].ask("GET n\n"), [`VALUE ${btoa("700")}`]);
    for (const client of clients) client[Symbol.dispose]();
    await until(() => server.info().connections.now === 0, "the clients' end to be seen");
  },
});

// The system reports a peer that has closed with an error or a hang-up, and what it sent stays.
Deno.test({
  name: "epoll: requests of a client that closes at once are run",
  ignore,
  async fn() {
    const folder = await Deno.makeTempDir();
    const path = `${folder}/socket`;
    {
      await using server = await serve({
        tcp: anyPort,
        unix: [{ path }],
        io: "epoll",
        memoryLimitBytes: 64 << 20,
      });
      for (const address of server.addresses) {
        server.store.flushAll();
        const client = await RawClient.to(address);
        await client.send(`SET big ${"v".repeat(3 << 20)}\nSET last 1\n`);
        client[Symbol.dispose]();
        await until(() => server.store.entries === 2, "the requests to be run");
        await until(() => server.info().connections.now === 0, "the client's end to be seen");
      }
    }
    await Deno.remove(folder, { recursive: true });
  },
});
