import { assert, assertEquals } from "./assert.ts";
import config from "../deno.json" with { type: "json" };
import { exchange, root, serving } from "./command_line.ts";

const configFile = new URL("deno.json", root).pathname;
const readme = await Deno.readTextFile(new URL("README.md", root));

/** The lines of the first block of that language which holds a text. */
function block(language: string, holding: string): string[] {
  const blocks = readme.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, "gms"));
  const found = [...blocks].map(([, text]) => text).find((text) => text.includes(holding));
  assert(found !== undefined, `The README has no ${language} block with ${holding}`);
  return found.trimEnd().split("\n");
}

Deno.test("the README's session with nc runs as it stands", async () => {
  const [command, ...session] = block("console", "$ nc ");
  assertEquals(command, "$ nc 127.0.0.1 8765");
  assertEquals(session.pop(), "QUIT");
  const requests = session.filter((_, at) => at % 2 === 0);
  const replies = session.filter((_, at) => at % 2 === 1);
  await using server = await serving(["--tcp", ":0"]);
  const answer = await exchange(server, [...requests, "QUIT", ""].join("\n"));
  assertEquals(answer.trimEnd().split("\n"), replies);
});

Deno.test("the README's program is sound and prints what was stored", async () => {
  await using server = await serving(["--tcp", ":0"]);
  const program = block("ts ignore", "connect(").join("\n").replace("8765", String(server.port));
  const file = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    await Deno.writeTextFile(file, program);
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--check", "--quiet", "--config", configFile, "--allow-net", file],
      env: { NO_COLOR: "1" },
    }).output();
    assertEquals(new TextDecoder().decode(stderr), "");
    assertEquals(code, 0);
    assertEquals(new TextDecoder().decode(stdout), "two\nlines\n1\n");
  } finally {
    await Deno.remove(file);
  }
});

Deno.test("the README's tasks are there", () => {
  const named = readme.matchAll(/(?:deno|deno@[\d.]+) task (?:--quiet )?([\w:]+)/g);
  for (const [, task] of named) assert(task in config.tasks, task);
});

Deno.test("the README maps every part of the standard library to JSR", () => {
  const mapped = JSON.parse(block("json", "jsr:@std").join("\n"));
  const used = Object.keys(config.imports).filter((name) => name.startsWith("@std/"));
  assertEquals(Object.keys(mapped).sort(), used.sort());
});
