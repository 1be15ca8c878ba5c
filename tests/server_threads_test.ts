/**
 * A server with several threads, over real sockets and real Workers: what each thread serves, what
 * holds for all of them together, and how they end.
 *
 * @module
 */

import { loadLibc } from "../server/libc.ts";
import { serveWith, type ThreadSettings } from "../server/server.ts";
import { serve, type Server, threadsMax } from "../server.ts";
import { InvariantError, openSharedMemory, SharedStore, Store } from "../store.ts";
import { assert, assertEquals, assertRejects } from "./assert.ts";
import { RawClient, until, within } from "./raw_client.ts";

// Older runtimes watch that no test leaves a library open: so both are opened before the first.
const ignore = loadLibc() === undefined || openSharedMemory() === undefined;
const anyPort = [{ hostname: "127.0.0.1", port: 0 }];

/** Clients of a server, each of which has had an answer; they go to its threads by turns. */
async function clientsOf(server: Server, count: number): Promise<RawClient[]> {
  const clients: RawClient[] = [];
  while (clients.length < count) {
    const client = await RawClient.to(server.addresses[0]);
    assertEquals(await client.ask("PING\n"), ["PONG"]);
    clients.push(client);
  }
  return clients;
}

function close(clients: readonly RawClient[]): void {
  for (const client of clients) client[Symbol.dispose]();
}

/** Descriptors of this process. */
function descriptors(): number {
  return [...Deno.readDirSync("/proc/self/fd")].length;
}

Deno.test({
  name: "threads: connections are spread over all threads, and INFO counts those of each",
  ignore,
  async fn() {
    await using server = await serve({ tcp: anyPort, threads: 3 });
    assertEquals([server.threads, server.io], [3, "epoll"]);
    const clients = await clientsOf(server, 7);
    for (const client of clients) {
      const [reply] = await client.ask("INFO\n");
      const { connections, threads } = JSON.parse(reply.slice(5));
      assertEquals([connections.per_thread, threads], [[3, 2, 2], 3]);
    }
    close(clients.slice(0, 3));
    await until(() => server.info().connections.now === 4, "the clients' end to be seen");
    assertEquals(server.info().connections.per_thread, [2, 1, 1]);
    // The places that are free again are taken first.
    const more = await clientsOf(server, 2);
    assertEquals(server.info().connections.per_thread, [2, 2, 2]);
    close([...clients.slice(3), ...more]);
  },
});

Deno.test({
  name: "threads: INFO on any thread has the sums over all, and none is lost",
  ignore,
  async fn() {
    await using server = await serve({ tcp: anyPort, threads: 3 });
    const clients = await clientsOf(server, 3);
    await clients[0].ask("SET k v\n");
    await Promise.all(
      clients.map((client) => client.ask("GET k\nGET none\nnonsense\n".repeat(100))),
    );
    for (const client of clients) {
      const [reply] = await client.ask("INFO\n");
      const { requests, hits, misses, errors, slowest } = JSON.parse(reply.slice(5));
      assertEquals([requests.GET, hits, misses, errors.unknown_command], [600, 300, 300, 300]);
      assertEquals([requests.SET, requests.PING], [1, 3]);
      // INFO itself is timed.
      assert(client === clients[0] || slowest.microseconds > 0);
    }
    close(clients);
  },
});

Deno.test({
  name: "threads: the limit of connections is exact over all threads",
  ignore,
  async fn() {
    await using server = await serve({ tcp: anyPort, threads: 4, connectionsMax: 6 });
    const clients = await clientsOf(server, 6);
    for (let n = 0; n < 3; n++) {
      using refused = await RawClient.to(server.addresses[0]);
      assertEquals(await refused.rest(), "ERROR too many connections\n");
    }
    assertEquals(server.info().connections.refused, 3);
    assertEquals(server.info().errors.too_many_connections, 3);
    // A place in another thread is free once that thread has seen the client's end.
    close([clients[1]]);
    await until(() => server.info().connections.now === 5, "the client's end to be seen");
    const again = await clientsOf(server, 1);
    close([...clients, ...again]);
  },
});

Deno.test({
  name: "threads: Unix sockets are handed over, too",
  ignore,
  async fn() {
    const folder = await Deno.makeTempDir();
    {
      await using server = await serve({ unix: [{ path: `${folder}/socket` }], threads: 2 });
      const clients = await clientsOf(server, 4);
      assertEquals(server.info().connections.per_thread, [2, 2]);
      for (const client of clients) await client.ask("INCR n\n");
      assertEquals(await clients[1].ask("GET n\n"), [`VALUE ${btoa("4")}`]);
      close(clients);
    }
    await Deno.remove(folder, { recursive: true });
  },
});

Deno.test({
  name: "threads: a time of expiry that one thread sets is the same for the others",
  ignore,
  async fn() {
    await using server = await serve({ tcp: anyPort, threads: 2 });
    const [one, other] = await clientsOf(server, 2);
    assertEquals(await one.ask("PUT k ttl=60 v\nPUT soon ttl=0.05 v\n"), ["OK", "OK"]);
    const [reply] = await other.ask("TTL k\n");
    const seconds = Number(/^TTL (\d+\.\d+)$/.exec(reply)?.[1]);
    assert(seconds > 50 && seconds <= 60.001, reply);
    const deadlineMs = performance.now() + 10_000;
    while ((await other.ask("GET soon\n"))[0] !== "NOT_FOUND") {
      assert(performance.now() < deadlineMs, "it expires");
    }
    close([one, other]);
  },
});

Deno.test({
  name: "threads: the idle time-out and the token hold in each thread",
  ignore,
  async fn() {
    const options = { tcp: anyPort, threads: 3, idleTimeoutMs: 1000, token: "correct horse" };
    const events: string[] = [];
    await using server = await serve({ ...options, onEvent: (event) => events.push(event) });
    const clients = await clientsOf(server, 3);
    for (const client of clients) {
      assertEquals(await client.ask("USAGE\nAUTH wrong horse\nAUTH correct horse\nUSAGE\n"), [
        "ERROR authentication required",
        "ERROR authentication failed",
        "OK",
        "USAGE 0",
      ]);
    }
    const rests = await Promise.all(clients.map((client) => client.rest()));
    assertEquals(rests, ["", "", ""]);
    await server.shutdown();
    assertEquals(events.length, 2);
    assert(events.every((event) => event.startsWith("Authentication failed: from 127.0.0.1")));
    assert(events[1].endsWith("(the last of 2 such events)") || events.length === 3, events[1]);
    close(clients);
  },
});

Deno.test({
  name: "threads: wrong numbers are refused, and nothing is left listening",
  ignore,
  async fn() {
    const probe = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = probe.addr;
    probe.close();
    const tcp = [{ hostname: "127.0.0.1", port }];
    for (const threads of [0, threadsMax + 1, 1.5, NaN, -1]) {
      await assertRejects(() => serve({ tcp, threads }), RangeError, "give 1 to 64");
    }
    const store = new Store({ limitBytes: 1 << 20 });
    await assertRejects(() => serve({ tcp, threads: 2, store }), Error, "leave the store out");
    await assertRejects(() => serve({ tcp, threads: 2, io: "portable" }), Error, "--io portable");
    await assertRejects(() => serve({ tcp, threads: 2, memoryLimitBytes: 0 }), RangeError, "limit");
    {
      await using server = await serve({ tcp, threads: "auto", store });
      assertEquals([server.threads, server.io], [1, "portable"]);
    }
    await using server = await serve({ tcp, threads: threadsMax });
    assertEquals(server.info().connections.per_thread.length, threadsMax);
  },
});

Deno.test({
  name: "threads: replies to what was read come before the end, from each thread",
  ignore,
  async fn() {
    const server = await serve({ tcp: anyPort, threads: 3, memoryLimitBytes: 32 << 20 });
    const clients = await clientsOf(server, 6);
    await clients[0].ask(`SET big ${"x".repeat(1 << 20)}\n`);
    for (const client of clients) await client.send("GET big\nINCR n\n");
    // The requests have arrived once one of their replies is there.
    const firsts = await Promise.all(clients.map((client) => client.lines(1)));
    const ended = within(server.shutdown(), "the server's end");
    const rests = await Promise.all(clients.map((client) => client.rest()));
    await ended;
    for (const [first] of firsts) assertEquals(first.length, 6 + 4 * Math.ceil((1 << 20) / 3));
    assertEquals(rests.map((rest) => /^INT \d\n$/.test(rest)), rests.map(() => true));
    assertEquals(new Set(rests).size, 6);
    close(clients);
  },
});

Deno.test({
  name: "threads: a server leaves no descriptor and no Worker behind, however it ends",
  ignore,
  async fn() {
    const round = async (end: "shutdown" | "abort" | "grace" | "twice") => {
      const server = await serve({ tcp: anyPort, threads: 3, memoryLimitBytes: 16 << 20 });
      const clients = await clientsOf(server, 6);
      await clients[1].send("GET ");
      if (end === "grace") {
        await clients[0].ask(`SET big ${"x".repeat(1 << 20)}\n`);
        // Each thread has a client that does not read, for which the grace is too short.
        for (const client of clients) await client.send("GET big\n".repeat(100));
        for (const client of clients) await client.lines(1);
      }
      if (end === "abort") server.abort();
      if (end === "twice") {
        void server.shutdown();
        server.abort();
      }
      await within(server.shutdown(end === "grace" ? 50 : undefined), "the server's end");
      server.abort();
      assertEquals(server.failure, undefined);
      close(clients);
      await assertRejects(() => RawClient.to(server.addresses[0]), Deno.errors.ConnectionRefused);
    };
    await round("shutdown");
    const before = descriptors();
    for (const end of ["shutdown", "abort", "grace", "twice"] as const) await round(end);
    await until(() => descriptors() <= before, "descriptors to be closed");
  },
});

/** The faults of `server_thread_faults.ts`, and what the log says of each. */
const deaths: [fault: string, line: RegExp, settings?: ThreadSettings][] = [
  ["invariant", /^The server ends: thread 1: The store is broken: an entry is in two places$/],
  ["uncaught", /^The server ends: thread 1: a timer failed$/],
  ["rejection", /^The server ends: thread 1: a promise failed$/],
  ["end", /^The server ends: thread 1 has died, or hangs$/, { silentTicksMax: 20 }],
  ["hang", /^The server ends: thread 1 has died, or hangs$/, { silentTicksMax: 20 }],
];

for (const [fault, line, settings] of deaths) {
  Deno.test({
    name: `threads: a thread that dies takes the server with it: ${fault}`,
    ignore,
    async fn() {
      const events: string[] = [];
      const module = new URL("./server_thread_faults.ts", import.meta.url);
      const onEvent = (event: string) => events.push(event);
      const options = { tcp: anyPort, threads: 2, onEvent };
      const server = await serveWith(options, { module, ...settings });
      const clients = await clientsOf(server, 2);
      await clients[1].send(`GET fault:${fault}\n`);
      await within(server.finished, "the server's end");
      assertEquals(events.length, 1, events.join("\n"));
      assert(line.test(events[0]), events[0]);
      assert(server.failure instanceof Error);
      // Nothing further is served, on any thread.
      assertEquals(await clients[0].rest(), "");
      await assertRejects(() => RawClient.to(server.addresses[0]), Deno.errors.ConnectionRefused);
      close(clients);
    },
  });
}

Deno.test({
  name: "threads: a broken invariant in the main thread ends the others, too",
  ignore,
  async fn() {
    const { get } = SharedStore.prototype;
    // The Workers have their own copy of the class.
    SharedStore.prototype.get = () => {
      throw new InvariantError("an entry is in two places");
    };
    try {
      const events: string[] = [];
      const onEvent = (event: string) => events.push(event);
      const server = await serve({ tcp: anyPort, threads: 3, onEvent });
      const clients = await clientsOf(server, 3);
      assertEquals(await clients[1].ask("GET k\n"), ["NOT_FOUND"]);
      await clients[0].send("GET k\n");
      await within(server.finished, "the server's end");
      assertEquals(events, ["The server ends: The store is broken: an entry is in two places"]);
      assertEquals(await Promise.all(clients.map((client) => client.rest())), ["", "", ""]);
      close(clients);
    } finally {
      SharedStore.prototype.get = get;
    }
  },
});

Deno.test({
  name: "threads: one that cannot start is the error of the start",
  ignore,
  async fn() {
    const before = descriptors();
    const module = new URL("data:text/javascript,throw new Error('no memory')");
    const options = { tcp: anyPort, threads: 2 };
    const error = await assertRejects(() => serveWith(options, { module }), Error, "no memory");
    assert(error.message.startsWith("Cannot start thread 1: "), error.message);
    await until(() => descriptors() <= before, "descriptors to be closed");
  },
});
