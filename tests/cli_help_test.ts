import { assert, assertEquals, assertStringIncludes } from "./assert.ts";
import { helpOf, overview } from "../cli/help.ts";
import { serveCommand } from "../cli/options/serve.ts";
import { subcommands } from "../cli/subcommands.ts";
import { readAddress, readBytes, readCount, readSeconds, readThreads } from "../cli/values.ts";
import { blinkStore, root } from "./command_line.ts";
import { hostDefault, portDefault } from "../protocol.ts";
import { serverDefaults } from "../server.ts";

const tables = await Promise.all(subcommands.map(({ load }) => load()));

const screen = { lines: 24, columns: 80 };

Deno.test("every help fits one screen and shows every flag and default", () => {
  const pages = new Map(tables.map((one) => [one.name, helpOf(one)]));
  for (const [name, page] of [["", overview()] as const, ...pages]) {
    const lines = page.split("\n");
    // The prompt that follows takes the last line of the screen.
    assert(lines.length < screen.lines, `${name}: ${lines.length} lines`);
    for (const line of lines) assert(line.length <= screen.columns, `${name}: ${line}`);
  }
  for (const { name, options } of tables) {
    for (const option of options) {
      assertStringIncludes(pages.get(name)!, `--${option.name}`);
      if ("default" in option) assertStringIncludes(pages.get(name)!, `(${option.default})`);
    }
  }
});

Deno.test("the defaults that the help shows are the server's and the protocol's own", () => {
  const shown = (name: string) =>
    (serveCommand.options.find((option) => option.name === name) as { default: string }).default;
  assertEquals(readAddress(shown("tcp")), { hostname: hostDefault, port: portDefault });
  assertEquals(readBytes(shown("memory-limit")), serverDefaults.memoryLimitBytes);
  assertEquals(readCount(shown("max-connections")), serverDefaults.connectionsMax);
  assertEquals(readBytes(shown("max-line")), serverDefaults.lineBytesMax);
  assertEquals(readBytes(shown("max-pending")), serverDefaults.pendingBytesMax);
  assertEquals(readSeconds(shown("idle-timeout")) * 1000, serverDefaults.idleTimeoutMs);
  assertEquals(readThreads(shown("threads")), serverDefaults.threads);
});

Deno.test("the README names every subcommand, flag and variable", async () => {
  const readme = await Deno.readTextFile(new URL("README.md", root));
  for (const { name, options } of tables) {
    assertStringIncludes(readme, `blink-store ${name}`);
    for (const option of options) {
      assertStringIncludes(readme, `--${option.name}`);
      if ("env" in option) assertStringIncludes(readme, option.env as string);
    }
  }
});

Deno.test("help is the same however it is asked for, and goes to standard output", async () => {
  for (const args of [[], ["help"], ["--help"], ["-h"]]) {
    assertEquals(await blinkStore(args), { status: 0, stdout: `${overview()}\n`, stderr: "" });
  }
  const serve = { status: 0, stdout: `${helpOf(serveCommand)}\n`, stderr: "" };
  assertEquals(await blinkStore(["help", "serve"]), serve);
  assertEquals(await blinkStore(["serve", "--help"]), serve);
});

Deno.test("the version is the one that is published", async () => {
  const { version } = JSON.parse(await Deno.readTextFile(new URL("deno.json", root)));
  for (const flag of ["--version", "-V"]) {
    assertEquals((await blinkStore([flag])).stdout, `blink-store ${version}\n`);
  }
});

Deno.test("a mistake is one line on standard error, with what to do, and status 2", async () => {
  const mistakes: [string[], string][] = [
    [["srve"], "blink-store: unknown subcommand srve; did you mean serve?"],
    [["nonsense"], "blink-store: unknown subcommand nonsense; see blink-store --help"],
    [["--nonsense"], "blink-store: unknown flag --nonsense; see blink-store --help"],
    [["help", "clinet"], "blink-store: unknown subcommand clinet; did you mean client?"],
    [["serve", "--ports"], "blink-store serve: unknown flag --ports; did you mean --port?"],
    [["serve", "now"], 'blink-store serve: unexpected word "now"; see blink-store serve --help'],
    [["completions"], "blink-store completions: which shell? give bash, zsh or fish; see "],
  ];
  for (const [args, line] of mistakes) {
    const { status, stdout, stderr } = await blinkStore(args);
    assertEquals({ status, stdout }, { status: 2, stdout: "" });
    assert(stderr.startsWith(line), stderr);
    assertEquals(stderr.split("\n").length, 2, stderr);
  }
});
