/**
 * Commands of Redis that this store does not have, and what their clients are told.
 *
 * @module
 */

import { assertEquals } from "./assert.ts";
import { words } from "./redis_array.ts";
import { ManualServer } from "./server_manual.ts";

Deno.test("redis unknown: a command that nobody knows is named with its first arguments", () => {
  const client = new ManualServer().connect();
  assertEquals(
    client.ask(words("EXPLODE a b")),
    "-ERR unknown command 'EXPLODE', with args beginning with: 'a' 'b' \r\n",
  );
});

Deno.test("redis unknown: for another type the error says that this store keeps strings", () => {
  const client = new ManualServer().connect();
  const refused = (type: string, name: string) =>
    `-ERR this store keeps strings: it has no ${type}, so no ${name}\r\n`;
  assertEquals(client.ask(words("hset h field value")), refused("hashes", "HSET"));
  assertEquals(client.ask(words("EVAL x 0")), refused("scripts", "EVAL"));
  assertEquals(client.ask(words("FUNCTION LIST")), refused("scripts", "FUNCTION"));
});

// Redis's own tests begin with it.
Deno.test("redis unknown: FUNCTION FLUSH is carried out, as there are no functions", () => {
  const client = new ManualServer().connect();
  assertEquals(client.ask(words("FUNCTION FLUSH")), "+OK\r\n");
  assertEquals(client.ask(words("function flush async")), "+OK\r\n");
  assertEquals(
    client.ask(words("FUNCTION FLUSH now")),
    "-ERR FUNCTION FLUSH only supports SYNC|ASYNC option\r\n",
  );
  assertEquals(
    client.ask(words("FUNCTION")),
    "-ERR wrong number of arguments for 'function' command\r\n",
  );
});
