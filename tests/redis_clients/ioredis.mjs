/**
 * ioredis through everything that a cache is used for.
 *
 * usage: NODE_PATH=FOLDER node ioredis.mjs HOST PORT [PASSWORD]
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

const Redis = createRequire(import.meta.url)("ioredis");

/** The fields of an INFO or of a line of CLIENT LIST. */
function fields(text, separator, equals) {
  return Object.fromEntries(
    text.split(separator).filter((line) => line.includes(equals))
      .map((line) => line.split(equals).map((word) => word.trim())),
  );
}

async function connecting(protocol) {
  const named = new Redis({ ...address, protocol, connectionName: "checks" });
  check("PING", await named.ping(), "PONG");
  check("ECHO", await named.echo("a\r\nb"), "a\r\nb");
  check("CLIENT GETNAME", await named.client("GETNAME"), "checks");
  check("QUIT", await named.quit(), "OK");
  if (address.password === undefined) return;
  const once = { lazyConnect: true, retryStrategy: null };
  for (const [what, password, pattern] of [["wrong", "wrong", /WRONGPASS/], ["no", "", /NOAUTH/]]) {
    const refused = new Redis({ ...address, protocol, password, ...once });
    refused.on("error", () => {});
    await checkRejects(`a ${what} password`, refused.get("k"), pattern);
    refused.disconnect();
  }
  const user = new Redis({ ...address, protocol, username: "default" });
  check("AUTH with a user's name", await user.ping(), "PONG");
  user.disconnect();
}

async function values(r) {
  for (const [name, value] of Object.entries(hostileValues)) {
    check(`SET ${name}`, await r.set("value", value), "OK");
    check(`GET ${name}`, (await r.getBuffer("value")).equals(value), true);
    check(`STRLEN ${name}`, await r.strlen("value"), value.length);
  }
  for (const key of oddKeys) check(`SET ${JSON.stringify(key)}`, await r.set(key, key), "OK");
  check("MGET of odd keys", await r.mget(oddKeys), oddKeys);
  check("DEL of odd keys", await r.del(...oddKeys), oddKeys.length);
  check("a key of every byte", await r.set(everyByte, "v"), "OK");
  check("GET of it", [await r.get(everyByte), await r.get("none")], ["v", null]);
}

async function setting(r) {
  await r.flushdb();
  const at = Math.floor(Date.now() / 1000) + longSeconds;
  const ttl = async (...words) => [await r.set("k", ...words), await r.ttl("k")];
  check("SET EX", await ttl("1", "EX", longSeconds), ["OK", longSeconds]);
  check("SET PX", await ttl("1", "PX", longSeconds * 1000), ["OK", longSeconds]);
  check("SET EXAT", [await r.set("k", "3", "EXAT", at), await r.expiretime("k")], ["OK", at]);
  check("SET PXAT", [await r.set("k", "4", "PXAT", at * 1000), await r.pexpiretime("k")], [
    "OK",
    at * 1000,
  ]);
  check("SET KEEPTTL", [await r.set("k", "5", "KEEPTTL"), await r.expiretime("k")], ["OK", at]);
  check("SET without expiry", await ttl("6"), ["OK", -1]);
  check("SET NX", [await r.set("k", "7", "NX"), await r.set("new", "7", "NX")], [null, "OK"]);
  check("SET XX", [await r.set("k", "8", "XX"), await r.set("none", "8", "XX")], ["OK", null]);
  check("SET GET", [await r.set("k", "9", "GET"), await r.set("g", "9", "GET")], ["8", null]);
  check("SET EX NX GET", await r.set("k", "x", "EX", 5, "NX", "GET"), "9");
  check("SETEX", [await r.setex("k", longSeconds, "a"), await r.ttl("k")], ["OK", longSeconds]);
  check("PSETEX", [await r.psetex("k", 1e6, "b"), await r.ttl("k")], ["OK", 1000]);
  check("SETNX", [await r.setnx("k", "c"), await r.setnx("k2", "c")], [0, 1]);
  check("GETSET", [await r.getset("k", "d"), await r.ttl("k")], ["b", -1]);
  check("GETDEL", [await r.getdel("k"), await r.getdel("k")], ["d", null]);
  check("GETEX EX", [await r.getex("k2", "EX", 500), await r.ttl("k2")], ["c", 500]);
  check("GETEX PERSIST", [await r.getex("k2", "PERSIST"), await r.ttl("k2")], ["c", -1]);
  check("MSET", await r.mset({ m1: "1", m2: "\0", m3: "" }), "OK");
  check("MGET", await r.mget("m1", "none", "m2", "m3"), ["1", null, "\0", ""]);
  check("MSETNX", [await r.msetnx("m1", "x", "m4", "x"), await r.msetnx("m4", "x")], [0, 1]);
}

async function editing(r) {
  await r.flushdb();
  check("APPEND", [await r.append("a", "ab"), await r.append("a", "\0c")], [2, 4]);
  check("GETRANGE", [await r.getrange("a", 1, -1), await r.getrange("a", 3, 1)], ["b\0c", ""]);
  check("SUBSTR", await r.substr("a", 0, 1), "ab");
  check("SETRANGE", [await r.setrange("a", 6, "z"), await r.get("a")], [7, "ab\0c\0\0z"]);
  check("STRLEN", [await r.strlen("a"), await r.strlen("none")], [7, 0]);
  check("INCR", [await r.incr("n"), await r.incrby("n", 41)], [1, 42]);
  check("DECR", [await r.decr("n"), await r.decrby("n", 50)], [41, -9]);
  check("INCRBYFLOAT", [await r.incrbyfloat("f", 10.5), await r.incrbyfloat("f", "0.25")], [
    "10.5",
    "10.75",
  ]);
  check("INCR at the end", await r.set("n", "9223372036854775807"), "OK");
  await checkRejects("INCR past 64 bits", r.incr("n"), /increment or decrement would overflow/);
}

async function expiry(r) {
  await r.flushdb();
  await r.set("k", "v");
  check("TTL", [await r.ttl("k"), await r.pttl("none"), await r.expiretime("k")], [-1, -2, -1]);
  const expire = async (seconds, ...words) => [
    await r.expire("k", seconds, ...words),
    await r.ttl("k"),
  ];
  check("EXPIRE XX of no expiry", await expire(5, "XX"), [0, -1]);
  check("EXPIRE", await expire(500), [1, 500]);
  check("EXPIRE NX", await expire(400, "NX"), [0, 500]);
  check("EXPIRE GT", [await expire(400, "GT"), await expire(600, "GT")], [[0, 500], [1, 600]]);
  check("EXPIRE LT", [await expire(700, "LT"), await expire(300, "LT")], [[0, 600], [1, 300]]);
  check("PEXPIRE", [await r.pexpire("k", 1e6), await r.ttl("k")], [1, 1000]);
  const at = Math.floor(Date.now() / 1000) + longSeconds;
  check("EXPIREAT", [await r.expireat("k", at), await r.expiretime("k")], [1, at]);
  check("PEXPIREAT", [await r.pexpireat("k", at * 1000 + 5), await r.pexpiretime("k")], [
    1,
    at * 1000 + 5,
  ]);
  check("PERSIST", [await r.persist("k"), await r.persist("k")], [1, 0]);
  check("EXPIRE in the past", [await r.expire("k", -1), await r.exists("k")], [1, 0]);
  await checkRejects("SET EX 0", r.set("k", "v", "EX", 0), /invalid expire time in 'set' command/);
  await r.set("soon", "v", "PX", 20);
  await until("a key expires", async () => await r.get("soon") === null);
}

async function keyspace(r) {
  await r.flushdb();
  await r.mset("a", "1", "b", "text", "user:1", "x", "user:2", "y", "h[x]llo", "z");
  check("DBSIZE", await r.dbsize(), 5);
  check("EXISTS", await r.exists("a", "a", "none", "b"), 3);
  check("TYPE", [await r.type("a"), await r.type("none")], ["string", "none"]);
  check("TOUCH", await r.touch("a", "none"), 1);
  check("UNLINK", [await r.unlink("b", "none"), await r.del("b")], [1, 0]);
  check("OBJECT ENCODING", await r.object("ENCODING", "a"), "int");
  check("MEMORY USAGE", await r.memory("USAGE", "a") > 0, true);
  check("KEYS", (await r.keys("user:*")).sort(), ["user:1", "user:2"]);
  check("KEYS with a class and an escape", [await r.keys("[a-b]"), await r.keys("h\\[?\\]l*")], [
    ["a"],
    ["h[x]llo"],
  ]);
  check("RANDOMKEY", (await r.keys("*")).includes(await r.randomkey()), true);
  check("RENAME", [await r.rename("a", "c"), await r.get("c"), await r.exists("a")], [
    "OK",
    "1",
    0,
  ]);
  await checkRejects("RENAME of none", r.rename("none", "x"), /no such key/);
  check("RENAMENX", [await r.renamenx("c", "user:1"), await r.renamenx("c", "d")], [0, 1]);
  check("COPY", [await r.copy("d", "e"), await r.copy("d", "e")], [1, 0]);
  check("COPY REPLACE", await r.copy("d", "e", "REPLACE"), 1);
  check("FLUSHDB", [await r.flushdb(), await r.dbsize(), await r.randomkey()], ["OK", 0, null]);
}

async function scanning(r) {
  const names = Array.from({ length: 1000 }, (_, n) => n);
  await r.mset(names.flatMap((n) => [`key:${n}`, n]));
  const scan = async (options) => {
    const found = new Set();
    for await (const keys of r.scanStream(options)) for (const key of keys) found.add(key);
    return found.size;
  };
  check("SCAN", await scan({}), 1000);
  check("SCAN COUNT", await scan({ count: 7 }), 1000);
  check("SCAN MATCH", await scan({ match: "key:*5", count: 100 }), 100);
  check("SCAN TYPE", [await scan({ type: "string" }), await scan({ type: "list" })], [1000, 0]);
}

async function server(r, protocol) {
  await r.set("k", "v");
  const info = fields(await r.info(), "\r\n", ":");
  check("INFO redis_version", /^\d+\.\d+\.\d+$/.test(info.redis_version), true);
  check("INFO used_memory", Number(info.used_memory) > 0, true);
  check("INFO keyspace", info.db0.startsWith(`keys=${await r.dbsize()},expires=`), true);
  const config = await r.config("GET", "maxmemory");
  check("CONFIG GET", [config[0], Number(config[1]) >= 0], ["maxmemory", true]);
  const [seconds] = await r.time();
  check("TIME", Math.abs(Number(seconds) - Date.now() / 1000) < 5, true);
  check("COMMAND COUNT", await r.command("COUNT") > 50, true);
  check("SELECT", await r.select(0), "OK");
  await checkRejects("SELECT 99", r.select(99), /DB index is out of range/);
  const one = new Redis({ ...address, protocol });
  const id = await one.client("ID");
  check("CLIENT SETNAME", [await one.client("SETNAME", "me"), await one.client("GETNAME")], [
    "OK",
    "me",
  ]);
  const list = (await r.client("LIST")).split("\n").map((line) => fields(line, " ", "="));
  check("CLIENT LIST", list.find((entry) => entry.id === String(id)).name, "me");
  check("CLIENT INFO", fields(await one.client("INFO"), " ", "=").id, String(id));
  check("CLIENT KILL", await r.client("KILL", "ID", id), 1);
  check("the command after CLIENT KILL", await one.ping(), "PONG");
  check("it is another connection", await one.client("ID") !== id, true);
  one.disconnect();
}

async function pipelines(r) {
  await r.flushdb();
  const pipeline = r.pipeline();
  for (let n = 0; n < 500; n++) pipeline.set(`p${n}`, n).incr(`p${n}`);
  const wanted = Array.from({ length: 500 }, (_, n) => [[null, "OK"], [null, n + 1]]).flat();
  check("a pipeline of 1,000", await pipeline.exec(), wanted);
  const many = await Promise.all(Array.from({ length: 1000 }, (_, n) => r.set(`q${n % 10}`, n)));
  check("1,000 at once", many.every((reply) => reply === "OK"), true);
  const [, [error], [, after]] = await r.pipeline().set("x", "text").incr("x").get("x").exec();
  check("an error within a pipeline", [error.name, after], ["ReplyError", "text"]);
}

async function transactions(r, protocol) {
  await r.flushdb();
  check("MULTI and EXEC", await r.multi().set("n", 1).incr("n").exec(), [[null, "OK"], [null, 2]]);
  const one = new Redis({ ...address, protocol });
  await one.watch("n");
  check("WATCH", await one.multi().incr("n").exec(), [[null, 3]]);
  await one.watch("n");
  await r.set("n", "changed");
  check("WATCH of a changed key", await one.multi().set("n", "lost").exec(), null);
  await one.watch("n");
  await r.set("n", "changed again");
  check("UNWATCH", [await one.unwatch(), await one.multi().get("n").exec()], [
    "OK",
    [[null, "changed again"]],
  ]);
  await one.multi({ pipeline: false });
  check("a queued request", await one.set("n", "lost"), "QUEUED");
  check("DISCARD", [await one.discard(), await one.get("n")], ["OK", "changed again"]);
  const aborted = one.multi().set("n", "lost").call("NOSUCHCOMMAND", "x").exec();
  await checkRejects("EXEC after an unknown command", aborted, /EXECABORT/);
  check("what the transactions left", await one.get("n"), "changed again");
  one.disconnect();
}

async function errors(r) {
  await r.set("k", "v");
  await checkRejects("an unknown command", r.call("NOSUCHCOMMAND", "x"), /ERR unknown command/);
  await checkRejects("LPUSH on text", r.lpush("k", "x"), /ReplyError/);
  await checkRejects("INCR of text", r.incr("k"), /value is not an integer or out of range/);
  await checkRejects("too few arguments", r.call("GET"), /wrong number of arguments for 'get'/);
  await checkRejects("a wrong option", r.set("k", "v", "WHAT"), /syntax error/);
  check("after the errors", await r.get("k"), "v");
}

await program(async () => {
  for (const protocol of [2, 3]) {
    await connecting(protocol);
    const r = new Redis({ ...address, protocol });
    for (const part of [values, setting, editing, expiry, keyspace, scanning, pipelines, errors]) {
      await part(r);
    }
    await server(r, protocol);
    await transactions(r, protocol);
    await r.flushdb();
    r.disconnect();
  }
});
