/**
 * Runs Redis's own tests against this server: the units that `redis_suite_skips.ts` names, as the
 * suite runs them against a server that it has not started. The last line of the output is
 * `N passed, N failed, N left out`.
 *
 * Use: `deno task redis:suite PATH [--server HOST:PORT] [--all] [--unit UNIT]...`
 *
 * PATH is a source tree of Redis or Valkey, such as that of Redis 7.2; it need not be built, but
 * `tclsh` must be installed. With `--server` a server that runs already is tested, which loses all
 * its keys. With `--all` no test is left out by name or tag, and encodings are compared.
 *
 * @module
 */

// @ts-types="../types/std.d.ts"
import { parseArgs } from "@std/cli/parse-args";
import { serve } from "../server.ts";
import { deniedTags, skips, units } from "./redis_suite_skips.ts";

/** How long one unit may run, so that one that hangs ends. */
const unitMsMax = 600_000;

/** What the server may keep; some of the tests store large values. */
const memoryLimitBytes = 256 * 1024 * 1024;

/** How the tests of one unit ended. */
interface Outcome {
  passed: number;
  leftOut: number;
  readonly failed: string[];
}

/** Counts what the suite prints. */
function outcomeOf(text: string): Outcome {
  const outcome: Outcome = { passed: 0, leftOut: 0, failed: [] };
  // deno-lint-ignore no-control-regex -- The suite colours its words.
  const lines = text.replace(/\x1b\[[0-9;]*m/g, "").split("\n");
  for (const [at, line] of lines.entries()) {
    const kind = /^\[(ok|err|skip|ignore|exception|TIMEOUT)\]/.exec(line)?.[1];
    if (kind === "ok") outcome.passed++;
    else if (kind === "skip" || kind === "ignore") outcome.leftOut++;
    else if (kind !== undefined) outcome.failed.push(`${line}\n    ${lines[at + 1] ?? ""}`);
  }
  return outcome;
}

async function runUnit(path: string, unit: string, args: readonly string[]): Promise<Outcome> {
  const { code, stdout, stderr } = await new Deno.Command("tclsh", {
    args: ["tests/test_helper.tcl", ...args, "--single", unit],
    cwd: path,
    stdin: "null",
    signal: AbortSignal.timeout(unitMsMax),
  }).output();
  const decoder = new TextDecoder();
  const outcome = outcomeOf(decoder.decode(stdout));
  if (code !== 0 && outcome.failed.length === 0) {
    const reason = decoder.decode(stderr).trim() || decoder.decode(stdout).trim();
    outcome.failed.push(`${unit} ended with status ${code}: ${reason.slice(-500)}`);
  }
  return outcome;
}

async function runUnits(
  path: string,
  names: readonly string[],
  args: readonly string[],
): Promise<boolean> {
  const all: Outcome = { passed: 0, leftOut: 0, failed: [] };
  for (const unit of names) {
    const { passed, leftOut, failed } = await runUnit(path, unit, args);
    const counts = `${passed} passed, ${failed.length} failed, ${leftOut} left out`;
    console.log(`${unit.padEnd(20)} ${counts}`);
    for (const failure of failed) console.log(`  ${failure}`);
    all.passed += passed;
    all.leftOut += leftOut;
    all.failed.push(...failed);
  }
  console.log(`${all.passed} passed, ${all.failed.length} failed, ${all.leftOut} left out`);
  return all.failed.length === 0;
}

async function main(): Promise<number> {
  const flags = parseArgs(Deno.args, {
    string: ["server", "unit"],
    boolean: ["all"],
    collect: ["unit"],
  });
  const path = String(flags._[0] ?? "");
  const suite = await Deno.stat(`${path}/tests/test_helper.tcl`).catch(() => undefined);
  if (suite === undefined) {
    console.error("Use: deno task redis:suite PATH [--server HOST:PORT] [--all] [--unit UNIT]...");
    console.error(`Cannot find tests/test_helper.tcl in ${JSON.stringify(path)}`);
    return 2;
  }
  await using server = flags.server === undefined
    ? await serve({ tcp: [{ hostname: "127.0.0.1", port: 0 }], memoryLimitBytes })
    : undefined;
  const [host, port] = server === undefined
    ? String(flags.server).split(":")
    : ["127.0.0.1", String((server.addresses[0] as Deno.NetAddr).port)];
  const skipFile = await Deno.makeTempFile({ prefix: "redis-suite-" });
  try {
    await Deno.writeTextFile(skipFile, skips.flatMap(({ tests }) => tests).join("\n"));
    // OBJECT ENCODING follows from the value here, and in Redis from how it came to be.
    const leaving = flags.all
      ? []
      : ["--skipfile", skipFile, "--tags", deniedTags.join(" "), "--ignore-encoding"];
    const args = [
      ...["--host", host, "--port", port, "--singledb", "--durable", "--dont-clean"],
      ...leaving,
    ];
    const chosen = (flags.unit as string[] | undefined) ?? [];
    const names = chosen.length > 0 ? chosen : units;
    return await runUnits(path, names, args) ? 0 : 1;
  } finally {
    await Deno.remove(skipFile);
  }
}

if (import.meta.main) Deno.exit(await main());
