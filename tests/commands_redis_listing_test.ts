/** Tests of the commands of the Redis wire about many keys: KEYS, SCAN, RANDOMKEY, the flushes. */
import { patternBytesMax } from "../commands/redis/glob.ts";
import { keysReplyBytesMax } from "../commands/redis/listing.ts";
import { scanReplyBytesMax } from "../commands/scan.ts";
import { assert, assertEquals, assertMatch } from "./assert.ts";
import { array, joined, words } from "./redis_array.ts";
import { type ManualConnection, ManualServer } from "./server_manual.ts";

const syntaxError = "-ERR syntax error\r\n";
const noInteger = "-ERR value is not an integer or out of range\r\n";

function ask(client: ManualConnection, text: string): string {
  return client.ask(words(text));
}

/** The bulk strings of a reply to KEYS, sorted. */
function keysOf(reply: string): string[] {
  const [head, ...lines] = reply.split("\r\n");
  const keys = lines.filter((_, n) => n % 2 === 1).slice(0, Number(head.slice(1)));
  assertEquals(head, `*${keys.length}`);
  return keys.sort();
}

/** The cursor and the keys of a reply to SCAN. */
function pageOf(reply: string): { next: string; keys: string[] } {
  const [, next, rest] = /^\*2\r\n\$\d+\r\n(\d+)\r\n(\*[^]*)$/.exec(reply) ?? [];
  assert(next !== undefined, reply);
  return { next, keys: keysOf(rest) };
}

/** All keys of a scan with these options, and in how many parts they came. */
function scanAll(
  client: ManualConnection,
  ...options: string[]
): { keys: string[]; parts: number } {
  const keys: string[] = [];
  let parts = 0;
  let cursor = "0";
  do {
    const page = pageOf(client.ask(array("SCAN", cursor, ...options)));
    keys.push(...page.keys);
    cursor = page.next;
    parts++;
  } while (cursor !== "0");
  return { keys: keys.sort(), parts };
}

/** Stores so many keys, and returns them, sorted. */
function fill(client: ManualConnection, count: number, prefix = "key:"): string[] {
  const keys = Array.from({ length: count }, (_, n) => `${prefix}${n}`);
  client.ask(joined(...keys.map((key) => array("SET", key, "1"))));
  client.taken();
  return keys.sort();
}

Deno.test("redis KEYS lists what matches", () => {
  const client = new ManualServer().connect();
  assertEquals(ask(client, "KEYS *"), "*0\r\n");
  for (const key of ["one", "two", "three", "on", "a b", "a\r\nb", "[x]", "\x01"]) {
    client.ask(array("SET", key, "1"));
  }
  const keys = (pattern: string) => client.ask(array("KEYS", pattern));
  assertEquals(keys("one"), "*1\r\n$3\r\none\r\n");
  assertEquals(keys("\\one"), "*1\r\n$3\r\none\r\n");
  assertEquals(keys("nobody"), "*0\r\n");
  assertEquals(keys(""), "*0\r\n");
  assertEquals(keys("a\r\n*"), "*1\r\n$4\r\na\r\nb\r\n");
  assertEquals(keys("\\[x\\]"), "*1\r\n$3\r\n[x]\r\n");
  assertEquals(keysOf(keys("on*")), ["on", "one"]);
  assertEquals(keysOf(keys("t*")), ["three", "two"]);
  assertEquals(keysOf(keys("*o*")), ["on", "one", "two"]);
  assertEquals(keysOf(keys("?")), ["\x01"]);
  assertMatch(keys("*"), /^\*8\r\n/);
  assertEquals(ask(client, "KEYS"), "-ERR wrong number of arguments for 'keys' command\r\n");
  assertEquals(ask(client, "KEYS a b"), "-ERR wrong number of arguments for 'keys' command\r\n");
  ask(client, "HELLO 3");
  assertEquals(keys("one"), "*1\r\n$3\r\none\r\n");
});

Deno.test("redis KEYS and SCAN of many keys, in steps with others in between", () => {
  const server = new ManualServer({ limitBytes: 64 << 20 });
  const client = server.connect();
  const keys = fill(client, 20_000);
  client.receive(words("KEYS *"));
  let yields = 0;
  for (;;) {
    const want = client.step();
    if (want === "read") break;
    if (want === "yield") yields++;
  }
  assertEquals(keysOf(client.taken()), keys);
  assert(yields > 20, `${yields} turns of others`);
  assertEquals(keysOf(ask(client, "KEYS *9")), keys.filter((key) => key.endsWith("9")));
  assertEquals(keysOf(ask(client, "KEYS key:19*")), keys.filter((key) => key.startsWith("key:19")));
  for (const count of ["1", "10", "1000", "9223372036854775807"]) {
    const matching = count === "1" ? ["MATCH", "key:1?"] : [];
    const expected = count === "1" ? keys.filter((key) => /:1.$/.test(key)) : keys;
    assertEquals(scanAll(client, "COUNT", count, ...matching).keys, expected, `COUNT ${count}`);
  }
  assertEquals(scanAll(client, "MATCH", "none*", "COUNT", "100000"), { keys: [], parts: 1 });
});

Deno.test("redis SCAN: its options and its errors", () => {
  const client = new ManualServer().connect();
  assertEquals(ask(client, "SCAN 0"), "*2\r\n$1\r\n0\r\n*0\r\n");
  const keys = fill(client, 25);
  assertEquals(scanAll(client).keys, keys);
  assertEquals(scanAll(client).parts, 3);
  assertEquals(scanAll(client, "COUNT", "26").parts, 1);
  assertEquals(scanAll(client, "count", "5", "match", "key:1*").keys.length, 11);
  // The last one counts.
  assertEquals(scanAll(client, "MATCH", "x", "MATCH", "key:1").keys, ["key:1"]);
  assertEquals(scanAll(client, "TYPE", "string").keys, keys);
  assertEquals(scanAll(client, "TYPE", "STRING").keys, keys);
  for (const type of ["list", "none", ""]) {
    assertEquals(scanAll(client, "TYPE", type), { keys: [], parts: 1 });
  }
  const end = "*2\r\n$1\r\n0\r\n*0\r\n";
  for (
    const [request, reply] of [
      ["SCAN x", "-ERR invalid cursor\r\n"],
      ["SCAN -1", "-ERR invalid cursor\r\n"],
      ["SCAN 1.0", "-ERR invalid cursor\r\n"],
      ["SCAN 18446744073709551616", "-ERR invalid cursor\r\n"],
      ["SCAN 18446744073709551615", end],
      ["SCAN 4294967296", end],
      ["SCAN 0 COUNT", syntaxError],
      ["SCAN 0 MATCH", syntaxError],
      ["SCAN 0 TYPE", syntaxError],
      ["SCAN 0 COUNT 0", syntaxError],
      ["SCAN 0 COUNT -5", syntaxError],
      ["SCAN 0 NOVALUES x", syntaxError],
      ["SCAN 0 COUNT x", noInteger],
      ["SCAN 0 COUNT 9223372036854775808", noInteger],
      ["SCAN 0 COUNT x MATCH", noInteger],
      ["SCAN", "-ERR wrong number of arguments for 'scan' command\r\n"],
    ]
  ) assertEquals(ask(client, request), reply, request);
  assertEquals(client.ask(array("SCAN", "")), "-ERR invalid cursor\r\n");
});

Deno.test("redis SCAN returns every key that stays, whatever is written meanwhile", () => {
  const server = new ManualServer({ limitBytes: 8 << 20 });
  const client = server.connect();
  const writer = server.connect();
  const staying = fill(client, 2000, "stays:");
  fill(client, 2000, "goes:");
  const seen = new Set<string>();
  let cursor = "0";
  for (let n = 0;; n++) {
    const page = pageOf(client.ask(array("SCAN", cursor, "COUNT", "50")));
    for (const key of page.keys) seen.add(key);
    cursor = page.next;
    if (cursor === "0") break;
    writer.ask(joined(array("DEL", `goes:${n}`), array("SET", `new:${n}`, "1")));
    writer.ask(
      joined(array("SET", staying[n], "another value"), array("RENAME", `goes:1${n}`, "x")),
    );
  }
  for (const key of staying) assert(seen.has(key), `${key} was not listed`);
});

Deno.test("redis listings leave out expired keys", () => {
  const server = new ManualServer();
  const client = server.connect();
  client.ask(joined(words("SET a 1 PX 10"), words("SET b 1"), words("SET c 1 PX 10")));
  server.clock.advance(10);
  assertEquals(keysOf(ask(client, "KEYS *")), ["b"]);
  assertEquals(scanAll(client).keys, ["b"]);
  assertEquals(ask(client, "KEYS a"), "*0\r\n");
  for (let n = 0; n < 20; n++) assertEquals(ask(client, "RANDOMKEY"), "$1\r\nb\r\n");
});

Deno.test("redis KEYS has a limit, and says what to use instead", () => {
  // Keys of 60,000 bytes; each takes 10 bytes more in the reply.
  const replyBytes = 60_010;
  const count = Math.floor(keysReplyBytesMax / replyBytes);
  const server = new ManualServer({ limitBytes: 64 << 20 });
  const client = server.connect();
  const key = (n: number) => `${n}`.padEnd(60_000, "x");
  for (let n = 0; n < count; n++) client.ask(array("SET", key(n), ""));
  client.taken();
  // One more key fills the reply to its limit, to the byte.
  const left = keysReplyBytesMax - count * replyBytes;
  const lastLength = left - `$${left}\r\n\r\n`.length;
  client.ask(array("SET", "l".repeat(lastLength), ""));
  client.taken();
  const reply = ask(client, "KEYS *");
  assertEquals(reply.length, keysReplyBytesMax + `*${count + 1}\r\n`.length);
  client.ask(array("RENAME", "l".repeat(lastLength), "l".repeat(lastLength + 1)));
  client.taken();
  assertEquals(
    ask(client, "KEYS *"),
    `-ERR the reply to KEYS would have more than ${keysReplyBytesMax} bytes; use SCAN\r\n`,
  );
  assertEquals(scanAll(client, "COUNT", "1000").keys.length, count + 1);
  assertEquals(server.context.replies.bytes, 0);
});

Deno.test("redis SCAN ends early when its reply is large", () => {
  const server = new ManualServer({ limitBytes: 64 << 20 });
  const client = server.connect();
  const keys = Array.from({ length: 500 }, (_, n) => `${n}`.padEnd(30_000, "x")).sort();
  for (const key of keys) client.ask(array("SET", key, ""));
  client.taken();
  const reply = ask(client, "SCAN 0 COUNT 1000");
  assert(reply.length >= scanReplyBytesMax && reply.length < scanReplyBytesMax + 64 * 30_100);
  assert(pageOf(reply).next !== "0");
  assertEquals(scanAll(client, "COUNT", "1000").keys, keys);
});

Deno.test("redis KEYS gives up where the server has no memory for replies; SCAN gives less", () => {
  const server = new ManualServer({ limitBytes: 64 << 20, pendingBytesMax: 512 * 1024 });
  const client = server.connect();
  const keys = fill(client, 50_000);
  const other = server.connect();
  assertEquals(ask(other, "PING"), "+PONG\r\n");
  other.ask(array("SET", "large", "v".repeat(128 * 1024)));
  // Its reply is on the way, and is not taken.
  other.receive(words("GET large"));
  while (other.connection.next() === "yield");
  assertEquals(
    ask(client, "KEYS *"),
    "-ERR the server has no memory for this reply now; use SCAN\r\n",
  );
  const scanned = scanAll(client, "COUNT", "100000", "MATCH", "key:*");
  assertEquals(scanned.keys, keys);
  assert(scanned.parts > 3, `${scanned.parts} parts`);
  other.run();
  assertEquals(keysOf(ask(client, "KEYS key:*")), keys);
});

Deno.test("redis KEYS: a hostile pattern keeps nobody waiting", () => {
  const server = new ManualServer({ limitBytes: 64 << 20 });
  const client = server.connect();
  const key = "a".repeat(50_000);
  for (let n = 0; n < 20; n++) client.ask(array("SET", key + n, ""));
  client.taken();
  const pattern = "*a".repeat(40) + "*" + "a".repeat(20_000) + "b";
  for (const request of [array("KEYS", pattern), array("SCAN", "0", "MATCH", pattern)]) {
    const client = server.connect();
    assertEquals(ask(client, "PING"), "+PONG\r\n");
    for (let from = 0; from < request.length; client.connection.next()) {
      from += client.receive(request.subarray(from));
    }
    let steps = 0;
    // Each key alone would take a thousand million comparisons.
    while (steps < 200 && client.step() === "yield") steps++;
    assertEquals(steps, 200, "the comparison goes on");
    // Others are served meanwhile, and the client may leave.
    assertEquals(ask(server.connect(), "PING"), "+PONG\r\n");
    client.close();
    assertEquals(server.context.replies.bytes, 0);
  }
  const replies = client.ask(joined(words("MULTI"), array("KEYS", pattern), words("EXEC")));
  assertEquals(
    replies,
    "+OK\r\n+QUEUED\r\n*1\r\n-ERR the pattern takes too long to compare in a transaction\r\n",
  );
});

Deno.test("redis KEYS and SCAN: the longest pattern", () => {
  const client = new ManualServer().connect();
  const key = "k".repeat(65_535);
  assertEquals(ask(client, "PING"), "+PONG\r\n");
  client.ask(array("SET", key, "1"));
  assertEquals(client.ask(array("KEYS", key)), `*1\r\n$65535\r\n${key}\r\n`);
  assertEquals(scanAll(client, "MATCH", key).keys, [key]);
  assertEquals(client.ask(array("KEYS", `${key}k`)), "*0\r\n");
  assertEquals(client.ask(array("SCAN", "0", "MATCH", "")), "*2\r\n$1\r\n0\r\n*0\r\n");
  assertEquals(client.ask(array("SET", "", "v")), "+OK\r\n");
  for (const args of [["KEYS", ""], ["KEYS", "[^a]*"], ["SCAN", "0", "MATCH", ""]]) {
    const isFound = client.ask(array(...args)).endsWith("*1\r\n$0\r\n\r\n");
    assertEquals([args, isFound], [args, args[1] !== "[^a]*"]);
  }
  assertEquals(client.ask(array("DEL", "")), ":1\r\n");
  const error = `-ERR pattern too long (max ${patternBytesMax} bytes)\r\n`;
  assertEquals(client.ask(array("KEYS", "*".repeat(patternBytesMax))).slice(0, 4), "*1\r\n");
  assertEquals(client.ask(array("KEYS", "*".repeat(patternBytesMax + 1))), error);
  assertEquals(client.ask(array("SCAN", "0", "MATCH", "k".repeat(patternBytesMax + 1))), error);
});

Deno.test("redis RANDOMKEY finds each of a few keys about as often as the others", () => {
  const client = new ManualServer().connect();
  assertEquals(ask(client, "RANDOMKEY"), "$-1\r\n");
  const keys = fill(client, 10);
  const seen = new Map<string, number>();
  for (let n = 0; n < 4000; n++) {
    const key = ask(client, "RANDOMKEY").split("\r\n")[1];
    seen.set(key, (seen.get(key) ?? 0) + 1);
  }
  assertEquals([...seen.keys()].sort(), keys);
  // 400 each is expected, with a standard deviation of 19.
  for (const [key, count] of seen) assert(count > 200 && count < 600, `${key}: ${count} times`);
  ask(client, "FLUSHALL");
  ask(client, "HELLO 3");
  assertEquals(ask(client, "RANDOMKEY"), "_\r\n");
  assertEquals(
    ask(client, "RANDOMKEY x"),
    "-ERR wrong number of arguments for 'randomkey' command\r\n",
  );
});

Deno.test("redis DBSIZE, FLUSHDB, FLUSHALL and DELPREFIX", () => {
  const server = new ManualServer();
  const client = server.connect();
  assertEquals(ask(client, "DBSIZE"), ":0\r\n");
  for (const request of ["FLUSHDB", "FLUSHALL", "flushdb async", "FLUSHALL SYNC"]) {
    fill(client, 300);
    assertEquals(ask(client, "DBSIZE"), ":300\r\n");
    assertEquals(ask(client, request), "+OK\r\n");
    assertEquals(ask(client, "DBSIZE"), ":0\r\n");
  }
  fill(client, 1500, "a b:");
  fill(client, 10, "b:");
  for (const request of ["FLUSHALL now", "FLUSHDB SYNC ASYNC", "FLUSHDB SYNC SYNC"]) {
    assertEquals(ask(client, request), syntaxError, request);
  }
  assertEquals(client.ask(array("DELPREFIX", "a b:")), ":1500\r\n");
  assertEquals(client.ask(array("DELPREFIX", "a b:")), ":0\r\n");
  assertEquals(
    client.ask(array("DELPREFIX", "")),
    "-ERR the prefix is empty; FLUSHDB removes every key\r\n",
  );
  assertEquals(ask(client, "DBSIZE"), ":10\r\n");
});

Deno.test("redis listings and flushes in a transaction", () => {
  for (const isShared of [false, true]) {
    const client = new ManualServer({ limitBytes: 8 << 20, isShared }).connect();
    const keys = fill(client, 3000);
    const replies = client.ask(joined(
      words("MULTI"),
      words("KEYS *"),
      words("SCAN 0 COUNT 10000"),
      words("RANDOMKEY"),
      words("DELPREFIX key:1"),
      words("DBSIZE"),
      words("FLUSHALL"),
      words("KEYS *"),
      words("DBSIZE"),
      words("EXEC"),
    ));
    const head = "+OK\r\n" + "+QUEUED\r\n".repeat(8) + "*8\r\n";
    assertEquals(replies.slice(0, head.length), head);
    const all = `*3000\r\n${
      replies.slice(head.length).split("*2\r\n$1\r\n0\r\n")[0].slice("*3000\r\n".length)
    }`;
    assertEquals(keysOf(all), keys);
    const flushed = keys.filter((key) => key.startsWith("key:1")).length;
    const end = `\r\n:${flushed}\r\n:${3000 - flushed}\r\n+OK\r\n*0\r\n:0\r\n`;
    assertEquals(replies.slice(-end.length), end);
  }
});

Deno.test("a line's KEYS shows keys that a line cannot name in base64", () => {
  const server = new ManualServer();
  const redis = server.connect();
  const line = server.connect();
  const shown: [key: string, word: string][] = [
    ["plain", "plain"],
    ["a b", '"YSBi"'],
    [" ", '"IA=="'],
    ["tab\t", '"dGFiCQ=="'],
    ["a\nb", '"YQpi"'],
    ["a\rb", '"YQ1i"'],
    ["a\r", '"YQ0="'],
    ['"YSBi"', '"IllTQmki"'],
    ['"', '"Ig=="'],
    ['a"', 'a"'],
    // Every other byte is part of a word.
    ["\x00\x01\x0b\x0c\x1f\x7f", "\x00\x01\x0b\x0c\x1f\x7f"],
    ["*1", "*1"],
    ["0", "0"],
    ["-", "-"],
    ["", '""'],
    ["x".repeat(600) + " ", `"${btoa("x".repeat(600) + " ")}"`],
  ];
  for (const [key, word] of shown) {
    redis.ask(joined(words("FLUSHALL"), array("SET", key, "1")));
    assertEquals(line.ask("SCAN 0\n"), `KEYS 0 ${word}\n`, JSON.stringify(key));
  }
  for (const [key] of shown) redis.ask(array("SET", key, "1"));
  const listed = line.ask("SCAN 0 1000\n").trimEnd().split(" ").slice(2).sort();
  assertEquals(listed, shown.map(([, word]) => word).sort());
  // The prefix is compared with the key, not with the word.
  assertEquals(line.ask('SCAN 0 1000 "Y\n'), 'KEYS 0 "IllTQmki"\n');
  assertEquals(line.ask("SCAN 0 1000 tab\n"), 'KEYS 0 "dGFiCQ=="\n');
  // A key that begins with a double quote can be named as it is.
  assertEquals(line.ask('GET "YSBi"\n'), "VALUE MQ==\n");
  assertEquals(line.ask('GET "YQpi"\n'), "NOT_FOUND\n");
});

Deno.test("a line names every key that KEYS shows as it is", () => {
  const server = new ManualServer();
  const redis = server.connect();
  const line = server.connect();
  const bytes = Array.from({ length: 256 }, (_, byte) => byte);
  // Each byte as the first one, in the middle, and as the last one of a line.
  const keys = bytes.flatMap((byte) =>
    [[byte], [byte, 0x61], [0x61, byte, 0x61], [0x61, byte]].map((key) => Uint8Array.from(key))
  );
  for (const key of keys) {
    redis.ask(joined(words("FLUSHALL"), array("SET", key, "1")));
    const text = new TextDecoder("latin1").decode(key);
    if (line.ask("SCAN 0\n") !== `KEYS 0 ${text}\n`) continue;
    for (const lineEnd of [[0x0a], [0x0d, 0x0a]]) {
      const request = Uint8Array.from([0x47, 0x45, 0x54, 0x20, ...key, ...lineEnd]);
      assertEquals(line.ask(request), "VALUE MQ==\n", `GET ${JSON.stringify(text)}`);
    }
  }
});
