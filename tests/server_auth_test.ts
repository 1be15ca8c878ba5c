/**
 * AUTH, where a token is required.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "./assert.ts";
import { RawClient } from "./raw_client.ts";
import { serve } from "./served.ts";

const anyPort = [{ hostname: "127.0.0.1", port: 0 }];
const token = "s3cret with blanks";
const required = "ERROR authentication required";

Deno.test("AUTH: before it only AUTH, PING, HELP and QUIT are answered", async () => {
  await using server = await serve({ tcp: anyPort, token });
  using client = await RawClient.to(server.addresses[0]);
  const closed = ["SET a 1", "GET a", "GET", "USAGE", "INFO", "FLUSH", "", "nonsense", "PUT k x v"];
  assertEquals(
    await client.ask(closed.map((line) => `${line}\n`).join("")),
    closed.map(() => required),
  );
  const [pong, help] = await client.ask("PING\nHELP\n");
  assertEquals(pong, "PONG");
  assertMatch(help, /^HELP SET GET /);
  assertEquals(await client.ask(`AUTH ${token}  \nSET a 1\nGET a\n`), ["OK", "OK", "VALUE MQ=="]);
  await client.send("QUIT\n");
  assertEquals(await client.rest(), "");
  using other = await RawClient.to(server.addresses[0]);
  assertEquals(await other.ask("GET a\n"), [required], "each connection has to show it");
});

Deno.test("AUTH: a wrong token costs a delay and is told to the operator", async () => {
  const events: string[] = [];
  await using server = await serve({
    tcp: anyPort,
    token,
    onEvent: (event) => events.push(event),
  });
  using client = await RawClient.to(server.addresses[0]);
  using other = await RawClient.to(server.addresses[0]);
  const started = performance.now();
  const failing = client.ask("PING\nAUTH wrong\nGET a\n");
  let isAnswered = false;
  void failing.then(() => isAnswered = true);
  for (let round = 0; round < 5; round++) assertEquals(await other.ask("PING\n"), ["PONG"]);
  assert(!isAnswered, "others are served while the failure waits");
  assertEquals(await failing, ["PONG", "ERROR authentication failed", required]);
  assert(performance.now() - started >= 200, "no delay");
  assertEquals(events.length, 1);
  assertMatch(events[0], /^Authentication failed: from 127\.0\.0\.1 port \d+$/);
  assert(!events[0].includes("wrong"));
  assertEquals(server.info().errors.authentication_failed, 1);
  assertEquals(await client.ask(`AUTH ${token}\n`), ["OK"], "it may be tried again");
});

Deno.test("AUTH: near misses fail too", async () => {
  await using server = await serve({ tcp: anyPort, token: "abc" });
  await Promise.all(["ab", "abcd", "abcabc", "ABC", "a", "abd"].map(async (wrong) => {
    using client = await RawClient.to(server.addresses[0]);
    assertEquals(await client.ask(`AUTH ${wrong}\n`), ["ERROR authentication failed"], wrong);
  }));
  using client = await RawClient.to(server.addresses[0]);
  assertEquals(await client.ask("AUTH\nAUTH abc\n"), ["ERROR AUTH requires token", "OK"]);
});

Deno.test("AUTH: a last line that fails is answered after the client's end", async () => {
  await using server = await serve({ tcp: anyPort, token });
  using client = await RawClient.to(server.addresses[0]);
  await client.send("AUTH wrong");
  await client.end();
  assertEquals(await client.rest(), "ERROR authentication failed\n");
});
