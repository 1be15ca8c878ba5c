/**
 * A server with a data file, in a process of its own, which can be killed.
 *
 * @module
 */

/** How the server is started. */
export interface DataServerOptions {
  readonly file: string;
  readonly threads: number;
  readonly sync: "always" | "interval" | "off";
}

/** A server in a process of its own. */
export class DataServer implements AsyncDisposable {
  readonly port: number;
  readonly #process: Deno.ChildProcess;
  readonly #log: Promise<string>;
  #isKilled = false;
  #hasEnded = false;

  private constructor(port: number, process: Deno.ChildProcess, log: Promise<string>) {
    this.port = port;
    this.#process = process;
    this.#log = log;
    process.status.then(() => this.#hasEnded = true);
  }

  /** Starts a server on a data file, on a free port; throws what it says where it does not start. */
  static async start(
    { file, threads, sync }: DataServerOptions,
    more: readonly string[] = [],
  ): Promise<DataServer> {
    const main = new URL("../main.ts", import.meta.url).pathname;
    const process = new Deno.Command(Deno.execPath(), {
      // deno-fmt-ignore: flags and their values
      args: [
        "run", "-A", main, "serve", "--port", "0", "--memory-limit", "256MiB", "--data", file,
        "--sync", sync, "--threads", String(threads), ...more,
      ],
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const log = new Response(process.stderr).text();
    const reader = process.stdout.pipeThrough(new TextDecoderStream()).getReader();
    let line = "";
    while (!line.includes("\n")) {
      const { value, done } = await reader.read();
      if (done) throw new Error(`The server did not start: ${await log}`);
      line += value;
    }
    await reader.cancel();
    const port = Number(/listens on 127\.0\.0\.1:(\d+)/.exec(line)?.[1]);
    return new DataServer(port, process, log);
  }

  /** What it has logged; resolves when it has ended. */
  get log(): Promise<string> {
    return this.#log;
  }

  /** Its number in the system. */
  get pid(): number {
    return this.#process.pid;
  }

  /** Kills it at once. */
  async kill(): Promise<void> {
    if (!this.#isKilled) {
      this.#isKilled = true;
      if (this.#hasEnded) throw new Error(`The server has ended by itself: ${await this.#log}`);
      this.#process.kill("SIGKILL");
    }
    await this.#process.status;
    await this.#log;
  }

  /** Asks it to end; resolves with its exit status. */
  async stop(): Promise<number> {
    if (!this.#isKilled) {
      this.#isKilled = true;
      this.#process.kill("SIGTERM");
    }
    const { code } = await this.#process.status;
    await this.#log;
    return code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}
