/**
 * The command line of Blink Store: runs the subcommand, and turns an error into one line and an
 * exit status: 0 success, 1 failure, 2 wrong usage. Each subcommand is loaded only when it is used,
 * so a server starts without the client's code and a client without the server's.
 *
 * ```sh
 * deno run -A jsr:@blink/store serve
 * deno run -A jsr:@blink/store client
 * ```
 *
 * @module
 */

import { UsageError } from "./cli/usage_error.ts";

/** A subcommand: the words after its name in, the exit status out. */
type Run = (args: readonly string[]) => number | Promise<number>;

async function subcommand(name: string): Promise<Run> {
  switch (name) {
    case "serve":
      return (await import("./cli/serve.ts")).run;
    case "client":
      return (await import("./cli/client.ts")).run;
    case "run":
      return (await import("./cli/run.ts")).run;
    case "bench":
      return (await import("./cli/bench.ts")).run;
    case "copy":
      return (await import("./cli/copy.ts")).run;
    case "data":
      return (await import("./cli/data.ts")).run;
    case "completions":
      return (await import("./cli/completions.ts")).run;
    case "help":
    case "--help":
    case "-h":
      return (await import("./cli/help.ts")).run;
    case "--version":
    case "-V":
      return (await import("./cli/help.ts")).showVersion;
    default:
      throw (await import("./cli/help.ts")).unknownSubcommand(name);
  }
}

/** Makes one line that says what is wrong with the command line and what to do. */
async function explain(error: UsageError, name: string): Promise<string> {
  const known = /^[a-z]+$/.test(name) && name !== "help" && error.typed !== name;
  const command = known ? `blink-store ${name}` : "blink-store";
  const { nearest } = await import("./cli/nearest.ts");
  const near = error.typed === undefined ? undefined : nearest(error.typed, error.known);
  const hint = near === undefined ? `see ${command} --help` : `did you mean ${near}?`;
  return `${command}: ${error.message}; ${hint}`;
}

/** Prints an error. If standard error cannot be written, only the exit status shows it. */
function report(line: string): void {
  try {
    console.error(line);
  } catch {
    // There is no other place for the message.
  }
}

async function main([name = "help", ...args]: readonly string[]): Promise<number> {
  try {
    return await (await subcommand(name))(args);
  } catch (error) {
    if (error instanceof UsageError) {
      report(await explain(error, name));
      return 2;
    }
    const message = error instanceof Error ? error.message : String(error);
    report(`blink-store: ${message.split("\n")[0]}`);
    return 1;
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));
