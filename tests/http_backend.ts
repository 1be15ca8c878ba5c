/**
 * An HTTP backend of the examples as a running process: started on a port of its own, called, and
 * ended with its test.
 *
 * @module
 */

// @ts-types="../types/std.d.ts"
import { deadline } from "@std/async/deadline";
import { assert } from "./assert.ts";

/** A deadline for each program, so that one that hangs fails its test. */
export const programMsMax = 30_000;

/** Any free port of this machine. */
export const anyPort = { hostname: "127.0.0.1", port: 0 };

/** A port that was free a moment ago, for programs that cannot say which one they got. */
export function freePort(): number {
  const listener = Deno.listen(anyPort);
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  return port;
}

/** A running HTTP backend. */
export class Backend implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #http = Deno.createHttpClient({});
  #url = "";

  /** Where it listens, once it does. */
  get url(): string {
    return this.#url;
  }

  constructor(
    fixedPort: boolean,
    command: readonly string[],
    options: { env: Record<string, string>; cwd?: string },
  ) {
    const port = fixedPort ? String(freePort()) : "0";
    this.#child = new Deno.Command(command[0], {
      args: command.slice(1),
      cwd: options.cwd,
      env: { ...options.env, PORT: port },
      stdin: "null",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
  }

  /** Waits until the backend says where it listens, and really does. */
  async listening(): Promise<void> {
    const reader = this.#child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    while (!text.includes("\n")) {
      const { value, done } = await deadline(reader.read(), programMsMax);
      if (done) throw new Error("The backend ended before it listened");
      text += value;
    }
    await reader.cancel();
    const said = /^HTTP backend on (http:\/\/127\.0\.0\.1:[0-9]+) -> store (\S+)\n/.exec(text);
    assert(said !== null, text);
    this.#url = said[1];
    const endsAtMs = performance.now() + programMsMax;
    for (;;) {
      try {
        return void await this.send("GET", "/");
      } catch (error) {
        if (performance.now() > endsAtMs) throw error;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
  }

  async send(
    method: string,
    path: string,
    body?: string | Uint8Array<ArrayBuffer>,
  ): Promise<[number, string]> {
    const response = await this.fetch(method, path, body);
    return [response.status, await response.text()];
  }

  async fetch(
    method: string,
    path: string,
    body?: string | Uint8Array<ArrayBuffer>,
  ): Promise<Response> {
    const signal = AbortSignal.timeout(programMsMax);
    return await fetch(this.#url + path, { method, body, client: this.#http, signal });
  }

  /** Sends the start of a request, and returns the head of the answer that comes all the same. */
  async raw(text: string): Promise<string> {
    const { hostname, port } = new URL(this.#url);
    using conn = await Deno.connect({ hostname, port: Number(port) });
    await conn.write(new TextEncoder().encode(text));
    let answer = "";
    const chunk = new Uint8Array(4096);
    while (!answer.includes("\r\n\r\n")) {
      const bytes = await deadline(conn.read(chunk), programMsMax);
      if (bytes === null) break;
      answer += new TextDecoder().decode(chunk.subarray(0, bytes));
    }
    return answer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#http.close();
    this.#child.kill("SIGTERM");
    await this.#child.status;
  }
}
