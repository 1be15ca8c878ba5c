/**
 * Faults that the server once had, over real sockets; each test says which it guards against.
 *
 * @module
 */

import { InvariantError, Store } from "../store.ts";
import { assert, assertEquals, assertRejects } from "./assert.ts";
import { RawClient, until, within } from "./raw_client.ts";
import { serve } from "./served.ts";

const anyPort = [{ hostname: "127.0.0.1", port: 0 }];

async function hasPython(): Promise<boolean> {
  try {
    const command = new Deno.Command("python3", { args: ["--version"], stdout: "null" });
    return (await command.output()).success;
  } catch {
    return false;
  }
}

/** A program that connects many times and resets each connection at once. */
const resets = `
import socket, struct, sys
for _ in range(int(sys.argv[2])):
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    s.connect(("127.0.0.1", int(sys.argv[1])))
    s.close()
`;

// Each made accept fail, and each failure paused for up to half a second: 99 s after 200 of them.
Deno.test({
  name: "faults: connections that are reset before they are accepted keep nobody waiting",
  ignore: !await hasPython(),
  async fn() {
    await using server = await serve({ tcp: anyPort });
    const [address] = server.addresses;
    assert(address.transport === "tcp");
    for (let round = 0; round < 3; round++) {
      const { success } = await new Deno.Command("python3", {
        args: ["-c", resets, `${address.port}`, "300"],
      }).output();
      assert(success);
      using client = await RawClient.to(address);
      assertEquals(await client.ask("PING\n"), ["PONG"]);
    }
    await until(() => server.info().connections.now <= 1, "the resets to be seen");
  },
});

// In a third of the tries the second client was disconnected by a TypeError.
Deno.test("faults: two large values at once under a limit that holds one of them", async () => {
  for (let round = 0; round < 12; round++) {
    await using server = await serve({ tcp: anyPort, memoryLimitBytes: 10 << 20 });
    using first = await RawClient.to(server.addresses[0]);
    using second = await RawClient.to(server.addresses[0]);
    const replies = await Promise.all([
      first.ask(`SET a ${"a".repeat(6 << 20)}\n`),
      second.ask(`SET b ${"b".repeat(5 << 20)}\n`),
    ]);
    assertEquals(replies, [["OK"], ["OK"]]);
    const held = await first.ask("USAGE\n");
    assert(["USAGE 6291457", "USAGE 5242881"].includes(held[0]), held[0]);
  }
});

Deno.test("faults: a store that cannot be made leaves no listener behind", async () => {
  const probe = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = probe.addr;
  probe.close();
  const tcp = [{ hostname: "127.0.0.1", port }];
  await assertRejects(() => serve({ tcp, memoryLimitBytes: 0 }), RangeError, "limit");
  await using server = await serve({ tcp });
  using client = await RawClient.to(server.addresses[0]);
  assertEquals(await client.ask("PING\n"), ["PONG"]);
});

Deno.test("faults: a receiver of events that throws ends nothing", async () => {
  await using server = await serve({
    tcp: anyPort,
    token: "secret",
    onEvent: () => {
      throw new Error("the disk is full");
    },
  });
  using client = await RawClient.to(server.addresses[0]);
  assertEquals(await client.ask("AUTH wrong\nAUTH secret\nPING\n"), [
    "ERROR authentication failed",
    "OK",
    "PONG",
  ]);
});

Deno.test({
  name: "faults: a server that ends leaves the socket file of a newer one alone",
  ignore: Deno.build.os === "windows",
  async fn() {
    const folder = await Deno.makeTempDir();
    const path = `${folder}/socket`;
    const older = await serve({ unix: [{ path }] });
    // What a person does who finds that the old server does not end.
    await Deno.remove(path);
    const newer = await serve({ unix: [{ path }] });
    await older.shutdown();
    using client = await RawClient.to(newer.addresses[0]);
    assertEquals(await client.ask("PING\n"), ["PONG"]);
    await newer.shutdown();
    await assertRejects(() => Deno.lstat(path), Deno.errors.NotFound);
    assertEquals([...Deno.readDirSync(folder)], []);
    await Deno.remove(folder);
  },
});

// Each tick of a long flush started another chain of sweeps that renewed itself.
Deno.test("faults: a sweep that goes on is one", async () => {
  let sweeps = 0;
  let underWay = 0;
  let most = 0;
  class SlowStore extends Store {
    override sweep(): boolean {
      most = Math.max(most, ++underWay);
      queueMicrotask(() => underWay--);
      super.sweep();
      return ++sweeps % 1000 !== 0;
    }
  }
  await using server = await serve({ tcp: anyPort, store: new SlowStore({ limitBytes: 1 << 20 }) });
  using client = await RawClient.to(server.addresses[0]);
  await until(() => sweeps > 3000, "sweeps");
  assertEquals(await client.ask("PING\n"), ["PONG"]);
  assertEquals(most, 1);
});

Deno.test("faults: an HTTP/2 preface is refused, and what follows it does not run", async () => {
  await using server = await serve({ tcp: anyPort });
  using client = await RawClient.to(server.addresses[0]);
  await client.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nSET smuggled 1\n");
  const rest = await within(client.rest(), "the refusal");
  assert(rest.startsWith("HTTP/1.1 400 Bad Request\r\n"), rest);
  assertEquals(server.store.entries, 0);
});

Deno.test("faults: a broken invariant ends the server, with one line that says which", async () => {
  class BrokenStore extends Store {
    override get(): number {
      throw new InvariantError("an entry is in two places");
    }
  }
  const events: string[] = [];
  const server = await serve({
    tcp: anyPort,
    store: new BrokenStore({ limitBytes: 1 << 20 }),
    onEvent: (event) => events.push(event),
  });
  using client = await RawClient.to(server.addresses[0]);
  await client.send("SET k v\nGET k\nGET k\n");
  // Nothing is answered from a store that cannot be trusted.
  assertEquals(await within(client.rest(), "the end of the connection"), "");
  await within(server.finished, "the server's end");
  assertEquals(events, ["The server ends: The store is broken: an entry is in two places"]);
  assert(server.failure instanceof InvariantError);
  await assertRejects(() => RawClient.to(server.addresses[0]), Deno.errors.ConnectionRefused);
});
