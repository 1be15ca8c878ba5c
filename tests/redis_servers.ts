/**
 * The servers that the tests of Redis clients talk to: this one, and a real `redis-server` to show
 * what Redis does.
 *
 * @module
 */

// @ts-types="../types/std.d.ts"
import { deadline } from "@std/async/deadline";
import { anyPort, freePort } from "./http_backend.ts";
import { serve } from "./served.ts";

/** How long a `redis-server` may take until it is ready, in milliseconds. */
const startMsMax = 20_000;

/** A running server that speaks the Redis wire on the loopback interface. */
export interface RedisServer extends AsyncDisposable {
  readonly port: number;
}

/** Starts a server of this project. */
export async function startBlink(password?: string): Promise<RedisServer> {
  const server = await serve({ tcp: [anyPort], token: password });
  const { port } = server.addresses[0] as Deno.NetAddr;
  return { port, [Symbol.asyncDispose]: () => server.shutdown() };
}

/**
 * Starts a `redis-server` that keeps nothing on disk.
 *
 * @throws when it ends, or takes too long, before it is ready.
 */
export async function startRedis(password?: string): Promise<RedisServer> {
  const port = freePort();
  const auth = password === undefined ? [] : ["--requirepass", password];
  const child = new Deno.Command("redis-server", {
    args: [
      ...["--port", String(port), "--bind", "127.0.0.1"],
      ...["--save", "", "--appendonly", "no"],
      ...auth,
    ],
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const log = child.stdout.pipeThrough(new TextDecoderStream());
  const ready = Promise.withResolvers<void>();
  const reading = async () => {
    let text = "";
    for await (const chunk of log) {
      text += chunk;
      if (text.includes("Ready to accept connections")) ready.resolve();
    }
    ready.reject(new Error(`redis-server ended: ${text}`));
  };
  const read = reading();
  await deadline(ready.promise, startMsMax);
  return {
    port,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.status;
      // What it said after it was ready matters no longer.
      ready.promise.catch(() => {});
      await read;
    },
  };
}

/**
 * The server that programs are tested against: this project's, or with `BLINK_TEST_REDIS=1` Redis
 * itself, which shows that the programs expect what Redis does.
 */
export const startTested: (password?: string) => Promise<RedisServer> =
  Deno.env.get("BLINK_TEST_REDIS") === "1" ? startRedis : startBlink;
