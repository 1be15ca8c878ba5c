/** Tests of DELIFEQ and DELEX, and of options that SET and GETEX get twice. */
import { assertEquals } from "./assert.ts";
import { array } from "./redis_array.ts";
import {
  bulk,
  check,
  missing,
  noInteger,
  servers,
  syntaxError,
  wrongNumber,
} from "./redis_asking.ts";
import { ManualServer } from "./server_manual.ts";

Deno.test("redis DELIFEQ and DELEX", () => {
  for (const server of servers({})) {
    const client = server.connect();
    check(client, [
      ["DELIFEQ a 1", ":0\r\n"],
      ["SET a 1", "+OK\r\n"],
      ["DELIFEQ a 2", ":0\r\n"],
      ["DELIFEQ a 11", ":0\r\n"],
      ["EXISTS a", ":1\r\n"],
      ["delifeq a 1", ":1\r\n"],
      ["EXISTS a", ":0\r\n"],
      ["DELIFEQ a", wrongNumber("delifeq")],
      ["DELEX a", ":0\r\n"],
      ["DELEX a IFEQ 1", ":0\r\n"],
      ["DELEX a IFNE 1", ":0\r\n"],
      ["SET a 1", "+OK\r\n"],
      ["DELEX a IFEQ 2", ":0\r\n"],
      ["DELEX a ifne 1", ":0\r\n"],
      ["DELEX a ifeq 1", ":1\r\n"],
      ["SET a 1", "+OK\r\n"],
      ["DELEX a IFNE 2", ":1\r\n"],
      ["SET a 1", "+OK\r\n"],
      ["DELEX a IFDEQ 0123456789abcdef", syntaxError],
      ["DELEX a IFDNE 0123456789abcdef", syntaxError],
      ["DELEX a IFEQ", syntaxError],
      ["DELEX a IFEQ 1 2", syntaxError],
      ["DELEX a", ":1\r\n"],
      ["DELEX", wrongNumber("delex")],
    ]);
    const value = "v".repeat(300_000);
    client.ask(array("SET", "a", value));
    assertEquals(client.ask(array("DELIFEQ", "a", `${value.slice(1)}w`)), ":0\r\n");
    assertEquals(client.ask(array("DELIFEQ", "a", value)), ":1\r\n");
    assertEquals(server.store.usage, 0);
  }
});

Deno.test("redis SET and GETEX take an option twice, and the last one counts", () => {
  const client = new ManualServer().connect();
  check(client, [
    ["SET a 1 EX 100 EX 200 NX NX", "+OK\r\n"],
    ["TTL a", ":200\r\n"],
    ["SET a 2 XX XX GET GET KEEPTTL KEEPTTL", bulk("1")],
    ["TTL a", ":200\r\n"],
    ["SET a 2 EX 100 PX 100", syntaxError],
    ["SET a 2 EX 100 KEEPTTL", syntaxError],
    ["SET a 2 NX XX", syntaxError],
    // The syntax is checked before the time.
    ["SET a 2 EX x no", syntaxError],
    ["SET a 2 EX x EX 5", "+OK\r\n"],
    ["GETEX a EX x EX 50", bulk("2")],
    ["TTL a", ":50\r\n"],
    ["GETEX a PERSIST EX 5", syntaxError],
    ["GETEX a EX 5 EX", syntaxError],
    ["GETEX a EX x", noInteger],
    ["GETEX none EX x", missing],
    ["GETEX none EX x no", syntaxError],
    ["GETEX a PERSIST PERSIST", bulk("2")],
    ["TTL a", ":-1\r\n"],
  ]);
});
