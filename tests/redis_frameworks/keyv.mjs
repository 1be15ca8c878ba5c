/**
 * Keyv and cache-manager over `@keyv/redis`.
 *
 * usage: NODE_PATH=FOLDER node keyv.mjs HOST PORT [PASSWORD]
 *
 * It empties the store.
 *
 * @module
 */

import { createRequire } from "node:module";
import { address, check, checkRejects, program, until } from "../redis_clients/checks.mjs";

const require = createRequire(import.meta.url);
const { Keyv } = require("keyv");
const KeyvRedis = require("@keyv/redis").default;
const { createCache } = require("cache-manager");

const { host, port, password } = address;

function connected() {
  const auth = password === undefined ? "" : `:${password}@`;
  return new KeyvRedis(`redis://${auth}${host}:${port}`);
}

async function keyv() {
  const store = connected();
  const users = new Keyv(store, { namespace: "users" });
  await users.clear();
  for (const value of [0, "é 値", "", false, { deep: [1, { two: null }] }, "x".repeat(1_000_000)]) {
    check("set", await users.set("two words\r\n", value), true);
    check("get", await users.get("two words\r\n"), value);
  }
  check("get of none", await users.get("none"), undefined);
  check("has", [await users.has("two words\r\n"), await users.has("none")], [true, false]);
  check("delete", [await users.delete("two words\r\n"), await users.delete("none")], [true, false]);
  const entries = Array.from({ length: 500 }, (_, n) => ({ key: `many:${n}`, value: n }));
  await users.setMany(entries);
  check("getMany", await users.getMany(["many:1", "none", "many:499"]), [1, undefined, 499]);
  check("hasMany", await users.hasMany(["many:1", "none"]), [true, false]);
  check("deleteMany", await users.deleteMany(["many:0", "many:1"]), true);
  const seen = [];
  for await (const [key, value] of users.iterator({})) seen.push([key, value]);
  check("iterator", seen.length, 498);
  check("a value of the iterator", seen.find(([key]) => key.endsWith("many:7"))[1], 7);
  await users.set("soon", "v", 20);
  await until("a key expires", async () => await users.get("soon") === undefined);
  await users.set("later", "v", 600_000);
  check("a key with a TTL", await users.get("later"), "v");
  await users.disconnect();
}

async function namespaces() {
  const [one, other] = ["one", "other"].map((namespace) => new Keyv(connected(), { namespace }));
  await one.set("k", 1);
  await other.set("k", 2);
  check("namespaces keep keys apart", [await one.get("k"), await other.get("k")], [1, 2]);
  await one.clear();
  check("clear of one", [await one.get("k"), await other.get("k")], [undefined, 2]);
  await other.clear();
  await Promise.all([one.disconnect(), other.disconnect()]);
}

async function refused() {
  if (password === undefined) return;
  const socket = { host, port, reconnectStrategy: false };
  const store = new KeyvRedis({ socket, password: "wrong" }, { throwOnConnectError: true });
  const keyv = new Keyv(store, { throwOnErrors: true });
  keyv.on("error", () => {});
  await checkRejects("a wrong password", keyv.get("k"), /failed to connect/);
  await keyv.disconnect().catch(() => {});
}

async function cacheManager() {
  const keyv = new Keyv(connected());
  const cache = createCache({ stores: [keyv], ttl: 600_000 });
  check("set", await cache.set("k", { a: 1 }), { a: 1 });
  check("get", [await cache.get("k"), await cache.get("none")], [{ a: 1 }, undefined]);
  await cache.mset([{ key: "m1", value: 1 }, { key: "m2", value: [2] }]);
  check("mget", await cache.mget(["m1", "none", "m2"]), [1, undefined, [2]]);
  let calls = 0;
  const costly = () => cache.wrap("wrapped", () => Promise.resolve(++calls));
  check("wrap", [await costly(), await costly(), calls], [1, 1, 1]);
  check("del", [await cache.del("k"), await cache.get("k")], [true, undefined]);
  await cache.mdel(["m1", "m2"]);
  check("mdel", await cache.mget(["m1", "m2"]), [undefined, undefined]);
  check("clear", [await cache.clear(), await cache.get("wrapped")], [true, undefined]);
  await cache.disconnect();
}

await program(async () => {
  await keyv();
  await namespaces();
  await refused();
  await cacheManager();
});
