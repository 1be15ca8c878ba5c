/**
 * Part 2 of the protocol over a real socket: each request, its options, its errors and its edges.
 * Times pass on a clock that the tests set.
 *
 * @module
 */

import type { ServerOptions } from "../server.ts";
import { Store } from "../store.ts";
import { commands } from "../commands/mod.ts";
import { assert, assertEquals, assertMatch } from "./assert.ts";
import { RawClient } from "./raw_client.ts";
import { serve, testIo, testThreads } from "./served.ts";

const anyPort = [{ hostname: "127.0.0.1", port: 0 }];

/** A step of a session: a request and its reply, or a number of seconds that pass. */
type Step = readonly [string, string | RegExp] | number;

/** Runs steps against a server whose clock only the steps move. */
async function session(steps: readonly Step[], options: ServerOptions = {}): Promise<void> {
  let nowMs = 1_000;
  const store = new Store({ limitBytes: 1 << 20, now: () => nowMs });
  await using server = await serve({ tcp: anyPort, store, ...options });
  using client = await RawClient.to(server.addresses[0]);
  for (const step of steps) {
    if (typeof step === "number") {
      nowMs += step * 1000;
      continue;
    }
    const [request, want] = step;
    const [reply] = await client.ask(`${request}\n`);
    if (typeof want === "string") assertEquals(reply, want, request);
    else assertMatch(reply, want, request);
  }
}

const seconds = "seconds from 0.001 to 315360000";

const sessions: Record<string, readonly Step[]> = {
  "PUT without options is SET": [
    ["PUT k -  a value ", "OK"],
    ["GET k", "VALUE IGEgdmFsdWUg"],
    ["put k -", "OK"],
    ["GET k", "VALUE "],
    ["PUT", "ERROR PUT requires key"],
    ["PUT k", "ERROR PUT requires options"],
    ["PUT k  ", "ERROR PUT requires options"],
  ],
  "PUT ttl=": [
    ["PUT k ttl=1.5 v", "OK"],
    ["TTL k", "TTL 1.500"],
    1.499,
    ["GET k", "VALUE dg=="],
    0.001,
    ["GET k", "NOT_FOUND"],
    ["USAGE", "USAGE 0"],
    ["PUT k ttl=0.001 v", "OK"],
    ["PUT k ttl=315360000 v", "OK"],
    ["TTL k", "TTL 315360000.000"],
    ["PUT k ttl=0 v", `ERROR option ttl takes ${seconds}`],
    ["PUT k ttl=315360000.1 v", `ERROR option ttl takes ${seconds}`],
    ["PUT k ttl= v", `ERROR option ttl takes ${seconds}`],
    ["PUT k ttl=-1 v", `ERROR option ttl takes ${seconds}`],
    ["PUT k TTL=2 v", "OK"],
    ["TTL k", "TTL 2.000"],
  ],
  "SET and PUT drop an expiry, PUT keepttl keeps it": [
    ["PUT k ttl=10 v", "OK"],
    ["PUT k keepttl w", "OK"],
    ["TTL k", "TTL 10.000"],
    ["PUT k - w", "OK"],
    ["TTL k", "TTL never"],
    ["PUT k ttl=10 v", "OK"],
    ["SET k w", "OK"],
    ["TTL k", "TTL never"],
    ["PUT new keepttl v", "OK"],
    ["TTL new", "TTL never"],
  ],
  "PUT b64": [
    ["PUT k b64 YQpi", "OK"],
    ["GET k", "VALUE YQpi"],
    ["USAGE", "USAGE 4"],
    ["PUT k b64 ", "OK"],
    ["GET k", "VALUE "],
    ["PUT k b64", "OK"],
    ["PUT k b64 YQ", "ERROR option b64: the value is not base64"],
    ["PUT k b64 YQ== ", "ERROR option b64: the value is not base64"],
    ["PUT k b64 a b=", "ERROR option b64: the value is not base64"],
    [`PUT k b64 ${btoa("x".repeat(3000))}`, "OK"],
    ["GET k", `VALUE ${btoa("x".repeat(3000))}`],
  ],
  "PUT absent, present and match=": [
    ["PUT k present v", "NOT_FOUND"],
    ["PUT k match=dg== v", "NOT_FOUND"],
    ["PUT k absent v", "OK"],
    ["PUT k absent w", "CONFLICT"],
    ["GET k", "VALUE dg=="],
    ["PUT k present w", "OK"],
    ["PUT k match=dg== x", "CONFLICT"],
    ["PUT k match=dw== x", "OK"],
    ["GET k", "VALUE eA=="],
    ["PUT k match=e v", "ERROR option match: not base64"],
    ["PUT k -", "OK"],
    ["PUT k match= v", "OK"],
    ["PUT k match=,ttl=5 v", "CONFLICT"],
    ["PUT k match=dg==,ttl=5,b64 dw==", "OK"],
    ["TTL k", "TTL 5.000"],
    5,
    ["PUT k present v", "NOT_FOUND"],
    ["PUT k absent v", "OK"],
  ],
  "option words that are wrong": [
    ["PUT k ttl=1,ttl=2 v", "ERROR option ttl is given twice"],
    ["PUT k ttl=1,keepttl v", "ERROR options ttl and keepttl exclude each other"],
    ["PUT k absent,present v", "ERROR options absent and present exclude each other"],
    ["PUT k absent,match=dg== v", "ERROR options absent and match exclude each other"],
    ["PUT k b64,b64 dg==", "ERROR option b64 is given twice"],
    ["PUT k absnt v", "ERROR unknown option absnt"],
    ["PUT k absent, v", "ERROR unknown option "],
    ["PUT k presentx v", "ERROR unknown option presentx"],
    ["PUT k b64=1 v", "ERROR unknown option b64=1"],
    ["PUT k ab\u001bc v", "ERROR unknown option ab\\u{1b}c"],
    [`PUT k ${"x".repeat(100)} v`, `ERROR unknown option ${"x".repeat(64)}...`],
    ["GET k", "NOT_FOUND"],
  ],
  "a lock": [
    ["PUT lock absent,ttl=30 me", "OK"],
    ["PUT lock absent,ttl=30 you", "CONFLICT"],
    ["DELETE lock match=eW91", "CONFLICT"],
    29,
    ["PUT lock absent,ttl=30 you", "CONFLICT"],
    1,
    ["PUT lock absent,ttl=30 you", "OK"],
    ["DELETE lock match=bWU=", "CONFLICT"],
    ["DELETE lock match=eW91", "OK"],
    ["DELETE lock match=eW91", "NOT_FOUND"],
  ],
  "GET ttl=": [
    ["GET k ttl=5", "NOT_FOUND"],
    ["SET k v", "OK"],
    ["GET k ttl=5", "VALUE dg=="],
    ["TTL k", "TTL 5.000"],
    3,
    ["GET k ttl=5 ", "VALUE dg=="],
    ["GET k", "VALUE dg=="],
    ["TTL k", "TTL 5.000"],
    5,
    ["GET k", "NOT_FOUND"],
    ["GET k ttl=x", `ERROR option ttl takes ${seconds}`],
    ["GET k absent", "ERROR unknown option absent"],
    ["GET k other", "ERROR unknown option other"],
    ["GET k ttl=1 ttl=2", "ERROR unknown option ttl=2"],
  ],
  "DELETE's errors": [
    ["DELETE k match=a", "ERROR option match: not base64"],
    ["DELETE k ttl=1", "ERROR unknown option ttl=1"],
    ["DELETE k other", "ERROR unknown option other"],
  ],
  "MGET": [
    ["SET a 1", "OK"],
    ["SET empty", "OK"],
    ["MGET a nothing empty a", 'VALUES MQ== - "" MQ=='],
    ["MGET \t a  ", "VALUES MQ=="],
    ["MGET", "ERROR MGET requires key"],
    [`MGET a ${"k".repeat(65_536)}`, "ERROR key too long (max 65535 bytes)"],
    [`MGET a ${"k".repeat(65_535)}`, "VALUES MQ== -"],
  ],
  "INCR": [
    ["INCR n", "INT 1"],
    ["INCR n 41", "INT 42"],
    ["INCR n -50", "INT -8"],
    ["GET n", "VALUE LTg="],
    ["USAGE", "USAGE 3"],
    ["INCR n 9223372036854775807", "INT 9223372036854775799"],
    ["INCR n 8", "INT 9223372036854775807"],
    ["INCR n", "ERROR integer overflow"],
    ["INCR n -9223372036854775808", "INT -1"],
    ["INCR n -9223372036854775807", "INT -9223372036854775808"],
    ["INCR n -1", "ERROR integer overflow"],
    ["GET n", "VALUE LTkyMjMzNzIwMzY4NTQ3NzU4MDg="],
    ["INCR", "ERROR INCR requires key"],
    ["INCR n x", "ERROR INCR by: not a signed 64-bit integer"],
    ["INCR n 9223372036854775808", "ERROR INCR by: not a signed 64-bit integer"],
    ["INCR n 1 2", "ERROR unknown option 2"],
    ["INCR n keepttl=1", "ERROR unknown option keepttl=1"],
  ],
  "INCR on what is no integer": [
    ...["", "x", " 1", "1 ", "+1", "01", "-0", "1.5", "9223372036854775808", "1".repeat(100)]
      .flatMap((text): Step[] => [
        [`SET n ${text}`, "OK"],
        ["INCR n", "ERROR value is not an integer"],
        ["GET n", `VALUE ${btoa(text)}`],
      ]),
  ],
  "INCR keeps an expiry, and gives one where there is none": [
    ["INCR n ttl=10", "INT 1"],
    ["TTL n", "TTL 10.000"],
    4,
    ["INCR n 2 ttl=10", "INT 3"],
    ["INCR n", "INT 4"],
    ["TTL n", "TTL 6.000"],
    6,
    ["INCR n 7 ttl=10", "INT 7"],
    ["SET n 1", "OK"],
    ["INCR n", "INT 2"],
    ["TTL n", "TTL never"],
    ["INCR n ttl=3", "INT 3"],
    ["TTL n", "TTL 3.000"],
    ["INCR n ttl=0", `ERROR option ttl takes ${seconds}`],
  ],
  "EXPIRE and TTL": [
    ["EXPIRE k 5", "NOT_FOUND"],
    ["TTL k", "NOT_FOUND"],
    ["SET k v", "OK"],
    ["TTL k", "TTL never"],
    ["EXPIRE k 5", "OK"],
    ["TTL k", "TTL 5.000"],
    2.5,
    ["TTL k", "TTL 2.500"],
    ["EXPIRE k never", "OK"],
    10,
    ["TTL k", "TTL never"],
    ["EXPIRE k 0.001", "OK"],
    0.001,
    ["TTL k", "NOT_FOUND"],
    ["EXPIRE k NEVER", "NOT_FOUND"],
    ["EXPIRE", "ERROR EXPIRE requires key"],
    ["EXPIRE k", "ERROR EXPIRE requires seconds"],
    ["EXPIRE k 0", `ERROR EXPIRE takes ${seconds}, or never`],
    ["EXPIRE k soon", `ERROR EXPIRE takes ${seconds}, or never`],
    ["EXPIRE k 5 6", "ERROR unknown option 6"],
    ["TTL", "ERROR TTL requires key"],
    ["TTL k more", "ERROR unknown option more"],
  ],
  "SCAN": [
    ["SCAN 0", "KEYS 0"],
    ["SET a 1", "OK"],
    ["SCAN 0", "KEYS 0 a"],
    ["SET user:1 x", "OK"],
    ["SCAN 0 10000", /^KEYS 0 (a user:1|user:1 a)$/],
    ["SCAN 0 100 user:", "KEYS 0 user:1"],
    ["SCAN 0 100 b", "KEYS 0"],
    ["PUT user:2 ttl=1 x", "OK"],
    1,
    ["SCAN 0 100 user:", "KEYS 0 user:1"],
    ["SCAN", "ERROR SCAN requires cursor"],
    ["SCAN x", "ERROR SCAN cursor: not a number that SCAN has returned"],
    ["SCAN -1", "ERROR SCAN cursor: not a number that SCAN has returned"],
    ["SCAN 0 0", "ERROR SCAN count: a number from 1 to 10000"],
    ["SCAN 0 10001", "ERROR SCAN count: a number from 1 to 10000"],
    ["SCAN 0 all", "ERROR SCAN count: a number from 1 to 10000"],
    ["SCAN 0 1 p q", "ERROR unknown option q"],
  ],
  "FLUSH": [
    ["FLUSH", "DELETED 0"],
    ["SET user:1 x", "OK"],
    ["SET user:2 x", "OK"],
    ["SET other x", "OK"],
    ["FLUSH nothing", "DELETED 0"],
    ["FLUSH user:", "DELETED 2"],
    ["USAGE", "USAGE 6"],
    ["FLUSH a b", "ERROR unknown option b"],
    ["FLUSH", "DELETED 1"],
    ["USAGE", "USAGE 0"],
  ],
  "PING, HELP and AUTH where no token is required": [
    ["PING", "PONG"],
    ["ping with words", "PONG"],
    ["HELP", `HELP ${commands.map(({ verb }) => verb).join(" ")}`],
    ["AUTH", "ERROR AUTH requires token"],
    ["AUTH anything", "OK"],
  ],
  "values and keys at their limits": [
    [`SET k ${"v".repeat((1 << 20) - 1)}`, "OK"],
    ["USAGE", `USAGE ${1 << 20}`],
    [`PUT k - ${"v".repeat(1 << 20)}`, `ERROR value too large (max ${(1 << 20) - 1} bytes)`],
    ["USAGE", `USAGE ${1 << 20}`],
    ["INCR n", "INT 1"],
    ["USAGE", "USAGE 2"],
  ],
};

for (const [name, steps] of Object.entries(sessions)) {
  Deno.test(`part 2: ${name}`, () => session(steps));
}

Deno.test("part 2: an entry that expires leaves USAGE without being asked for", async () => {
  let nowMs = 0;
  const store = new Store({ limitBytes: 1 << 20, now: () => nowMs });
  await using server = await serve({ tcp: anyPort, store });
  using client = await RawClient.to(server.addresses[0]);
  assertEquals(await client.ask("PUT k ttl=1 v\nSET stays v\nUSAGE\n"), ["OK", "OK", "USAGE 8"]);
  nowMs = 1000;
  const deadline = performance.now() + 5000;
  for (let reply = ""; reply !== "USAGE 6";) {
    assert(performance.now() < deadline, `still ${reply}`);
    [reply] = await client.ask("USAGE\n");
  }
});

Deno.test("part 2: SCAN returns every key that stays, whatever else is written", async () => {
  await using server = await serve({ tcp: anyPort });
  using scanner = await RawClient.to(server.addresses[0]);
  using writer = await RawClient.to(server.addresses[0]);
  const names = Array.from({ length: 2000 }, (_, number) => `stay:${number}`);
  await writer.ask(names.map((name) => `SET ${name} x\n`).join(""));
  const seen = new Set<string>();
  let cursor = "0";
  let round = 0;
  do {
    const [reply] = await scanner.ask(`SCAN ${cursor} 50\n`);
    const [head, next, ...keys] = reply.split(" ");
    assertEquals(head, "KEYS");
    cursor = next;
    keys.forEach((key) => seen.add(key));
    const churn = Array.from({ length: 50 }, (_, number) => 50 * round + number);
    await writer.ask(
      churn.flatMap((number) => [
        `SET stay:${number * 7 % 2000} ${"y".repeat(number % 90)}\n`,
        `SET new:${number} z\n`,
        `DELETE new:${number - 25}\n`,
      ]).join(""),
    );
    round++;
  } while (cursor !== "0");
  assertEquals(names.filter((name) => !seen.has(name)), []);
});

Deno.test("part 2: MGET sends more than one part holds, in order", async () => {
  await using server = await serve({ tcp: anyPort, memoryLimitBytes: 64 << 20 });
  using client = await RawClient.to(server.addresses[0]);
  const value = "v".repeat(100_000);
  const names = Array.from({ length: 40 }, (_, number) => `k${number}`);
  await client.ask(names.map((name) => `SET ${name} ${value}${name}\n`).join(""));
  const asking = client.send(`MGET ${names.join(" none ")} none\nUSAGE\n`);
  const [values, usage] = await client.lines(2);
  await asking;
  const want = names.map((name) => `${btoa(value + name)} -`).join(" ");
  assert(values === `VALUES ${want}`);
  assertMatch(usage, /^USAGE \d+$/);
});

Deno.test("part 2: INFO counts", async () => {
  await using server = await serve({ tcp: anyPort, connectionsMax: 2 });
  using client = await RawClient.to(server.addresses[0]);
  await client.ask(
    "SET a 12\nGET a\nGET b\nMGET a b\nnonsense\nGET\nPUT a x y\nINCR a x\nINCR q\n",
  );
  const [reply] = await client.ask("INFO\n");
  assert(reply.startsWith("INFO {"), reply);
  const info = JSON.parse(reply.slice(5));
  assertEquals(Object.keys(info), [
    "version",
    "io",
    "threads",
    "uptime",
    "connections",
    "requests",
    "redis_requests",
    "hits",
    "misses",
    "evictions",
    "expirations",
    "bytes",
    "limit",
    "entries",
    "expiring",
    "shards",
    "lock_waits",
    "errors",
    "slowest",
  ]);
  assertEquals(info.connections, {
    now: 1,
    total: 1,
    refused: 0,
    per_thread: [1, ...Array(testThreads - 1).fill(0)],
  });
  assertEquals(info.threads, testThreads);
  if (testThreads === 1) assertEquals([info.shards, info.lock_waits], [1, 0]);
  assertEquals([info.requests.GET, info.requests.SET, info.requests.MGET], [2, 1, 1]);
  assertEquals(info.requests.total, 6);
  assertEquals([info.hits, info.misses, info.entries, info.bytes.data], [2, 2, 2, 5]);
  assertEquals(info.errors.unknown_command, 1);
  assertEquals(info.errors.missing_argument, 1);
  assertEquals(info.errors.unknown_option, 1);
  assertEquals(info.errors.bad_number, 1);
  assertEquals(info.limit, 10 * 1024 * 1024);
  assertEquals(info.io, testIo);
  assert(info.uptime >= 0 && info.bytes.process > 0);
});
