/**
 * `blink-store run`: the client's shell on a store inside this process, over the same code that
 * serves the network.
 *
 * @module
 */

import { connect } from "../client.ts";
import { connectInProcess } from "../server.ts";
import { runClient } from "../shell/mod.ts";
import { outputOf } from "./client.ts";
import { showHelp } from "./help.ts";
import { runCommand } from "./options/run.ts";
import { parse } from "./parse.ts";

/** Runs the shell on a store of its own; resolves with the exit status. */
export async function run(args: readonly string[]): Promise<number> {
  const { values, words, help } = parse(runCommand.options, args, { stopEarly: true });
  if (help) return showHelp(runCommand);
  const transport = connectInProcess({ memoryLimitBytes: values["memory-limit"] });
  return await runClient({
    address: "a store inside this process",
    connect: () => connect({ transport: () => transport }),
    words,
    raw: values.raw,
    output: outputOf(values),
    jsonValues: values["json-values"],
  });
}
