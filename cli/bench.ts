/**
 * `blink-store bench`: runs the load that the flags describe, shows its progress on a terminal, and
 * prints the result as text or as JSON.
 *
 * @module
 */

import {
  type BenchProgress,
  type LoadOptions,
  renderProgress,
  renderResult,
  runBench,
  type Verb,
  verbs,
} from "../loadgen/mod.ts";
import { showHelp } from "./help.ts";
import { benchCommand } from "./options/bench.ts";
import { parse, type Values } from "./parse.ts";
import { ProgressLine } from "./progress_line.ts";
import { storeAddress } from "./store_address.ts";
import { readToken } from "./token.ts";
import { UsageError } from "./usage_error.ts";
import { readNumber } from "./values.ts";

/** The exit status of a bench that was ended by Ctrl-C. */
const interruptedStatus = 130;

/** Runs the bench; resolves with the exit status, which is 1 if a reply was an error. */
export async function run(args: readonly string[]): Promise<number> {
  const { values, words, help } = parse(benchCommand.options, args);
  if (help) return showHelp(benchCommand);
  const options = loadFrom(values);
  const address = storeAddress(values, words);
  const token = await readToken(values["token-file"]);
  const interrupted = new AbortController();
  const interrupt = () => interrupted.abort();
  Deno.addSignalListener("SIGINT", interrupt);
  const progress = new ProgressLine();
  const showProgress = (now: BenchProgress) => progress.show(() => renderProgress(now));
  try {
    const result = await runBench({
      ...options,
      ...address,
      token,
      signal: interrupted.signal,
      onProgress: progress.isShown ? showProgress : undefined,
    });
    progress.clear();
    console.log(values.json ? JSON.stringify(result, null, 2) : renderResult(result));
    if (interrupted.signal.aborted) return interruptedStatus;
    return result.errors > 0 ? 1 : 0;
  } finally {
    progress.clear();
    Deno.removeSignalListener("SIGINT", interrupt);
  }
}

/** The load that the flags describe; the load generator has defaults for the others. */
function loadFrom(values: Values<typeof benchCommand.options>): LoadOptions {
  if (values.requests !== undefined && values.seconds !== undefined) {
    throw new UsageError("-n or --seconds: give one of them");
  }
  return {
    connections: values.connections,
    pipeline: values.pipeline,
    requests: values.requests,
    seconds: values.seconds,
    valueBytes: values["value-bytes"],
    keys: values.keys,
    zipf: values.zipf,
    fill: values.fill,
    mix: values.mix === undefined ? undefined : readMix(values.mix),
  };
}

/** Reads the weights of a mix, such as `get=80,set=20`. */
export function readMix(text: string): Partial<Record<Verb, number>> {
  const mix: Partial<Record<Verb, number>> = {};
  for (const part of text.split(",")) {
    const [name, weight, ...rest] = part.trim().split("=");
    const verb = verbs.find((verb) => verb === name.toLowerCase());
    if (verb === undefined || weight === undefined || rest.length > 0 || verb in mix) {
      throw new UsageError(
        `--mix: "${part}" is not a weight: give each of ${verbs.join(", ")} at most once, ` +
          "as in get=80,set=20",
      );
    }
    try {
      mix[verb] = readNumber(weight, { max: 1_000_000 });
    } catch (error) {
      throw new UsageError(`--mix: ${(error as Error).message}`);
    }
  }
  if (Object.values(mix).every((weight) => weight === 0)) {
    throw new UsageError(`--mix: "${text}" has no weight: give one of them more than 0`);
  }
  return mix;
}
