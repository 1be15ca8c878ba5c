/**
 * Runs one command; `usage` lists them.
 *
 * @module
 */

import { BlinkError, type BlinkStore, connect } from "@blink/store/client";
import { storeFromEnvironment } from "./keys.ts";

const usage = `oneoff.ts SET KEY VALUE     store a value
oneoff.ts SET KEY < FILE    store what is read from standard input
oneoff.ts GET KEY           print a value and a line feed
oneoff.ts DELETE KEY        remove a key
oneoff.ts USAGE             print how many bytes the store holds

Exit status: 0 success, 1 not found or the store failed, 2 invalid arguments.`;

/** Runs the command; returns what it prints, or nothing if the key was not there. */
async function run(store: BlinkStore, [verb = "", ...rest]: string[]) {
  switch (`${verb.toUpperCase()} ${rest.length}`) {
    case "SET 1":
      await store.put(rest[0], await new Response(Deno.stdin.readable).bytes());
      return "OK";
    case "SET 2":
      await store.put(rest[0], rest[1]);
      return "OK";
    case "GET 1":
      return await store.getBytes(rest[0]);
    case "DELETE 1":
      return await store.delete(rest[0]) ? "OK" : undefined;
    case "USAGE 0":
      return `USAGE ${await store.usage()}`;
    default:
      throw new BlinkError("usage", usage);
  }
}

/** Prints what the command gives; returns the exit status. */
async function main(): Promise<number> {
  try {
    await using store = await connect(storeFromEnvironment());
    const answer = await run(store, Deno.args);
    if (answer === undefined) {
      console.error("NOT_FOUND");
      return 1;
    }
    const output = new Blob([answer as BlobPart, "\n"]).stream();
    await output.pipeTo(Deno.stdout.writable, { preventClose: true });
    return 0;
  } catch (error) {
    if (!(error instanceof BlinkError)) throw error;
    console.error(error.message);
    return error.kind === "usage" ? 2 : 1;
  }
}

Deno.exitCode = await main();
