/**
 * Makes the executables of a release in `dist/release`, one for each system, and their SHA256SUMS.
 * All of them or none: they are made in a folder of their own, which takes the place of an earlier
 * one only once the last executable is there and is what its name says.
 *
 * Use: `deno task compile:all`, with the Deno of {@linkcode denoVersion}.
 *
 * @module
 */

import config from "../deno.json" with { type: "json" };

/** The Deno that releases are compiled with: its runtime becomes part of them. */
export const denoVersion = "2.9.6";

/** The file that an executable is. */
interface Target {
  /** As `deno compile --target` names it. */
  readonly triple: string;
  /** What the file's name ends with. */
  readonly name: string;
  /** The bytes that an executable of that system and processor begins with, from their offset. */
  readonly signature: readonly (readonly [offset: number, bytes: readonly number[]])[];
}

const elf = [0, [0x7f, 0x45, 0x4c, 0x46]] as const;
const machO = [0, [0xcf, 0xfa, 0xed, 0xfe]] as const;

/** Every system that a release is made for. */
export const targets: readonly Target[] = [
  { triple: "x86_64-unknown-linux-gnu", name: "linux-x64", signature: [elf, [18, [0x3e, 0]]] },
  { triple: "aarch64-unknown-linux-gnu", name: "linux-arm64", signature: [elf, [18, [0xb7, 0]]] },
  { triple: "x86_64-apple-darwin", name: "macos-x64", signature: [machO, [4, [7, 0, 0, 1]]] },
  { triple: "aarch64-apple-darwin", name: "macos-arm64", signature: [machO, [4, [12, 0, 0, 1]]] },
  { triple: "x86_64-pc-windows-msvc", name: "windows-x64.exe", signature: [[0, [0x4d, 0x5a]]] },
];

/** True when the file's first bytes are those of its target. */
export function isFor(target: Target, head: Uint8Array): boolean {
  return target.signature.every(([offset, bytes]) =>
    bytes.every((byte, at) => head[offset + at] === byte)
  );
}

/** The words of a task, without the quotes that keep its shell from taking a `*` as its own. */
export function wordsOf(task: string): string[] {
  return task.split(" ").map((word) => word.replace(/^'(.*)'$/, "$1"));
}

/** The words that compile for a target: those of the `compile` task, so that both give the same rights. */
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
 * Makes a release in a folder, which it replaces.
 *
 * @param folder Where the executables and their sums go; its parent is made where it is missing.
 * @param deno The program that compiles.
 * @throws when one of them cannot be made; then the folder is as it was before.
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

/** Makes the executable of a target; returns its line of SHA256SUMS. */
async function compile(target: Target, folder: string, deno: string): Promise<string> {
  const name = `blink-store-${target.name}`;
  const file = `${folder}/${name}`;
  console.error(`Compiling ${name}`);
  // A runtime that DENORT_BIN names is of one system only, and would be taken for all of them.
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
  if (!isFor(target, bytes)) throw new Error(`Cannot release ${name}: it is for another system`);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const hex = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return `${hex}  ${name}\n`;
}

/** What Deno says about a failure, in one line: the error and its causes, without the backtrace. */
function reasonIn(stderr: string): string {
  const [told] = stderr.split("Stack backtrace:");
  const lines = told.split("\n").map((line) => line.trim()).filter((line) => line !== "");
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
