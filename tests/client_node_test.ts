/**
 * The client on Node 20 and Bun: bundled into one JavaScript file, it speaks to the real server
 * there. Skipped, and said so, where the runtime is not installed.
 *
 * @module
 */

import { serve } from "../server.ts";
import { assertEquals } from "./assert.ts";

/** A deadline for each program, so that one that hangs fails its test. */
const programMsMax = 60_000;

async function output(program: string, args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, {
    args,
    signal: AbortSignal.timeout(programMsMax),
  }).output();
  const decoder = new TextDecoder();
  if (!success) throw new Error(`${program} failed: ${decoder.decode(stderr)}`);
  return decoder.decode(stdout);
}

async function isInstalled(program: string): Promise<boolean> {
  try {
    await output(program, ["--version"]);
    return true;
  } catch {
    return false;
  }
}

const seen = {
  user: "alice значение 値",
  put: "stored",
  bytes: true,
  large: true,
  many: "1000",
  keys: ["bytes", "job", "large", "user"],
  released: true,
  flushed: 4,
};

for (const runtime of ["node", "bun"]) {
  const installed = await isInstalled(runtime);
  Deno.test({
    name: `the bundled client on ${runtime}${installed ? "" : " (skipped: it is not installed)"}`,
    ignore: !installed,
    async fn() {
      const folder = await Deno.makeTempDir({ prefix: "blink-client-" });
      try {
        const bundle = `${folder}/client.mjs`;
        const entry = new URL("../client.ts", import.meta.url).pathname;
        await output(Deno.execPath(), ["bundle", "--platform=browser", "-o", bundle, entry]);
        const path = `${folder}/blink.sock`;
        await using server = await serve({
          tcp: [{ hostname: "127.0.0.1", port: 0 }],
          unix: [{ path }],
        });
        const { port } = server.addresses[0] as Deno.NetAddr;
        const program = new URL("./client_node_program.mjs", import.meta.url).pathname;
        assertEquals(JSON.parse(await output(runtime, [program, bundle, `${port}`, path])), {
          tcp: seen,
          unix: seen,
          busy: 0,
          lost: ["connection", "connection", "connection"],
          refused: [true, "connection"],
          timedOut: "timeout",
          pooled: "2",
        });
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    },
  });
}
