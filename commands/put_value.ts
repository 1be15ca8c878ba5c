/**
 * Stores a value, at once or as an operation, for the commands of both wires.
 *
 * @module
 */

import { outOfMemory, Request, valueTooLarge } from "../protocol.ts";
import type { Milliseconds, PutOperation } from "../store.ts";
import type { Context } from "./context.ts";
import type { Operation, Step } from "./operation.ts";

/** A request with one key: a line, or the arguments of an array. */
export interface KeyedRequest {
  /** Where the key begins. */
  readonly keyStart: number;
  /** Where the key ends. */
  readonly keyEnd: number;
}

/**
 * One attempt of a request that stores a value: checks its condition, if any, and puts the value.
 * True when the reply is written; false when the store needs more calls.
 */
export type Attempt<Keyed extends KeyedRequest> = (
  context: Context,
  request: Keyed,
  bytes: Uint8Array,
  put: PutOperation | undefined,
) => boolean;

/** Makes an attempt; returns an operation where the store needs more than one call. */
export function attemptPut<Keyed extends KeyedRequest>(
  context: Context,
  request: Keyed,
  bytes: Uint8Array,
  attempt: Attempt<Keyed>,
): Operation | undefined {
  if (attempt(context, request, bytes, undefined)) return undefined;
  // The next line is read into another object. The session sees to that for an array.
  if (request instanceof Request) context.takeRequest();
  return new LargePut(request, context.store.startPut(), attempt);
}

/** A put that takes the store several calls. */
class LargePut<Keyed extends KeyedRequest> implements Operation {
  readonly isExclusive = true;
  readonly heldBytes = 0;
  readonly #request: Keyed;
  readonly #put: PutOperation;
  readonly #attempt: Attempt<Keyed>;

  constructor(request: Keyed, put: PutOperation, attempt: Attempt<Keyed>) {
    this.#request = request;
    this.#put = put;
    this.#attempt = attempt;
  }

  step(context: Context, bytes: Uint8Array): Step {
    const request = this.#request;
    // Each step checks the condition again, since others may have changed the key.
    const attempt = () => this.#attempt(context, request, bytes, this.#put);
    const isDone = context.withKey(bytes, request.keyStart, request.keyEnd, attempt);
    if (!isDone) return "yield";
    this.#put.cancel();
    return "done";
  }

  cancel(): void {
    this.#put.cancel();
  }
}

/**
 * Puts a value and answers if the store refuses it; `"unfinished"` where the store needs more calls,
 * which it does not while this request has the whole store to itself.
 */
export function put(
  context: Context,
  request: KeyedRequest,
  key: Uint8Array,
  value: Uint8Array,
  valueStart: number,
  valueEnd: number,
  expiresAt: Milliseconds,
  operation: PutOperation | undefined,
): "stored" | "refused" | "unfinished" {
  const { keyStart, keyEnd } = request;
  const { store } = context;
  const outcome = context.isAtomic
    ? store.putNow(key, keyStart, keyEnd, value, valueStart, valueEnd, expiresAt)
    // deno-fmt-ignore: one line shows that the arguments are handed on
    : store.put(key, keyStart, keyEnd, value, valueStart, valueEnd, expiresAt, operation);
  switch (outcome) {
    case "stored":
    case "unfinished":
      return outcome;
    case "too large":
      context.fail(valueTooLarge(Math.max(0, store.limitBytes - (keyEnd - keyStart))));
      return "refused";
    case "out of memory":
      context.fail(outOfMemory);
      return "refused";
  }
}

const conflict = new TextEncoder().encode("CONFLICT\n");

/** True when the condition of a PUT or DELETE holds; otherwise answers. `handle` is its entry. */
export function conditionHolds(
  context: Context,
  request: Request,
  bytes: Uint8Array,
  handle: number,
): boolean {
  const { store, output } = context;
  const { condition, matchStart, matchEnd } = request;
  if (condition === "none") return true;
  if (condition === "absent") {
    if (handle === 0) return true;
    output.append(conflict);
    return false;
  }
  if (handle === 0) {
    output.notFound();
    return false;
  }
  if (condition === "present") return true;
  if (store.equals(handle, bytes, matchStart, matchEnd)) return true;
  output.append(conflict);
  return false;
}
