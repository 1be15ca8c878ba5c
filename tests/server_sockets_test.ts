/**
 * Where the server listens, and how it ends.
 *
 * @module
 */

import { assert, assertEquals, assertMatch, assertRejects } from "./assert.ts";
import { RawClient, until, within } from "./raw_client.ts";
import { serve } from "./served.ts";

const anyPort = [{ hostname: "127.0.0.1", port: 0 }];

/** Runs a test in a folder of its own. */
async function inFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("sockets: a taken port is an error that says what to do", async () => {
  await using server = await serve({ tcp: anyPort });
  const [address] = server.addresses;
  assert(address.transport === "tcp");
  const error = await assertRejects(() => serve({ tcp: [address] }), Error);
  assertEquals(
    error.message,
    `Cannot listen on 127.0.0.1:${address.port}: the address is in use; ` +
      "stop the other server or choose another with --tcp HOST:PORT",
  );
});

Deno.test("sockets: an address of another machine is an error that says so", async () => {
  const error = await assertRejects(
    () => serve({ tcp: [{ hostname: "192.0.2.1", port: 0 }] }),
    Error,
  );
  assertMatch(error.message, /^Cannot listen on 192\.0\.2\.1:0: this machine has no such address/);
});

Deno.test("sockets: what was bound before an error is let go", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/socket`;
    await using server = await serve({ tcp: anyPort });
    const [taken] = server.addresses;
    assert(taken.transport === "tcp");
    const { port } = await freePort();
    await assertRejects(() =>
      serve({ tcp: [{ hostname: "127.0.0.1", port }, taken], unix: [{ path }] })
    );
    await using next = await serve({ tcp: [{ hostname: "127.0.0.1", port }], unix: [{ path }] });
    assertEquals(next.addresses.length, 2);
  });
});

/** A port that was free a moment ago. */
async function freePort(): Promise<Deno.NetAddr> {
  await using server = await serve({ tcp: anyPort });
  const [address] = server.addresses;
  assert(address.transport === "tcp");
  return address;
}

Deno.test("sockets: IPv6", async () => {
  await using server = await serve({ tcp: [{ hostname: "::1", port: 0 }] });
  using client = await RawClient.to(server.addresses[0]);
  assertEquals(await client.ask("PING\n"), ["PONG"]);
});

Deno.test("sockets: a Unix socket has its mode, and is gone afterwards", async () => {
  await inFolder(async (folder) => {
    const modes: [string, number | undefined][] = [["private", undefined], ["shared", 0o660]];
    for (const [name, mode] of modes) {
      const path = `${folder}/${name}`;
      const umask = Deno.umask();
      await using server = await serve({ unix: [{ path, mode }] });
      assertEquals(server.addresses.length, 1, "no TCP unless asked for");
      assertEquals((Deno.statSync(path).mode ?? 0) & 0o777, mode ?? 0o600);
      assertEquals(Deno.umask(), umask);
      using client = await RawClient.to(server.addresses[0]);
      assertEquals(await client.ask("PING\n"), ["PONG"]);
      await server.shutdown();
      await assertRejects(() => Deno.lstat(path), Deno.errors.NotFound);
    }
  });
});

Deno.test("sockets: a stale socket file is replaced, a live one and another file are not", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/socket`;
    // The runtime removes a socket file that it closes, if it still has its name.
    const stale = Deno.listen({ transport: "unix", path: `${path}-at-first` });
    await Deno.rename(`${path}-at-first`, path);
    stale.close();
    assertEquals((await Deno.lstat(path)).isSocket, true);
    await using server = await serve({ unix: [{ path }] });
    const live = await assertRejects(() => serve({ unix: [{ path }] }), Error);
    assertEquals(
      live.message,
      `Cannot listen on ${path}: a server is listening there; ` +
        "stop it or choose another with --unix PATH",
    );
    using client = await RawClient.to(server.addresses[0]);
    assertEquals(await client.ask("PING\n"), ["PONG"], "the live one was not harmed");

    const file = `${folder}/file`;
    await Deno.writeTextFile(file, "precious");
    const other = await assertRejects(() => serve({ unix: [{ path: file }] }), Error);
    assertMatch(other.message, /a file that is not a socket; remove it or choose another/);
    assertEquals(await Deno.readTextFile(file), "precious");
    await assertRejects(() => serve({ unix: [{ path: folder }] }), Error, "not a socket");
    await assertRejects(() => serve({ unix: [{ path: `${folder}/no/such/folder` }] }), Error);
  });
});

Deno.test("shutdown: requests that were read are answered, then everything is closed", async () => {
  await using server = await serve({ tcp: anyPort, memoryLimitBytes: 32 << 20 });
  const [address] = server.addresses;
  using idle = await RawClient.to(address);
  using busy = await RawClient.to(address);
  await idle.ask("PING\n");
  await busy.ask(`SET big ${"v".repeat(8 << 20)}\n`);
  // The reply is far more than the sockets hold, so it is under way when the server is told to end.
  await busy.send("GET big\n");
  await until(() => server.info().requests.GET > 0, "the GET to be run");
  const ended = server.shutdown();
  assertEquals(await idle.rest(), "");
  const reply = await busy.rest();
  assertEquals(reply.length, 7 + Math.ceil((8 << 20) / 3) * 4);
  await within(ended, "the server's end");
  await within(server.finished, "the server's end");
  await assertRejects(() => RawClient.to(address), Deno.errors.ConnectionRefused);
});

Deno.test("shutdown: who does not read is dropped when the grace is over", async () => {
  await using server = await serve({ tcp: anyPort, memoryLimitBytes: 32 << 20 });
  const [address] = server.addresses;
  using stuck = await RawClient.to(address);
  await stuck.ask(`SET big ${"v".repeat(8 << 20)}\n`);
  await stuck.send("GET big\n");
  await until(() => server.info().requests.GET > 0, "the GET to be run");
  const started = performance.now();
  await within(server.shutdown(200), "the server's end");
  assert(performance.now() - started >= 190);
});

Deno.test("shutdown: at once", async () => {
  await using server = await serve({ tcp: anyPort });
  using client = await RawClient.to(server.addresses[0]);
  await client.ask("PING\n");
  server.abort();
  assertEquals(await client.rest(), "");
  await within(server.finished, "the server's end");
});

Deno.test("accept: goes on after the process ran out of file descriptors", async () => {
  const program = new URL("./descriptors_server.ts", import.meta.url).pathname;
  const command = new Deno.Command("sh", {
    // A runtime needs a few dozen descriptors itself; the rest is for a few connections.
    args: ["-c", `ulimit -n 64 && exec "$0" run --no-check -A "$1"`, Deno.execPath(), program],
    stdout: "piped",
    stderr: "null",
    stdin: "piped",
  });
  await using child = command.spawn();
  let told = "";
  const hearing = (async () => {
    for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) told += text;
  })();
  await until(() => /port \d+\n/.test(told), "the server's start");
  const port = Number(/port (\d+)/.exec(told)?.[1]);
  const address: Deno.NetAddr = { transport: "tcp", hostname: "127.0.0.1", port };
  // More than there are descriptors; the system itself takes those that the server cannot yet.
  const clients: RawClient[] = [];
  while (clients.length < 80) clients.push(await RawClient.to(address));
  await until(() => /Cannot accept a connection: .*/.test(told), "descriptors to run out");
  assertEquals(await clients[0].ask("PING\n"), ["PONG"], "those that are connected are served");
  for (const client of clients) client[Symbol.dispose]();
  using next = await RawClient.to(address);
  assertEquals(await next.ask("PING\n"), ["PONG"]);
  // Events of one kind are reported at a bounded rate, so this one may come with the server's end.
  await child.stdin.close();
  await within(hearing, "the server's end");
  assert(/Accepting connections again/.test(told), told);
});
