/**
 * What a program of another runtime does with the bundled client; run by `client_node_test.ts` with
 * the bundle, a TCP port and a socket's path. Prints what it saw as JSON.
 */

import { createServer } from "node:net";

const [bundle, port, unix] = process.argv.slice(2);
const { BlinkError, connect, pool } = await import(bundle);

async function overOne(options) {
  const store = await connect(options);
  await store.set("user", "alice значение 値");
  const everyByte = Uint8Array.from({ length: 256 }, (_, at) => at);
  const put = await store.put("bytes", everyByte, { ttl: 60 });
  const back = await store.getBytes("bytes");
  const large = "x".repeat(3_000_000);
  await store.set("large", large);
  const lock = await store.lock("job", { ttl: 30 });
  const keys = [];
  for await (const key of store.scan()) keys.push(key);
  const seen = {
    user: await store.get("user"),
    put,
    bytes: back.every((byte, at) => byte === at) && back.length === 256,
    large: (await store.get("large")) === large,
    many: await Promise.all(Array.from({ length: 1_000 }, () => store.increment("n", 1n)))
      .then((counts) => String(counts.at(-1))),
    keys: keys.sort(),
    released: await lock.release(),
    flushed: await store.flush(),
  };
  await store.close();
  return seen;
}

async function refused() {
  try {
    await connect({ port: 1 });
  } catch (error) {
    return [error instanceof BlinkError, error.kind];
  }
}

async function timedOut(options) {
  const store = await connect({ ...options, transport: () => silent() });
  const error = await store.get("a", { timeoutMs: 20 }).catch((error) => error);
  store.abort();
  return error.kind;
}

function silent() {
  return { readable: new ReadableStream(), writable: new WritableStream(), close() {} };
}

async function pooled(options) {
  const store = await pool({ ...options, size: 2 });
  await Promise.all([store.increment("n"), store.increment("n")]);
  const count = await store.get("n");
  await store.flush();
  await store.close();
  return count;
}

async function lost() {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", () => socket.destroy());
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const store = await connect({ port: server.address().port, backoffMsMin: 1 });
  const kinds = [];
  for (let round = 0; round < 3; round++) {
    kinds.push((await store.get("a").catch((error) => error)).kind);
  }
  await store.close();
  server.close();
  return kinds;
}

/** The reply comes while this program keeps its thread busy past the time-out. */
async function busy(options) {
  const store = await connect(options);
  const reply = store.usage({ timeoutMs: 50 }).catch((error) => error.kind);
  setImmediate(() => {
    for (const until = performance.now() + 300; performance.now() < until;);
  });
  const usage = await reply;
  await store.close();
  return usage;
}

console.log(JSON.stringify({
  tcp: await overOne({ port: Number(port) }),
  unix: await overOne({ unix }),
  busy: await busy({ port: Number(port) }),
  lost: await lost(),
  refused: await refused(),
  timedOut: await timedOut({}),
  pooled: await pooled({ port: Number(port) }),
}));
