#!/usr/bin/env node
/** An interactive client: node client.mjs [HOST [PORT]] */
import { createInterface } from "node:readline";
import { addressFromEnvironment, Blink, StoreError, UsageError } from "./blink.mjs";

/** Text for a terminal: its control characters escaped. */
function shown(text) {
  return text.replace(
    /\p{Cc}/gu,
    (found) => "\\x" + found.charCodeAt(0).toString(16).padStart(2, "0"),
  );
}

const fallback = addressFromEnvironment();
const host = process.argv[2] ?? fallback.host;
const port = Number(process.argv[3] ?? fallback.port);
const store = new Blink({ host, port });

try {
  await store.ask("PING");
  console.log(`Connected to ${host}:${port}`);
  console.log("Commands: SET <key> <value> | GET <key> | DELETE <key> | USAGE | QUIT\n");
  const lines = createInterface({ input: process.stdin, output: process.stdout, prompt: "> " });
  lines.prompt();
  for await (const line of lines) {
    if (line.trim().toUpperCase() === "QUIT") break;
    if (line.trim() !== "") {
      const reply = await store.ask(line);
      const value = reply.startsWith("VALUE ") && Buffer.from(reply.slice(6), "base64").toString();
      console.log(shown(value === false ? reply : value));
    }
    lines.prompt();
  }
  lines.close();
} catch (error) {
  if (!(error instanceof StoreError || error instanceof UsageError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
} finally {
  store.close();
}
