/**
 * `SCAN cursor [count [prefix]]`: lists keys, a part at a time.
 *
 * @module
 */

import {
  errorReply,
  isPlainKey,
  parseCount,
  quotedKeyLength,
  quoteKeyInto,
  type Request,
  scanCountDefault,
  scanCountMax,
  scanCursorMax,
  skipBlanks,
  wordEnd,
} from "../protocol.ts";
import type { Command } from "./command.ts";
import type { Context } from "./context.ts";
import type { Operation, Step } from "./operation.ts";
import { refuseMore } from "./options.ts";
import type { SessionControl } from "./session_control.ts";

/** Entries that one call of the store visits; the reply's size is checked between two calls. */
const entriesPerCall = 64;

/** Calls of the store in one step, which look at some 6,000 slots of its index. */
export const stepCallsMax = 4;

/** SCAN ends early when its reply has this many bytes. */
export const scanReplyBytesMax = 256 * 1024;

/** Replies up to this size do not count against the server's bound. */
const smallReplyBytes = 16 * 1024;

const badCursor = errorReply("bad_number", "SCAN cursor: not a number that SCAN has returned");
const badCount = errorReply("bad_number", `SCAN count: a number from 1 to ${scanCountMax}`);

export const scan: Command = {
  verb: "SCAN",
  aliases: [],
  args: [
    { name: "cursor", kind: "number" },
    { name: "count", kind: "number", optional: true },
    { name: "prefix", kind: "prefix", optional: true },
  ],
  summary: "list keys, a part at a time: start at 0, finished when next is 0",
  example: "SCAN 0 100 user:",
  replies: ["KEYS next key ..."],
  isCore: false,
  writes: false,
  needsNoAuth: false,
  timed: "always",

  parse(bytes, at, end, request) {
    const cursorEnd = wordEnd(bytes, at, end);
    request.cursor = parseCount(bytes, at, cursorEnd, scanCursorMax);
    request.count = scanCountDefault;
    request.valueStart = request.valueEnd = end;
    if (Number.isNaN(request.cursor)) {
      request.error = badCursor;
      return;
    }
    const countStart = skipBlanks(bytes, cursorEnd, end);
    if (countStart === end) return;
    const countEnd = wordEnd(bytes, countStart, end);
    request.count = parseCount(bytes, countStart, countEnd, scanCountMax);
    if (!(request.count >= 1)) {
      request.error = badCount;
      return;
    }
    request.valueStart = skipBlanks(bytes, countEnd, end);
    request.valueEnd = wordEnd(bytes, request.valueStart, end);
    refuseMore(bytes, request.valueEnd, end, request);
  },

  execute(_context, request, bytes, session) {
    return new Listing(request, bytes, session);
  },
};

/** A SCAN under way: the keys found so far, and the cursor. */
class Listing implements Operation {
  // The reply has the next cursor before the keys, but it is known after them: keys wait here.
  #keys: Uint8Array<ArrayBuffer> = new Uint8Array(1024);
  #length = 0;
  #cursor: number;
  #entriesLeft: number;
  readonly isExclusive = true;
  readonly #prefix: Uint8Array | undefined;
  readonly #session: SessionControl;
  readonly #visit = (key: Uint8Array, start: number, end: number) => this.#add(key, start, end);

  constructor(request: Request, bytes: Uint8Array, session: SessionControl) {
    this.#cursor = request.cursor;
    this.#entriesLeft = request.count;
    this.#session = session;
    const { valueStart, valueEnd } = request;
    this.#prefix = valueEnd > valueStart ? bytes.slice(valueStart, valueEnd) : undefined;
  }

  get heldBytes(): number {
    return this.#keys.length;
  }

  step({ store, output }: Context): Step {
    for (let call = 0; call < stepCallsMax; call++) {
      const count = Math.min(this.#entriesLeft, entriesPerCall);
      this.#cursor = store.scan(this.#cursor, count, this.#visit, this.#prefix);
      this.#entriesLeft -= entriesPerCall;
      if (this.#cursor === 0 || this.#entriesLeft <= 0 || this.#isFull()) {
        output.text("KEYS ");
        output.number(this.#cursor);
        output.appendRange(this.#keys, 0, this.#length);
        output.endLine();
        return "done";
      }
    }
    return "yield";
  }

  cancel(): void {
    this.#keys = new Uint8Array(0);
    this.#length = 0;
  }

  /** Whether the reply must not grow: it is large, or the server has no memory for more. */
  #isFull(): boolean {
    if (this.#length >= scanReplyBytesMax) return true;
    return this.#length > smallReplyBytes && !this.#session.tryHold(2 * this.#length);
  }

  #add(key: Uint8Array, start: number, end: number): void {
    const isPlain = isPlainKey(key, start, end);
    const more = 1 + (isPlain ? end - start : quotedKeyLength(end - start));
    if (this.#length + more > this.#keys.length) {
      const larger = new Uint8Array(2 * this.#keys.length + more);
      larger.set(this.#keys.subarray(0, this.#length));
      this.#keys = larger;
    }
    this.#keys[this.#length++] = 0x20;
    if (isPlain) {
      this.#keys.set(key.subarray(start, end), this.#length);
      this.#length += end - start;
    } else {
      this.#length = quoteKeyInto(key, start, end, this.#keys, this.#length);
    }
  }
}
