/**
 * A server with a data file: what it keeps, when replies leave, and what it says where it cannot
 * keep.
 *
 * @module
 */

import { DatabaseSync } from "node:sqlite";
import type { Server, ServerOptions } from "../server.ts";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "./assert.ts";
import { RawClient, until } from "./raw_client.ts";
import { array, joined } from "./redis_array.ts";
import { serve } from "./served.ts";

const tcp = [{ hostname: "127.0.0.1", port: 0 }];

async function withFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "blink-data-" });
  try {
    await work(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function serving(dataFile: string, options: ServerOptions = {}): Promise<Server> {
  return await serve({ tcp, dataFile, ...options });
}

async function clientOf(server: Server): Promise<RawClient> {
  return await RawClient.to(server.addresses[0]);
}

/** Asks a server that is started for it, and shut down behind it. */
async function asking(dataFile: string, lines: string, options?: ServerOptions): Promise<string[]> {
  await using server = await serving(dataFile, options);
  using client = await clientOf(server);
  return await client.ask(lines);
}

/** The rows of a file, as text. */
function rows(file: string): string[] {
  const database = new DatabaseSync(file);
  try {
    const sql = "select cast(key as text) || '=' || cast(value as text) as text " +
      "from entries order by key";
    return database.prepare(sql).all().map(({ text }) => String(text));
  } finally {
    database.close();
  }
}

for (const sync of ["always", "interval", "off"] as const) {
  Deno.test(`what is written is there after a restart, with --sync ${sync}`, async () => {
    await withFolder(async (folder) => {
      const file = `${folder}/store.db`;
      const large = "x".repeat(3 * 1024 * 1024);
      const first = await asking(
        file,
        `SET a one two\nPUT b ttl=1000 two\nINCR n\nINCR n 41\nSET gone 1\nDELETE gone\nSET p:1 1\n` +
          `SET p:2 2\nFLUSH p:\nSET p:3 3\nSET large ${large}\nSET short 1\nEXPIRE short 1000\n` +
          "EXPIRE short never\n",
        { sync },
      );
      assertEquals(first.filter((line) => line.startsWith("ERROR")), []);
      const replies = await asking(
        file,
        "GET a\nGET b\nTTL b\nGET n\nGET gone\nGET p:1\nGET p:3\nTTL short\nUSAGE\nSCAN 0 count=100\n",
        { sync },
      );
      assertEquals(replies.slice(0, 2), ["VALUE b25lIHR3bw==", "VALUE dHdv"]);
      const ttl = Number(/^TTL (\d+)/.exec(replies[2])?.[1]);
      assert(ttl > 900 && ttl <= 1000, replies[2]);
      assertEquals(replies.slice(3, 8), [
        "VALUE NDI=",
        "NOT_FOUND",
        "NOT_FOUND",
        "VALUE Mw==",
        replies[7],
      ]);
      assertStringIncludes(replies[7], "never");
      const bytes = 1 + 7 + 1 + 3 + 1 + 2 + 3 + 1 + 5 + large.length + 5 + 1;
      assertEquals(replies[8], `USAGE ${bytes}`);
    });
  });
}

Deno.test("the Redis wire writes the same file; a transaction is one commit", async () => {
  await withFolder(async (folder) => {
    const file = `${folder}/store.db`;
    {
      await using server = await serving(file);
      using client = await clientOf(server);
      await client.send("*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n1\r\n");
      assertEquals(await client.lines(1), ["+OK\r"]);
      const commits = server.info().data_file!.commits;
      await client.send(
        "*1\r\n$5\r\nMULTI\r\n*3\r\n$3\r\nSET\r\n$1\r\nb\r\n$1\r\n2\r\n*2\r\n$4\r\nINCR\r\n$1\r\na\r\n" +
          "*2\r\n$6\r\nGETDEL\r\n$1\r\nb\r\n*3\r\n$6\r\nAPPEND\r\n$1\r\nc\r\n$2\r\nxy\r\n*1\r\n$4\r\nEXEC\r\n",
      );
      await client.lines(11);
      assertEquals(server.info().data_file!.commits, commits + 1);
      assertEquals(server.info().data_file!.uncommitted, 0);
    }
    assertEquals(rows(file), ["a=2", "c=xy"]);
  });
});

Deno.test("a transaction that is larger than the ring of changes is one commit, too", async () => {
  await withFolder(async (folder) => {
    const file = `${folder}/store.db`;
    const sets = Array.from({ length: 100 }, (_, n) => array("SET", `k${n}`, "v".repeat(100_000)));
    const large = array("SET", "large", "x".repeat(1_500_000));
    {
      await using server = await serving(file, { memoryLimitBytes: 64 * 1024 * 1024 });
      using client = await clientOf(server);
      await client.send(joined(array("MULTI"), ...sets, large, array("EXEC")));
      assertEquals((await client.lines(102))[101], "+QUEUED\r");
      const replies = await client.lines(102);
      assertEquals([replies[0], new Set(replies.slice(1))], ["*101\r", new Set(["+OK\r"])]);
      assertEquals(server.info().data_file!.commits, 1);
    }
    assertEquals(rows(file).length, 101);
  });
});

Deno.test("every acknowledged change is in the file at once, and other programs read it", async () => {
  await withFolder(async (folder) => {
    const file = `${folder}/store.db`;
    await using server = await serving(file);
    using client = await clientOf(server);
    for (let n = 0; n < 20; n++) {
      assertEquals(await client.ask(`SET key ${n}\n`), ["OK"]);
      assertEquals(rows(file), [`key=${n}`]);
    }
    const copy = `${folder}/copy.db`;
    const database = new DatabaseSync(file);
    database.exec(`vacuum into '${copy}'`);
    database.close();
    assertEquals(rows(copy), ["key=19"]);
  });
});

Deno.test("reads and other clients do not wait for a commit; the writer's own reply does", async () => {
  await withFolder(async (folder) => {
    const file = `${folder}/store.db`;
    await using server = await serving(file);
    using writer = await clientOf(server);
    using reader = await clientOf(server);
    assertEquals(await writer.ask("SET a 1\n"), ["OK"]);
    const other = new DatabaseSync(file);
    other.exec("begin immediate");
    let isAnswered = false;
    const answered = writer.ask("SET a 2\nGET a\n").then((lines) => {
      isAnswered = true;
      return lines;
    });
    await until(() => server.info().data_file!.uncommitted === 1, "the change");
    for (let n = 0; n < 20; n++) assertEquals(await reader.ask("GET a\n"), ["VALUE Mg=="]);
    assertEquals(isAnswered, false);
    other.exec("rollback");
    other.close();
    assertEquals(await answered, ["OK", "VALUE Mg=="]);
  });
});

Deno.test("a full ring holds writers back, and not readers; what waits is bounded", async () => {
  await withFolder(async (folder) => {
    const file = `${folder}/store.db`;
    await using server = await serving(file, { sync: "off", memoryLimitBytes: 200_000_000 });
    using writer = await clientOf(server);
    using reader = await clientOf(server);
    await writer.ask("SET a 1\n");
    const other = new DatabaseSync(file);
    other.exec("begin immediate");
    const value = "v".repeat(10_000);
    const count = 1500;
    const lines = Array.from({ length: count }, (_, n) => `SET k${n} ${value}\n`).join("");
    const written = writer.ask(lines);
    await until(() => server.info().data_file!.uncommitted > 300, "changes that wait");
    let before = -1;
    await until(() => {
      const { uncommitted } = server.info().data_file!;
      const isSteady = uncommitted === before;
      before = uncommitted;
      return isSteady && uncommitted > 400;
    }, "the writer to be held back");
    assert(before * value.length < 8 * 1024 * 1024, `${before} changes wait`);
    assertEquals(await reader.ask("GET a\n"), ["VALUE MQ=="]);
    other.exec("rollback");
    other.close();
    assertEquals((await written).filter((line) => line === "OK").length, count);
    await until(() => server.info().data_file!.uncommitted === 0, "the last commit");
  });
});

Deno.test("expired entries are not loaded, and leave the file", async () => {
  await withFolder(async (folder) => {
    const file = `${folder}/store.db`;
    await asking(file, "PUT soon ttl=1000 1\nPUT later ttl=2000 2\nSET stays 3\n");
    const database = new DatabaseSync(file);
    // As if the clock had moved by a day: the checksum covers the expiry.
    const row = database.prepare("select checksum from entries where key = ?")
      .get(new TextEncoder().encode("soon"));
    assert(typeof row?.checksum === "number");
    database.close();
    const { loadFile } = await import("../journal/mod.ts");
    const key = new TextEncoder().encode("past");
    await loadFile(
      file,
      (async function* () {
        yield { key, value: key, expiresAt: Date.now() + 30 };
      })(),
    );
    await new Promise((resolve) => setTimeout(resolve, 40));
    const events: string[] = [];
    await using server = await serving(file, { onEvent: (event) => events.push(event) });
    using client = await clientOf(server);
    assertEquals(await client.ask("GET past\nGET stays\n"), ["NOT_FOUND", "VALUE Mw=="]);
    assert(
      events.some((event) => /Loaded 3 entries .*; 1 more had expired$/.test(event)),
      `${events}`,
    );
    await until(() => rows(file).length === 3, "the expired entry to leave");
  });
});

Deno.test("a file larger than the limit: the limit wins, and the log says so", async () => {
  await withFolder(async (folder) => {
    const file = `${folder}/store.db`;
    const lines = Array.from({ length: 200 }, (_, n) => `SET key${n} ${"x".repeat(1000)}\n`).join(
      "",
    );
    await asking(file, lines);
    const events: string[] = [];
    {
      const options = { memoryLimitBytes: 50_000, onEvent: (event: string) => events.push(event) };
      await using server = await serving(file, options);
      assert(server.store.usage <= 50_000 && server.store.usage > 40_000);
    }
    const [, loaded] =
      /Loaded 200 entries .*; (\d+) did not fit in the memory limit and were evicted/
        .exec(events.join("\n")) ?? [];
    assertEquals(rows(file).length, 200 - Number(loaded));
    await assertRejects(
      () => serving(file, { memoryLimitBytes: 20_000, evicts: false }),
      Error,
      "need more memory than the limit allows; raise --memory-limit",
    );
  });
});

Deno.test("--eviction off refuses what does not fit, on both wires", async () => {
  await using server = await serve({ tcp, memoryLimitBytes: 1000, evicts: false });
  using client = await clientOf(server);
  assertEquals(await client.ask(`SET a ${"x".repeat(900)}\nSET b ${"y".repeat(99)}\nGET b\n`), [
    "OK",
    "ERROR out of memory",
    "NOT_FOUND",
  ]);
  assertEquals(await client.ask(`SET b ${"y".repeat(98)}\nUSAGE\nINCR c\nDELETE b\nINCR c\n`), [
    "OK",
    "USAGE 1000",
    "ERROR out of memory",
    "OK",
    "INT 1",
  ]);
  using redis = await clientOf(server);
  const oom = "-OOM command not allowed when used memory > 'maxmemory'.\r";
  await redis.send(`*3\r\n$3\r\nSET\r\n$1\r\nd\r\n$200\r\n${"z".repeat(200)}\r\n`);
  assertEquals(await redis.lines(1), [oom]);
  await redis.send("*3\r\n$6\r\nCONFIG\r\n$3\r\nGET\r\n$16\r\nmaxmemory-policy\r\n");
  assertEquals((await redis.lines(5))[4], "noeviction\r");
  await redis.send("*4\r\n$6\r\nCONFIG\r\n$3\r\nSET\r\n$9\r\nmaxmemory\r\n$3\r\n500\r\n");
  assertStringIncludes((await redis.lines(1))[0], "the store holds more than that");
  assertEquals(server.store.stats.evictions, 0);
});

Deno.test("INFO and CONFIG tell about the data file on both wires", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/store.db`;
    await using server = await serving(path, { sync: "interval" });
    using client = await clientOf(server);
    await client.ask("SET a 1\n");
    await until(() => server.info().data_file!.uncommitted === 0, "the commit");
    const [line] = await client.ask("INFO\n");
    const { data_file: file } = JSON.parse(line.slice("INFO ".length));
    assertEquals([file.path, file.sync, file.state, file.errors], [path, "interval", "keeping", 0]);
    assert(file.bytes > 4096 && file.commits >= 1, line);
    assert(
      Math.abs(Date.now() - file.last_commit_at) < 60_000 && file.last_commit_ms > 0,
    );
    using redis = await clientOf(server);
    await redis.send(
      "*2\r\n$4\r\nINFO\r\n$11\r\npersistence\r\n*3\r\n$6\r\nCONFIG\r\n$3\r\nGET\r\n$6\r\nappend\r\n",
    );
    const text = (await redis.lines(20)).join("\n");
    assertStringIncludes(text, "aof_enabled:1");
    assertStringIncludes(text, `data_file:${path}`);
    assertStringIncludes(text, "data_file_state:keeping");
  });
});

Deno.test("a file that cannot be used is one clear error, and nothing listens", async () => {
  await withFolder(async (folder) => {
    const file = `${folder}/store.db`;
    const refused = async (path: string, message: string) => {
      const error = await assertRejects(() => serving(path), Error, message);
      assertEquals(error.message.includes("\n"), false);
    };
    {
      await using _server = await serving(file);
      await refused(file, "another server has it open; stop that one, or give another file");
    }
    await Deno.writeTextFile(
      `${folder}/text`,
      "This is no database, but it is long enough for one.",
    );
    await refused(`${folder}/text`, "it is not a database: give the path of a data file");
    await refused(`${folder}/missing/store.db`, "check the folder and its permissions");
    await refused(folder, "it cannot be opened: check the path and its permissions");
    const other = new DatabaseSync(`${folder}/other.db`);
    other.exec("create table t (x)");
    other.close();
    await refused(
      `${folder}/other.db`,
      "it is a database of another program; give the path of a new",
    );
    const newer = new DatabaseSync(file);
    newer.exec("pragma user_version = 2");
    newer.close();
    await refused(
      file,
      "its version is 2, and this program reads version 1; use a newer Blink Store",
    );
    await Deno.writeFile(`${folder}/empty`, new Uint8Array());
    assertEquals(await asking(`${folder}/empty`, "SET a 1\n"), ["OK"]);
    await assertRejects(
      () => serve({ tcp, dataFile: file, store: undefined, threads: 0 }),
      Error,
      "Cannot serve with 0 threads",
    );
  });
});
