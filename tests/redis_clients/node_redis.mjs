/**
 * node-redis through everything that a cache is used for.
 *
 * usage: NODE_PATH=FOLDER node node_redis.mjs HOST PORT [PASSWORD]
 *
 * It empties the store and runs the same checks over RESP2 and over RESP3.
 *
 * @module
 */

import { createRequire } from "node:module";
import {
  address,
  check,
  checkRejects,
  everyByte,
  hostileValues,
  longSeconds,
  oddKeys,
  program,
  until,
} from "./checks.mjs";

const { createClient, RESP_TYPES } = createRequire(import.meta.url)("redis");
const { host, port, password } = address;

function create(RESP, options = {}) {
  const client = createClient({ socket: { host, port }, RESP, password, ...options });
  // A connection that ends reports an error, beside what its requests reject with.
  return client.on("error", () => {});
}

async function connecting(RESP) {
  const named = await create(RESP, { name: "checks" }).connect();
  check("PING", [await named.ping(), await named.ping("hello")], ["PONG", "hello"]);
  check("ECHO", await named.echo("a\r\nb"), "a\r\nb");
  check("CLIENT GETNAME", await named.clientGetName(), "checks");
  await named.close();
  const fromUrl = createClient({ url: `redis://${host}:${port}/0`, password });
  await fromUrl.connect();
  check("a URL", await fromUrl.ping(), "PONG");
  await fromUrl.close();
  if (password === undefined) return;
  const once = { socket: { host, port, reconnectStrategy: false } };
  const refused = create(RESP, { ...once, password: "wrong" });
  await checkRejects("a wrong password", refused.connect(), /WRONGPASS/);
  const without = create(2, { ...once, password: undefined });
  await checkRejects("no password", without.connect().then((c) => c.get("k")), /NOAUTH/);
  if (without.isOpen) without.destroy();
  const user = await create(RESP, { username: "default" }).connect();
  check("AUTH with a user's name", await user.ping(), "PONG");
  await user.close();
}

async function values(r) {
  const bytes = r.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
  for (const [name, value] of Object.entries(hostileValues)) {
    check(`SET ${name}`, await r.set("value", value), "OK");
    check(`GET ${name}`, (await bytes.get("value")).equals(value), true);
    check(`STRLEN ${name}`, await r.strLen("value"), value.length);
  }
  for (const key of oddKeys) check(`SET ${JSON.stringify(key)}`, await r.set(key, key), "OK");
  check("MGET of odd keys", await r.mGet(oddKeys), oddKeys);
  check("DEL of odd keys", await r.del(oddKeys), oddKeys.length);
  check("a key of every byte", await r.set(everyByte, "v"), "OK");
  check("GET of it", [await r.get(everyByte), await r.get("none")], ["v", null]);
}

async function setting(r) {
  await r.flushDb();
  const at = Math.floor(Date.now() / 1000) + longSeconds;
  const set = async (options) => [await r.set("k", "v", options), await r.expireTime("k")];
  const expiration = (type, value) => ({ expiration: { type, value } });
  check("SET EXAT", await set(expiration("EXAT", at)), ["OK", at]);
  check("SET KEEPTTL", await set({ expiration: "KEEPTTL" }), ["OK", at]);
  check("SET PXAT", await set(expiration("PXAT", (at + 1) * 1000)), ["OK", at + 1]);
  check("SET without expiry", await set({}), ["OK", -1]);
  check("SET EX", (await set(expiration("EX", 10 * longSeconds)))[1] > at, true);
  check("SET PX", (await set(expiration("PX", 1e7)))[1] > at, true);
  const put = (key, value, options) => r.set(key, value, options);
  check("SET NX", [await put("k", "w", { condition: "NX" }), await r.get("k")], [null, "v"]);
  check("SET XX", [await put("k", "w", { condition: "XX" }), await r.get("k")], ["OK", "w"]);
  check("SET GET", await put("k", "x", { GET: true }), "w");
  check("SET NX GET", await put("k", "y", { condition: "NX", GET: true }), "x");
  check("SETEX", [await r.setEx("k", longSeconds, "a"), await r.ttl("k")], ["OK", longSeconds]);
  check("PSETEX", [await r.pSetEx("k", 1e6, "b"), await r.ttl("k")], ["OK", 1000]);
  check("SETNX", [await r.setNX("k", "c"), await r.setNX("k2", "c")], [0, 1]);
  check("GETSET", [await r.getSet("k", "d"), await r.ttl("k")], ["b", -1]);
  check("GETDEL", [await r.getDel("k"), await r.getDel("k")], ["d", null]);
  const getEx = async (options) => [await r.getEx("k2", options), await r.ttl("k2")];
  check("GETEX EX", await getEx({ type: "EX", value: 500 }), ["c", 500]);
  check("GETEX PERSIST", await getEx({ type: "PERSIST" }), ["c", -1]);
  check("GETEX PX", await getEx({ type: "PX", value: 1e6 }), ["c", 1000]);
  check("MSET", await r.mSet({ m1: "1", m2: "\0", m3: "" }), "OK");
  check("MGET", await r.mGet(["m1", "none", "m2", "m3"]), ["1", null, "\0", ""]);
  check("MSETNX", [await r.mSetNX({ m1: "x", m4: "x" }), await r.mSetNX({ m4: "x" })], [0, 1]);
}

async function editing(r) {
  await r.flushDb();
  check("APPEND", [await r.append("a", "ab"), await r.append("a", "\0c")], [2, 4]);
  check("GETRANGE", [await r.getRange("a", 1, -1), await r.getRange("a", 3, 1)], ["b\0c", ""]);
  check("SETRANGE", [await r.setRange("a", 6, "z"), await r.get("a")], [7, "ab\0c\0\0z"]);
  check("STRLEN", [await r.strLen("a"), await r.strLen("none")], [7, 0]);
  check("INCR", [await r.incr("n"), await r.incrBy("n", 41)], [1, 42]);
  check("DECR", [await r.decr("n"), await r.decrBy("n", 50)], [41, -9]);
  check("INCRBYFLOAT", [await r.incrByFloat("f", 10.5), await r.incrByFloat("f", 0.25)], [
    "10.5",
    "10.75",
  ]);
  await r.set("n", "9223372036854775807");
  await checkRejects("INCR past 64 bits", r.incr("n"), /increment or decrement would overflow/);
}

async function expiry(r) {
  await r.flushDb();
  await r.set("k", "v");
  check("TTL", [await r.ttl("k"), await r.pTTL("none"), await r.expireTime("k")], [-1, -2, -1]);
  const expire = async (seconds, mode) => [await r.expire("k", seconds, mode), await r.ttl("k")];
  check("EXPIRE XX of no expiry", await expire(5, "XX"), [0, -1]);
  check("EXPIRE", await expire(500), [1, 500]);
  check("EXPIRE NX", await expire(400, "NX"), [0, 500]);
  check("EXPIRE GT", [await expire(400, "GT"), await expire(600, "GT")], [[0, 500], [1, 600]]);
  check("EXPIRE LT", [await expire(700, "LT"), await expire(300, "LT")], [[0, 600], [1, 300]]);
  check("PEXPIRE", [await r.pExpire("k", 1e6), await r.ttl("k")], [1, 1000]);
  const at = Math.floor(Date.now() / 1000) + longSeconds;
  check("EXPIREAT", [await r.expireAt("k", at), await r.expireTime("k")], [1, at]);
  check("PEXPIREAT", [await r.pExpireAt("k", at * 1000 + 5), await r.pExpireTime("k")], [
    1,
    at * 1000 + 5,
  ]);
  check("PERSIST", [await r.persist("k"), await r.persist("k")], [1, 0]);
  check("EXPIRE in the past", [await r.expire("k", -1), await r.exists("k")], [1, 0]);
  await r.set("soon", "v", { expiration: { type: "PX", value: 20 } });
  await until("a key expires", async () => await r.get("soon") === null);
}

async function keyspace(r) {
  await r.flushDb();
  await r.mSet({ a: "1", b: "text", "user:1": "x", "user:2": "y", "h[x]llo": "z" });
  check("DBSIZE", await r.dbSize(), 5);
  check("EXISTS", await r.exists(["a", "a", "none", "b"]), 3);
  check("TYPE", [await r.type("a"), await r.type("none")], ["string", "none"]);
  check("TOUCH", await r.touch(["a", "none"]), 1);
  check("UNLINK", [await r.unlink(["b", "none"]), await r.del("b")], [1, 0]);
  check("OBJECT ENCODING", await r.objectEncoding("a"), "int");
  await checkRejects("OBJECT IDLETIME", r.objectIdleTime("a"), /idle time not tracked/);
  check("MEMORY USAGE", [await r.memoryUsage("a") > 0, await r.memoryUsage("none")], [true, null]);
  check("KEYS", (await r.keys("user:*")).sort(), ["user:1", "user:2"]);
  check("KEYS with a class and an escape", [await r.keys("[a-b]"), await r.keys("h\\[?\\]l*")], [
    ["a"],
    ["h[x]llo"],
  ]);
  check("RANDOMKEY", (await r.keys("*")).includes(await r.randomKey()), true);
  check("RENAME", [await r.rename("a", "c"), await r.get("c"), await r.exists("a")], [
    "OK",
    "1",
    0,
  ]);
  await checkRejects("RENAME of none", r.rename("none", "x"), /no such key/);
  check("RENAMENX", [await r.renameNX("c", "user:1"), await r.renameNX("c", "d")], [0, 1]);
  check("COPY", [await r.copy("d", "e"), await r.copy("d", "e")], [1, 0]);
  check("COPY REPLACE", await r.copy("d", "e", { REPLACE: true }), 1);
  check("FLUSHDB", [await r.flushDb(), await r.dbSize(), await r.randomKey()], ["OK", 0, null]);
}

async function scanning(r) {
  await r.mSet(Array.from({ length: 1000 }, (_, n) => [`key:${n}`, String(n)]));
  const scan = async (options) => {
    const found = new Set();
    for await (const keys of r.scanIterator(options)) for (const key of keys) found.add(key);
    return found.size;
  };
  check("SCAN", await scan({}), 1000);
  check("SCAN COUNT", await scan({ COUNT: 7 }), 1000);
  check("SCAN MATCH", await scan({ MATCH: "key:*5", COUNT: 100 }), 100);
  check("SCAN TYPE", [await scan({ TYPE: "string" }), await scan({ TYPE: "list" })], [1000, 0]);
}

async function server(r, RESP) {
  await r.set("k", "v");
  check("INFO", /\r\nredis_version:\d+\.\d+\.\d+\r\n/.test(await r.info("server")), true);
  check("INFO keyspace", /\r\ndb0:keys=1,/.test(await r.info("keyspace")), true);
  check("CONFIG GET", Number((await r.configGet("maxmemory")).maxmemory) >= 0, true);
  check("TIME", Math.abs(Number((await r.time())[0]) - Date.now() / 1000) < 5, true);
  check("COMMAND COUNT", await r.commandCount() > 50, true);
  check("COMMAND INFO", (await r.commandInfo(["GET"]))[0].arity, 2);
  check("COMMAND", (await r.command()).some(({ name }) => name === "get"), true);
  if (RESP === 3) check("HELLO", (await r.hello()).proto, 3);
  const one = await create(RESP).connect();
  const id = await one.clientId();
  check("CLIENT SETNAME", [await one.clientSetName("me"), await one.clientGetName()], ["OK", "me"]);
  const mine = (await r.clientList()).find((entry) => entry.id === id);
  check("CLIENT LIST", [mine.name, mine.db], ["me", 0]);
  check("CLIENT INFO", (await one.clientInfo()).id, id);
  check("CLIENT NO-EVICT", await one.clientNoEvict(true), "OK");
  check("CLIENT KILL", await r.clientKill({ filter: "ID", id }), 1);
  await until("the connection after CLIENT KILL", () => one.ping().catch(() => false));
  check("it is another connection", await one.clientId() !== id, true);
  one.destroy();
}

async function pipelines(r) {
  await r.flushDb();
  const requests = [];
  for (let n = 0; n < 500; n++) requests.push(r.set(`p${n}`, n), r.incr(`p${n}`));
  const wanted = Array.from({ length: 500 }, (_, n) => ["OK", n + 1]).flat();
  check("1,000 at once", await Promise.all(requests), wanted);
  const pipeline = r.multi();
  for (let n = 0; n < 1000; n++) pipeline.incr("counter");
  const counted = Array.from({ length: 1000 }, (_, n) => n + 1);
  check("a pipeline of 1,000", await pipeline.execAsPipeline(), counted);
}

async function transactions(r, RESP) {
  await r.flushDb();
  check("MULTI and EXEC", await r.multi().set("n", "1").incr("n").exec(), ["OK", 2]);
  const one = await create(RESP).connect();
  await one.watch("n");
  check("WATCH", await one.multi().incr("n").exec(), [3]);
  await one.watch("n");
  await r.set("n", "changed");
  await checkRejects("WATCH of a changed key", one.multi().set("n", "x").exec(), /watched keys/);
  await one.watch("n");
  await r.set("n", "text");
  check("UNWATCH", [await one.unwatch(), await one.multi().get("n").exec()], ["OK", ["text"]]);
  const failing = one.multi().incr("n").set("after", "1").exec();
  await checkRejects("an error within EXEC", failing, /MultiErrorReply|commands failed/);
  check("what comes after it", await one.get("after"), "1");
  const aborted = one.multi().set("n", "lost").addCommand(["NOSUCHCOMMAND", "x"]).exec();
  await checkRejects("EXEC after an unknown command", aborted, /./);
  check("what the transactions left", await one.get("n"), "text");
  await one.close();
}

async function errors(r) {
  await r.set("k", "v");
  const send = (...words) => r.sendCommand(words);
  await checkRejects("an unknown command", send("NOSUCHCOMMAND", "x"), /ERR unknown command/);
  await checkRejects("LPUSH on text", r.lPush("k", "x"), /Error/);
  await checkRejects("INCR of text", r.incr("k"), /value is not an integer or out of range/);
  await checkRejects("too few arguments", send("GET"), /wrong number of arguments for 'get'/);
  await checkRejects("a wrong option", send("SET", "k", "v", "WHAT"), /syntax error/);
  await checkRejects("SET EX 0", send("SET", "k", "v", "EX", "0"), /invalid expire time in 'set'/);
  check("after the errors", await r.get("k"), "v");
}

await program(async () => {
  for (const RESP of [2, 3]) {
    await connecting(RESP);
    const r = await create(RESP).connect();
    for (const part of [values, setting, editing, expiry, keyspace, scanning, pipelines, errors]) {
      await part(r);
    }
    await r.flushDb();
    await server(r, RESP);
    await transactions(r, RESP);
    await r.flushDb();
    await r.close();
  }
});
