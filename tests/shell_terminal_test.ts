/** The interactive shell as a process on a real terminal, made by util-linux's `script`. */
import { assertEquals, assertMatch } from "./assert.ts";
// @ts-types="../types/std.d.ts"
import { deadline } from "@std/async/deadline";
import { ShellServer } from "./fake_terminal.ts";

/** How long a test waits for what it expects, in milliseconds. */
const waitMs = 30_000;

/** True where `script` makes a terminal for a command given with `-c`. */
function hasScript(): boolean {
  try {
    const { success, stdout } = new Deno.Command("script", { args: ["--version"] }).outputSync();
    return success && new TextDecoder().decode(stdout).includes("util-linux");
  } catch {
    return false;
  }
}

const main = new URL("../main.ts", import.meta.url).pathname;
const config = new URL("../deno.json", import.meta.url).pathname;

/** A process on a terminal, to type to and to read from. */
class OnTerminal implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #keys: WritableStreamDefaultWriter<Uint8Array>;
  #shown = "";
  #ended = false;
  #changed = () => {};
  readonly #reading: Promise<void>;

  constructor(command: string) {
    this.#process = new Deno.Command("script", {
      args: ["-qec", command, "/dev/null"],
      env: { TERM: "xterm", NO_COLOR: "1", BLINK_HISTORY: "" },
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#keys = this.#process.stdin.getWriter();
    this.#reading = this.#read();
  }

  async #read() {
    for await (const text of this.#process.stdout.pipeThrough(new TextDecoderStream())) {
      this.#shown += text;
      this.#changed();
    }
    this.#ended = true;
    this.#changed();
  }

  /** Types keys and waits for what they bring; returns what was shown since. */
  async typeFor(keys: string, expected: RegExp): Promise<string> {
    const from = this.#shown.length;
    await this.#keys.write(new TextEncoder().encode(keys));
    const found = async () => {
      while (!expected.test(this.#shown.slice(from)) && !this.#ended) {
        await new Promise<void>((resolve) => this.#changed = resolve);
      }
    };
    // Past the deadline the assertion below fails and shows what is there.
    await deadline(found(), waitMs).catch(() => {});
    assertMatch(this.#shown.slice(from), expected);
    return this.#shown.slice(from);
  }

  async [Symbol.asyncDispose]() {
    try {
      this.#process.kill("SIGKILL");
    } catch {
      // It has ended by itself.
    }
    await this.#process.status;
    await this.#reading;
    await this.#keys.close().catch(() => {});
  }
}

const skipped = !hasScript();
if (skipped) console.log("shell_terminal_test: skipped, util-linux's script is not installed");

Deno.test({
  name: "terminal: a session is typed, edited and left, and the terminal is as before",
  ignore: skipped,
  fn: async () => {
    await using server = await ShellServer.open();
    const client =
      `'${Deno.execPath()}' run -A --config '${config}' '${main}' client --port ${server.port}`;
    await using terminal = new OnTerminal(`${client}; echo status $?; stty -a; cat`);
    await terminal.typeFor("", /Connected to 127\.0\.0\.1:\d+\r\nCommands: .*\r\n\r\n.*> /s);
    // Left twice, a letter put in, Ctrl-A and another, then the whole line runs.
    await terminal.typeFor("ET ke 1\x1b[D\x1b[Dy\x01S\r", /OK\r\n/);
    await terminal.typeFor("get key\r", /1\r\n/);
    const left = await terminal.typeFor("half\x03", /status \d+\r\n.*icanon/s);
    assertMatch(left, /status 0\r\n/);
    assertEquals(/-icanon|-echo\b/.test(left), false);
  },
});
