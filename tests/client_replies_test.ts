/**
 * The decoder of replies, and the errors that calls make of replies that they cannot have.
 *
 * @module
 */

import { BlinkError, BlinkStore, parseReply, type Reply } from "../client.ts";
import { assertEquals, assertRejects } from "./assert.ts";
import { test } from "./client_bounded.ts";
import { ManualTransport } from "./client_scripted.ts";

const bytes = (...values: number[]) => new Uint8Array(values);

const known: [line: string, reply: Reply][] = [
  ["OK", { kind: "OK" }],
  ["NOT_FOUND", { kind: "NOT_FOUND" }],
  ["CONFLICT", { kind: "CONFLICT" }],
  ["PONG", { kind: "PONG" }],
  ["VALUE YQ==", { kind: "VALUE", value: bytes(97) }],
  ["VALUE ", { kind: "VALUE", value: bytes() }],
  ["VALUES", { kind: "VALUES", values: [] }],
  ['VALUES YQ== - "" /w==', {
    kind: "VALUES",
    values: [bytes(97), undefined, bytes(), bytes(255)],
  }],
  ["INT -9223372036854775808", { kind: "INT", number: "-9223372036854775808" }],
  ["USAGE 0", { kind: "USAGE", bytes: "0" }],
  ["DELETED 12", { kind: "DELETED", count: "12" }],
  ["TTL 1.250", { kind: "TTL", seconds: "1.250" }],
  ["TTL never", { kind: "TTL", seconds: undefined }],
  ["KEYS 0", { kind: "KEYS", next: "0", keys: [] }],
  ["KEYS 0 ", { kind: "KEYS", next: "0", keys: [] }],
  ["KEYS 17 a ключ", { kind: "KEYS", next: "17", keys: ["a", "ключ"] }],
  ['KEYS 0 "YSBi"', { kind: "KEYS", next: "0", keys: ['"YSBi"'] }],
  ['INFO {"version":"1"}', { kind: "INFO", json: '{"version":"1"}' }],
  ["HELP", { kind: "HELP", verbs: [] }],
  ["HELP GET SET", { kind: "HELP", verbs: ["GET", "SET"] }],
  ["ERROR", { kind: "ERROR", message: "" }],
  ["ERROR unknown command", { kind: "ERROR", message: "unknown command" }],
];

const unknown = [
  "",
  " ",
  "ok",
  "OK ",
  "OK 1",
  "NOT_FOUND a",
  "VALUE",
  "VALUE !!!",
  "VALUES YQ==  YQ==",
  "VALUES ?",
  "INT",
  "INT 1.5",
  "INT 0x1",
  "USAGE",
  "USAGE -1",
  "DELETED many",
  "TTL -1",
  "TTL 1e3",
  "KEYS",
  "KEYS a",
  "INFO 5",
  "INFO {",
  "ERRORS",
  "HTTP/1.1 400 Bad Request",
];

test("every reply is decoded by its kind", () => {
  for (const [line, reply] of known) assertEquals(parseReply(line), reply);
});

test("scan yields the keys that words of KEYS stand for", async () => {
  const reply = 'KEYS 0 a "YSBi" "IngiIA==" "0LrQu9GO0Yc=" "" " "a" "a"b "YSBi';
  const transport = new ManualTransport(() => transport.reply(`${reply}\n`));
  await using store = new BlinkStore({ transport: () => transport });
  const keys: string[] = [];
  for await (const key of store.scan()) keys.push(key);
  assertEquals(keys, ["a", "a b", '"x" ', "ключ", "", '"', '"a"', '"a"b', '"YSBi']);
  // No call takes a key that a line cannot name.
  const error = await assertRejects(() => store.get("a b"), BlinkError, "a blank");
  assertEquals(error.kind, "usage");
  store.abort();
});

test("a line that is no known reply is kept whole", () => {
  for (const line of unknown) assertEquals(parseReply(line), { kind: "other", line });
});

test("a reply cut anywhere, or with any character of it changed, is decoded without a throw", () => {
  for (const [line] of known) {
    for (let at = 0; at < line.length; at++) {
      for (const text of [line.slice(0, at), `${line.slice(0, at)}\0${line.slice(at + 1)}`]) {
        const reply = parseReply(text);
        if (reply.kind === "other") assertEquals(reply.line, text);
      }
    }
  }
});

test("a reply that the call cannot have is an error of its kind", async () => {
  const calls: [reply: string, call: (store: BlinkStore) => Promise<unknown>][] = [
    ["NOT_FOUND", (store) => store.set("a", "1")],
    ["PONG", (store) => store.put("a", "1")],
    ["VALUES YQ==", (store) => store.get("a")],
    ["VALUES YQ==", (store) => store.getMany(["a", "b"])],
    ["VALUE YQ==", (store) => store.getMany(["a"])],
    ["CONFLICT", (store) => store.delete("a")],
    ["INT 12345678901234567890", (store) => store.increment("a", 1n)],
    ["USAGE 5", (store) => store.increment("a")],
    ["USAGE 12345678901234567", (store) => store.usage()],
    ["DELETED 5", (store) => store.usage()],
    ["USAGE 5", (store) => store.flush()],
    ["TTL soon", (store) => store.ttl("a")],
    ["OK", (store) => store.help()],
    ["INFO []", (store) => store.info()],
    ["KEYS -1", (store) => store.scan().next()],
  ];
  for (const [reply, call] of calls) {
    const kinds = [[reply, "protocol"], ["ERROR no", "reply"], ["ERROR authentication", "auth"]];
    for (const [line, kind] of kinds) {
      const transport = new ManualTransport(() => transport.reply(`${line}\n`));
      await using store = new BlinkStore({ transport: () => transport });
      const error = await assertRejects(() => call(store), BlinkError);
      assertEquals(error.kind, kind, `${line}: ${error.message}`);
      store.abort();
    }
  }
});

test("an ERROR without a message is a reply error", async () => {
  const transport = new ManualTransport(() => transport.reply("ERROR\n"));
  await using store = new BlinkStore({ transport: () => transport });
  const error = await assertRejects(() => store.get("a"), BlinkError, "unnamed error");
  assertEquals(error.kind, "reply");
  store.abort();
});
