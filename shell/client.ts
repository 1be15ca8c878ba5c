/**
 * Runs the client in the mode that its options ask for. It always ends with an exit status and at
 * most one line on standard error.
 *
 * @module
 */
import { processIo } from "./io.ts";
import { runOneOff } from "./one_off.ts";
import { type ClientOptions, exitStatus, type ShellIo } from "./options.ts";
import { runPiped } from "./piped.ts";
import { UsageError } from "./request.ts";
import { fatalErrorText } from "./errors.ts";

/** Runs the client as the options say; resolves with the exit status and does not reject. */
export async function runClient(
  options: ClientOptions,
  io: ShellIo = processIo(),
): Promise<number> {
  try {
    return await runMode(options, io);
  } catch (error) {
    // The reader of a pipe has taken what it wanted, as in `… | head -1`.
    if (error instanceof Deno.errors.BrokenPipe) return exitStatus.ok;
    await io.errors.write(fatalErrorText(error) + "\n").catch(() => {});
    return error instanceof UsageError ? exitStatus.usage : exitStatus.failed;
  }
}

async function runMode(options: ClientOptions, io: ShellIo): Promise<number> {
  // Each mode is loaded only when it is used: the line editor takes time to load.
  switch (options.mode ?? "command") {
    case "stat":
      return await (await import("./stat.ts")).runStat(options, io);
    case "scan":
      return await (await import("./scan.ts")).runScan(options, io);
    case "latency":
      return await (await import("./latency.ts")).runLatency(options, io);
    case "command":
      break;
  }
  if (options.words && options.words.length > 0) return await runOneOff(options, io);
  if (!io.inputIsTerminal || !io.output.isTerminal) return await runPiped(options, io);
  return await (await import("./session.ts")).runSession(options, io);
}
