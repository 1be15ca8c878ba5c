/**
 * One command from the words of the command line: its reply and nothing else on standard output.
 * The exit status is for scripts: 0 when all went well; 1 when the reply was an ERROR, a GET or
 * DELETE found nothing, or the connection failed; 2 when the words are not a command.
 *
 * @module
 */
// @ts-types="../types/std.d.ts"
import { concat } from "@std/bytes/concat";
import { coloursFor } from "./colours.ts";
import { formatParsed, type ReplyStyle } from "./format.ts";
import { helpLines } from "./help.ts";
import { type ClientOptions, exitStatus, type ShellIo, type ShellStore } from "./options.ts";
import { parseReply, type Reply } from "../client.ts";
import { requestLine, UsageError } from "./request.ts";
import { pause, requestTimeoutMs } from "./timing.ts";
import { closeStore } from "./errors.ts";

/** The most that `-x` reads from standard input, in bytes: what one request line can carry. */
export const inputBytesMax = 256 * 1024 * 1024;

/** Runs the words of the options as one command, as often as they say. */
export async function runOneOff(options: ClientOptions, io: ShellIo): Promise<number> {
  const words = options.words ?? [];
  const verb = words[0]?.toUpperCase();
  if (verb === "HELP" && words.length === 2) {
    await io.output.write(helpLines(words[1], coloursFor(io.output, io)).join("\n") + "\n");
    return exitStatus.ok;
  }
  const input = options.lastFromInput ? await readAll(io.input) : undefined;
  const line = requestLine(words, input);
  if (verb === "QUIT") return exitStatus.ok;
  const store = await options.connect();
  try {
    return await repeated(store, line, options, io);
  } finally {
    await closeStore(store);
  }
}

/** All bytes of the input, up to {@linkcode inputBytesMax}. */
async function readAll(input: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of input) {
    size += chunk.length;
    if (size > inputBytesMax) {
      throw new UsageError(
        `Standard input is larger than ${inputBytesMax} bytes, the most -x takes`,
      );
    }
    chunks.push(chunk);
  }
  return concat(chunks);
}

/** Sends the line as often as asked, with the pause between two; the worst status counts. */
async function repeated(
  store: ShellStore,
  line: Uint8Array,
  options: ClientOptions,
  io: ShellIo,
): Promise<number> {
  const { repeat = 1, intervalSeconds = 0 } = options;
  const interrupted = repeat > 1 ? io.interrupted() : undefined;
  let status: number = exitStatus.ok;
  for (let run = 0; run < repeat && !interrupted?.aborted; run++) {
    if (run > 0) await pause(intervalSeconds * 1000, interrupted);
    const reply = parseReply(await store.request(line, { timeoutMs: requestTimeoutMs }));
    await printReply(reply, options, io);
    if (isFailure(reply)) status = exitStatus.failed;
  }
  return status;
}

/** NOT_FOUND counts as a failure: the key that the command names was not there. */
function isFailure(reply: Reply): boolean {
  return reply.kind === "ERROR" || reply.kind === "NOT_FOUND";
}

async function printReply(reply: Reply, options: ClientOptions, io: ShellIo) {
  const style: ReplyStyle = {
    output: options.output ?? "text",
    terminal: io.output.isTerminal,
    colours: coloursFor(io.output, io),
    jsonValues: options.jsonValues ?? false,
  };
  if (!options.raw) return await io.output.write(formatParsed(reply, style));
  if (reply.kind === "VALUE") return await io.output.write(reply.value);
  // With --raw, standard output may be a file that should hold a value or nothing.
  const isError = isFailure(reply);
  const printed = formatParsed(reply, { ...style, terminal: isError && io.errors.isTerminal });
  if (isError) await io.errors.write(printed);
  else await io.output.write(printed.subarray(0, -1));
}
