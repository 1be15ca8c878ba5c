/**
 * `blink-store client`: finds out which store to connect to and what to do there. A first word that
 * is a command of the protocol makes it a one-off command; the flags end there, so that a value
 * such as `--raw` is stored. Other words are the host and port.
 *
 * @module
 */

import { connect } from "../client.ts";
import { commandNamed } from "../commands/mod.ts";
import { type ClientMode, type OutputFormat, runClient } from "../shell/mod.ts";
import { showHelp } from "./help.ts";
import { clientCommand } from "./options/client.ts";
import { parse, type Values } from "./parse.ts";
import { showStore, storeAddress } from "./store_address.ts";
import { readToken } from "./token.ts";
import { UsageError } from "./usage_error.ts";

type ClientValues = Values<typeof clientCommand.options>;

/** Runs the client; resolves with the exit status. */
export async function run(args: readonly string[]): Promise<number> {
  const first = parse(clientCommand.options, args, { stopEarly: true });
  if (first.help) return showHelp(clientCommand);
  const isCommand = first.words.length > 0 && commandNamed(first.words[0]) !== undefined;
  const { values, words, help } = isCommand ? first : parse(clientCommand.options, args);
  if (help) return showHelp(clientCommand);
  const command = isCommand ? words : [];
  const mode = modeOf(values, command);
  const address = storeAddress(values, isCommand ? [] : words);
  const token = await readToken(values["token-file"]);
  return await runClient({
    address: showStore(address),
    // One attempt, so that the user sees at once that the server is gone; the next command retries.
    connect: () => connect({ ...address, token, connectAttemptsMax: 1 }),
    mode,
    words: command,
    lastFromInput: values.stdin,
    raw: values.raw,
    output: outputOf(values),
    jsonValues: values["json-values"],
    repeat: values.repeat === 0 ? Infinity : values.repeat,
    intervalSeconds: values.interval,
    scanPrefix: values.scan,
  });
}

/** The one mode that the flags ask for. */
function modeOf(values: ClientValues, words: readonly string[]): ClientMode {
  const modes = (["stat", "scan", "latency"] as const).filter((name) =>
    name === "scan" ? values.scan !== undefined : values[name]
  );
  if (modes.length > 1) throw new UsageError(`--${modes[0]} or --${modes[1]}: give one of them`);
  if (modes.length === 1 && words.length > 0) {
    throw new UsageError(`--${modes[0]} takes no command: leave out "${words[0]}"`);
  }
  if (values.stdin && words.length === 0) {
    throw new UsageError("-x needs a command whose last word it reads, such as -x SET photo");
  }
  return modes[0] ?? "command";
}

/** The format of replies that the flags ask for. */
export function outputOf(values: { json: boolean; csv: boolean; raw: boolean }): OutputFormat {
  const formats = (["json", "csv"] as const).filter((name) => values[name]);
  if (formats.length > 1) throw new UsageError("--json or --csv: give one of them");
  if (formats.length > 0 && values.raw) {
    throw new UsageError(`--raw or --${formats[0]}: give one of them`);
  }
  return formats[0] ?? "text";
}
