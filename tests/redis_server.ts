/**
 * Starts `redis-server` for tests, on a free port of the loopback address, without persistence.
 *
 * @module
 */

// @ts-types="../types/std.d.ts"
import { deadline } from "@std/async/deadline";
import { Redis } from "ioredis";
import { freePort } from "./http_backend.ts";

/** How long a server may take to start, in milliseconds. */
const startMsMax = 30_000;

/** How often a port is tried again that another process has taken meanwhile. */
const attemptsMax = 3;

/** True where `redis-server` is installed. */
export function hasRedis(): boolean {
  try {
    return new Deno.Command("redis-server", { args: ["--version"], stdout: "null" }).outputSync()
      .success;
  } catch {
    return false;
  }
}

/** A running `redis-server`. */
export class RedisServer implements AsyncDisposable {
  readonly port: number;
  /** A client of it, for the test's own commands. */
  readonly client: Redis;
  readonly #process: Deno.ChildProcess;
  readonly #drained: Promise<void>;

  private constructor(
    port: number,
    process: Deno.ChildProcess,
    drained: Promise<void>,
    password: string | undefined,
  ) {
    this.port = port;
    this.#process = process;
    this.#drained = drained;
    this.client = new Redis({ host: "127.0.0.1", port, password, retryStrategy: () => null });
    // A test that ends the server loses this connection too.
    this.client.on("error", () => {});
  }

  /**
   * Starts a server.
   *
   * @param settings More of its arguments.
   * @param password What its clients must give; `requirepass` is then set.
   */
  static async start(settings: readonly string[] = [], password?: string): Promise<RedisServer> {
    for (let attempt = 1;; attempt++) {
      const port = freePort();
      const process = new Deno.Command("redis-server", {
        args: [
          ...["--port", `${port}`, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"],
          ...(password === undefined ? [] : ["--requirepass", password]),
          ...settings,
        ],
        stdin: "null",
        stdout: "piped",
        stderr: "null",
      }).spawn();
      const ready = Promise.withResolvers<boolean>();
      const drained = drain(process.stdout, ready);
      if (await deadline(ready.promise, startMsMax)) {
        return new RedisServer(port, process, drained, password);
      }
      await process.status;
      await drained;
      if (attempt === attemptsMax) throw new Error("redis-server does not start");
    }
  }

  /** The address for a copy. */
  get address(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Ends it at once. */
  async end(): Promise<void> {
    try {
      this.#process.kill("SIGKILL");
    } catch {
      // It has ended already.
    }
    await this.#process.status;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.client.status !== "end") this.client.disconnect();
    await this.end();
    await this.#drained;
  }
}

/** Reads a log to its end; says whether the server was ready before that. */
async function drain(
  log: ReadableStream<Uint8Array<ArrayBuffer>>,
  ready: PromiseWithResolvers<boolean>,
): Promise<void> {
  let text = "";
  for await (const part of log.pipeThrough(new TextDecoderStream())) {
    text = (text + part).slice(-4096);
    if (text.includes("Ready to accept connections")) ready.resolve(true);
  }
  ready.resolve(false);
}
