/**
 * An Express application that keeps its visitors in connect-redis.
 *
 * usage: NODE_PATH=FOLDER node express.mjs HOST PORT [PASSWORD]
 *
 * It empties the store. rate-limit-redis, the store of express-rate-limit, is not run: it counts in
 * a Lua script, and this store runs none.
 *
 * @module
 */

import { createRequire } from "node:module";
import { address, check, checkRejects, program, until } from "../redis_clients/checks.mjs";

const require = createRequire(import.meta.url);
const express = require("express");
const session = require("express-session");
const { RedisStore } = require("connect-redis");
const { createClient } = require("redis");

const { host, port, password } = address;

/** Serves an application that counts the visits of each visitor; resolves with its address. */
async function serving(store) {
  const app = express();
  const options = { secret: "secret", resave: false, saveUninitialized: false };
  app.use(session({ ...options, store, cookie: { maxAge: 600_000 } }));
  app.get("/visit", (request, response) => {
    request.session.visits = (request.session.visits ?? 0) + 1;
    response.json(request.session.visits);
  });
  app.get("/leave", (request, response) => {
    request.session.destroy((error) => response.json(error ?? "bye"));
  });
  const server = app.listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  return { server, url: `http://127.0.0.1:${server.address().port}` };
}

/** A browser, as far as its cookie. */
function visitor(url) {
  let cookie;
  return async (path) => {
    const response = await fetch(url + path, { headers: cookie === undefined ? {} : { cookie } });
    cookie = response.headers.get("set-cookie")?.split(";")[0] ?? cookie;
    return await response.json();
  };
}

/** A method of a store as a promise. */
function call(store, method, ...words) {
  return new Promise((resolve, reject) =>
    store[method](...words, (error, value) => error ? reject(error) : resolve(value))
  );
}

async function application(client) {
  const store = new RedisStore({ client, prefix: "visitor:" });
  const { server, url } = await serving(store);
  const [ann, bob] = [visitor(url), visitor(url)];
  check("the first visits", [await ann("/visit"), await bob("/visit")], [1, 1]);
  check("the second visit", await ann("/visit"), 2);
  check("how many there are", await call(store, "length"), 2);
  const [id] = await call(store, "ids");
  check("its expiry", Math.abs(await client.ttl(`visitor:${id}`) - 600) <= 2, true);
  check("leaving", [await ann("/leave"), await ann("/visit"), await bob("/visit")], ["bye", 1, 2]);
  const together = await Promise.all(Array.from({ length: 50 }, () => visitor(url)("/visit")));
  check("50 visitors at once", together.every((visits) => visits === 1), true);
  check("how many there are now", await call(store, "length"), 52);
  check("all of them", (await call(store, "all")).length, 52);
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}

async function alone(client) {
  const store = new RedisStore({ client, prefix: "odd prefix\n", ttl: 600, scanCount: 7 });
  const kept = { cookie: {}, user: "é 値" };
  for (let n = 0; n < 100; n++) await call(store, "set", `id ${n}`, kept);
  check("get", await call(store, "get", "id 7"), kept);
  check("get of none", await call(store, "get", "none"), null);
  await client.expire("odd prefix\nid 7", 5);
  await call(store, "touch", "id 7", kept);
  check("touch", await client.ttl("odd prefix\nid 7") > 500, true);
  check("length", await call(store, "length"), 100);
  await call(store, "destroy", "id 7");
  check("destroy", await call(store, "get", "id 7"), null);
  const soon = { ...kept, cookie: { expires: new Date(Date.now() + 1000) } };
  await call(store, "set", "soon", soon);
  await until("it expires", async () => await call(store, "get", "soon") === null);
  await call(store, "clear");
  check("clear", [await call(store, "length"), await client.dbSize() > 0], [0, true]);
}

await program(async () => {
  const options = { socket: { host, port } };
  const client = await createClient({ ...options, password }).connect();
  await client.flushDb();
  await application(client);
  await alone(client);
  await client.flushDb();
  await client.close();
  if (password === undefined) return;
  options.socket.reconnectStrategy = false;
  const refused = createClient({ ...options, password: "wrong" }).on("error", () => {});
  await checkRejects("a wrong password", refused.connect(), /WRONGPASS/);
});
