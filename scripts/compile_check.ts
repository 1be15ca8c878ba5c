/**
 * Checks that the program compiles for every target of a release, on a machine that cannot reach
 * Deno's download server. A tool provides what Deno would download: `TOOL TARGET` prints the path
 * of the runtime to embed for that target, and `TOOL --deno` the path of the Deno of that version.
 *
 * Each executable must have the file type of its target. The one for this machine is also run: it
 * says its version, serves, answers a client, and stops with status 0 on SIGTERM. The last line of
 * the output is `N passed, N failed`.
 *
 * Use: `deno task compile:check TOOL`
 *
 * @module
 */

import config from "../deno.json" with { type: "json" };
import { compileWords } from "./compile_all.ts";
import { executableType, type Target, targets } from "./targets.ts";

/** How long one program may run, so that one that hangs fails the check. */
const programMsMax = 180_000;

/** Runs a program to its end and returns its standard output. */
async function outputOf(
  command: readonly string[],
  env: Record<string, string> = {},
): Promise<string> {
  const { success, code, stdout, stderr } = await new Deno.Command(command[0], {
    args: command.slice(1),
    env: { NO_COLOR: "1", ...env },
    stdin: "null",
    signal: AbortSignal.timeout(programMsMax),
  }).output();
  const decoder = new TextDecoder();
  if (success) return decoder.decode(stdout);
  throw new Error(`${command.join(" ")} ended with status ${code}: ${decoder.decode(stderr)}`);
}

function expectText(what: string, is: string, expected: string): void {
  if (is !== expected) {
    throw new Error(`${what} is ${JSON.stringify(is)}, not ${JSON.stringify(expected)}`);
  }
}

/** Compiles for one target and checks the type of the file; returns a line about it. */
async function compile(target: Target, file: string, tool: string, deno: string): Promise<string> {
  const runtime = (await outputOf([tool, target.triple])).trim();
  const words = compileWords(config.tasks.compile.command, target, file);
  await outputOf([deno, ...words], { DENORT_BIN: runtime });
  const bytes = await Deno.readFile(file);
  expectText("the file type", executableType(bytes) ?? "unknown", target.type);
  return `${target.type}, ${(bytes.length / 2 ** 20).toFixed(0)} MiB`;
}

/** The first line that a process prints. */
async function firstLineOf(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<string> {
  let text = "";
  for await (const part of stream.pipeThrough(new TextDecoderStream())) {
    text += part;
    if (text.includes("\n")) break;
  }
  return text.split("\n")[0];
}

/**
 * Runs an executable of this machine as server and client; returns a line about it. Where epoll is
 * available it serves with two threads, which load the module of the Workers from the executable.
 */
async function tryOut(file: string): Promise<string> {
  const version = `blink-store ${config.version}`;
  const threads = Deno.build.os === "linux" ? 2 : 1;
  expectText("--version", await outputOf([file, "--version"]), `${version}\n`);
  const server = new Deno.Command(file, {
    args: ["serve", "--tcp", "127.0.0.1:0", "--threads", `${threads}`],
    stdin: "null",
    stdout: "piped",
    stderr: "null",
    signal: AbortSignal.timeout(programMsMax),
  }).spawn();
  try {
    const line = await firstLineOf(server.stdout);
    const [, port] = /listens on 127\.0\.0\.1:(\d+)/.exec(line) ?? [];
    if (port === undefined) throw new Error(`serve printed ${JSON.stringify(line)}`);
    const client = [file, "client", "--port", port];
    expectText("SET", await outputOf([...client, "SET", "user", "alice"]), "OK\n");
    expectText("GET", await outputOf([...client, "GET", "user"]), "alice\n");
    const info = JSON.parse(await outputOf([...client, "INFO"]));
    expectText("the number of threads", `${info.threads}`, `${threads}`);
  } catch (error) {
    server.kill("SIGKILL");
    await server.status;
    throw error;
  }
  server.kill("SIGTERM");
  const { code } = await server.status;
  expectText("the exit status after SIGTERM", `${code}`, "0");
  return `${version} serves with ${threads} threads, answers and stops`;
}

async function main([tool, ...rest]: readonly string[]): Promise<number> {
  if (tool === undefined || rest.length > 0) {
    console.error("Use: deno task compile:check TOOL");
    return 2;
  }
  let passed = 0;
  let failed = 0;
  const check = async (name: string, work: () => Promise<string>): Promise<boolean> => {
    try {
      console.log(`ok    ${name}: ${await work()}`);
      passed++;
      return true;
    } catch (error) {
      console.log(`FAIL  ${name}: ${(error as Error).message.trim()}`);
      failed++;
      return false;
    }
  };
  const folder = await Deno.makeTempDir({ prefix: "blink-compile-" });
  try {
    const deno = (await outputOf([tool, "--deno"])).trim();
    for (const target of targets) {
      const file = `${folder}/blink-store-${target.name}`;
      const compiled = await check(
        `compile ${target.name}`,
        () => compile(target, file, tool, deno),
      );
      const isOfThisMachine = target.triple === Deno.build.target && Deno.build.os !== "windows";
      if (compiled && isOfThisMachine) await check(`run ${target.name}`, () => tryOut(file));
      // Five executables together would need 700 MB.
      await Deno.remove(file).catch(() => {});
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  console.log(`${passed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
