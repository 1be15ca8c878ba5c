/**
 * An interactive client: deno run --allow-net --allow-env client.ts [HOST [PORT]]
 *
 * @module
 */

import { BlinkError, connect } from "@blink/store/client";
import { storeFromEnvironment } from "./keys.ts";

/** Text for a terminal: its control characters escaped. */
function shown(text: string): string {
  return text.replace(
    /\p{Cc}/gu,
    (found) => "\\x" + found.charCodeAt(0).toString(16).padStart(2, "0"),
  );
}

/** The reply as a person reads it: a value decoded, any other as it is. */
function readable(reply: string): string {
  if (!reply.startsWith("VALUE ")) return shown(reply);
  const bytes = Uint8Array.from(atob(reply.slice("VALUE ".length)), (c) => c.charCodeAt(0));
  return shown(new TextDecoder().decode(bytes));
}

/** The lines of an input, without their ends. */
async function* linesOf(input: ReadableStream<BufferSource>): AsyncGenerator<string> {
  let rest = "";
  for await (const text of input.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) yield line.replace(/\r$/, "");
  }
  if (rest !== "") yield rest;
}

async function say(text: string): Promise<void> {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length;) at += await Deno.stdout.write(bytes.subarray(at));
}

async function converse(): Promise<void> {
  const options = storeFromEnvironment();
  if (Deno.args[0] !== undefined) options.hostname = Deno.args[0];
  if (Deno.args[1] !== undefined) options.port = Number(Deno.args[1]);
  await using store = await connect(options);
  await say(`Connected to ${options.hostname}:${options.port}\n`);
  await say("Commands: SET <key> <value> | GET <key> | DELETE <key> | USAGE | QUIT\n\n");
  await say("> ");
  for await (const line of linesOf(Deno.stdin.readable)) {
    if (line.trim().toUpperCase() === "QUIT") return;
    if (line.trim() !== "") await say(readable(await store.request(line)) + "\n");
    await say("> ");
  }
  await say("\n");
}

try {
  await converse();
} catch (error) {
  if (!(error instanceof BlinkError)) throw error;
  console.error(error.message);
  Deno.exitCode = 1;
}
