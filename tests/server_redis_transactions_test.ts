/**
 * Transactions of the Redis wire, without sockets: what runs, what does not, and their limits.
 *
 * @module
 */

import { assert, assertEquals, assertStringIncludes } from "./assert.ts";
import { array, joined, words } from "./redis_array.ts";
import { type ManualConnection, ManualServer } from "./server_manual.ts";

/** The replies to requests of words, one behind the other. */
function ask(client: ManualConnection, ...requests: readonly string[]): string {
  return client.ask(joined(...requests.map(words)));
}

const queued = "+QUEUED\r\n";

Deno.test("transactions: requests wait for EXEC, and their replies come in one array", () => {
  const server = new ManualServer();
  const [client, other] = [server.connect(), server.connect()];
  assertEquals(ask(client, "MULTI", "SET a 1", "GET a", "DEL a b"), `+OK\r\n${queued.repeat(3)}`);
  assertEquals(ask(other, "GET a"), "$-1\r\n");
  assertEquals(ask(client, "EXEC"), "*3\r\n+OK\r\n$1\r\n1\r\n:1\r\n");
  assertEquals(ask(client, "EXEC"), "-ERR EXEC without MULTI\r\n");
  assertEquals(ask(client, "MULTI", "EXEC"), "+OK\r\n*0\r\n");
});

Deno.test("transactions: in one read with other requests", () => {
  const client = new ManualServer().connect();
  const requests = ["SET a 0", "MULTI", "SET a 1", "EXEC", "GET a"];
  assertEquals(ask(client, ...requests), `+OK\r\n+OK\r\n${queued}*1\r\n+OK\r\n$1\r\n1\r\n`);
});

Deno.test("transactions: DISCARD forgets the requests and the watched keys", () => {
  const server = new ManualServer();
  const [client, other] = [server.connect(), server.connect()];
  ask(client, "WATCH a", "MULTI", "SET a 1");
  assertEquals(ask(client, "DISCARD", "DISCARD"), "+OK\r\n-ERR DISCARD without MULTI\r\n");
  ask(other, "SET a 2");
  assertEquals(ask(client, "MULTI", "GET a", "EXEC"), `+OK\r\n${queued}*1\r\n$1\r\n2\r\n`);
});

Deno.test("transactions: a request that is refused makes EXEC run nothing", () => {
  const abort = "-EXECABORT Transaction discarded because of previous errors.\r\n";
  for (const wrong of ["NONSENSE", "GET", "LPUSH a b"]) {
    const client = new ManualServer().connect();
    const replies = ask(client, "MULTI", "SET a 1", wrong, "EXEC", "GET a");
    assert(replies.endsWith(`${abort}$-1\r\n`), replies);
  }
});

Deno.test("transactions: a request that fails leaves the others alone", () => {
  const client = new ManualServer().connect();
  const replies = ask(client, "MULTI", "SET a 1 EX x", "SET b 2", "EXEC", "GET b");
  const failed = "-ERR value is not an integer or out of range\r\n";
  assertEquals(replies, `+OK\r\n${queued.repeat(2)}*2\r\n${failed}+OK\r\n$1\r\n2\r\n`);
});

Deno.test("transactions: what cannot be in one", () => {
  const client = new ManualServer().connect();
  assertEquals(ask(client, "MULTI", "MULTI"), "+OK\r\n-ERR MULTI calls can not be nested\r\n");
  assertEquals(
    ask(client, "WATCH a"),
    "-ERR WATCH inside MULTI is not allowed\r\n",
  );
  assertEquals(ask(client, "SET a 1", "EXEC"), `${queued}*1\r\n+OK\r\n`);
});

for (const change of ["SET a 1", "SET a 0", "DEL a", "GETEX a EX 100", "MSET-like"]) {
  Deno.test(`transactions: EXEC runs nothing after ${change} of a watched key`, () => {
    const server = new ManualServer();
    const [client, other] = [server.connect(), server.connect()];
    ask(client, "SET a 0", "WATCH x a");
    if (change === "MSET-like") other.ask("PUT a ttl=5 new\n");
    else ask(other, change);
    assertEquals(ask(client, "MULTI", "SET b 1", "EXEC"), `+OK\r\n${queued}*-1\r\n`);
    assertEquals(ask(client, "HELLO 3").startsWith("%7"), true);
    // The keys are watched until EXEC alone.
    assertEquals(ask(client, "MULTI", "SET b 1", "EXEC"), `+OK\r\n${queued}*1\r\n+OK\r\n`);
  });
}

Deno.test("transactions: in version 3 an EXEC that runs nothing is null", () => {
  const server = new ManualServer();
  const [client, other] = [server.connect(), server.connect()];
  ask(client, "HELLO 3", "WATCH a");
  ask(other, "SET a 1");
  assertEquals(ask(client, "MULTI", "EXEC"), "+OK\r\n_\r\n");
});

Deno.test("transactions: EXEC runs after reads of watched keys, and after UNWATCH", () => {
  const server = new ManualServer();
  const [client, other] = [server.connect(), server.connect()];
  ask(client, "SET a 0", "WATCH a none");
  ask(other, "GET a", "EXISTS a", "GET none", "SET b 1");
  assertEquals(ask(client, "MULTI", "GET a", "EXEC"), `+OK\r\n${queued}*1\r\n$1\r\n0\r\n`);
  ask(client, "WATCH a", "UNWATCH");
  ask(other, "SET a 1");
  assertEquals(ask(client, "MULTI", "GET a", "EXEC"), `+OK\r\n${queued}*1\r\n$1\r\n1\r\n`);
});

Deno.test("transactions: a watched key that expires has changed", () => {
  const server = new ManualServer();
  const client = server.connect();
  ask(client, "SET a 0 PX 50", "WATCH a");
  server.advance(100);
  assertEquals(ask(client, "MULTI", "GET a", "EXEC"), `+OK\r\n${queued}*-1\r\n`);
  ask(client, "WATCH a");
  server.advance(100);
  assertEquals(ask(client, "MULTI", "GET a", "EXEC"), `+OK\r\n${queued}*1\r\n$-1\r\n`);
});

Deno.test("transactions: a flush changes watched keys", () => {
  for (const flush of ["FLUSH\n", "FLUSH us\n"]) {
    const server = new ManualServer();
    const [client, other] = [server.connect(), server.connect()];
    ask(client, "SET user 0", "WATCH user");
    other.ask(flush);
    assertEquals(ask(client, "MULTI", "GET user", "EXEC"), `+OK\r\n${queued}*-1\r\n`, flush);
  }
});

Deno.test("transactions: values that take several steps are stored in one go", () => {
  const server = new ManualServer({ limitBytes: 8 << 20 });
  const [client, other] = [server.connect(), server.connect()];
  const value = "v".repeat(3 << 20);
  ask(client, "MULTI");
  client.ask(joined(array("SET", "a", value), array("SET", "b", value), words("GET none")));
  // A put of another client is under way, which begins again.
  other.run();
  const large = array("SET", "c", "w".repeat(4 << 20));
  for (let from = 0; from < large.length;) {
    from += other.receive(large.subarray(from));
    other.step();
  }
  assertEquals(ask(client, "EXEC"), "*3\r\n+OK\r\n+OK\r\n$-1\r\n");
  other.run();
  assertEquals(other.taken(), "+OK\r\n");
  assert(server.store.usage <= 8 << 20);
  assertEquals(ask(other, "EXISTS c"), ":1\r\n");
});

Deno.test("transactions: their size, at the edge", () => {
  for (const excess of [0, 1]) {
    const server = new ManualServer({ lineBytesMax: 1000 });
    const client = server.connect();
    const empty = array("SET", "k", "").length - "*3\r\n$3\r\n\r\n".length;
    const value = "x".repeat(500 - empty - 3);
    ask(client, "MULTI");
    const request = array("SET", "k", value);
    const stored = request.length - "*3\r\n$3\r\n\r\n".length;
    client.ask(request);
    const rest = 1000 - stored - (array("SET", "k", "x".repeat(100)).length -
      "*3\r\n$3\r\n\r\n".length - 100);
    const reply = client.ask(array("SET", "k", "x".repeat(rest + excess)));
    if (excess === 0) assertEquals(reply, queued);
    else assertEquals(reply, "-ERR the transaction has more than 1000 bytes\r\n");
    assertStringIncludes(ask(client, "EXEC"), excess === 0 ? "*2" : "-EXECABORT");
  }
});

Deno.test("transactions: beyond the size of their replies, requests that read are refused", () => {
  const server = new ManualServer({ lineBytesMax: 2000 });
  const client = server.connect();
  client.ask(array("SET", "k", "x".repeat(900)));
  ask(client, "MULTI", "GET k", "GET k", "GET k", "GETDEL k", "SET a 1", "GETEX k");
  const refused = "-ERR no memory for this reply: the replies of a transaction have at most " +
    "2000 bytes\r\n";
  const value = `$900\r\n${"x".repeat(900)}\r\n`;
  const replies = ask(client, "EXEC");
  assertEquals(replies, `*6\r\n${value.repeat(2)}${refused.repeat(2)}+OK\r\n${refused}`);
  // What was refused has not changed anything.
  assertEquals(ask(client, "GET k"), value);
});

// A flush in several steps was given up where replies before it had taken all the memory.
Deno.test("transactions: a change ends also behind replies that take all the memory", () => {
  const client = new ManualServer({ lineBytesMax: 2000 }).connect();
  for (let n = 0; n < 3000; n++) client.ask(words(`SET user:${n} 1`));
  client.ask(array("SET", "k", "x".repeat(980)));
  ask(client, "MULTI", "GET k", "GET k", "DELPREFIX user:", "DBSIZE");
  const replies = ask(client, "EXEC");
  assertEquals(replies.slice(replies.lastIndexOf("x")), "x\r\n:3000\r\n:1\r\n");
});

Deno.test("transactions: watched keys, at the edge of what they may take", () => {
  const client = new ManualServer({ lineBytesMax: 1000 }).connect();
  const key = "k".repeat(150);
  assertEquals(ask(client, `WATCH ${key}`, `WATCH ${key}`, `WATCH ${key}`), "+OK\r\n".repeat(3));
  assertEquals(ask(client, `WATCH ${key}`), "+OK\r\n");
  assertEquals(
    ask(client, "WATCH k"),
    "-ERR too many watched keys: they take more than 1000 bytes\r\n",
  );
});
