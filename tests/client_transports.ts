/**
 * Runs the same scenario over each way to reach a store: TCP, a Unix socket, and in the process.
 *
 * @module
 */

import { BlinkStore, type ConnectOptions } from "../client.ts";
import { connectInProcess } from "../server.ts";
import { serve, type ServerOptions } from "../server.ts";
import { Store } from "../store.ts";
import { test } from "./client_bounded.ts";

/** A running store and how to reach it. */
export interface Reachable extends AsyncDisposable {
  /** Tells a client where it is. */
  readonly options: ConnectOptions;
}

/** One way to reach a store. */
export interface Way {
  readonly name: string;
  /** Starts an empty store that is reached this way. */
  start(options?: ServerOptions): Promise<Reachable>;
}

/** Every way to reach a store. */
export const ways: readonly Way[] = [
  { name: "TCP", start: startTcp },
  { name: "a Unix socket", start: startUnix },
  { name: "in the process", start: startInProcess },
];

/** Registers the scenario as one test for each way; each has an empty store and a client of it. */
export function overEachWay(
  name: string,
  scenario: (store: BlinkStore, options: ConnectOptions) => Promise<void>,
): void {
  for (const way of ways) {
    test(`${name} (${way.name})`, async () => {
      await using reachable = await way.start();
      await using store = new BlinkStore(reachable.options);
      await scenario(store, reachable.options);
    });
  }
}

async function startTcp(options: ServerOptions = {}): Promise<Reachable> {
  const server = await serve({ ...options, tcp: [{ hostname: "127.0.0.1", port: 0 }] });
  const { port } = server.addresses[0] as Deno.NetAddr;
  return { options: { port }, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

async function startUnix(options: ServerOptions = {}): Promise<Reachable> {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/blink.sock`;
  const server = await serve({ ...options, unix: [{ path }] });
  return {
    options: { unix: path },
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

function startInProcess(options: ServerOptions = {}): Promise<Reachable> {
  const { memoryLimitBytes = 10 * 1024 * 1024 } = options;
  const store = new Store({ limitBytes: memoryLimitBytes });
  return Promise.resolve({
    options: { transport: () => connectInProcess({ store }) },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  });
}
