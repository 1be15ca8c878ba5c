/**
 * What the programs for Node share: the arguments, checks that count, and a program that ends with
 * a message at the first difference.
 *
 * A program is started with `NODE_PATH` as the folder of its packages.
 *
 * @module
 */

import { deepStrictEqual } from "node:assert";
import { Buffer } from "node:buffer";
import process from "node:process";
import { inspect } from "node:util";

const [host, port, password] = process.argv.slice(2);

/** The server: `HOST PORT [PASSWORD]` of the command line. */
export const address = { host, port: Number(port), password };

/** Longer than any check takes, so that no key expires under one. */
export const longSeconds = 1000;

/** Bytes of every value. */
export const everyByte = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));

/** Values that a text protocol would break. */
export const hostileValues = {
  "all bytes": everyByte,
  empty: Buffer.alloc(0),
  "1 MiB": Buffer.alloc(1 << 20, everyByte),
  "like a request": Buffer.from("*1\r\n$8\r\nFLUSHALL\r\n"),
};

/** Keys that a line protocol cannot name. */
export const oddKeys = ["two words", "a\r\nb", '"quoted"', "", " ", "ключ 値"];

let checks = 0;

/** Ends the program unless two values are equal. */
export function check(what, got, wanted) {
  try {
    deepStrictEqual(got, wanted);
  } catch {
    const shown = (value) => inspect(value, { maxStringLength: 200, maxArrayLength: 10 });
    fail(`${what}: got ${shown(got)}, wanted ${shown(wanted)}`);
  }
  checks++;
}

/** Ends the program unless a promise rejects with an error whose text has a pattern. */
export async function checkRejects(what, promise, pattern) {
  let got;
  try {
    got = await promise;
  } catch (error) {
    if (!pattern.test(String(error))) fail(`${what}: got ${error}, wanted ${pattern}`);
    checks++;
    return;
  }
  fail(`${what}: got ${inspect(got)}, wanted an error`);
}

/** Polls until something holds, for 10 seconds at most. */
export async function until(what, holds) {
  const endMs = performance.now() + 10_000;
  while (!await holds()) {
    if (performance.now() > endMs) fail(`${what}: not within 10 s`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  checks++;
}

/** Runs a program and says how many checks it made. */
export async function program(run) {
  try {
    await run();
  } catch (error) {
    fail(`after ${checks} checks: ${inspect(error)}`);
  }
  console.log(`ok ${checks} checks`);
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
