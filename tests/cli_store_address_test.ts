import { assertEquals, assertThrows } from "./assert.ts";
import { showStore, storeAddress, type StoreFlags } from "../cli/store_address.ts";
import { UsageError } from "../cli/usage_error.ts";

function find(flags: StoreFlags, words: string[] = [], store?: string): string {
  const env = (name: string) => name === "BLINK_STORE" ? store : undefined;
  return showStore(storeAddress(flags, words, env));
}

Deno.test("a store is at 127.0.0.1:8765 unless something says otherwise", () => {
  assertEquals(find({}), "127.0.0.1:8765");
  assertEquals(find({}, [], ""), "127.0.0.1:8765");
});

Deno.test("words name the host, or host and port", () => {
  assertEquals(find({}, ["db"]), "db:8765");
  assertEquals(find({}, ["db", "9000"]), "db:9000");
  assertEquals(find({}, ["db:9000"]), "db:9000");
  assertEquals(find({}, ["::1", "9000"]), "[::1]:9000");
  assertEquals(find({}, ["::1"]), "[::1]:8765");
  assertEquals(find({}, ["[::1]:9000"]), "[::1]:9000");
  assertEquals(find({}, ["9000"]), "127.0.0.1:9000");
});

Deno.test("flags and words together name a store once", () => {
  assertEquals(find({ port: 9000 }, ["db"]), "db:9000");
  assertEquals(find({ host: "db", port: 9000 }), "db:9000");
  assertEquals(find({ unix: "/run/blink.sock" }), "/run/blink.sock");
  assertThrows(() => find({ host: "a" }, ["b"]), UsageError, "the host is given twice");
  assertThrows(() => find({ port: 1 }, ["b", "2"]), UsageError, "the port is given twice");
  assertThrows(() => find({ unix: "a", port: 1 }), UsageError, "give one of them");
  assertThrows(() => find({ unix: "a" }, ["db"]), UsageError, "give one of them");
});

Deno.test("BLINK_STORE stands in for what is not typed", () => {
  assertEquals(find({}, [], "db:9000"), "db:9000");
  assertEquals(find({}, [], "db"), "db:8765");
  assertEquals(find({}, [], "/run/blink.sock"), "/run/blink.sock");
  assertEquals(find({ port: 1 }, [], "db:9000"), "db:1");
  assertEquals(find({ host: "other" }, [], "db:9000"), "other:8765");
  assertEquals(find({}, ["other"], "db:9000"), "other:8765");
  assertEquals(find({ unix: "/a" }, [], "db:9000"), "/a");
  assertThrows(() => find({}, [], "db:99999"), UsageError, "BLINK_STORE: ");
});

Deno.test("words that are neither a command nor an address are usage errors", () => {
  assertThrows(() => find({}, ["GTE", "user"]), UsageError, '"GTE" is not a command');
  assertThrows(() => find({}, ["db", "99999"]), UsageError, "more than 65535");
  assertThrows(() => find({}, ["db", "1", "x"]), UsageError, 'unexpected word "x"');
});
