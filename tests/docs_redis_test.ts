/**
 * Compares docs/redis.md with the program: the commands that it lists, the lines that it names for
 * commands of Redis, the reasons for which tests of Redis are left out, and its examples.
 *
 * @module
 */

import { redisCommands } from "../commands/mod.ts";
import { serve } from "../server.ts";
import { commandLists, marks } from "../scripts/redis_commands.ts";
import { skips } from "../scripts/redis_suite_skips.ts";
import { assert, assertEquals, assertStringIncludes } from "./assert.ts";
import { addressOf, missing, run } from "./examples.ts";
import { anyPort } from "./http_backend.ts";
import { RawClient } from "./raw_client.ts";
import { npmInstall, pipInstall } from "./redis_programs.ts";
import { type Block, blocksOf } from "./transcript.ts";

const page = await Deno.readTextFile(new URL("../docs/redis.md", import.meta.url));

/** Tables without the blanks and dashes by which the formatter aligns them. */
const unaligned = (text: string) => text.replace(/-{3,}/g, "---").replace(/ +/g, " ").trim();

Deno.test("docs/redis.md lists each command of the table, and no other", () => {
  const listed = page.slice(page.indexOf(marks[0]) + marks[0].length, page.indexOf(marks[1]));
  assertEquals(unaligned(listed), unaligned(commandLists()));
  const names = [...listed.matchAll(/^\| `([A-Z]+)/gm)].map(([, name]) => name.toLowerCase());
  assertEquals(names.sort(), redisCommands.map(({ name }) => name).sort());
});

Deno.test("docs/redis.md says why tests of Redis are left out", () => {
  for (const { reason } of skips) assertStringIncludes(page.replace(/\s+/g, " "), reason);
});

Deno.test("docs/redis.md names lines that the server takes", async () => {
  await using server = await serve({ tcp: [anyPort] });
  const start = page.indexOf("| Redis ");
  const rows = page.slice(start, page.indexOf("\n\n", start)).split("\n").slice(2);
  assert(rows.length > 20);
  for (const row of rows) {
    const line = row.split("|")[2].split(/[:;] | and `S/)[0];
    for (const [, request] of line.matchAll(/`([A-Z]+ ?[^`]*)`/g)) {
      using client = await RawClient.to(server.addresses[0]);
      await client.send(`SET key 7\n${request}\nQUIT\n`);
      const replies = new TextDecoder().decode(await client.restBytes());
      assert(/^OK\n(?!ERROR)./.test(replies), `${request}: ${replies}`);
    }
  }
});

interface Runner {
  readonly needs: readonly (readonly [string, string])[];
  readonly file: string;
  readonly install: (folder: string) => { command: readonly string[] };
  readonly command: (file: string) => readonly string[];
}

const root = new URL("../", import.meta.url).pathname;

/** How the examples of each language are run. */
const runners: Readonly<Record<string, Runner>> = {
  python: {
    needs: [["python3", "--version"]],
    file: "own.py",
    install: (folder) => pipInstall(folder, "redis==8.1.0"),
    command: (file) => ["python3", "-B", file],
  },
  js: {
    needs: [["node", "--version"], ["npm", "--version"]],
    file: "own.mjs",
    install: (folder) => npmInstall(folder, "ioredis@6.0.0"),
    command: (file) => ["node", file],
  },
  go: {
    needs: [["go", "version"]],
    file: "own.go",
    install: (folder) => ({
      command: [
        "cp",
        ...["go.mod", "go.sum"].map((name) => `${root}tests/redis_clients/go/${name}`),
        folder,
      ],
    }),
    command: (file) => ["go", "run", file],
  },
};

async function runExample(block: Block, output: Block): Promise<void> {
  const runner = runners[block.info];
  const folder = await Deno.makeTempDir({ prefix: "blink-docs-redis-" });
  try {
    await using server = await serve({ tcp: [anyPort] });
    const port = addressOf(server).split(":")[1];
    const file = `${folder}/${runner.file}`;
    await Deno.writeTextFile(file, block.lines.join("\n").replaceAll("8765", port));
    const installed = await run(runner.install(folder).command, { msMax: 300_000 });
    assertEquals(installed.code, 0, installed.stderr);
    const { stdout, stderr } = await run(runner.command(file), { cwd: folder, msMax: 120_000 });
    assertEquals(stdout.trimEnd(), output.lines.join("\n"), stderr);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const blocks = blocksOf(page);
for (const [at, block] of blocks.entries()) {
  const output = blocks[at + 1];
  if (output?.info !== "text output") continue;
  const lacking = await missing(runners[block.info].needs);
  const because = lacking === undefined ? "" : ` (skipped: ${lacking} is not installed)`;
  Deno.test({
    name: `docs/redis.md:${block.lineNumber}: the program in ${block.info}${because}`,
    ignore: lacking !== undefined,
    fn: () => runExample(block, output),
  });
}

const needsCli = await missing([["redis-cli", "--version"], ["bash", "--version"]]);
Deno.test({
  name: `docs/redis.md says what redis-cli prints${needsCli ? ` (skipped: no ${needsCli})` : ""}`,
  ignore: needsCli !== undefined,
  async fn() {
    await using server = await serve({ tcp: [anyPort] });
    const port = addressOf(server).split(":")[1];
    const client = `'${Deno.execPath()}' run -A --quiet '${root}main.ts' client`;
    const [session] = blocks.filter(({ info }) => info === "console");
    let commands = 0;
    for (let at = 0; at < session.lines.length; at += 2, commands++) {
      const command = session.lines[at].slice("$ ".length)
        .replace("redis-cli", "redis-cli --no-raw")
        .replace("8765", port)
        .replace("blink-store client", client);
      const env = { BLINK_STORE: `127.0.0.1:${port}` };
      const { stdout, stderr } = await run(["bash", "-c", command], { env });
      assertEquals(stdout.trimEnd(), session.lines[at + 1], stderr);
    }
    assertEquals(commands, 3);
  },
});
