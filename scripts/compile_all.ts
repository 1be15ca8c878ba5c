/**
 * Makes the executables of a release in `dist/release`, one for each system, and their SHA256SUMS.
 * All of them or none: they are made in a temporary folder, which replaces an earlier release only
 * when every executable is there and has the type that its name says.
 *
 * Use: `deno task compile:all`, with the Deno of {@linkcode denoVersion}.
 *
 * @module
 */

import config from "../deno.json" with { type: "json" };
import { executableType, type Target, targets } from "./targets.ts";

/** The Deno that releases are compiled with: its runtime becomes part of them. */
export const denoVersion = "2.9.6";

/** The words of a task, without the quotes that protect a `*` from the task's shell. */
export function wordsOf(task: string): string[] {
  return task.split(" ").map((word) => word.replace(/^'(.*)'$/, "$1"));
}

/** The words that compile for a target: those of the `compile` task, with the same permissions. */
export function compileWords(task: string, target: Target, output: string): string[] {
  const [deno, compile, ...words] = wordsOf(task);
  if (deno !== "deno" || compile !== "compile" || !words.includes("--output")) {
    throw new Error(
      "Cannot compile: the compile task of deno.json is not `deno compile … --output FILE main.ts`",
    );
  }
  const at = words.indexOf("--output");
  const kept = words.toSpliced(at, 2);
  return ["compile", "--quiet", "--target", target.triple, "--output", output, ...kept];
}

/**
 * Makes a release and puts it in place of a folder.
 *
 * @param folder Where the executables and their sums go; a missing parent is created.
 * @param deno The program that compiles.
 * @throws when an executable cannot be made; the folder is then as it was before.
 */
export async function release(folder: string, deno: string): Promise<void> {
  const parent = folder.replace(/\/[^/]*$/, "");
  await Deno.mkdir(parent, { recursive: true });
  const made = await Deno.makeTempDir({ dir: parent, prefix: ".release-" });
  try {
    const sums: string[] = [];
    for (const target of targets) sums.push(await compile(target, made, deno));
    await Deno.writeTextFile(`${made}/SHA256SUMS`, sums.join(""));
    await Deno.remove(folder, { recursive: true }).catch(ignoreMissing);
    await Deno.rename(made, folder);
    await Deno.chmod(folder, 0o755);
  } finally {
    await Deno.remove(made, { recursive: true }).catch(ignoreMissing);
  }
}

/** Makes the executable of one target; returns its line of SHA256SUMS. */
async function compile(target: Target, folder: string, deno: string): Promise<string> {
  const name = `blink-store-${target.name}`;
  const file = `${folder}/${name}`;
  console.error(`Compiling ${name}`);
  // DENORT_BIN names a runtime of one system, and Deno would embed it for every target.
  const { DENORT_BIN: _, ...env } = Deno.env.toObject();
  const { success, stderr } = await new Deno.Command(deno, {
    args: compileWords(config.tasks.compile.command, target, file),
    clearEnv: true,
    env: { ...env, NO_COLOR: "1" },
    stderr: "piped",
  }).output();
  if (!success) {
    throw new Error(`Cannot compile ${name}: ${reasonIn(new TextDecoder().decode(stderr))}`);
  }
  const bytes = await Deno.readFile(file);
  const type = executableType(bytes);
  if (type !== target.type) {
    throw new Error(`Cannot release ${name}: it is ${type ?? "no executable"}, not ${target.type}`);
  }
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const hex = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return `${hex}  ${name}\n`;
}

/** What Deno says about a failure, in one line: the error and its causes, without the backtrace. */
function reasonIn(stderr: string): string {
  const [message] = stderr.split("Stack backtrace:");
  const lines = message.split("\n").map((line) => line.trim()).filter((line) => line !== "");
  return lines.filter((line) => line !== "Caused by:").slice(0, 3).join("; ");
}

async function main(): Promise<number> {
  if (Deno.version.deno !== denoVersion) {
    console.error(
      `Releases are compiled with Deno ${denoVersion}, this is ${Deno.version.deno}: ` +
        `run npx -y deno@${denoVersion} task compile:all`,
    );
    return 1;
  }
  try {
    await release("dist/release", Deno.execPath());
    console.error("Made dist/release");
    return 0;
  } catch (error) {
    console.error((error as Error).message);
    return 1;
  }
}

function ignoreMissing(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}

if (import.meta.main) Deno.exit(await main());
