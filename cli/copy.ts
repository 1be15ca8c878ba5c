/**
 * `blink-store copy`: copies the string entries of one store to another, shows its progress on a
 * terminal, and reports at the end what was copied and what was not.
 *
 * @module
 */

import {
  copyEntries,
  type CopyProgress,
  type CopyResult,
  type IfPresent,
  othersOf,
  RedisSource,
  RedisTarget,
  refusedOf,
  renderProgress,
  renderReport,
  ResumeFile,
} from "../copy/mod.ts";
import { type CopyAddress, isSameStore, readCopyAddress, withPassword } from "./copy_address.ts";
import { showHelp } from "./help.ts";
import { copyCommand } from "./options/copy.ts";
import { parse, type Values } from "./parse.ts";
import { ProgressLine } from "./progress_line.ts";
import { SignalClassifier, stopSignals } from "./stop_signals.ts";
import { UsageError } from "./usage_error.ts";

type CopyValues = Values<typeof copyCommand.options>;

/** Copies; resolves with the exit status, which is 1 unless everything was copied. */
export async function run(args: readonly string[]): Promise<number> {
  const { values, words, help } = parse(copyCommand.options, args);
  if (help) return showHelp(copyCommand);
  if (words.length > 0) throw new UsageError(`unexpected word "${words[0]}"`);
  if (values["dry-run"] && values.resume !== undefined) {
    throw new UsageError("--dry-run or --resume: give one of them");
  }
  const ifPresent = ifPresentOf(values);
  const [from, to] = await addressesOf(values);
  const file = values.resume === undefined ? undefined : new ResumeFile(values.resume, {
    from: from.shown,
    to: to.shown,
    match: values.match,
  });
  const resume = await file?.load();
  using source = new RedisSource(from);
  using target = new RedisTarget(to);
  const stop = stopOnSignal();
  const progress = new ProgressLine({ drawMs: 200 });
  const begin = performance.now();
  const showProgress = (now: CopyProgress) => {
    const seconds = (performance.now() - begin) / 1000;
    const seenBefore = resume?.counts.seen ?? 0;
    const isPartial = values.match !== undefined;
    progress.show(() => renderProgress(now, { seconds, seenBefore, isPartial }));
  };
  let result: CopyResult;
  try {
    result = await copyEntries({
      source,
      target,
      match: values.match,
      ifPresent,
      dryRun: values["dry-run"],
      batchKeys: values["batch-keys"],
      batchBytes: values["batch-bytes"],
      retryMs: values.retry === undefined ? undefined : values.retry * 1000,
      resume,
      save: file === undefined ? undefined : (state) => file.save(state),
      onProgress: progress.isShown && !values.quiet ? showProgress : undefined,
      onRestart: (side) => {
        progress.clear();
        console.error(`The ${side} was started again since: the copy begins again`);
      },
      signal: stop.signal,
    });
  } finally {
    progress.clear();
    stop.dispose();
  }
  if (result.end === "done") await file?.remove();
  report(result, values, (performance.now() - begin) / 1000);
  if (result.end === "interrupted") return stop.status();
  return statusOf(result, values);
}

function ifPresentOf(values: CopyValues): IfPresent | undefined {
  const action = values["if-present"];
  if (action === undefined || action === "overwrite" || action === "skip") return action;
  throw new UsageError(`--if-present: "${action}" is not an action: give overwrite or skip`);
}

/** The source and the target, with their passwords. */
async function addressesOf(values: CopyValues): Promise<[from: CopyAddress, to: CopyAddress]> {
  const read = (side: "from" | "to") => {
    const text = values[side];
    if (text === undefined) {
      throw new UsageError(`--${side} is missing: give the address of a store`);
    }
    try {
      return readCopyAddress(text);
    } catch (error) {
      if (error instanceof UsageError) throw new UsageError(`--${side}: ${error.message}`);
      throw error;
    }
  };
  const [from, to] = [read("from"), read("to")];
  if (isSameStore(from, to)) throw new UsageError("--from and --to name the same store");
  const certificates = await certificatesOf(values["ca-file"]);
  const complete = async (address: CopyAddress, side: "from" | "to") => ({
    ...await withPassword(
      address,
      values[`${side}-password-file`],
      `BLINK_${side.toUpperCase()}_PASSWORD`,
    ),
    ...(certificates && { certificates }),
  });
  return [await complete(from, "from"), await complete(to, "to")];
}

async function certificatesOf(path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined;
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    throw new Error(`Cannot read the certificates ${path}: ${(error as Error).message}`);
  }
}

/** Ends the copy after its batch at the first signal, and the program at a later one. */
function stopOnSignal() {
  const controller = new AbortController();
  const classifier = new SignalClassifier();
  let status = 1;
  const listeners = stopSignals.map(([signal, number]) => {
    const listener = () => {
      status = 128 + number;
      if (classifier.next() === "end") Deno.exit(status);
      controller.abort();
    };
    Deno.addSignalListener(signal, listener);
    return [signal, listener] as const;
  });
  return {
    signal: controller.signal,
    /** The exit status of a copy that a signal has ended. */
    status: () => status,
    dispose() {
      for (const [signal, listener] of listeners) Deno.removeSignalListener(signal, listener);
    },
  };
}

/** Prints what was copied on standard output, and why the copy has ended early on the other. */
function report(result: CopyResult, values: CopyValues, seconds: number): void {
  const isWell = statusOf(result, values) === 0;
  const hasBegun = result.end !== "failed" || result.counts.seen > 0;
  if (hasBegun && !(values.quiet && isWell)) {
    const text = renderReport(result, { seconds, isDryRun: values["dry-run"] });
    if (values.quiet) console.error(text);
    else console.log(text);
  }
  if (result.end === "done") return;
  const how = values.resume === undefined
    ? "run it again, with --if-present skip to leave out what is there"
    : "run the same command again to go on from there";
  console.error(`blink-store: ${result.reason ?? "interrupted"}${hasBegun ? `; ${how}` : ""}`);
}

function statusOf(result: CopyResult, values: CopyValues): number {
  if (result.end !== "done" || refusedOf(result.counts) > 0) return 1;
  return othersOf(result.counts) > 0 && !values["skip-other-types"] ? 1 : 0;
}
