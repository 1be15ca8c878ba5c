/**
 * Every call of the client, against the real server, over every transport.
 *
 * @module
 */

import { BlinkError, BlinkStore, keyBytesMax } from "../client.ts";
import { assert, assertEquals, assertRejects } from "./assert.ts";
import { until } from "./client_bounded.ts";
import { overEachWay } from "./client_transports.ts";

const everyByte = Uint8Array.from({ length: 256 }, (_, at) => at);

/** Texts that wires and programs stumble over. */
const texts = [
  "",
  "alice",
  " leading and trailing ",
  "значение 値 🦕",
  "two\nlines\r\n",
  "ends in CR\r",
  "a\rb",
  "\ufeffwith a byte order mark",
  "\u0000\u0007\u001b[31m\u2028",
  "HTTP/1.1",
  '""',
  "-",
];

overEachWay("set, get, getBytes and delete", async (store) => {
  await store.set("user", "alice");
  assertEquals(await store.get("user"), "alice");
  assertEquals(await store.getBytes("user"), new TextEncoder().encode("alice"));
  assertEquals(await store.usage(), 9);
  assertEquals(await store.delete("user"), true);
  assertEquals(await store.delete("user"), false);
  assertEquals(await store.get("user"), undefined);
  assertEquals(await store.getBytes("user"), undefined);
  assertEquals(await store.usage(), 0);
});

overEachWay("put carries any text and any byte", async (store) => {
  for (const text of texts) {
    assertEquals(await store.put("key", text), "stored");
    assertEquals(await store.get("key"), text);
  }
  assertEquals(await store.put("key", everyByte), "stored");
  assertEquals(await store.getBytes("key"), everyByte);
  assertEquals(await store.put("key", new Uint8Array()), "stored");
  assertEquals(await store.getBytes("key"), new Uint8Array());
});

overEachWay("set carries any text and bytes without a line break", async (store) => {
  for (const text of texts) {
    const broken = text.includes("\n") || text.endsWith("\r");
    for (const value of [text, new TextEncoder().encode(text)]) {
      if (broken) {
        const error = await assertRejects(() => store.set("key", value), BlinkError, "use put");
        assertEquals(error.kind, "usage");
      } else {
        await store.set("key", value);
        assertEquals(await store.get("key"), text);
      }
    }
  }
  const bytes = everyByte.filter((byte) => byte !== 10);
  await store.set("key", bytes);
  assertEquals(await store.getBytes("key"), bytes);
});

overEachWay("bytes that are not text are read as U+FFFD", async (store) => {
  await store.put("key", new Uint8Array([97, 255, 98]));
  assertEquals(await store.get("key"), "a\ufffdb");
  assertEquals(await store.getMany(["key"]), ["a\ufffdb"]);
});

overEachWay("the first request may look like one of a web browser", async (_, options) => {
  const firsts: ((store: BlinkStore) => Promise<unknown>)[] = [
    (store) => store.set("/path", "HTTP/1.1"),
    (store) => store.getMany(["/path", "HTTP/1.1"]),
  ];
  for (const first of firsts) {
    await using store = new BlinkStore(options);
    await first(store);
    await store.set("after", "1");
    assert(await store.get("after") === "1");
  }
});

overEachWay(
  "keys: what the wire cannot carry is refused before anything is sent",
  async (store) => {
    const wrong: [key: string, why: string][] = [
      ["", "it is empty"],
      ["two words", "a blank"],
      ["tab\there", "a blank"],
      ["line\nbreak", "a line break"],
      ["cr\r", "a line break"],
      ["\ud800", "half a surrogate pair"],
      ["x".repeat(keyBytesMax + 1), `longer than ${keyBytesMax} bytes`],
      ["é".repeat(keyBytesMax / 2 + 1), `longer than ${keyBytesMax} bytes`],
    ];
    for (const [key, why] of wrong) {
      const calls: (() => Promise<unknown>)[] = [
        () => store.set(key, "1"),
        () => store.put(key, "1"),
        () => store.get(key),
        () => store.getBytes(key),
        () => store.getMany(["a", key]),
        () => store.delete(key),
        () => store.delete(key, { match: "1" }),
        () => store.increment(key),
        () => store.expire(key, 1),
        () => store.ttl(key),
        () => store.lock(key, { ttl: 1 }),
      ];
      for (const call of calls) {
        const error = await assertRejects(call, BlinkError, why);
        assertEquals([error.kind, error.mayHaveRun], ["usage", false]);
      }
    }
    assertEquals(store.connected, false);
  },
);

overEachWay("keys: the longest ones work", async (store) => {
  const two = "é".repeat((keyBytesMax - 1) / 2);
  for (const key of ["k", "x".repeat(keyBytesMax - 1), "x".repeat(keyBytesMax), two, `${two}x`]) {
    await store.set(key, "1");
    assertEquals(await store.get(key), "1");
  }
  for (const key of ["ключ", "🦕", "\u00a0", "a\u0000b", "-", '""', "ttl=5"]) {
    await store.set(key, key);
    assertEquals(await store.getMany([key]), [key]);
  }
});

overEachWay("values with half a surrogate pair are refused", async (store) => {
  for (const call of [() => store.set("a", "\ud800"), () => store.put("a", "\udc00\n")]) {
    const error = await assertRejects(call, BlinkError, "half a surrogate pair");
    assertEquals(error.kind, "usage");
  }
});

overEachWay("what types forbid is refused at run time too", async (store) => {
  const bait = "1\nFLUSH";
  const object = { length: 1, toString: () => bait, isWellFormed: () => true };
  for (const wrong of [5, null, undefined, [bait], object] as unknown as string[]) {
    const calls: (() => Promise<unknown>)[] = [
      () => store.get(wrong),
      () => store.set("a", wrong),
      () => store.put("a", wrong),
      () => store.put("a", "1", { if: { match: wrong } }),
    ];
    for (const call of calls) {
      const error = await assertRejects(call, BlinkError, "Cannot use the");
      assertEquals(error.kind, "usage");
    }
  }
  await store.set("kept", "1");
  for (const wrong of [bait, [bait], object] as unknown[]) {
    await assertRejects(() => store.increment("a", wrong as number));
    await assertRejects(() => store.put("a", "1", { if: wrong as "absent" }));
    await assertRejects(() => store.put("a", "1", { ttl: wrong as number }));
    await assertRejects(() => store.expire("a", wrong as number));
    await assertRejects(() => store.flush(wrong as string));
    await assertRejects(() => store.scan({ prefix: wrong as string }).next());
    await assertRejects(() => store.scan({ count: wrong as number }).next());
    await assertRejects(() => store.request(wrong as string));
  }
  assertEquals(await store.get("kept"), "1");
});

overEachWay("put on a condition", async (store) => {
  assertEquals(await store.put("a", "1", { if: "present" }), "not found");
  assertEquals(await store.put("a", "1", { if: { match: "1" } }), "not found");
  assertEquals(await store.put("a", "1", { if: "absent" }), "stored");
  assertEquals(await store.put("a", "2", { if: "absent" }), "conflict");
  assertEquals(await store.put("a", "2", { if: { match: "0" } }), "conflict");
  assertEquals(await store.put("a", "2\n", { if: { match: "1" } }), "stored");
  assertEquals(await store.put("a", everyByte, { if: { match: "2\n" } }), "stored");
  assertEquals(await store.put("a", "", { if: { match: everyByte } }), "stored");
  assertEquals(await store.put("a", "3", { if: { match: "" } }), "stored");
  assertEquals(await store.put("a", "4", { if: "present" }), "stored");
  assertEquals(await store.get("a"), "4");
});

overEachWay("delete on a condition", async (store) => {
  assertEquals(await store.delete("a", { match: "1" }), "not found");
  await store.put("a", "1\n");
  assertEquals(await store.delete("a", { match: "1" }), "conflict");
  assertEquals(await store.delete("a", { match: new Uint8Array([49, 10]) }), "deleted");
  await store.set("a", "");
  assertEquals(await store.delete("a", { match: "" }), "deleted");
});

overEachWay("times to live", async (store) => {
  assertEquals(await store.ttl("a"), undefined);
  assertEquals(await store.expire("a", 5), false);
  await store.set("a", "1");
  assertEquals(await store.ttl("a"), Infinity);
  await store.put("a", "2", { ttl: 60 });
  const left = await store.ttl("a");
  assert(left !== undefined && left > 50 && left < 61);
  await store.put("a", "3", { keepTtl: true });
  assert((await store.ttl("a") ?? Infinity) < 61);
  assertEquals(await store.get("a", { ttl: 600 }), "3");
  assert((await store.ttl("a") ?? 0) > 500);
  assertEquals(await store.getBytes("a", { ttl: 6_000 }), new Uint8Array([51]));
  assert((await store.ttl("a") ?? 0) > 5_000);
  assertEquals(await store.expire("a", Infinity), true);
  assertEquals(await store.ttl("a"), Infinity);
  assertEquals(await store.expire("a", 0.001), true);
  await until("the key has expired", async () => await store.get("a") === undefined);
});

overEachWay("times to live: the limits", async (store) => {
  await store.set("a", "1");
  for (const seconds of [0.001, 0.0011, 1 / 3, 1, 315_359_999.999, 315_360_000]) {
    await store.put("b", "1", { ttl: seconds });
    assertEquals(await store.expire("a", Math.max(1, seconds)), true);
    await store.get("a", { ttl: Math.max(1, seconds) });
    await store.increment("n", 1, { ttl: seconds });
  }
  for (const seconds of [0, -1, 0.0009, 315_360_000.001, NaN]) {
    const calls: (() => Promise<unknown>)[] = [
      () => store.put("a", "1", { ttl: seconds }),
      () => store.expire("a", seconds),
      () => store.get("a", { ttl: seconds }),
      () => store.increment("n", 1, { ttl: seconds }),
      () => store.lock("l", { ttl: seconds }),
    ];
    for (const call of calls) {
      const error = await assertRejects(call, BlinkError, `Cannot use ${seconds} seconds`);
      assertEquals(error.kind, "usage");
    }
  }
});

overEachWay("getMany and getManyBytes", async (store) => {
  assertEquals(await store.getMany([]), []);
  assertEquals(await store.getManyBytes([]), []);
  await store.put("a", "1\n");
  await store.set("empty", "");
  assertEquals(await store.getMany(["a", "none", "empty", "a"]), ["1\n", undefined, "", "1\n"]);
  const bytes = await store.getManyBytes(["empty", "none", "a"]);
  assertEquals(bytes, [new Uint8Array(), undefined, new Uint8Array([49, 10])]);
  const keys = Array.from({ length: 1_000 }, (_, at) => `key${at}`);
  await Promise.all(keys.map((key) => store.set(key, key)));
  assertEquals(await store.getMany(keys), keys);
});

overEachWay("increment with numbers and bigints", async (store) => {
  assertEquals(await store.increment("n"), 1);
  assertEquals(await store.increment("n", 41), 42);
  assertEquals(await store.increment("n", -50), -8);
  assertEquals(await store.increment("n", 0), -8);
  assertEquals(await store.increment("n", -0), -8);
  assertEquals(await store.increment("n", 8n), 0n);
  const most = Number.MAX_SAFE_INTEGER;
  assertEquals(await store.increment("n", most), most);
  const error = await assertRejects(() => store.increment("n"), BlinkError, "9007199254740992");
  assertEquals([error.kind, error.mayHaveRun], ["range", true]);
  assertEquals(await store.increment("n", -1), most);
  assertEquals(await store.increment("n", 1n), 2n ** 53n);
  assertEquals(await store.increment("big", 2n ** 63n - 1n), 2n ** 63n - 1n);
  await assertRejects(() => store.increment("big", 1n), BlinkError, "overflow");
  assertEquals(await store.increment("small", -(2n ** 63n)), -(2n ** 63n));
  for (const by of [0.5, NaN, Infinity, 2 ** 53]) {
    const refused = await assertRejects(() => store.increment("n", by), BlinkError);
    assertEquals(refused.kind, "usage");
  }
  await store.set("text", "abc");
  const wrong = await assertRejects(() => store.increment("text"), BlinkError, "not an integer");
  assertEquals([wrong.kind, wrong.mayHaveRun], ["reply", false]);
  await store.increment("timed", 1, { ttl: 60 });
  assert((await store.ttl("timed") ?? Infinity) < 61);
});

overEachWay("scan finds every key, and only those with the prefix", async (store) => {
  const found = async (options?: Parameters<BlinkStore["scan"]>[0]) => {
    const keys = new Set<string>();
    for await (const key of store.scan(options)) keys.add(key);
    return [...keys].sort();
  };
  assertEquals(await found(), []);
  const keys = Array.from({ length: 500 }, (_, at) => `${at % 2 ? "odd" : "gerade:ключ"}${at}`);
  await Promise.all(keys.map((key) => store.set(key, "1")));
  const expected = keys.toSorted();
  for (const count of [1, 7, 499, 500, 501, 10_000, undefined]) {
    assertEquals(await found({ count }), expected);
  }
  assertEquals(await found({ prefix: "odd" }), expected.filter((key) => key.startsWith("odd")));
  assertEquals((await found({ prefix: "gerade:кл", count: 10 })).length, 250);
  assertEquals(await found({ prefix: "none" }), []);
  for (const count of [0, 10_001, 1.5, NaN]) {
    await assertRejects(() => found({ count }), BlinkError, "keys at a time");
  }
  await assertRejects(() => found({ prefix: "two words" }), BlinkError, "a blank");
});

overEachWay("scan asks for no more than is looped over", async (store) => {
  await Promise.all(Array.from({ length: 100 }, (_, at) => store.set(`key${at}`, "1")));
  let seen = 0;
  for await (const _ of store.scan({ count: 10 })) if (++seen === 5) break;
  assertEquals((await store.info()).requests.SCAN, 1);
});

overEachWay("flush", async (store) => {
  await Promise.all(["a1", "a2", "b1"].map((key) => store.set(key, "1")));
  assertEquals(await store.flush("a"), 2);
  assertEquals(await store.flush("none"), 0);
  assertEquals(await store.get("b1"), "1");
  assertEquals(await store.flush(), 1);
  assertEquals(await store.usage(), 0);
  await assertRejects(() => store.flush("a b"), BlinkError, "a blank");
});

overEachWay("ping, help and info", async (store) => {
  assert(await store.ping() >= 0);
  assert((await store.help()).includes("PUT"));
  await store.set("a", "1");
  await store.get("a");
  await store.get("none");
  const info = await store.info();
  assertEquals([info.hits, info.misses, info.entries, info.bytes.data], [1, 1, 1, 2]);
  assertEquals(info.requests.SET, 1);
  assertEquals(typeof info.version, "string");
  assertEquals(info.limit, 10 * 1024 * 1024);
});

overEachWay("request sends a line as it stands and returns its reply", async (store) => {
  assertEquals(await store.request("set a  two blanks "), "OK");
  assertEquals(await store.get("a"), " two blanks ");
  assertEquals(await store.request("nonsense"), "ERROR unknown command");
  assertEquals(await store.request(""), "ERROR unknown command");
  assertEquals(await store.request("GET"), "ERROR GET requires key");
  assertEquals(await store.request(new Uint8Array([71, 69, 84, 32, 255])), "NOT_FOUND");
  for (const line of ["GET a\nGET b", "GET a\r", new Uint8Array([65, 10])]) {
    const error = await assertRejects(() => store.request(line), BlinkError, "a line break");
    assertEquals(error.kind, "usage");
  }
  for (const line of ["QUIT", " \tquit now", new TextEncoder().encode("  Quit")]) {
    await assertRejects(() => store.request(line), BlinkError, "use close()");
  }
  assertEquals(await store.request("QUITE"), "ERROR unknown command");
});

overEachWay("a value too large for the store is a reply error", async (store) => {
  await store.set("a", "kept");
  const large = "x".repeat(11 * 1024 * 1024);
  const error = await assertRejects(() => store.set("a", large), BlinkError, "value too large");
  assertEquals([error.kind, error.mayHaveRun], ["reply", false]);
  assertEquals(await store.get("a"), "kept");
});

overEachWay("values of many megabytes", async (store) => {
  const text = "значение ".repeat(400_000);
  await store.set("text", text);
  assertEquals(await store.get("text") === text, true);
  const bytes = new Uint8Array(9 * 1024 * 1024).map((_, at) => at * 7);
  assertEquals(await store.put("bytes", bytes), "stored");
  const back = await store.getBytes("bytes");
  assert(back?.length === bytes.length && back.every((byte, at) => byte === bytes[at]));
});

overEachWay("many calls at once keep their order", async (store) => {
  const calls: Promise<unknown>[] = [];
  const expected: unknown[] = [];
  for (let at = 0; at < 20_000; at++) {
    calls.push(store.set("a", `${at}`), store.get("a"));
    expected.push(undefined, `${at}`);
  }
  assertEquals(await Promise.all(calls), expected);
});
