/**
 * The requests that read and write values: GET, SET, PUT, DELETE and MGET.
 *
 * @module
 */

import { valueTooLarge } from "../protocol/problems.ts";
import type { Request } from "../protocol/request.ts";
import { verbs } from "../protocol/verbs.ts";
import { skipBlanks, wordEnd } from "../protocol/words.ts";
import { type Engine, type Progress, timedValueBytesMin } from "./engine.ts";
import type { Handle, Milliseconds } from "./storage.ts";

/** MGET sends what it has once it is this much, so that its reply never has to be held whole. */
export const partBytesMax = 256 * 1024;

/**
 * A value larger than this is copied and sent in parts of this size, so that its conversion to
 * base64 does not keep others waiting. 3 divides it: only a last part has padding.
 */
export const copiedPartBytes = 192 * 1024;

const conflict = new TextEncoder().encode("CONFLICT\n");
const valuesHead = new TextEncoder().encode("VALUES");
const emptyItem = new TextEncoder().encode('""');
const missingItem = new TextEncoder().encode("-");

/** `GET key [ttl=S]`. */
export function getValue(engine: Engine, request: Request, bytes: Uint8Array): Progress {
  const { store, output, counters } = engine;
  const handle = store.get(bytes, request.keyStart, request.keyEnd);
  if (handle === 0) {
    counters.misses++;
    output.notFound();
    return "done";
  }
  counters.hits++;
  const length = store.lengthOf(handle);
  if (length < timedValueBytesMin) {
    appendValue(engine, handle, length);
    touch(engine, request, bytes);
    return "done";
  }
  const before = performance.now();
  let progress: Progress = "done";
  if (length > copiedPartBytes) {
    copyValue(engine, request, handle, length);
    output.text("VALUE ");
    progress = "flush";
  } else {
    appendValue(engine, handle, length);
  }
  touch(engine, request, bytes);
  counters.time(verbs.GET, performance.now() - before);
  return progress;
}

/** `GET key ttl=S`: the value is in the output or copied by then, since this may move it. */
function touch({ store }: Engine, request: Request, bytes: Uint8Array): void {
  if (typeof request.expiry !== "number") return;
  store.expire(bytes, request.keyStart, request.keyEnd, store.now() + request.expiry);
}

function appendValue(engine: Engine, handle: Handle, length: number): void {
  const { store, output } = engine;
  if (store.view(handle)) {
    const start = store.viewStart;
    output.value(store.viewBytes, start, start + length);
  } else {
    const scratch = engine.scratch(length);
    store.copyTo(handle, scratch, 0);
    output.value(scratch, 0, length);
  }
}

function copyValue(engine: Engine, request: Request, handle: Handle, length: number): void {
  request.copy = new Uint8Array(length);
  request.copySent = 0;
  engine.store.copyTo(handle, request.copy, 0);
}

/** Appends the next part of the copied value; true when that was the last. */
function appendPart(engine: Engine, request: Request, copy: Uint8Array): boolean {
  const end = Math.min(copy.length, request.copySent + copiedPartBytes);
  engine.output.base64(copy, request.copySent, end);
  request.copySent = end;
  if (end < copy.length) return false;
  request.copy = undefined;
  return true;
}

/** A GET whose value is sent in parts: the next part. */
export function getPart(engine: Engine, request: Request, copy: Uint8Array): Progress {
  if (!appendPart(engine, request, copy)) return "flush";
  engine.output.endLine();
  return "done";
}

/** `SET key value`. */
export function setValue(engine: Engine, request: Request, bytes: Uint8Array): Progress {
  if (request.valueEnd - request.valueStart < timedValueBytesMin) {
    return store(engine, request, bytes, Infinity);
  }
  const before = performance.now();
  const progress = store(engine, request, bytes, Infinity);
  engine.counters.time(verbs.SET, performance.now() - before);
  return progress;
}

/** `PUT key options value`. */
export function putValue(engine: Engine, request: Request, bytes: Uint8Array): Progress {
  const { expiry, condition } = request;
  let expiresAt: Milliseconds = Infinity;
  if (condition !== "none" || expiry === "keep") {
    const handle = engine.store.find(bytes, request.keyStart, request.keyEnd);
    if (!mayChange(engine, request, bytes, handle)) return "done";
    if (expiry === "keep" && handle !== 0) expiresAt = engine.store.expiryOf(handle);
  }
  if (typeof expiry === "number") expiresAt = engine.store.now() + expiry;
  return store(engine, request, bytes, expiresAt);
}

/** `DELETE key [match=BASE64]`. */
export function removeKey(engine: Engine, request: Request, bytes: Uint8Array): Progress {
  if (request.condition === "none") {
    if (engine.store.delete(bytes, request.keyStart, request.keyEnd)) engine.output.ok();
    else engine.output.notFound();
    return "done";
  }
  const handle = engine.store.find(bytes, request.keyStart, request.keyEnd);
  if (!mayChange(engine, request, bytes, handle)) return "done";
  engine.store.remove(handle);
  engine.output.ok();
  return "done";
}

/** True when the condition of the request holds; otherwise its reply has been given. */
function mayChange(
  engine: Engine,
  request: Request,
  bytes: Uint8Array,
  handle: Handle,
): boolean {
  const { condition, matchStart, matchEnd } = request;
  if (condition === "none") return true;
  if (condition === "absent") {
    if (handle === 0) return true;
    engine.output.append(conflict);
    return false;
  }
  if (handle === 0) {
    engine.output.notFound();
    return false;
  }
  if (condition === "present") return true;
  if (engine.store.equals(handle, bytes, matchStart, matchEnd)) return true;
  engine.output.append(conflict);
  return false;
}

function store(
  engine: Engine,
  request: Request,
  bytes: Uint8Array,
  expiresAt: Milliseconds,
): Progress {
  const { keyStart, keyEnd, valueStart, valueEnd } = request;
  const outcome = engine.store.put(
    bytes,
    keyStart,
    keyEnd,
    bytes,
    valueStart,
    valueEnd,
    expiresAt,
    request,
  );
  if (outcome === "stored") {
    engine.output.ok();
    return "done";
  }
  if (outcome === "again") return "again";
  return engine.fail(valueTooLarge(Math.max(0, engine.store.limitBytes - (keyEnd - keyStart))));
}

/** `MGET key ...`: as many items as one part holds; the rest after the part was sent. */
export function getMany(engine: Engine, request: Request, bytes: Uint8Array): Progress {
  const { output } = engine;
  const end = request.valueEnd;
  if (request.copy !== undefined) {
    if (!appendPart(engine, request, request.copy)) return "flush";
  } else if (request.valueStart === request.keyStart) {
    output.append(valuesHead);
  }
  while (request.valueStart < end) {
    const at = request.valueStart;
    const keyEnd = wordEnd(bytes, at, end);
    output.blank();
    appendItem(engine, request, engine.store.get(bytes, at, keyEnd));
    request.valueStart = skipBlanks(bytes, keyEnd, end);
    if (request.copy !== undefined || output.length >= partBytesMax) return "flush";
  }
  output.endLine();
  return "done";
}

function appendItem(engine: Engine, request: Request, handle: Handle): void {
  const { store, output, counters } = engine;
  if (handle === 0) {
    counters.misses++;
    output.append(missingItem);
    return;
  }
  counters.hits++;
  const length = store.lengthOf(handle);
  if (length === 0) {
    output.append(emptyItem);
  } else if (length > copiedPartBytes) {
    copyValue(engine, request, handle, length);
  } else if (store.view(handle)) {
    output.base64(store.viewBytes, store.viewStart, store.viewStart + length);
  } else {
    const scratch = engine.scratch(length);
    store.copyTo(handle, scratch, 0);
    output.base64(scratch, 0, length);
  }
}
