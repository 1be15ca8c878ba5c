/**
 * Compares the documents with the program: transcripts are replayed, and what the tables of
 * commands, errors and flags contain must be described.
 *
 * @module
 */

import { serveCommand } from "../cli/mod.ts";
import { commands, usageOf } from "../commands/mod.ts";
import * as protocol from "../protocol.ts";
import { serve } from "../server.ts";
import { Store } from "../store.ts";
import { connect } from "../client.ts";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "./assert.ts";
import { RawClient } from "./raw_client.ts";
import { type Block, blocksOf, matches, replay } from "./transcript.ts";

const root = new URL("../", import.meta.url);
const read = (path: string) => Deno.readTextFile(new URL(path, root));

async function pages(folder = "docs/"): Promise<string[]> {
  const found: string[] = [];
  for await (const entry of Deno.readDir(new URL(folder, root))) {
    if (entry.isDirectory) found.push(...await pages(`${folder}${entry.name}/`));
    else if (entry.name.endsWith(".md")) found.push(folder + entry.name);
  }
  return found.sort();
}

/** The text from a heading to the next one of the same level or above. */
function sectionOf(markdown: string, heading: string): string {
  const level = heading.split(" ")[0].length;
  const lines = markdown.split("\n");
  const start = lines.indexOf(heading);
  if (start < 0) throw new Error(`There is no heading "${heading}"`);
  const next = new RegExp(`^#{1,${level}} `);
  const length = lines.slice(start + 1).findIndex((line) => next.test(line));
  return lines.slice(start, length < 0 ? undefined : start + 1 + length).join("\n");
}

for (const page of await pages()) {
  const transcripts = blocksOf(await read(page)).filter(({ info }) =>
    info.split(" ")[0] === "transcript"
  );
  for (const block of transcripts) {
    Deno.test(`${page}:${block.lineNumber}: the transcript is what the server says`, async () => {
      await replay(block);
    });
  }
}

Deno.test("a transcript that the server does not follow fails", async () => {
  const block = (...lines: string[]): Block => ({ info: "transcript", lines, lineNumber: 1 });
  await assertRejects(() => replay(block("> USAGE", "< USAGE 1")), Error, "Line 2 says USAGE 1");
  await assertRejects(() => replay(block("> USAGE")), Error, "leaves out");
  await assertRejects(() => replay(block("> QUIT", "< OK")), Error, "the server says (closed)");
  await assertRejects(() => replay(block("USAGE")), Error, "is not of a transcript");
  assert(matches("INFO {json} {n}", 'INFO {"a":1} -2.5'));
  assert(!matches("INT {n}", "INT one"));
});

Deno.test("docs/protocol.md has a section for each command, with all its options and replies", async () => {
  const protocol = await read("docs/protocol.md");
  for (const command of commands) {
    const section = sectionOf(protocol, `### ${usageOf(command)}`);
    for (const alias of command.aliases) assertStringIncludes(section, `\`${alias}\``);
    for (const { name } of command.args.flatMap(({ options = [] }) => options)) {
      assert(section.includes(`\`${name}`), `${command.verb}: ${name} is not described`);
    }
    for (const reply of command.replies) {
      const word = reply.split(" ")[0];
      assert(new RegExp(`[\`>] ?${word}\\b`).test(section), `${command.verb}: ${word} is not told`);
    }
    assertStringIncludes(section, "```transcript");
  }
});

Deno.test("docs/protocol.md lists every kind of error, and every line that has no variable part", async () => {
  const errors = sectionOf(await read("docs/protocol.md"), "## Errors");
  const kinds = [...errors.matchAll(/^\| `([a-z_]+)` +\|/gm)].map(([, kind]) => kind);
  assertEquals(kinds.sort(), [...protocol.errorKinds].sort());
  const decoder = new TextDecoder();
  const lines = Object.values(protocol)
    .filter((value): value is protocol.ErrorReply =>
      typeof value === "object" && "line" in value && value !== protocol.badRequest
    )
    .map(({ line }) => decoder.decode(line).trimEnd().slice("ERROR ".length));
  assert(lines.length >= 7);
  for (const line of lines) assertStringIncludes(errors, `\`${line}\``);
});

Deno.test("docs/protocol.md states the limits that hold", async () => {
  const section = sectionOf(await read("docs/protocol.md"), "## Limits");
  const number = (value: number) => value.toLocaleString("en");
  assertStringIncludes(section, number(protocol.keyBytesMax));
  assertStringIncludes(section, number(protocol.ttlSecondsMax));
  assertStringIncludes(
    section,
    `1 to ${number(protocol.scanCountMax)}, ${protocol.scanCountDefault} `,
  );
  for (const option of serveCommand.options) {
    const isLimit = option.group === "Limits" &&
      !["idle-timeout", "eviction"].includes(option.name);
    if (!isLimit) continue;
    const told = /^[0-9]+$/.test(option.default)
      ? number(Number(option.default))
      : option.default.replace("MiB", " MiB");
    const rows = section.split("\n").filter((line) => line.includes(`\`--${option.name}\``));
    assert(rows.length > 0, `--${option.name} is not told`);
    for (const row of rows) assertStringIncludes(row, `| ${told}`);
  }
});

Deno.test("docs/protocol.md names each figure of INFO, and no other", async () => {
  const section = sectionOf(await read("docs/protocol.md"), "## INFO fields");
  const told = [...section.matchAll(/^\| `([A-Za-z._]+)` +\|/gm)].map(([, name]) => name);
  const folder = await Deno.makeTempDir({ prefix: "blink-info-" });
  await using _removed = {
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
  const tcp = [{ hostname: "127.0.0.1", port: 0 }];
  await using server = await serve({ tcp, dataFile: `${folder}/store.db` });
  await using store = await connect({ port: (server.addresses[0] as Deno.NetAddr).port });
  using redis = await RawClient.to(server.addresses[0]);
  await redis.send("*1\r\n$4\r\nPING\r\n");
  await redis.lines(1);
  const names = Object.entries(await store.info()).flatMap(([name, value]) =>
    typeof value === "object" && value !== null
      ? Object.keys(value).map((inner) => `${name}.${inner}`)
      : [name]
  );
  const grouped = names.map((name) =>
    name.replace(/^requests\.[A-Z]+$/, "requests.VERB")
      .replace(/^redis_requests\.[A-Z]+$/, "redis_requests.NAME")
      .replace(/^errors\..*/, "errors.KIND")
  );
  assertEquals([...new Set(grouped)].sort(), told.sort());
});

Deno.test("docs/server.md lists each flag of serve, its variable and its default", async () => {
  const server = await read("docs/server.md");
  for (const option of serveCommand.options) {
    const row = server.split("\n").find((line) => line.startsWith(`| \`--${option.name}`));
    assert(row !== undefined, `--${option.name} has no row`);
    assertStringIncludes(row, `\`${option.env}\``);
    if ("default" in option) assertStringIncludes(row, `\`${option.default}\``);
  }
});

/** A full store of entries of one size, after evictions. */
function fullStore(keyBytes: number, valueBytes: number, ttlMs: number): Store {
  const store = new Store({ limitBytes: 4 * 1024 * 1024, now: () => 0 });
  const line = new Uint8Array(keyBytes + valueBytes);
  const entries = Math.ceil(1.3 * store.limitBytes / line.length);
  for (let number = 0; number < entries; number++) {
    for (let at = 0, rest = number; at < keyBytes; at++, rest = Math.floor(rest / 64)) {
      line[at] = 0x40 + rest % 64;
    }
    while (store.put(line, 0, keyBytes, line, keyBytes, line.length, ttlMs) !== "stored");
  }
  assert(store.stats.evictions > 0);
  return store;
}

Deno.test("docs/server.md states a bound of the store's memory that holds", async () => {
  const section = sectionOf(await read("docs/server.md"), "## Memory");
  const bound = "(bytes of keys and values + 32 × entries + 8 × entries that expire) × 9/8 + 4 MiB";
  assertStringIncludes(section, bound);
  const shapes = [[5, 0, Infinity], [10, 1, Infinity], [10, 0, 1_000], [16, 64, Infinity]];
  for (const [keyBytes, valueBytes, ttlMs] of shapes) {
    const { usage, entries, stats } = fullStore(keyBytes, valueBytes, ttlMs);
    const expiring = ttlMs === Infinity ? 0 : entries;
    const boundBytes = (usage + 32 * entries + 8 * expiring) * 9 / 8 + 4 * 1024 * 1024;
    assert(
      stats.residentBytes <= boundBytes,
      `${keyBytes} + ${valueBytes} bytes: ${stats.residentBytes} is more than ${boundBytes}`,
    );
  }
});

Deno.test("every link between the documents leads somewhere", async () => {
  const anchorOf = (heading: string) =>
    heading.replace(/^#+ /, "").toLowerCase().replace(/[^\p{L}\p{N} _-]/gu, "").replaceAll(
      " ",
      "-",
    );
  for (const page of await pages()) {
    const text = await read(page);
    for (const [, target] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(target)) continue;
      const [path, anchor] = target.split("#");
      const file = path === "" ? new URL(page, root) : new URL(path, new URL(page, root));
      const info = await Deno.stat(file).catch(() => undefined);
      assert(info !== undefined, `${page}: ${target} leads nowhere`);
      if (anchor === undefined) continue;
      const headings = (await Deno.readTextFile(file)).match(/^#+ .*/gm) ?? [];
      assert(headings.map(anchorOf).includes(anchor), `${page}: ${target} has no such heading`);
    }
  }
});
