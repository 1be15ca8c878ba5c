/**
 * `blink-store data`: verifies, dumps and loads data files, and loads into a running server.
 *
 * @module
 */

import { assert, assertEquals, assertStringIncludes } from "./assert.ts";
import { blinkStore, serving } from "./command_line.ts";
import { RawClient } from "./raw_client.ts";

const encoder = new TextEncoder();

async function withFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "blink-cli-data-" });
  try {
    await work(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const lines = [
  '{"key":"","value":""}',
  '{"key":"a b\\nc","value":"tab\\there"}',
  '{"key":"expires","value":"1","expires_at":"2100-01-01T00:00:00.000Z"}',
  `{"key":"large","value":"${"x".repeat(3_000_000)}"}`,
  '{"key":"zero","value":"\\u0000"}',
  '{"key":"ä","value_base64":"/wD+"}',
  '{"key_base64":"/wA=","value":"binary key"}',
];
const sorted = [...lines].sort();

Deno.test("what is loaded is dumped again, and the file is sound", async () => {
  await withFolder(async (folder) => {
    const file = `${folder}/store.db`;
    const past = '{"key":"past","value":"1","expires_at":"2001-01-01T00:00:00.000Z"}';
    const stdin = `${[...lines, past].join("\n")}\n\n`;
    const loaded = await blinkStore(["data", "load", file], { input: stdin });
    assertEquals([loaded.status, loaded.stdout], [0, ""], loaded.stderr);
    assert(
      /^Loaded 7 entries in \d+\.\d s; 1 had expired and were left out\n$/.test(loaded.stderr),
      loaded.stderr,
    );
    const dumped = await blinkStore(["data", "dump", file]);
    assertEquals(dumped.stdout.trimEnd().split("\n").sort(), sorted);
    assert(/^Dumped 7 entries in \d+\.\d s\n$/.test(dumped.stderr), dumped.stderr);
    const checked = await blinkStore(["data", "check", file]);
    assert(checked.stdout.startsWith(`${file} is sound: 7 entries, `), checked.stdout);
    const copy = `${folder}/copy.db`;
    await blinkStore(["data", "load", copy], { input: dumped.stdout });
    assertEquals((await blinkStore(["data", "dump", copy])).stdout, dumped.stdout);
  });
});

Deno.test("a running server's file is read, with what its journal has, and not written", async () => {
  await withFolder(async (folder) => {
    const file = `${folder}/store.db`;
    await using server = await serving(["--port", "0", "--data", file]);
    using client = await RawClient.to({
      transport: "tcp",
      hostname: "127.0.0.1",
      port: server.port,
    });
    // Many at once go to the journal first.
    const sets = Array.from({ length: 300 }, (_, n) => `SET key${n} ${n}\n`).join("");
    await client.ask(sets);
    const dumped = await blinkStore(["data", "dump", file]);
    assertEquals(dumped.stdout.trimEnd().split("\n").length, 300, dumped.stderr);
    assertStringIncludes((await blinkStore(["data", "check", file])).stdout, "300 entries");
    const refused = await blinkStore(["data", "load", file], { input: lines[1] });
    assertEquals(refused.status, 1);
    assertStringIncludes(refused.stderr, "another server has it open; stop that one");
    const to = ["data", "load", "--to", `127.0.0.1:${server.port}`];
    const loaded = await blinkStore(to, { input: `${lines.join("\n")}\n{"key":"bad"}\n` });
    assertEquals(loaded.status, 1);
    assertEquals(
      loaded.stderr,
      "blink-store data: line 8: it must have value or value_base64, as a string; " +
        "7 entries were loaded before\n",
    );
    const all = await blinkStore(["data", "dump", file]);
    const others = all.stdout.trimEnd().split("\n").filter((line) => !line.includes('"key":"key'));
    assertEquals(others.sort(), sorted);
  });
});

Deno.test("a bad line ends a load with its number; what came before stays", async () => {
  await withFolder(async (folder) => {
    const file = `${folder}/store.db`;
    const bad: [string, string][] = [
      ["nonsense", "it is not JSON"],
      ["[]", "it must have key or key_base64, as a string"],
      ['{"key":1,"value":""}', "it must have key or key_base64, as a string"],
      ['{"key":"a","key_base64":"YQ==","value":""}', "it must have key or key_base64"],
      ['{"key":"a","value_base64":"?"}', "its value_base64 is not base64"],
      ['{"key":"a","value":"b","expires_at":"soon"}', "its expires_at is not a time"],
      [`{"key":"${"k".repeat(65_536)}","value":""}`, "its key is longer than 65535 bytes"],
    ];
    for (const [line, message] of bad) {
      const { status, stderr } = await blinkStore(["data", "load", file], {
        input: `{"key":"good","value":"1"}\n${line}\n{"key":"behind","value":"2"}\n`,
      });
      assertEquals(status, 1);
      assertStringIncludes(stderr, `line 2: ${message}`);
      assertStringIncludes(stderr, "1 entries were loaded before");
    }
    const { stdout } = await blinkStore(["data", "dump", file]);
    assertEquals(stdout, '{"key":"good","value":"1"}\n');
  });
});

Deno.test("a damaged file is one clear error", async () => {
  await withFolder(async (folder) => {
    const file = `${folder}/store.db`;
    const stdin = Array.from({ length: 200 }, (_, n) => `{"key":"key${n}","value":"same value"}\n`);
    await blinkStore(["data", "load", file], { input: stdin.join("") });
    const bytes = await Deno.readFile(file);
    const value = encoder.encode("same value");
    // Wherever it lies: pages have copies of what has moved.
    for (let at = 0; at < bytes.length - value.length; at++) {
      if (value.every((byte, n) => bytes[at + n] === byte)) bytes[at] ^= 1;
    }
    await Deno.writeFile(file, bytes);
    for (const action of ["check", "dump"]) {
      const { status, stderr } = await blinkStore(["data", action, file]);
      assertEquals(status, 1);
      assertEquals(
        stderr,
        `blink-store: Cannot use the data file ${file}: it is damaged, a checksum is wrong; put a ` +
          "backup in its place\n",
      );
    }
    const { status, stderr } = await blinkStore(["serve", "--port", "0", "--data", file]);
    assertEquals(status, 1);
    assertStringIncludes(stderr, "it is damaged");
  });
});

Deno.test("mistakes in the words of data are usage errors, a missing file is a failure", async () => {
  const mistakes: [string[], string][] = [
    [[], "what to do? give check, dump or load"],
    [["chek", "x"], "unknown action chek; did you mean check?"],
    [["check"], "which file?"],
    [["load"], "load into which? give FILE or --to HOST:PORT"],
    [["load", "x", "--to", "127.0.0.1:1"], "load into which?"],
    [["dump", "x", "y"], 'unexpected word "y"'],
    [["check", "--to", "127.0.0.1:1"], "--to is for load, not for check"],
  ];
  for (const [args, message] of mistakes) {
    const { status, stderr } = await blinkStore(["data", ...args]);
    assertEquals(status, 2, stderr);
    assertStringIncludes(stderr, message);
  }
  const missing = await blinkStore(["data", "check", "/nowhere/store.db"]);
  assertEquals([missing.status, missing.stderr], [
    1,
    "blink-store: Cannot use the data file /nowhere/store.db: there is no such file\n",
  ]);
  const sync = await blinkStore(["serve", "--sync", "off"]);
  assertEquals(sync.status, 2);
  assertStringIncludes(sync.stderr, "a sync mode is given, but no data file: add --data FILE");
});
