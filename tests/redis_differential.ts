/**
 * What tests share that compare replies with those of a real Redis.
 *
 * @module
 */

import { assert } from "./assert.ts";
import { RawClient } from "./raw_client.ts";

/** A reply of version 2; a status and an error begin with their marks. */
export type Reply = string | number | null | readonly Reply[];

/** Reads replies of version 2. */
export class ReplyReader {
  #at = 0;
  constructor(private readonly text: string) {}

  next(): Reply {
    const lineEnd = this.text.indexOf("\r\n", this.#at);
    assert(lineEnd >= 0, "a reply is missing");
    const mark = this.text[this.#at];
    const line = this.text.slice(this.#at + 1, lineEnd);
    this.#at = lineEnd + 2;
    if (mark === ":") return Number(line);
    if (mark === "*") return Array.from({ length: Number(line) }, () => this.next());
    if (mark !== "$") return mark + line;
    if (line === "-1") return null;
    const start = this.#at;
    this.#at += Number(line) + 2;
    return this.text.slice(start, this.#at - 2);
  }
}

/** Whether two replies are the same. */
export function same(a: Reply, b: Reply): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** Starts a Redis on a free port of the loopback address; undefined where none is installed. */
export async function startRedis() {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  const args = ["--port", `${port}`, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"];
  let child: Deno.ChildProcess;
  try {
    child = new Deno.Command("redis-server", { args, stdout: "null", stderr: "null" }).spawn();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
  const stop = async () => {
    child.kill("SIGTERM");
    await child.status;
  };
  const address: Deno.NetAddr = { transport: "tcp", hostname: "127.0.0.1", port };
  const deadline = Date.now() + 10_000;
  for (;;) {
    try {
      (await RawClient.to(address))[Symbol.dispose]();
      return { address, [Symbol.asyncDispose]: stop };
    } catch (error) {
      if (Date.now() > deadline) {
        await stop();
        throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}
