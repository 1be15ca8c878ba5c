/**
 * What hostile clients cost: the growth of the server's resident memory beside its bound, and how
 * long a bystander waits for its replies meanwhile. Run by `deno task bench:hostile`.
 *
 * @module
 */

import { Histogram } from "../loadgen/mod.ts";

const encoder = new TextEncoder();

/** A server in a process of its own. */
export interface HostileServer extends AsyncDisposable {
  readonly port: number;
  /** Resident bytes now. */
  residentBytes(): Promise<number>;
}

/** Starts a server with these flags. */
export async function startServer(flags: readonly string[]): Promise<HostileServer> {
  const main = new URL("../main.ts", import.meta.url).pathname;
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-check",
      "--v8-flags=--max-semi-space-size=2",
      "-A",
      main,
      "serve",
      "--tcp",
      "127.0.0.1:0",
      ...flags,
    ],
    stdout: "piped",
    stderr: "null",
    stdin: "null",
  }).spawn();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const { value = "" } = await reader.read();
  const port = Number(/127\.0\.0\.1:(\d+)/.exec(value)?.[1]);
  return {
    port,
    async residentBytes() {
      const status = await Deno.readTextFile(`/proc/${child.pid}/status`);
      return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await reader.cancel();
      await child.status;
    },
  };
}

/** Sends pings, one after the other with a pause, until it is stopped. */
async function watch(port: number, waits: Histogram, isOver: () => boolean): Promise<void> {
  const conn = await Deno.connect({ hostname: "127.0.0.1", port });
  conn.setNoDelay(true);
  const buffer = new Uint8Array(64);
  while (!isOver()) {
    const startMs = performance.now();
    await conn.write(encoder.encode("PING\n"));
    await conn.read(buffer);
    waits.record((performance.now() - startMs) * 1000);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  conn.close();
}

/** What one kind of hostile clients cost. */
export interface HostileResult {
  readonly growthBytes: number;
  readonly bystanderP99Ms: number;
  readonly bystanderMaxMs: number;
}

/**
 * Lets hostile clients work for a while, in a process of their own, and watches the server
 * meanwhile.
 */
export async function measureHostile(
  server: HostileServer,
  seconds: number,
  name: string,
): Promise<HostileResult> {
  const waits = new Histogram();
  const before = await server.residentBytes();
  const attackers = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      "--no-check",
      import.meta.url,
      "attack",
      name,
      `${server.port}`,
      `${seconds}`,
    ],
  }).spawn();
  const endsAtMs = performance.now() + seconds * 1000;
  const isOver = () => performance.now() > endsAtMs;
  let most = before;
  const sample = (async () => {
    while (!isOver()) {
      most = Math.max(most, await server.residentBytes());
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  })();
  await Promise.all([sample, watch(server.port, waits, isOver), attackers.status]);
  return {
    growthBytes: most - before,
    bystanderP99Ms: waits.percentileMs(0.99),
    bystanderMaxMs: waits.maxMs,
  };
}

type Attack = (port: number, isOver: () => boolean) => Promise<void>;

/** Clients that repeatedly send a line of `lineBytes` bytes without its end. */
function unfinishedLines(clients: number, lineBytes: number): Attack {
  return async (port: number, isOver: () => boolean): Promise<void> => {
    const chunk = new Uint8Array(64 * 1024).fill(120);
    await Promise.all(Array.from({ length: clients }, async () => {
      while (!isOver()) {
        const conn = await Deno.connect({ hostname: "127.0.0.1", port }).catch(() => undefined);
        if (conn === undefined) continue;
        try {
          await conn.write(encoder.encode("SET k "));
          for (let sent = 0; sent < lineBytes && !isOver();) {
            sent += await conn.write(chunk.subarray(0, Math.min(chunk.length, lineBytes - sent)));
          }
          await new Promise((resolve) => setTimeout(resolve, 200));
        } catch {
          // The server has closed it.
        }
        conn.close();
      }
    }));
  };
}

/** Clients that store values of `valueBytes` bytes, one after the other. */
function largeSets(clients: number, valueBytes: number): Attack {
  const line = new Uint8Array(valueBytes + 7).fill(120);
  line.set(encoder.encode("SET k "));
  line[line.length - 1] = 10;
  return async (port: number, isOver: () => boolean): Promise<void> => {
    await Promise.all(Array.from({ length: clients }, async () => {
      const conn = await Deno.connect({ hostname: "127.0.0.1", port });
      const buffer = new Uint8Array(256);
      try {
        while (!isOver()) {
          for (let sent = 0; sent < line.length;) sent += await conn.write(line.subarray(sent));
          if (await conn.read(buffer) === null) break;
        }
      } catch {
        // The server has closed it.
      }
      conn.close();
    }));
  };
}

/** Clients that repeatedly ask for a large value and never read the replies. */
function neverReading(clients: number, valueBytes: number): Attack {
  return async (port: number, isOver: () => boolean): Promise<void> => {
    const setter = await Deno.connect({ hostname: "127.0.0.1", port });
    const line = encoder.encode(`SET big ${"v".repeat(valueBytes)}\n`);
    for (let sent = 0; sent < line.length;) sent += await setter.write(line.subarray(sent));
    await setter.read(new Uint8Array(256));
    setter.close();
    await Promise.all(Array.from({ length: clients }, async () => {
      while (!isOver()) {
        const conn = await Deno.connect({ hostname: "127.0.0.1", port }).catch(() => undefined);
        if (conn === undefined) continue;
        await conn.write(encoder.encode("GET big\n".repeat(4))).catch(() => {});
        await new Promise((resolve) => setTimeout(resolve, 1500));
        conn.close();
      }
    }));
  };
}

const mib = 1024 * 1024;

/** The attacks, by name. */
export const attacks: Readonly<Record<string, Attack>> = {
  "40 clients, lines of 15 MiB that do not end": unfinishedLines(40, 15 * mib),
  "1,000 clients, lines of 100 KiB that do not end": unfinishedLines(1000, 100 * 1024),
  "10 clients, SETs of 9 MiB": largeSets(10, 9 * mib),
  "100 clients, GETs of 9 MiB that they never read": neverReading(100, 9 * mib),
};

async function attack(name: string, port: number, seconds: number): Promise<void> {
  const endsAtMs = performance.now() + seconds * 1000;
  await attacks[name](port, () => performance.now() > endsAtMs);
}

async function compare(seconds: number): Promise<void> {
  for (const pending of [16, 64, 256]) {
    for (const name of Object.keys(attacks)) {
      await using server = await startServer([`--max-pending=${pending}MiB`]);
      const result = await measureHostile(server, seconds, name);
      console.log(
        `--max-pending ${pending}MiB, ${name}: resident memory grew by ` +
          `${Math.round(result.growthBytes / mib)} MiB; a bystander's p99 ` +
          `${result.bystanderP99Ms.toFixed(1)} ms, longest ${result.bystanderMaxMs.toFixed(1)} ms`,
      );
    }
  }
}

if (import.meta.main) {
  const [mode, name, port, seconds] = Deno.args;
  if (mode === "attack") await attack(name, Number(port), Number(seconds));
  else await compare(Number(mode ?? 8));
}
