/**
 * Clients that speak Redis, without sockets: how their requests are cut, both wires on one
 * connection and one store, limits at their edges, and requests that are broken.
 *
 * @module
 */

import fc from "fast-check";
import { strangerLineBytesMax } from "../server/request_reader.ts";
import { assert, assertEquals } from "./assert.ts";
import { ModelStore } from "./model_store.ts";
import { bytesOf } from "./raw_client.ts";
import { array, joined, words } from "./redis_array.ts";
import { LentBuffer, ManualServer } from "./server_manual.ts";

const value = "v".repeat(300);
const mixed = joined(
  words("SET user alice"),
  words("GET user"),
  array("SET", "a key", "with\r\nbreaks"),
  array("GET", "a key"),
  bytesOf("*0\r\n"),
  words("GET none"),
  array("SET", "long", value),
  words("GET long"),
  words("DEL user none"),
  words("NONSENSE a"),
  words("PING"),
);
const mixedReplies = "+OK\r\n$5\r\nalice\r\n+OK\r\n$12\r\nwith\r\nbreaks\r\n$-1\r\n+OK\r\n" +
  `$300\r\n${value}\r\n:1\r\n` +
  "-ERR unknown command 'NONSENSE', with args beginning with: 'a' \r\n+PONG\r\n";

/** The replies to input that arrives in these parts, read into a buffer of its own or a lent one. */
function replies(parts: readonly Uint8Array[], isLent = false): string {
  const client = new ManualServer().connect();
  const lent = new LentBuffer();
  client.run();
  for (const part of parts) {
    for (let from = 0; from < part.length;) {
      const space = isLent ? lent.lend(client.connection) : client.connection.space();
      const bytes = part.subarray(from, from + space.length);
      space.set(bytes);
      client.connection.received(bytes.length);
      from += bytes.length;
      client.run();
      if (isLent) lent.takeBack();
    }
  }
  return client.replies;
}

Deno.test("redis framing: input cut at every byte", () => {
  for (const isLent of [false, true]) {
    for (let cut = 0; cut <= mixed.length; cut++) {
      const parts = [mixed.subarray(0, cut), mixed.subarray(cut)];
      assertEquals(replies(parts, isLent), mixedReplies, `cut at ${cut}`);
    }
  }
});

Deno.test("redis framing: input a byte at a time", () => {
  const parts = [...mixed].map((byte) => Uint8Array.of(byte));
  for (const isLent of [false, true]) assertEquals(replies(parts, isLent), mixedReplies);
});

Deno.test("redis framing: a value of a megabyte, in any parts", () => {
  const long = new Uint8Array(1 << 20).map((_, n) => n * 31 + (n >> 8));
  const store = () => new ModelStore({ limitBytes: 8 << 20 });
  const input = joined(words("SET k old"), array("SET", "k", long), words("PING"));
  for (const partBytes of [511, 4096, 65_536, 300_000, input.length]) {
    const client = new ManualServer({ store: store() }).connect();
    for (let at = 0; at < input.length; at += partBytes) {
      client.send(input.subarray(at, at + partBytes));
    }
    assertEquals(client.taken(), "+OK\r\n+OK\r\n+PONG\r\n");
    const expected = `$${long.length}\r\n${new TextDecoder("latin1").decode(long)}\r\n`;
    assert(client.ask(words("GET k")) === expected, `parts of ${partBytes} bytes`);
  }
});

// It was taken for a line once it had filled a buffer.
Deno.test("redis framing: the first request of a connection is a long one", () => {
  const client = new ManualServer().connect();
  assertEquals(client.ask(array("SET", "k", "x".repeat(200_000))), "+OK\r\n");
});

Deno.test("redis framing: two clients with unfinished requests at a time", () => {
  const server = new ManualServer();
  const clients = [server.connect(), server.connect(), server.connect()];
  const inputs = clients.map((_, n) =>
    joined(array("SET", `key${n}`, `value ${n}`), array("GET", "none".repeat(n + 1)), words("PING"))
  );
  const longest = Math.max(...inputs.map(({ length }) => length));
  for (let at = 0; at < longest; at += 7) {
    clients.forEach((client, n) => client.send(inputs[n].subarray(at, at + 7)));
  }
  clients.forEach((client, n) => {
    assertEquals(client.taken(), "+OK\r\n$-1\r\n+PONG\r\n");
    assertEquals(client.ask(words(`GET key${n}`)), `$7\r\nvalue ${n}\r\n`);
  });
});

Deno.test("redis framing: a connection may begin with lines, and ends with arrays", () => {
  const server = new ManualServer();
  const client = server.connect();
  assertEquals(client.ask("SET k one\nGET k\n"), "OK\nVALUE b25l\n");
  assertEquals(client.ask(joined(bytesOf("PING\n"), words("GET k"))), "PONG\n$3\r\none\r\n");
  assertEquals(client.send("GET k\n"), "linger");
  assertEquals(client.taken(), "-ERR Protocol error: expected '*', got 'G'\r\n");
  assertEquals(server.connect().ask(" *1\n"), "ERROR unknown command\n");
});

Deno.test("redis framing: an asterisk in a line is no array", () => {
  const client = new ManualServer().connect();
  assertEquals(client.ask("SET * *\nGET *\nSET a b\n"), "OK\nVALUE Kg==\nOK\n");
  assertEquals(client.ask("SET a "), "");
  assertEquals(client.ask("*3\nGET a\n"), "OK\nVALUE KjM=\n");
});

// `redis-cli --pipe` sends one. Redis passes over them, too.
Deno.test("redis framing: blank lines between arrays are passed over", () => {
  const server = new ManualServer();
  for (const blank of ["\r\n", "\n", "\r\n\n\r\n"]) {
    const input = joined(words("PING"), bytesOf(blank), words("PING"), bytesOf(blank));
    for (let cut = 0; cut <= input.length; cut++) {
      const client = server.connect();
      assertEquals(client.send(input.subarray(0, cut)), "read");
      assertEquals(client.send(input.subarray(cut)), "read");
      assertEquals(client.taken(), "+PONG\r\n+PONG\r\n");
      client.close();
    }
  }
  const queued = "+OK\r\n+QUEUED\r\n*1\r\n+PONG\r\n";
  const transaction = ["MULTI", "PING", "EXEC"].flatMap((word) => [words(word), bytesOf("\r\n")]);
  assertEquals(server.connect().ask(joined(...transaction)), queued);
});

Deno.test("redis framing: a blank line before the first array is a line", () => {
  for (const blank of ["\r\n", "\n"]) {
    const client = new ManualServer().connect();
    const input = joined(bytesOf(blank), words("PING"), bytesOf(blank), words("PING"));
    assertEquals(client.ask(input), "ERROR unknown command\n+PONG\r\n+PONG\r\n");
  }
});

Deno.test("redis framing: a hundred thousand blank lines let other clients have their turn", () => {
  const server = new ManualServer();
  const [flood, other] = [server.connect(), server.connect()];
  flood.ask(words("PING"));
  flood.receive(bytesOf("\n".repeat(100_000)));
  flood.step();
  assertEquals(other.ask(words("PING")), "+PONG\r\n");
  assertEquals(flood.ask(joined(bytesOf("\n".repeat(100_000)), words("PING"))), "+PONG\r\n");
  assertEquals(server.context.input.bytes, 0);
});

// The rest of a line that is discarded may begin with an asterisk in any read.
Deno.test("redis framing: nor is one in a line that is too long", () => {
  const client = new ManualServer({ lineBytesMax: 100 }).connect();
  assertEquals(client.ask("SET a ".padEnd(150, "x")), "ERROR line too long (max 100 bytes)\n");
  assertEquals(client.ask("*1\r\n$4\r\nPING\r\nPING\n").endsWith("PONG\n"), true);
});

Deno.test("redis framing: what one wire stores the other one reads", () => {
  const server = new ManualServer();
  const [line, redis] = [server.connect(), server.connect()];
  redis.ask(array("SET", "k", Uint8Array.of(0, 255, 10, 13)));
  assertEquals(line.ask("GET k\n"), "VALUE AP8KDQ==\n");
  line.ask("PUT k ttl=5 text\n");
  assertEquals(redis.ask(words("GET k")), "$4\r\ntext\r\n");
  assertEquals(redis.ask(words("SET k x KEEPTTL")), "+OK\r\n");
  assertEquals(line.ask("TTL k\n"), "TTL 5.000\n");
  const { requests } = server.context.commands.info();
  assertEquals([requests.GET, requests.PUT, requests.SET], [1, 1, 0]);
});

for (const excess of [0, 1]) {
  Deno.test(`redis framing: a request ${excess} bytes beyond the limit`, () => {
    const lineBytesMax = 200;
    const empty = array("SET", "k", "x".repeat(100)).length - 100;
    const request = array("SET", "k", "x".repeat(lineBytesMax - empty + excess));
    assertEquals(request.length, lineBytesMax + excess);
    for (const cut of [0, 40, request.length - 1]) {
      const client = new ManualServer({ lineBytesMax }).connect();
      const whole = client.send(request.subarray(0, cut)) === "read" &&
        client.send(request.subarray(cut)) === "read";
      assertEquals(whole, excess === 0);
      const refusal = "-ERR Protocol error: invalid bulk length: " +
        "the request is longer than 200 bytes\r\n";
      assertEquals(client.taken(), excess === 0 ? "+OK\r\n" : refusal);
      assertEquals(client.isClosed, excess > 0);
    }
  });
}

Deno.test("redis framing: an argument that is announced too long is refused at once", () => {
  const client = new ManualServer({ lineBytesMax: 1000 }).connect();
  assertEquals(client.send("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$2000\r\n"), "linger");
});

Deno.test("redis framing: nothing but AUTH, HELLO, QUIT and RESET before AUTH", () => {
  const server = new ManualServer({ token: "secret" });
  const required = "-NOAUTH Authentication required.\r\n";
  const client = server.connect();
  const input = joined(...["GET k", "NONSENSE", "PING", "SET", "MULTI"].map(words));
  assertEquals(client.ask(input), required.repeat(5));
  assertEquals(client.ask(joined(words("AUTH secret"), words("PING"))), "+OK\r\n+PONG\r\n");
  const wrong = server.connect();
  assertEquals(wrong.send(joined(words("AUTH default wrong"), words("PING"))), "wait");
  server.advance(1000);
  wrong.run();
  assertEquals(
    wrong.taken(),
    `-WRONGPASS invalid username-password pair or user is disabled.\r\n${required}`,
  );
  assertEquals(wrong.ask(words("AUTH default secret")), "+OK\r\n");
});

Deno.test("redis framing: the size of a request before AUTH, at the edge", () => {
  for (const excess of [0, 1]) {
    const client = new ManualServer({ token: "secret" }).connect();
    const empty = array("AUTH", "x".repeat(16_000)).length - 16_000;
    const request = array("AUTH", "x".repeat(strangerLineBytesMax - empty + excess));
    assertEquals(client.send(request), excess === 0 ? "wait" : "linger");
  }
});

Deno.test("redis framing: unfinished requests of all together, at the edge of the bound", () => {
  const server = new ManualServer({ pendingBytesMax: 1000 });
  const [first, second, third] = [server.connect(), server.connect(), server.connect()];
  const begun = bytesOf("*2\r\n$3\r\nGET\r\n$900\r\n".padEnd(600, "x"));
  assertEquals(first.send(begun), "read");
  assertEquals(second.send(begun.subarray(0, 400)), "read");
  assertEquals(third.send("*"), "linger");
  first.close();
  assertEquals(server.connect().send(begun), "read");
});

Deno.test("redis framing: queued requests count against the same bound", () => {
  const server = new ManualServer({ pendingBytesMax: 2000 });
  const client = server.connect();
  client.ask(words("MULTI"));
  assertEquals(client.send(array("SET", "k", "x".repeat(1000))), "read");
  assert(server.context.input.bytes >= 1000);
  assertEquals(client.send(array("SET", "k", "x".repeat(1000))), "linger");
  client.close();
  assertEquals(server.context.input.bytes, 0);
});

Deno.test("redis framing: a broken request is answered, and nothing behind it runs", () => {
  const server = new ManualServer();
  const client = server.connect();
  const input = joined(words("SET a 1"), bytesOf("*2\r\n$3\r\nSET\r\nx"), words("SET b 1"));
  assertEquals(client.send(input), "linger");
  assertEquals(client.taken(), "+OK\r\n-ERR Protocol error: expected '$', got 'x'\r\n");
  assertEquals(server.connect().ask("GET b\n"), "NOT_FOUND\n");
  assertEquals(server.context.commands.info().errors.broken_request, 1);
});

// Whatever a client sends, it gets whole replies, and the server goes on.
Deno.test("redis framing: requests with a few wrong bytes", () => {
  const change = fc.record({ at: fc.nat(mixed.length - 1), byte: fc.nat(255) });
  const changes = fc.array(change, { minLength: 1, maxLength: 3 });
  fc.assert(
    fc.property(changes, fc.nat(mixed.length), (changes, cut) => {
      const bytes = mixed.slice();
      for (const { at, byte } of changes) bytes[at] = byte;
      const server = new ManualServer();
      const client = server.connect();
      client.send(bytes.subarray(0, cut));
      if (!client.isClosed) client.send(bytes.subarray(cut));
      assertEquals(server.broken, undefined);
      assert(client.replies === "" || client.replies.endsWith("\n"), client.replies);
      assertEquals(server.connect().ask(words("PING")), "+PONG\r\n");
    }),
    { numRuns: 2000 },
  );
});
