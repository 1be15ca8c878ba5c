/**
 * Clients of other protocols: a browser must not be able to write to the store.
 *
 * @module
 */

import { assertEquals } from "./assert.ts";
import { RawClient } from "./raw_client.ts";
import { serve } from "./served.ts";

const anyPort = [{ hostname: "127.0.0.1", port: 0 }];
const refusal = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
const smuggled = "\r\nSET smuggled 1\r\nFLUSH\r\n";

const requests = [
  "GET / HTTP/1.1",
  "POST /x HTTP/1.1",
  "PUT /x HTTP/1.0",
  "OPTIONS * HTTP/1.1",
  "DELETE http://localhost:8765/ HTTP/1.1",
  `POST /${"a".repeat(70_000)} HTTP/1.1`,
];

for (const request of requests) {
  Deno.test(`strangers: ${request.slice(0, 40)}`, async () => {
    await using server = await serve({ tcp: anyPort });
    for (const cut of [0, 1, request.length - 3, request.length, request.length + 1]) {
      using client = await RawClient.to(server.addresses[0]);
      const all = `${request}\r\nHost: localhost\r\nContent-Length: 40\r\n${smuggled}`;
      await client.send(all.slice(0, cut));
      await client.send(all.slice(cut));
      assertEquals(await client.rest(), refusal);
    }
    assertEquals(server.store.entries, 0);
    assertEquals(server.info().requests.total, 0);
  });
}

Deno.test("strangers: an HTTP request line that is too long to be kept", async () => {
  await using server = await serve({ tcp: anyPort, lineBytesMax: 100 });
  using client = await RawClient.to(server.addresses[0]);
  await client.send(`POST /${"a".repeat(200)} HTTP/1.1${smuggled}`);
  assertEquals(await client.rest(), refusal);
  using slow = await RawClient.to(server.addresses[0]);
  await slow.send(`POST /${"a".repeat(200)}`);
  assertEquals(await slow.rest(), refusal);
  assertEquals(server.store.entries, 0);
});

Deno.test("strangers: a later line that looks like HTTP is only a line", async () => {
  await using server = await serve({ tcp: anyPort });
  using client = await RawClient.to(server.addresses[0]);
  assertEquals(await client.ask("PING\nPOST / HTTP/1.1\nSET k HTTP/1.1\nGET k\n"), [
    "PONG",
    "ERROR unknown command",
    "OK",
    "VALUE SFRUUC8xLjE=",
  ]);
  using first = await RawClient.to(server.addresses[0]);
  assertEquals(await first.ask("SET k HTTP/1.0\n"), ["OK"], "nor is a SET of that value");
});

Deno.test("strangers: a TLS hello is closed without an answer", async () => {
  await using server = await serve({ tcp: anyPort });
  const hello = Uint8Array.of(0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x0a, ...new Uint8Array(200));
  for (const cut of [0, 1, 2]) {
    using client = await RawClient.to(server.addresses[0]);
    await client.send(hello.subarray(0, cut));
    await client.send(hello.subarray(cut));
    await client.send(smuggled).catch(() => {});
    assertEquals(await client.rest(), "");
  }
  assertEquals(server.store.entries, 0);
});
