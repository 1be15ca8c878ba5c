/**
 * Compares the guides and manuals with the program: what they show of a file is in that file,
 * and each of their sessions is run, in order, as a reader would, against a fresh store.
 *
 * A block's fence says what it is: `LANGUAGE file=PATH` shows a part of a file; a block that a
 * `text output` block follows is a program that prints this; `console build` is run first; `console
 * client` is a session with an interactive client; `console backend` starts a backend and then
 * calls it; any other `console` runs its commands and compares what they print.
 *
 * @module
 */

import { serve } from "../server.ts";
import { assert, assertEquals } from "./assert.ts";
import { addressOf, examples, type Language, missing, run, said } from "./examples.ts";
import { anyPort, Backend } from "./http_backend.ts";
import { languages } from "./languages.ts";
import { type Block, blocksOf } from "./transcript.ts";

const root = new URL("../", import.meta.url).pathname;

/** How a program that a guide shows is saved and started, in the folder of the examples. */
const ownProgram: Record<string, readonly [string, string]> = {
  python: ["own.py", "python3 own.py"],
  js: ["own.mjs", "node own.mjs"],
  go: ["own/main.go", "go run ./own"],
  rust: ["own.rs", "rustc --edition 2021 -o bin/own own.rs && ./bin/own"],
  bash: ["own.sh", "bash own.sh"],
  ts: ["own.ts", `deno run --quiet --allow-net --no-lock --config ${root}deno.json own.ts`],
};

/** Lines without the blanks that all of them begin with, as the formatter of documents has them. */
function dedented(lines: readonly string[]): string {
  const margins = lines.filter((line) => line.trim() !== "")
    .map((line) => line.length - line.trimStart().length);
  const margin = Math.min(...margins);
  return lines.map((line) => line.slice(margin).trimEnd()).join("\n");
}

async function checkExcerpt(block: Block): Promise<void> {
  const [, path] = /file=(\S+)/.exec(block.info) ?? [];
  const lines = (await Deno.readTextFile(root + path)).split("\n");
  const shown = dedented(block.lines);
  const isThere = lines.some((_, at) =>
    dedented(lines.slice(at, at + block.lines.length)) === shown
  );
  assert(isThere, `line ${block.lineNumber}: this is not in ${path}`);
}

interface Step {
  readonly command: string;
  readonly output: string[];
}

function stepsOf(block: Block): Step[] {
  const steps: Step[] = [];
  for (const line of block.lines) {
    if (line.startsWith("$ ")) steps.push({ command: line.slice(2), output: [] });
    else steps.at(-1)?.output.push(line);
  }
  return steps;
}

class Guide implements AsyncDisposable {
  static async of(language: Language | undefined): Promise<Guide> {
    const folder = await Deno.makeTempDir({ prefix: "blink-guide-" });
    if (language !== undefined) await run(["cp", "-R", `${examples}${language.name}/.`, folder]);
    await Deno.mkdir(`${folder}/.path`);
    await Deno.symlink(Deno.execPath(), `${folder}/.path/deno`);
    const cli = `#!/bin/sh\nexec "${Deno.execPath()}" run -A --quiet "${root}main.ts" "$@"\n`;
    await Deno.writeTextFile(`${folder}/.path/blink-store`, cli, { mode: 0o755 });
    return new Guide(language, folder);
  }

  readonly #fixedPort: boolean;
  readonly #folder: string;
  readonly #cwd: string;

  private constructor(language: Language | undefined, folder: string) {
    this.#fixedPort = language?.fixedPort ?? false;
    this.#folder = folder;
    // The programs for Deno take their imports from this repository.
    this.#cwd = language?.name === "deno" ? `${examples}deno` : folder;
  }

  /** Checks the types of every program in TypeScript at once, which is quicker than one by one. */
  async checkTypes(blocks: readonly Block[]): Promise<void> {
    const files = await Promise.all(
      blocks.filter(({ info }) => info === "ts").map(async ({ lines, lineNumber }) => {
        const file = `${this.#folder}/line_${lineNumber}.ts`;
        await Deno.writeTextFile(file, lines.join("\n"));
        return file;
      }),
    );
    if (files.length === 0) return;
    const config = ["--no-lock", "--config", `${root}deno.json`];
    const { code, stderr } = await run([Deno.execPath(), "check", ...config, ...files]);
    assertEquals(code, 0, stderr);
  }

  async follow(block: Block, next: Block | undefined): Promise<void> {
    await using server = await serve({ tcp: [anyPort] });
    const address = addressOf(server);
    const here = (text: string) =>
      text.replaceAll("127.0.0.1:8765", address).replaceAll("8765", address.split(":")[1]);
    const env = {
      BLINK_STORE: address,
      BLINK_HISTORY: "",
      PATH: `${this.#folder}/.path:${Deno.env.get("PATH")}`,
    };
    if (next?.info === "text output") return await this.#runProgram(block, next, here, env);
    switch (block.info) {
      case "console client":
        return await this.#converse(block, here, env);
      case "console backend":
        return await this.#call(block, env);
      default:
        for (const { command, output } of stepsOf(block)) {
          const { stdout, stderr } = await this.#bash(here(command), env);
          assertEquals((stdout + stderr).trimEnd(), output.join("\n"), command);
        }
    }
  }

  async #bash(command: string, env: Record<string, string>, input = "") {
    return await run(["bash", "-c", command], { cwd: this.#cwd, env, input });
  }

  async #runProgram(
    block: Block,
    output: Block,
    here: (text: string) => string,
    env: Record<string, string>,
  ): Promise<void> {
    const [path, command] = ownProgram[block.info];
    const file = `${this.#folder}/${path}`;
    await Deno.mkdir(file.replace(/\/[^/]*$/, ""), { recursive: true });
    await Deno.writeTextFile(file, here(block.lines.join("\n")) + "\n");
    const { stdout, stderr } = await run(["bash", "-c", command], { cwd: this.#folder, env });
    assertEquals(stdout.trimEnd(), output.lines.join("\n"), stderr);
  }

  async #converse(
    block: Block,
    here: (text: string) => string,
    env: Record<string, string>,
  ): Promise<void> {
    const [{ command, output }] = stepsOf(block);
    const typed = output.filter((line) => line.startsWith("> ")).map((line) => line.slice(2));
    const printed = output.filter((line) => line !== "" && !line.startsWith("> ")).map(here);
    const { stdout, code } = await this.#bash(here(command), env, typed.join("\n") + "\n");
    assertEquals(said(stdout), printed);
    assertEquals(code, 0);
  }

  async #call(block: Block, env: Record<string, string>): Promise<void> {
    const [start, ...calls] = stepsOf(block);
    const command = ["bash", "-c", `exec ${start.command}`];
    await using web = new Backend(this.#fixedPort, command, { env, cwd: this.#cwd });
    await web.listening();
    assertEquals(start.output.length, 1);
    for (const { command, output } of calls) {
      const call = command.replaceAll("http://127.0.0.1:8080", web.url);
      assertEquals((await this.#bash(call, env)).stdout.trimEnd(), output.join("\n"), call);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.#folder, { recursive: true });
  }
}

interface Page {
  readonly path: string;
  readonly language?: Language;
}

const pages: readonly Page[] = [
  ...Object.values(languages).map((language) => ({
    path: `docs/guides/${language.name}.md`,
    language,
  })),
  { path: "docs/client.md" },
  { path: "docs/library.md" },
  { path: "docs/server.md" },
];

for (const { path, language } of pages) {
  const blocks = blocksOf(await Deno.readTextFile(root + path));
  const excerpts = blocks.filter(({ info }) => info.includes("file="));
  if (excerpts.length > 0) {
    Deno.test(`${path} shows its files as they are`, async () => {
      for (const block of excerpts) await checkExcerpt(block);
    });
  }

  const lacking = await missing([["bash", "--version"], ["curl", "--version"]], language?.needs);
  const because = lacking === undefined ? "" : ` (skipped: ${lacking} is not installed)`;
  Deno.test({
    name: `${path} says what its programs do${because}`,
    ignore: lacking !== undefined,
    fn: async (test) => {
      await using guide = await Guide.of(language);
      const next = (block: Block) => blocks[blocks.indexOf(block) + 1];
      const order = (block: Block) => block.info === "console build" ? 0 : 1;
      const followed = blocks
        .filter((block) => block.info.startsWith("console") || next(block)?.info === "text output")
        .sort((a, b) => order(a) - order(b));
      assert(followed.length > 0);
      await guide.checkTypes(followed);
      for (const block of followed) {
        await test.step(`line ${block.lineNumber}: ${block.info}`, async () => {
          await guide.follow(block, next(block));
        });
      }
    },
  });
}
