/**
 * One client's side of the engine: finds the lines in what a connection has read, runs them in
 * order, and tells the connection what to do next. It holds no bytes itself; what it has not
 * consumed stays with the connection and is shown to it again.
 *
 * @module
 */

import {
  authenticationFailed,
  authenticationRequired,
  badRequest,
  lineTooLong,
} from "../protocol/problems.ts";
import { parseRequest, Request } from "../protocol/request.ts";
import { isHttp, isHttpStart, isTlsHello } from "../protocol/strangers.ts";
import { openVerbs, verbs } from "../protocol/verbs.ts";
import { findLineFeed } from "../protocol/words.ts";
import type { Engine, Progress } from "./engine.ts";
import { sameBytes } from "./token.ts";

/**
 * What the connection is to do, after it has sent what is in the engine's output:
 *
 * - `"read"`: every whole line was run, more bytes are wanted;
 * - `"flush"`: run on at once, there was only too much to send;
 * - `"again"`: run on after other connections had their turn;
 * - `"delay"`: run on after the delay that a failed AUTH costs;
 * - `"close"`: nothing more of this client is run.
 */
export type Outcome = "read" | "flush" | "again" | "delay" | "close";

/** What a session may do. */
export interface SessionOptions {
  /** The longest line, without its end. */
  lineBytesMax: number;
  /** The token that AUTH must show; none is required without it. */
  token?: Uint8Array;
}

/** A run ends when this much waits to be sent. */
export const outputBytesHigh = 256 * 1024;

/** A run ends after so many lines, so that one client does not hold the loop. */
export const runLinesMax = 512;

const carriageReturn = 0x0d;

/** See the head of this file. */
export class Session {
  /** Where the bytes begin that the last run did not consume. */
  consumed = 0;
  /** Lines that the last run consumed. */
  lines = 0;
  readonly #engine: Engine;
  readonly #options: SessionOptions;
  #trusted: boolean;
  /** True until the first line was consumed. */
  #first = true;
  /** True while the rest of a line that is too long is thrown away. */
  #skipping = false;
  /** Bytes of the unfinished line that hold no line feed for sure. */
  #searchedBytes = 0;
  /** The request that is to be run on. */
  #waiting: Request | undefined = undefined;
  /** True when the reply to a failed AUTH is still owed. */
  #owesFailure = false;

  constructor(engine: Engine, options: SessionOptions) {
    this.#engine = engine;
    this.#options = options;
    this.#trusted = options.token === undefined;
  }

  /** Runs the whole lines of `bytes[start, end)`. The places of a waiting request stay valid. */
  run(bytes: Uint8Array, start: number, end: number): Outcome {
    const { output } = this.#engine;
    let at = start;
    this.consumed = at;
    this.lines = 0;
    const resumed = this.#resume(bytes);
    if (resumed !== "read") return resumed;
    if (this.#first && isTlsHello(bytes, start, end)) return "close";
    while (at < end) {
      if (output.length >= outputBytesHigh || this.lines >= runLinesMax) return "flush";
      const lineFeed = findLineFeed(bytes, at + this.#searchedBytes, end);
      if (lineFeed < 0) return this.#unfinished(bytes, at, end);
      const lineStart = at;
      const hasReturn = lineFeed > at && bytes[lineFeed - 1] === carriageReturn;
      const lineEnd = hasReturn ? lineFeed - 1 : lineFeed;
      at = lineFeed + 1;
      this.consumed = at;
      this.lines++;
      this.#searchedBytes = 0;
      if (this.#skipping) {
        this.#skipping = false;
        continue;
      }
      const outcome = this.#line(bytes, lineStart, lineEnd);
      if (outcome !== "read") return outcome;
    }
    return "read";
  }

  /** Runs what the end of the input leaves: a last line without a line feed. */
  finish(bytes: Uint8Array, start: number, end: number): Outcome {
    this.consumed = start;
    this.lines = 0;
    const resumed = this.#resume(bytes);
    if (resumed !== "read") return resumed;
    if (start === end || this.#skipping) return "close";
    this.consumed = end;
    const outcome = this.#line(bytes, start, end);
    return outcome === "read" ? "close" : outcome;
  }

  /** Bytes that are held for a request that is answered in parts. */
  get heldBytes(): number {
    return this.#waiting?.copy?.length ?? 0;
  }

  #resume(bytes: Uint8Array): Outcome {
    if (this.#owesFailure) {
      this.#owesFailure = false;
      this.#engine.fail(authenticationFailed);
    }
    const request = this.#waiting;
    if (request === undefined) return "read";
    this.#waiting = undefined;
    return this.#progress(request, this.#engine.execute(request, bytes));
  }

  #progress(request: Request, progress: Progress): Outcome {
    if (progress === "done") return "read";
    this.#waiting = request;
    return progress;
  }

  #unfinished(bytes: Uint8Array, start: number, end: number): Outcome {
    const { lineBytesMax } = this.#options;
    const length = end - start;
    // A carriage return that may yet turn out to be the line's end does not count.
    const counted = bytes[end - 1] === carriageReturn ? length - 1 : length;
    if (this.#skipping) {
      this.consumed = end;
    } else if (counted > lineBytesMax) {
      if (this.#first && isHttpStart(bytes, start, end)) return this.#refuseHttp();
      this.#first = false;
      this.#engine.fail(lineTooLong(lineBytesMax));
      this.#skipping = true;
      this.consumed = end;
      this.#searchedBytes = 0;
    } else {
      this.#searchedBytes = length;
    }
    return "read";
  }

  #line(bytes: Uint8Array, start: number, end: number): Outcome {
    const { lineBytesMax } = this.#options;
    if (this.#first) {
      if (isHttp(bytes, start, end)) return this.#refuseHttp();
      this.#first = false;
    }
    const engine = this.#engine;
    if (end - start > lineBytesMax) {
      engine.fail(lineTooLong(lineBytesMax));
      return "read";
    }
    const { request } = engine;
    parseRequest(bytes, start, end, request);
    const { verb } = request;
    if (!this.#trusted && !openVerbs[verb]) {
      engine.fail(authenticationRequired);
      return "read";
    }
    if (request.problem !== undefined) {
      engine.fail(request.problem);
      return "read";
    }
    engine.counters.requests[verb]++;
    if (verb === verbs.QUIT) return "close";
    if (verb === verbs.AUTH) return this.#authenticate(bytes, request);
    const progress = engine.execute(request, bytes);
    if (progress === "done") return "read";
    // The request has to wait, so the engine needs another one to read lines into.
    engine.request = new Request();
    return this.#progress(request, progress);
  }

  #authenticate(bytes: Uint8Array, request: Request): Outcome {
    const { token } = this.#options;
    if (
      token !== undefined && !sameBytes(token, bytes, request.valueStart, request.valueEnd)
    ) {
      this.#owesFailure = true;
      return "delay";
    }
    this.#trusted = true;
    this.#engine.output.ok();
    return "read";
  }

  #refuseHttp(): Outcome {
    this.#engine.fail(badRequest);
    return "close";
  }
}
