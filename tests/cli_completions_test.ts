import { assert, assertEquals, assertStringIncludes } from "./assert.ts";
import { completionsFor } from "../cli/completions.ts";
import { subcommands } from "../cli/subcommands.ts";
import { commands } from "../commands/mod.ts";
import { blinkStore } from "./command_line.ts";

const shells = ["bash", "zsh", "fish"] as const;

Deno.test("the completions of every shell hold every subcommand, flag and verb", async () => {
  const tables = await Promise.all(subcommands.map(({ load }) => load()));
  for (const shell of shells) {
    const script = await completionsFor(shell);
    for (const { name, options } of tables) {
      assertStringIncludes(script, name);
      for (const option of options) {
        assertStringIncludes(script, shell === "fish" ? `-l ${option.name}` : `--${option.name}`);
      }
    }
    for (const { verb } of commands) assertStringIncludes(script, verb);
    const choices = {
      bash: '"auto epoll portable"',
      zsh: "(auto epoll",
      fish: "-x -a 'auto epoll",
    };
    assertStringIncludes(script, choices[shell]);
  }
});

/** Runs a shell on a script; undefined where the shell is not installed. */
async function inShell(shell: string, words: string[]): Promise<string | undefined> {
  try {
    const { success, stdout, stderr } = await new Deno.Command(shell, { args: words }).output();
    assert(success, `${shell}: ${new TextDecoder().decode(stderr)}`);
    return new TextDecoder().decode(stdout);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    console.log(`${shell} is not installed: its completions are not tried`);
    return undefined;
  }
}

Deno.test("each shell reads its script without complaint", async () => {
  const file = await Deno.makeTempFile();
  try {
    for (const shell of shells) {
      await Deno.writeTextFile(file, await completionsFor(shell));
      await inShell(shell, ["-n", file]);
    }
  } finally {
    await Deno.remove(file);
  }
});

Deno.test("bash completes subcommands, flags, verbs in the case typed, and files", async () => {
  const complete = async (...words: string[]) => {
    const script = `${await completionsFor("bash")}
      COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _blink_store; printf '%s ' "\${COMPREPLY[@]}"`;
    return (await inShell("bash", ["-c", script, "bash", "blink-store", ...words]))?.trim();
  };
  if (await complete("") === undefined) return;
  assertEquals(await complete("se"), "serve");
  assertEquals(await complete("serve", "--max-l"), "--max-line");
  assertEquals(await complete("client", "G"), "GET");
  assertEquals(await complete("client", "g"), "get");
  assertEquals(await complete("completions", "z"), "zsh");
  assertEquals(await complete("serve", "--unix", "READM"), "README.md");
  assertEquals(await complete("serve", "--memory-limit", ""), "");
  assertEquals(await complete("serve", "--io", ""), "auto epoll portable");
  assertEquals(await complete("serve", "--io", "e"), "epoll");
  assertEquals(await complete("serve", "--threads", ""), "auto");
});

Deno.test("the subcommand prints the script", async () => {
  const { status, stdout } = await blinkStore(["completions", "fish"]);
  assertEquals({ status, stdout }, { status: 0, stdout: `${await completionsFor("fish")}\n` });
});
