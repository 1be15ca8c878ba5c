/**
 * The terminal, pipes and environment of this process. The shell uses the runtime's own interfaces
 * only here and in `history.ts`; all else is of the web or of Node.
 *
 * @module
 */
import type { ShellIo, ShellOutput } from "./options.ts";

const encoder = new TextEncoder();

/** Columns to assume where the terminal's width is unknown. */
const columnsDefault = 80;

/** Standard output or standard error of this process. */
class ProcessOutput implements ShellOutput {
  readonly isTerminal: boolean;
  readonly #file: typeof Deno.stdout;

  constructor(file: typeof Deno.stdout) {
    this.#file = file;
    this.isTerminal = file.isTerminal();
  }

  async write(chunk: string | Uint8Array) {
    const bytes = typeof chunk === "string" ? encoder.encode(chunk) : chunk;
    for (let at = 0; at < bytes.length;) at += await this.#file.write(bytes.subarray(at));
  }

  columns(): number {
    try {
      return Deno.consoleSize().columns || columnsDefault;
    } catch {
      return columnsDefault;
    }
  }
}

function env(name: string): string | undefined {
  try {
    return Deno.env.get(name);
  } catch {
    return undefined;
  }
}

const endingSignals: readonly Deno.Signal[] = Deno.build.os === "windows"
  ? ["SIGINT", "SIGBREAK"]
  : ["SIGINT", "SIGTERM", "SIGHUP"];

function interrupted(): AbortSignal {
  const controller = new AbortController();
  for (const signal of endingSignals) {
    const abort = () => {
      // A second one ends the process, as it would without the shell.
      Deno.removeSignalListener(signal, abort);
      controller.abort();
    };
    Deno.addSignalListener(signal, abort);
  }
  return controller.signal;
}

function maySuspend(): boolean {
  return Deno.build.os !== "windows" &&
    Deno.permissions.querySync({ name: "run" }).state === "granted";
}

function onResize(changed: () => void): () => void {
  if (Deno.build.os === "windows") return () => {};
  Deno.addSignalListener("SIGWINCH", changed);
  return () => Deno.removeSignalListener("SIGWINCH", changed);
}

/** Input, output and environment of this process. */
export function processIo(): ShellIo {
  return {
    input: Deno.stdin.readable,
    inputIsTerminal: Deno.stdin.isTerminal(),
    output: new ProcessOutput(Deno.stdout),
    errors: new ProcessOutput(Deno.stderr as typeof Deno.stdout),
    env,
    setRaw: (on) => Deno.stdin.setRaw(on),
    maySuspend,
    onResize,
    interrupted,
  };
}
