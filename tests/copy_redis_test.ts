/** The two sides that speak the protocol of Redis: older servers, refusals, and servers of others. */

import { ConnectionLost, copyEntries, RedisSource, RedisTarget } from "../copy/mod.ts";
import { RedisConnection } from "../copy/redis_connection.ts";
import { assertEquals, assertRejects, assertStringIncludes } from "./assert.ts";
import { type Answer, bulk, plainAnswer, ScriptedServer } from "./copy_server.ts";
import { FakeClock, FakeSource, FakeTarget } from "./copy_fakes.ts";

type Script = (words: readonly string[]) => Answer;

/** The plain answers but for these commands. */
function but(answers: Record<string, Answer | Script>): Script {
  return (words) => {
    const answer = answers[words[0]];
    if (answer === undefined) return plainAnswer(words);
    return typeof answer === "string" ? answer : answer(words);
  };
}

const login = { tls: false, database: 0 };

function addressOf({ port }: ScriptedServer, more = {}) {
  return { at: { hostname: "127.0.0.1", port }, shown: "redis://it", ...login, ...more };
}

/** Copies from a scripted source. */
async function from(answer: Script, more = {}) {
  await using server = new ScriptedServer(answer);
  using source = new RedisSource(addressOf(server, more), () => 1_000_000);
  const target = new FakeTarget();
  const result = await copyEntries({ source, target, clock: new FakeClock(), retryMs: 200 });
  return { ...result, entries: Object.fromEntries(target.entries), commands: server.commands };
}

/** Copies `k` and, with an expiry, `e` to a scripted target. */
async function to(answer: Script, options = {}, more = {}) {
  await using server = new ScriptedServer(answer);
  using target = new RedisTarget(addressOf(server, more), () => 1_000_000);
  const source = new FakeSource().set("k", "v").set("e", "w", 1_005_000);
  const clock = new FakeClock();
  const result = await copyEntries({ source, target, clock, retryMs: 200, ...options });
  return { ...result, commands: server.commands.filter((command) => command.startsWith("SET")) };
}

const unknown = (name: string) => `-ERR unknown command '${name}', with args beginning with: \r\n`;

Deno.test("copy from Redis: the expiry is the absolute one", async () => {
  const { entries } = await from(but({ PEXPIRETIME: ":1234567\r\n" }));
  assertEquals(entries, { k: { value: "v", expiresAtMs: 1_234_567 } });
  const { entries: never } = await from(plainAnswer);
  assertEquals(never, { k: { value: "v", expiresAtMs: undefined } });
});

Deno.test("copy from Redis: a server without PEXPIRETIME is asked for the time that is left", async () => {
  const old = { PEXPIRETIME: unknown("PEXPIRETIME"), PTTL: ":500\r\n" };
  const { entries } = await from(but(old));
  assertEquals(entries, { k: { value: "v", expiresAtMs: 1_000_500 } });
  const { counts } = await from(but({ ...old, PTTL: ":-2\r\n" }));
  assertEquals([counts.copied, counts.gone], [0, 1]);
});

Deno.test("copy from Redis: where MGET refuses all keys, each is asked for", async () => {
  const { entries, counts } = await from(but({
    SCAN: `*2\r\n${bulk("0")}*2\r\n${bulk("k")}${bulk("secret")}`,
    MGET: "-NOPERM No permissions to access a key\r\n",
    GET: ([, key]) => key === "k" ? bulk("v") : "-NOPERM No permissions to access a key\r\n",
  }));
  assertEquals(Object.keys(entries), ["k"]);
  assertEquals(Object.keys(counts.refused), ["source: NOPERM No permissions to access a key"]);
});

Deno.test("copy from Redis: a key that becomes another type is counted as that", async () => {
  let described = 0;
  const { counts } = await from(but({
    STRLEN: () => described++ === 0 ? ":1\r\n" : "-WRONGTYPE Operation against a key\r\n",
    MGET: "*1\r\n$-1\r\n",
    TYPE: "+hash\r\n",
  }));
  assertEquals([counts.copied, counts.others], [0, { hash: 1 }]);
});

Deno.test("copy from Redis: an empty string is copied, and a key without one is gone", async () => {
  const empty = { STRLEN: ":0\r\n", MGET: `*1\r\n${bulk("")}` };
  assertEquals((await from(but(empty))).entries, { k: { value: "", expiresAtMs: undefined } });
  const { counts } = await from(but({ ...empty, TYPE: "+none\r\n" }));
  assertEquals([counts.copied, counts.gone], [0, 1]);
});

Deno.test("copy from Redis: it logs in, and chooses the database", async () => {
  const more = { username: "u", password: "p w", database: 3 };
  const { commands } = await from(plainAnswer, more);
  assertEquals(commands.slice(0, 3), ["AUTH u p w", "SELECT 3", "PING"]);
  assertEquals((await from(plainAnswer, { password: "p" })).commands[0], "AUTH p");
  const wrong = await from(but({ AUTH: "-WRONGPASS invalid username-password pair\r\n" }), more);
  assertEquals(wrong.end, "failed");
  assertStringIncludes(wrong.reason ?? "", "The source redis://it refuses the password: WRONGPASS");
  const far = await from(but({ SELECT: "-ERR DB index is out of range\r\n" }), more);
  assertStringIncludes(far.reason ?? "", "DB index is out of range");
});

Deno.test("copy from Redis: what cannot work ends it with a reason", async () => {
  const noauth = "-NOAUTH Authentication required.\r\n";
  const reasons: [Script, string][] = [
    [() => noauth, "The source redis://it requires a password"],
    [but({ SCAN: unknown("SCAN") }), "cannot list its keys: ERR unknown command 'SCAN'"],
    [but({ SCAN: "+OK\r\n" }), "answers SCAN with something else than keys"],
    [
      but({ SCAN: "-NOPERM User u has no permissions to run the 'scan' command\r\n" }),
      "refuses: NOPERM",
    ],
    [but({ INFO: bulk("# Cluster\r\ncluster_enabled:1\r\n") }), "is a node of a cluster"],
    [but({ STRLEN: "-MOVED 3999 127.0.0.1:6381\r\n" }), "is a node of a cluster"],
    [() => "HTTP/1.1 400 Bad Request\r\n\r\n", "it does not speak the protocol of Redis"],
    [() => "ERROR unknown_command\n", "it does not speak the protocol of Redis"],
    [() => "close", "The connection to the source redis://it is lost"],
  ];
  for (const [answer, reason] of reasons) {
    const result = await from(answer);
    assertEquals(result.end, "failed", reason);
    assertStringIncludes(result.reason ?? "", reason);
  }
});

Deno.test("copy from Redis: a server that is loading, or forbids INFO, is a source all the same", async () => {
  let asked = 0;
  const loading = await from(but({
    SCAN: (words) => asked++ < 2 ? "-LOADING Redis is loading\r\n" : plainAnswer(words),
  }));
  assertEquals([loading.end, loading.counts.copied], ["done", 1]);
  const shy = await from(but({
    INFO: "-NOPERM User u has no permissions to run the 'info' command\r\n",
    DBSIZE: "-NOPERM No permissions to access a key\r\n",
  }));
  assertEquals([shy.end, shy.counts.copied], ["done", 1]);
});

Deno.test("copy to Redis: entries are set with their absolute expiry", async () => {
  const { end, commands } = await to(plainAnswer);
  assertEquals(end, "done");
  assertEquals(commands, ["SET k v", "SET e w PXAT 1005000"]);
  const skip = await to(but({ SET: "$-1\r\n" }), { ifPresent: "skip" });
  assertEquals(skip.commands, ["SET k v NX", "SET e w NX PXAT 1005000"]);
  assertEquals([skip.counts.copied, skip.counts.present], [0, 2]);
});

Deno.test("copy to Redis: a server without PXAT is given the time that is left", async () => {
  const { end, counts, commands } = await to(but({
    SET: (words) => words.includes("PXAT") ? "-ERR syntax error\r\n" : "+OK\r\n",
  }));
  assertEquals([end, counts.copied, counts.refused], ["done", 2, {}]);
  assertEquals(commands, ["SET k v", "SET e w PXAT 1005000", "SET e w PX 5000"]);
});

Deno.test("copy to Redis: what the target does not take is counted, and a replica takes nothing", async () => {
  const oom = "-OOM command not allowed when used memory > 'maxmemory'.\r\n";
  const full = await to(but({ SET: ([, key]) => key === "k" ? oom : "+OK\r\n" }));
  assertEquals([full.end, full.counts.copied], ["done", 1]);
  assertEquals(full.counts.refused, {
    "target: OOM command not allowed when used memory > 'maxmemory'.": { count: 1, keys: ['"k"'] },
  });
  const replica = await to(
    but({ SET: "-READONLY You can't write against a read only replica.\r\n" }),
  );
  assertEquals(replica.end, "failed");
  assertStringIncludes(replica.reason ?? "", "The target redis://it refuses: READONLY");
});

Deno.test("copy to Redis: the entry that closes the connection is the one that is refused", async () => {
  const { end, counts } = await to(but({ SET: ([, key]) => key === "k" ? "close" : "+OK\r\n" }), {
    retryMs: 5000,
  });
  assertEquals([end, counts.copied], ["done", 1]);
  assertEquals(Object.values(counts.refused), [{ count: 1, keys: ['"k"'] }]);
});

Deno.test("copy: a server that owes a reply and is silent counts as lost", async () => {
  await using server = new ScriptedServer(but({ SCAN: "" }));
  const connection = new RedisConnection("source", addressOf(server), 100);
  await assertRejects(() => connection.run([["PING"]]), ConnectionLost, "is lost");
  assertEquals(await connection.identity(), "f00/0");
  const lost = await assertRejects(() => connection.run([["SCAN", "0"]]), ConnectionLost);
  assertEquals(lost.message, "The connection to the source redis://it is lost: it is silent");
  await assertRejects(() => connection.run([["PING"]]), ConnectionLost, "is lost");
  assertEquals(await connection.identity(), "f00/0");
  connection.close();
});
