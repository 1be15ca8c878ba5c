/**
 * Runs programs that use a Redis client against this server: their packages are installed into a
 * temporary folder, outside of the tree, and each program is run on a server without a password and
 * on one with a password.
 *
 * A program is given `HOST PORT [PASSWORD]`, ends at the first difference, and otherwise prints
 * `ok N checks`.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "./assert.ts";
import { missing, run } from "./examples.ts";
import { startTested } from "./redis_servers.ts";

/** How long packages may take to install, or a program to build, in milliseconds. */
const prepareMsMax = 300_000;
/** How long a program may run, in milliseconds. */
const programMsMax = 60_000;
const password = "open-sesame";

/** Programs of one language and the packages that they use. */
export interface Kit {
  /** The language, for the names of tests. */
  readonly language: string;
  /** The programs that must be installed, each with an argument that makes it end well. */
  readonly needs: readonly (readonly [string, string])[];
  /** The command that brings its packages into a folder. Where it fails the tests are skipped. */
  readonly install: (folder: string) => Invocation;
  /** The command that builds its programs into the folder, where that is needed. */
  readonly build?: (folder: string) => Invocation;
  /** The programs by name, each as the command that starts it. */
  readonly programs: Readonly<Record<string, (folder: string) => Invocation>>;
}

/** A command line, and the variables that it is given. */
export interface Invocation {
  readonly command: readonly string[];
  readonly env?: Record<string, string>;
}

/** Python packages, pinned. */
export function pipInstall(folder: string, ...packages: string[]): Invocation {
  const quiet = ["--quiet", "--disable-pip-version-check", "--root-user-action", "ignore"];
  return {
    command: ["python3", "-m", "pip", "install", ...quiet, "--target", folder, ...packages],
  };
}

/** Packages for Node, pinned. */
export function npmInstall(folder: string, ...packages: string[]): Invocation {
  const quiet = ["--no-audit", "--no-fund", "--no-save", "--loglevel", "error"];
  return { command: ["npm", "install", ...quiet, "--prefix", folder, ...packages] };
}

/** A Python program with the packages of a folder. */
export function pythonProgram(path: string): (folder: string) => Invocation {
  return (folder) => ({ command: ["python3", "-B", path], env: { PYTHONPATH: folder } });
}

/** A program for Node with the packages of a folder. */
export function nodeProgram(path: string): (folder: string) => Invocation {
  return (folder) => ({
    command: ["node", path],
    env: { NODE_PATH: `${folder}/node_modules` },
  });
}

/** Registers the tests of a kit; where something is not there they are skipped and say so. */
export async function testKit(kit: Kit): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "blink-redis-" });
  addEventListener("unload", () => removeFolder(folder));
  const lacking = await lackingOf(kit, folder);
  const because = lacking === undefined ? "" : ` (skipped: ${lacking})`;
  let built: Promise<void> | undefined;
  for (const [name, program] of Object.entries(kit.programs)) {
    for (const secret of [undefined, password]) {
      const condition = secret === undefined ? "without" : "with";
      Deno.test({
        name: `${name} for ${kit.language}, ${condition} a password${because}`,
        ignore: lacking !== undefined,
        async fn() {
          await (built ??= build(kit, folder));
          await passes(program(folder), secret);
        },
      });
    }
  }
}

/** What keeps the programs of a kit from running here. */
async function lackingOf(kit: Kit, folder: string): Promise<string | undefined> {
  const program = await missing(kit.needs);
  if (program !== undefined) return `${program} is not installed`;
  const { command, env } = kit.install(folder);
  const { code, stderr } = await run(command, { env, msMax: prepareMsMax });
  if (code === 0) return;
  console.error(`${command.join(" ")}: ${stderr}`);
  return `${command.slice(0, 2).join(" ")} failed`;
}

async function build(kit: Kit, folder: string): Promise<void> {
  if (kit.build === undefined) return;
  const { command, env } = kit.build(folder);
  const { code, stderr } = await run(command, { env, msMax: prepareMsMax });
  assertEquals(code, 0, stderr);
}

async function passes({ command, env }: Invocation, secret: string | undefined): Promise<void> {
  await using server = await startTested(secret);
  const words = ["127.0.0.1", String(server.port), ...(secret === undefined ? [] : [secret])];
  const { code, stdout, stderr } = await run([...command, ...words], {
    env,
    msMax: programMsMax,
  });
  assertEquals(code, 0, stderr);
  assertMatch(stdout, /^ok [0-9]+ checks\n$/);
  assert(Number(stdout.split(" ")[1]) > 10, stdout);
}

function removeFolder(folder: string): void {
  try {
    Deno.removeSync(folder, { recursive: true });
  } catch {
    // A cache of a package's installer may be read-only: the system clears its temporary folder.
  }
}
