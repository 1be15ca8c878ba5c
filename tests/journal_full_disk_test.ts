/**
 * A disk without room: the system refuses to let the files of the server grow (`ulimit -f`), and
 * later allows it again (`prlimit`). What is not kept is refused and undone; then the server goes
 * on.
 *
 * @module
 */

import { assert, assertEquals } from "./assert.ts";
import { RawClient } from "./raw_client.ts";

function hasProgram(name: string): boolean {
  try {
    return new Deno.Command(name, { args: ["--version"], stdout: "null" }).outputSync().success;
  } catch {
    return false;
  }
}

const isPossible = Deno.build.os === "linux" && hasProgram("prlimit") && hasProgram("bash");

/** Bytes that a file may have before there is room. */
const fileBytesMax = 400 * 1024;

for (const threads of [1, 2]) {
  Deno.test({
    name:
      `a full disk with ${threads} threads: refused, undone, and kept again once there is room` +
      (isPossible ? "" : " (skipped: needs bash and prlimit)"),
    ignore: !isPossible,
    fn: async () => {
      const folder = await Deno.makeTempDir({ prefix: "blink-full-" });
      try {
        await onFullDisk(`${folder}/store.db`, threads);
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    },
  });
}

async function onFullDisk(file: string, threads: number): Promise<void> {
  const main = new URL("../main.ts", import.meta.url).pathname;
  const serve = `serve --port 0 --data '${file}' --threads ${threads} --memory-limit 64MiB`;
  // Without the signal, a write that is too long is an error.
  const script =
    `trap '' XFSZ; ulimit -S -f ${fileBytesMax / 1024}; exec '${Deno.execPath()}' run -A ` +
    `'${main}' ${serve}`;
  const process = new Deno.Command("bash", {
    args: ["-c", script],
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const log = new Response(process.stderr).text();
  const reader = process.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const first = (await reader.read()).value ?? await log;
  await reader.cancel();
  const port = Number(/:(\d+),/.exec(first)?.[1]);
  assert(port > 0, first);
  const address = { transport: "tcp", hostname: "127.0.0.1", port } as const;
  using client = await RawClient.to(address);
  using other = await RawClient.to(address);
  const notKept = "ERROR not kept: the data file cannot be written";
  assertEquals(await client.ask("SET stays here\nSET count 5\nSET user:1 a\n"), ["OK", "OK", "OK"]);
  let stored = 0;
  while ((await client.ask(`SET big:${stored} ${"x".repeat(20_000)}\n`))[0] === "OK") stored++;
  assert(stored > 3 && stored < 100, `${stored} values were stored`);
  // Nothing of this may last, whoever asks and however it is mixed.
  const [one, two] = await Promise.all([
    client.ask("INCR count\nGET count\nSET new 1\nGET new\nFLUSH user:\nGET user:1\n"),
    other.ask("DELETE stays\nGET stays\nEXPIRE stays 1\nPUT stays - other\nFLUSH\nGET stays\n"),
  ]);
  assertEquals(one, [notKept, "VALUE NQ==", notKept, "NOT_FOUND", notKept, "VALUE YQ=="]);
  assertEquals(two, [notKept, "VALUE aGVyZQ==", notKept, notKept, notKept, "VALUE aGVyZQ=="]);
  const state = async () => JSON.parse((await client.ask("INFO\n"))[0].slice(5)).data_file;
  assertEquals((await state()).state, "refusing");
  const limit = ["--pid", String(process.pid), "--fsize=unlimited"];
  assert(new Deno.Command("prlimit", { args: limit }).outputSync().success);
  const deadlineMs = performance.now() + 10_000;
  while ((await state()).state !== "keeping") {
    assert(performance.now() < deadlineMs, "the server goes on by itself");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assertEquals(await client.ask("INCR count\nSET new 2\n"), ["INT 6", "OK"]);
  process.kill("SIGKILL");
  await process.status;
  const text = await log;
  assertEquals(text.match(/Cannot write the data file/g)?.length, 1, text);
  // The server was killed: the line may still have been on its way.
  assert((text.match(/again: changes are kept/g)?.length ?? 0) <= 1, text);
  const { checkFile, dumpFile } = await import("../journal/mod.ts");
  checkFile(file);
  const kept = new Map<string, string>();
  await dumpFile(file, (lines) => {
    for (const line of lines.trim().split("\n")) {
      const { key, value } = JSON.parse(line);
      kept.set(key, value);
    }
    return Promise.resolve();
  });
  assertEquals(["stays", "count", "new", "user:1"].map((key) => kept.get(key)), [
    "here",
    "6",
    "2",
    "a",
  ]);
  assertEquals(kept.size, stored + 4);
}
