/**
 * Runs the command line as its users do: a process of its own, with the rights that the tasks of
 * `deno.json` give it, and without the `BLINK_` variables of the tests' own environment.
 *
 * @module
 */

// @ts-types="../types/std.d.ts"
import { deadline } from "@std/async/deadline";
import config from "../deno.json" with { type: "json" };
import { wordsOf } from "../scripts/compile_all.ts";

/** The folder of the project. */
export const root = new URL("..", import.meta.url);

/** How long a process may take for what a test waits for, in milliseconds. */
const waitMs = 60_000;

/** How a process ended. */
export interface Ended {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** What a process is given. */
export interface Given {
  /** Variables beside those of the tests' own environment. */
  readonly env?: Record<string, string>;
  /** Its standard input; none for an empty one. */
  readonly input?: string | Uint8Array;
  /** The program and the words before its arguments. Default: the sources, run by this Deno. */
  readonly program?: readonly string[];
}

const sandboxed = { "serve:sandboxed": config.tasks["serve:sandboxed"] };

/** The sources, run with the rights of the task `serve:sandboxed`. */
export function sandboxedSources(): string[] {
  return sources("serve:sandboxed");
}

/** The sources, run with the rights of the task of that name, or with those of the server's. */
function sources(name: string): string[] {
  const { serve, client, run, copy, data } = config.tasks;
  const tasks = new Map(Object.entries({ serve, client, run, copy, data, ...sandboxed }));
  const rights = wordsOf((tasks.get(name) ?? serve).command)
    .filter((word) => word.startsWith("--allow-"));
  return [Deno.execPath(), "run", "--no-prompt", ...rights, new URL("main.ts", root).pathname];
}

/** `blink-store serve` as the words of a command, for tests that start it in another way. */
export function serveWords(): string[] {
  return [...sources("serve"), "serve"];
}

/** `blink-store copy` as the words of a command, for tests that end it or look at its terminal. */
export function copyWords(): string[] {
  return [...sources("copy"), "copy"];
}

function start(args: readonly string[], { env = {}, program }: Given) {
  const [file, ...words] = program ?? sources(args[0] ?? "serve");
  const inherited = Object.entries(Deno.env.toObject())
    .filter(([name]) => !name.startsWith("BLINK_"));
  return new Deno.Command(file, {
    args: [...words, ...args],
    clearEnv: true,
    env: { ...Object.fromEntries(inherited), NO_COLOR: "1", BLINK_HISTORY: "", ...env },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

/** Runs `blink-store` with these words to its end. */
export async function blinkStore(args: readonly string[], given: Given = {}): Promise<Ended> {
  const child = start(args, given);
  const writer = child.stdin.getWriter();
  const { input = "" } = given;
  const bytes = typeof input === "string" ? new TextEncoder().encode(input) : input;
  const fed = writer.write(bytes).then(() => writer.close()).catch(() => {});
  // A process that does not end is killed, and fails the test by its status.
  const timer = setTimeout(() => child.kill("SIGKILL"), waitMs);
  const { code, stdout, stderr } = await child.output();
  clearTimeout(timer);
  await fed;
  return { status: code, stdout: text(stdout), stderr: text(stderr) };
}

/** A server that runs as a process. */
export interface Serving extends AsyncDisposable {
  /** The line that it printed once it listened. */
  readonly line: string;
  /** The port of its first TCP address; 0 where there is none. */
  readonly port: number;
  readonly pid: number;
  /** Sends it a signal. */
  kill(signal: Deno.Signal): void;
  /** Resolves once its log holds this text; rejects when it ends before, or at the deadline. */
  logged(text: string): Promise<void>;
  /** Resolves when the process has ended; rejects at the deadline. */
  readonly ended: Promise<Ended>;
}

/**
 * Starts `blink-store serve` and resolves once it says that it listens.
 *
 * @throws when it ends before.
 */
export async function serving(args: readonly string[], given: Given = {}): Promise<Serving> {
  const child = start(["serve", ...args], given);
  await child.stdin.close();
  const stdout = collect(child.stdout);
  const stderr = collect(child.stderr);
  const ended = Promise.all([child.status, stdout.all, stderr.all]).then(
    ([{ code }, stdout, stderr]) => ({ status: code, stdout, stderr }),
  );
  const line = await stdout.upTo("\n");
  if (line === undefined) {
    throw new Error(`The server ended before it listened: ${(await ended).stderr}`);
  }
  return {
    line,
    port: Number(/listens on \S+:(\d+)/.exec(line)?.[1] ?? 0),
    pid: child.pid,
    kill: (signal) => child.kill(signal),
    async logged(text) {
      if (await stderr.upTo(text) === undefined) throw new Error(`The log never said: ${text}`);
    },
    get ended() {
      return deadline(ended, waitMs);
    },
    async [Symbol.asyncDispose]() {
      try {
        child.kill("SIGKILL");
      } catch {
        // It has ended already.
      }
      await ended;
    },
  };
}

/** Reads a stream to its end; `upTo` resolves with the text before a mark, once that has come. */
function collect(stream: ReadableStream<Uint8Array<ArrayBuffer>>) {
  let text = "";
  let ended = false;
  let more = Promise.withResolvers<void>();
  const read = async () => {
    for await (const chunk of stream.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      more.resolve();
      more = Promise.withResolvers();
    }
    ended = true;
    more.resolve();
    return text;
  };
  return {
    all: read(),
    async upTo(mark: string): Promise<string | undefined> {
      const found = async () => {
        while (!ended && !text.includes(mark)) await more.promise;
      };
      await deadline(found(), waitMs);
      return text.includes(mark) ? text.slice(0, text.indexOf(mark)) : undefined;
    },
  };
}

/**
 * Sends text to a server, half-closes, and returns all that it answers; rejects at the deadline.
 */
export async function exchange(
  to: { port: number } | { path: string },
  lines: string,
): Promise<string> {
  return await deadline(exchanged(to, lines), waitMs);
}

async function exchanged(to: { port: number } | { path: string }, lines: string): Promise<string> {
  using conn =
    await ("path" in to
      ? Deno.connect({ transport: "unix", path: to.path })
      : Deno.connect({ hostname: "127.0.0.1", port: to.port }));
  await conn.write(new TextEncoder().encode(lines));
  await conn.closeWrite();
  let answer = "";
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(65_536);
  for (let n = await conn.read(buffer); n !== null; n = await conn.read(buffer)) {
    answer += decoder.decode(buffer.subarray(0, n), { stream: true });
  }
  return answer;
}

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
