/** Runs what docs/copy.md shows, in order, between a server of Redis and one of Blink Store. */

import { copyCommand } from "../cli/mod.ts";
import { redisCommands } from "../commands/mod.ts";
import { assert, assertEquals, assertStringIncludes } from "./assert.ts";
import { copyWords, root, serving } from "./command_line.ts";
import { run } from "./examples.ts";
import { hasRedis, RedisServer } from "./redis_server.ts";
import { blocksOf } from "./transcript.ts";

const page = await Deno.readTextFile(new URL("docs/copy.md", root));

Deno.test("docs/copy.md names each flag of copy, its variable and its default", () => {
  for (const option of copyCommand.options) {
    assertStringIncludes(page, `--${option.name}`);
    if ("env" in option) assertStringIncludes(page, `\`${option.env}\``);
  }
  for (
    const [name, shown] of [["retry", "10"], ["batch-keys", "1,000"], ["batch-bytes", "4 MiB"]]
  ) {
    const option = copyCommand.options.find((option) => option.name === name);
    assert(option !== undefined && "default" in option, name);
    assertEquals(shown.replace(",", "").replace(" MiB", "MiB"), option.default);
    assert(new RegExp(`--${name} [A-Z]+\`[^.]*\\(${shown} by\\s+default\\)`).test(page), name);
  }
});

/** The commands of a page with what each prints; times are left out. */
function steps(): { command: string; output: string }[] {
  const found: { command: string; output: string }[] = [];
  for (const { info, lines } of blocksOf(page)) {
    if (info !== "console") continue;
    for (const line of lines) {
      if (line.startsWith("$ ")) found.push({ command: line.slice(2), output: "" });
      else found[found.length - 1].output += `${line}\n`;
    }
  }
  return found;
}

const withoutTime = (text: string) => text.replace(/in [\d.]+ s$/gm, "in … s");

Deno.test({
  name: "docs/copy.md says what its commands do",
  ignore: !hasRedis() || Deno.build.os === "windows",
  fn: async () => {
    await using redis = await RedisServer.start();
    await using store = await serving(["--tcp", ":0"]);
    await redis.client.set("user", "alice", "EX", 60);
    await redis.client.set("session:42", "cookies");
    await redis.client.rpush("jobs", "mail");
    const folder = await Deno.makeTempDir();
    try {
      const program = copyWords().slice(0, -1).map((word) => `'${word}'`).join(" ");
      const script = `#!/bin/sh\nexec ${program} "$@"\n`;
      await Deno.writeTextFile(`${folder}/blink-store`, script, { mode: 0o755 });
      const env = {
        BLINK_STORE: `127.0.0.1:${store.port}`,
        PATH: `${folder}:${Deno.env.get("PATH")}`,
      };
      // A source needs SCAN, which the table of the server has or has not.
      const isSource = redisCommands.some(({ name }) => name === "scan");
      for (const { command, output } of steps()) {
        if (!isSource && command.includes("--from 127.0.0.1:8765")) continue;
        const here = command.replaceAll("8765", `${store.port}`).replaceAll(
          "6379",
          `${redis.port}`,
        );
        const { stdout, stderr } = await run(["bash", "-c", here], { env });
        assertEquals(withoutTime(stdout + stderr), withoutTime(output), command);
      }
      if (!isSource) return;
      assertEquals(await redis.client.select(1), "OK");
      assertEquals(await redis.client.get("user"), "alice");
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});
