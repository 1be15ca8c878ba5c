#!/usr/bin/env node
/** Runs one command; `usage` lists them. */
import { buffer } from "node:stream/consumers";
import { addressFromEnvironment, Blink, StoreError, UsageError } from "./blink.mjs";

const usage = `oneoff.mjs SET KEY VALUE     store a value
oneoff.mjs SET KEY < FILE    store what is read from standard input
oneoff.mjs GET KEY           print a value and a line feed
oneoff.mjs DELETE KEY        remove a key
oneoff.mjs USAGE             print how many bytes the store holds

Exit status: 0 success, 1 not found or the store failed, 2 invalid arguments.`;

/** Runs the command and prints its outcome; returns the exit status. */
async function run(store, [verb = "", ...rest]) {
  switch (`${verb.toUpperCase()} ${rest.length}`) {
    case "SET 1":
    case "SET 2":
      await store.put(rest[0], rest[1] ?? await buffer(process.stdin));
      console.log("OK");
      return 0;
    case "GET 1": {
      const value = await store.get(rest[0]);
      if (value === undefined) break;
      process.stdout.write(Buffer.concat([value, Buffer.from("\n")]));
      return 0;
    }
    case "DELETE 1":
      if (!await store.delete(rest[0])) break;
      console.log("OK");
      return 0;
    case "USAGE 0": {
      const reply = await store.ask("USAGE");
      if (reply.startsWith("ERROR ")) throw new StoreError(reply);
      console.log(reply);
      return 0;
    }
    default:
      throw new UsageError(usage);
  }
  console.error("NOT_FOUND");
  return 1;
}

const store = new Blink(addressFromEnvironment());
try {
  process.exitCode = await run(store, process.argv.slice(2));
} catch (error) {
  if (!(error instanceof StoreError || error instanceof UsageError)) throw error;
  console.error(error.message);
  process.exitCode = error instanceof UsageError ? 2 : 1;
} finally {
  store.close();
}
