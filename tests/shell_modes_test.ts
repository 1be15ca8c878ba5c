/** Tests of --scan, --stat and --latency. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "./assert.ts";
import { connect } from "../client.ts";
import type { ShellStore } from "../shell/mod.ts";
import { between, sampleFrom, statData, terminalColumns } from "../shell/stat.ts";
import { FakeTerminal, ShellServer } from "./fake_terminal.ts";

Deno.test("--scan lists every key, or those with a prefix, a line each", async () => {
  await using server = await ShellServer.open();
  const store = await connect({ port: server.port });
  const keys = Array.from({ length: 2500 }, (_, index) => `key:${index}`);
  await Promise.all(keys.map((key) => store.set(key, "v")));
  await store.set("other", "v");
  await store.close();
  const all = new FakeTerminal({ input: "" });
  assertEquals(await server.run({ mode: "scan" }, all), 0);
  const listed = all.output.text.trimEnd().split("\n");
  assertEquals([...new Set(listed)].sort(), [...keys, "other"].sort());
  const some = new FakeTerminal({ input: "" });
  await server.run({ mode: "scan", scanPrefix: "oth" }, some);
  assertEquals(some.output.text, "other\n");
  const none = new FakeTerminal({ input: "" });
  await server.run({ mode: "scan", scanPrefix: "nothing" }, none);
  assertEquals(none.output.text, "");
});

Deno.test("--scan prints data for scripts and safe text for people", async () => {
  await using server = await ShellServer.open();
  const store = await connect({ port: server.port });
  await store.set('a,"b"\x1b', "v");
  await store.close();
  const printed = async (options: object, isTerminal = false) => {
    const terminal = new FakeTerminal({ input: "", terminal: isTerminal, env: { NO_COLOR: "1" } });
    await server.run({ mode: "scan", ...options }, terminal);
    return terminal.output.text;
  };
  assertEquals(await printed({}), 'a,"b"\x1b\n');
  assertEquals(await printed({}, true), 'a,"b"\\x1b\n');
  assertEquals(JSON.parse(await printed({ output: "json" })), 'a,"b"\x1b');
  assertEquals(await printed({ output: "csv" }), '"a,""b""\x1b"\n');
});

Deno.test("--scan gives each key one line, also one that a line cannot name", async () => {
  const store: ShellStore = {
    request: () => Promise.resolve('KEYS 0 a "YQpi"'),
    close: () => {},
  };
  await using server = await ShellServer.open();
  const printed = async (output: "text" | "json" | "csv") => {
    const terminal = new FakeTerminal({ input: "" });
    const connect = () => Promise.resolve(store);
    await server.run({ mode: "scan", connect, output }, terminal);
    return terminal.output.text;
  };
  assertEquals(await printed("text"), 'a\n"YQpi"\n');
  assertEquals(await printed("json"), '"a"\n"a\\nb"\n');
  assertEquals(await printed("csv"), 'a\n"a\nb"\n');
});

Deno.test("--scan refuses a prefix with a blank, and reports a server that cannot list", async () => {
  await using server = await ShellServer.open();
  const blank = new FakeTerminal({ input: "" });
  assertEquals(await server.run({ mode: "scan", scanPrefix: "a b" }, blank), 2);
  const old: ShellStore = {
    request: () => Promise.resolve("ERROR unknown command"),
    close: () => {},
  };
  const terminal = new FakeTerminal({ input: "" });
  assertEquals(
    await server.run({ mode: "scan", connect: () => Promise.resolve(old) }, terminal),
    1,
  );
  assertEquals([terminal.output.text, terminal.errors.text], ["", "ERROR unknown command\n"]);
});

const info = (requests: number, hits: number, misses: number) =>
  `INFO ${
    JSON.stringify({
      connections: { now: 12 },
      requests: { total: requests },
      hits,
      misses,
      bytes: { data: 10 * 2 ** 20 },
      limit: 2 ** 30,
      entries: 1234567,
    })
  }`;

Deno.test("--stat: a line is what happened between two samples, its own request left out", () => {
  const one = sampleFrom(info(1000, 500, 100), 5000);
  const two = sampleFrom(info(3001, 590, 110), 7000);
  assert(one && two);
  const line = between(one, two);
  assertEquals([line.requestsPerSecond, line.hits, line.misses], [1000, 90, 10]);
  assertEquals(terminalColumns(line).trim().split(/ {2,}/), [
    "1,000",
    "90.0 %",
    "10 MiB",
    "1 GiB",
    "1,234,567",
    "12",
  ]);
  assertEquals(statData(line), {
    requestsPerSecond: 1000,
    hitRatio: 0.9,
    dataBytes: 10 * 2 ** 20,
    limitBytes: 2 ** 30,
    entries: 1234567,
    clients: 12,
  });
  // After a restart the server counts from zero.
  assertEquals(
    between(two, { ...one, requests: 11, hits: 1, misses: 0, atMs: 8000 }).requestsPerSecond,
    10,
  );
  assertEquals(sampleFrom("ERROR unknown command", 0), undefined);
  assertEquals(statData(between(one, one)).hitRatio, null);
});

Deno.test("--stat prints the lines asked for, for scripts as data", async () => {
  await using server = await ShellServer.open();
  const printed = async (options: object, isTerminal = false) => {
    const terminal = new FakeTerminal({ input: "", terminal: isTerminal });
    const status = await server.run(
      { mode: "stat", repeat: 2, intervalSeconds: 0.01, ...options },
      terminal,
    );
    assertEquals(status, 0);
    return terminal.output.text;
  };
  const lines = (await printed({})).trimEnd().split("\n");
  assertEquals(lines.length, 3);
  assertMatch(lines[0], /requests\/s.*hit ratio.*memory.*limit.*clients/);
  for (const line of (await printed({ output: "json" })).trimEnd().split("\n")) {
    assertEquals(JSON.parse(line).limitBytes, 10 * 2 ** 20);
  }
  assertMatch(
    await printed({ output: "csv" }),
    /^requestsPerSecond,hitRatio,.*\n\d+,,0,10485760,0,1\n/,
  );
  assertStringIncludes(await printed({}, true), "▁");
});

Deno.test("--stat ends with Ctrl-C, and on a terminal waits for a lost server", async () => {
  await using server = await ShellServer.open();
  let asked = 0;
  const store: ShellStore = {
    request: () => {
      asked++;
      return asked === 2
        ? Promise.reject(new Error("Lost it"))
        : Promise.resolve(info(asked, 0, 0));
    },
    close: () => {},
  };
  const terminal = new FakeTerminal({ input: "", terminal: true });
  const options = {
    mode: "stat",
    intervalSeconds: 0.001,
    connect: () => Promise.resolve(store),
  } as const;
  const run = server.run(options, terminal);
  await terminal.output.shows("1,234,567");
  terminal.end.abort();
  assertEquals(await run, 0);
  assertEquals(terminal.errors.text, "Lost it\n");
  asked = 0;
  const piped = new FakeTerminal({ input: "" });
  assertEquals(await server.run(options, piped), 1);
});

Deno.test("--latency sums up its round trips", async () => {
  await using server = await ShellServer.open();
  const printed = async (options: object, isTerminal = false) => {
    const terminal = new FakeTerminal({ input: "", terminal: isTerminal });
    const status = await server.run(
      { mode: "latency", repeat: 5, intervalSeconds: 0.001, ...options },
      terminal,
    );
    assertEquals(status, 0);
    return terminal.output.text;
  };
  assertMatch(
    await printed({}),
    /^min .* ms {2}avg .* ms {2}p50 .* ms {2}p99 .* ms {2}max .* ms {2}\(5 round trips\)\n$/,
  );
  const data = JSON.parse(await printed({ output: "json" }));
  assertEquals(data.samples, 5);
  assert(data.minMs > 0 && data.minMs <= data.p50Ms && data.p50Ms <= data.maxMs);
  assertMatch(await printed({ output: "csv" }), /^samples,minMs,avgMs,p50Ms,p99Ms,maxMs\n5,/);
  assertMatch(await printed({}, true), /^\rmin .*\(5 round trips\)\n$/s);
});

Deno.test("--latency measures a server that knows no PING, and reports other errors", async () => {
  await using server = await ShellServer.open();
  const run = async (answer: (line: string) => string) => {
    const store: ShellStore = {
      request: (line) => Promise.resolve(answer(String(line))),
      close: () => {},
    };
    const terminal = new FakeTerminal({ input: "" });
    const connected = () => Promise.resolve(store);
    const options = { mode: "latency", repeat: 3, intervalSeconds: 0, connect: connected } as const;
    return {
      status: await server.run(options, terminal),
      errors: terminal.errors.text,
      text: terminal.output.text,
    };
  };
  const old = await run((line) => line === "USAGE" ? "USAGE 0" : "ERROR unknown command");
  assertEquals([old.status, old.errors], [0, ""]);
  assertMatch(old.text, /\(2 round trips\)/);
  const closed = await run(() => "ERROR server busy");
  assertEquals([closed.status, closed.errors, closed.text], [1, "ERROR server busy\n", ""]);
});

Deno.test("--latency ends with Ctrl-C and prints what it has", async () => {
  await using server = await ShellServer.open();
  const terminal = new FakeTerminal({ input: "", terminal: true });
  const run = server.run({ mode: "latency", intervalSeconds: 0.001 }, terminal);
  await terminal.output.shows("min ");
  terminal.end.abort();
  assertEquals(await run, 0);
  assertMatch(terminal.output.text, /round trips\)\n$/);
});
