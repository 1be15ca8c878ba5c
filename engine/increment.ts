/**
 * `INCR key [by] [ttl=S]`. A counter keeps the expiry that it has; `ttl=` gives one to a counter
 * that has none, so that a window of a rate limit begins with its first request and is not made
 * longer by those that follow.
 *
 * @module
 */

import { fitsInteger, parseInteger } from "../protocol/numbers.ts";
import { integerOverflow, notAnInteger, valueTooLarge } from "../protocol/problems.ts";
import type { Request } from "../protocol/request.ts";
import type { Engine, Progress } from "./engine.ts";
import type { Handle, Milliseconds } from "./storage.ts";

/** The most characters of a signed 64-bit number in decimal. */
const integerCharactersMax = 20;

const encoder = new TextEncoder();

/** Runs an INCR. */
export function increment(engine: Engine, request: Request, bytes: Uint8Array): Progress {
  const { store, output } = engine;
  const { keyStart, keyEnd, expiry } = request;
  const handle = store.get(bytes, keyStart, keyEnd);
  let value = 0n;
  let expiresAt: Milliseconds = Infinity;
  if (handle !== 0) {
    const held = integerOf(engine, handle);
    if (held === undefined) return engine.fail(notAnInteger);
    value = held;
    expiresAt = store.expiryOf(handle);
  }
  value += request.by;
  if (!fitsInteger(value)) return engine.fail(integerOverflow);
  if (expiresAt === Infinity && typeof expiry === "number") expiresAt = store.now() + expiry;

  const text = String(value);
  const scratch = engine.scratch(integerCharactersMax);
  const { written } = encoder.encodeInto(text, scratch);
  const outcome = store.put(bytes, keyStart, keyEnd, scratch, 0, written, expiresAt);
  if (outcome === "again") return "again";
  if (outcome === "too large") {
    return engine.fail(valueTooLarge(Math.max(0, store.limitBytes - (keyEnd - keyStart))));
  }
  output.text(`INT ${text}\n`);
  return "done";
}

function integerOf(engine: Engine, handle: Handle): bigint | undefined {
  const length = engine.store.lengthOf(handle);
  if (length > integerCharactersMax) return undefined;
  const scratch = engine.scratch(integerCharactersMax);
  engine.store.copyTo(handle, scratch, 0);
  return parseInteger(scratch, 0, length);
}
