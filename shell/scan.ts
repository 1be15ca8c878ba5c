/**
 * `--scan [PREFIX]`: prints every key of the store, or those with a prefix, a line each, as they
 * arrive. A key may appear twice while others are written, as with SCAN itself. As text, a key that
 * a line cannot name appears as base64 in double quotes, so that each key has one line; as data, it
 * appears as it is.
 *
 * @module
 */
import { coloursFor } from "./colours.ts";
import { escapeText } from "./escape.ts";
import { csvField } from "./format_data.ts";
import { type ClientOptions, exitStatus, type OutputFormat, type ShellIo } from "./options.ts";
import { decodeKey, parseReply } from "../client.ts";
import { UsageError } from "./request.ts";
import { requestTimeoutMs } from "./timing.ts";
import { closeStore } from "./errors.ts";

/** Entries that one request visits. */
const scanCount = 1000;

/** Lists the keys; resolves with the exit status. */
export async function runScan(options: ClientOptions, io: ShellIo): Promise<number> {
  const prefix = options.scanPrefix ?? "";
  if (/[ \t\r\n]/.test(prefix)) {
    throw new UsageError("The prefix has a blank or line break in it, which a line cannot name");
  }
  const print = printer(options.output ?? "text", io);
  const store = await options.connect();
  try {
    let cursor = "0";
    do {
      const line = `SCAN ${cursor} ${scanCount}${prefix === "" ? "" : " " + prefix}`;
      const reply = await store.request(line, { timeoutMs: requestTimeoutMs });
      const parsed = parseReply(reply);
      if (parsed.kind !== "KEYS") {
        await io.errors.write(escapeText(reply) + "\n");
        return exitStatus.failed;
      }
      if (parsed.keys.length > 0) await io.output.write(parsed.keys.map(print).join(""));
      cursor = parsed.next;
    } while (cursor !== "0");
  } finally {
    await closeStore(store);
  }
  return exitStatus.ok;
}

function printer(output: OutputFormat, io: ShellIo): (key: string) => string {
  const { cyan } = coloursFor(io.output, io);
  const safe = io.output.isTerminal ? (text: string) => escapeText(text, cyan) : String;
  const decoder = new TextDecoder();
  switch (output) {
    case "json":
      return (key) => safe(JSON.stringify(decodeKey(key))) + "\n";
    case "csv":
      return (key) => safe(decoder.decode(csvField(decodeKey(key)))) + "\n";
    case "text":
      return (key) => safe(key) + "\n";
  }
}
