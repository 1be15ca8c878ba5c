/**
 * Finds the requests in what a connection has read, and runs them: lines, or arrays once one has
 * begun. Other protocols are recognized in the first line.
 *
 * @module
 */

import {
  ArrayParser,
  authenticationRequired,
  badRequest,
  isHttpRequest,
  isHttpRequestStart,
  isTlsHello,
  lineTooLong,
} from "../protocol.ts";
import type { ServerContext } from "./context.ts";
import type { InputBuffer } from "./input_buffer.ts";
import type { Session } from "./session.ts";

/** The longest line before AUTH, where a token is required. */
export const strangerLineBytesMax = 16 * 1024;

const nothing = new Uint8Array(0);

/** Runs the requests of one connection, one at a time. */
export class RequestReader {
  /** Requests that were run, refused ones included. */
  requestsRun = 0;
  readonly #context: ServerContext;
  readonly #session: Session;
  readonly #input: InputBuffer;
  #isFirstLine = true;
  /** Has read a part of an array, if that has not arrived as a whole. */
  #arrays: ArrayParser | undefined;

  constructor(context: ServerContext, session: Session, input: InputBuffer) {
    this.#context = context;
    this.#session = session;
    this.#input = input;
  }

  /** Runs the next request; false if there is none. At the end of the input it may lack its end. */
  runNext(hasInputEnded: boolean): boolean {
    const input = this.#input;
    const session = this.#session;
    if (this.#speaksRedis) return this.#runNextArray();
    if (this.#isFirstLine && isTlsHello(input.bytes, input.start, input.end)) {
      session.close();
      return true;
    }
    const bytesMax = this.#requestBytesMax;
    const head = this.#isFirstLine ? input.head() : nothing;
    let result = input.nextLine(bytesMax);
    if (result === "none" && hasInputEnded) result = input.lastLine(bytesMax);
    if (result === "none") return false;
    this.requestsRun++;
    const { bytes, lineStart, lineEnd } = input;
    if (this.#isFirstLine) {
      this.#isFirstLine = false;
      const isHttp = isHttpRequest(bytes, lineStart, lineEnd) ||
        result === "too long" && isHttpRequestStart(head, 0, head.length);
      if (isHttp) {
        this.#context.commands.fail(badRequest);
        session.close();
        return true;
      }
    }
    if (result === "line") session.run(bytes, lineStart, lineEnd);
    else this.#refuseLongLine(bytesMax);
    return true;
  }

  /** Whether the next request is an array: the first one may have begun already. */
  get #speaksRedis(): boolean {
    return this.#session.speaksRedis || this.#input.startsArray || this.#arrays !== undefined;
  }

  /** Runs the next array; false if there is no whole one. */
  #runNextArray(): boolean {
    const input = this.#input;
    const session = this.#session;
    if (input.start === input.end) return false;
    const parser = this.#arrays ?? this.#context.arrays;
    parser.isStranger = !session.isAuthenticated;
    parser.requestBytesMax = this.#requestBytesMax;
    const result = input.nextArray(parser);
    if (result === "none") {
      this.#keepParser(parser);
      return false;
    }
    this.#giveParserBack();
    this.#isFirstLine = false;
    this.requestsRun++;
    if (result === "array") {
      session.runArray(input.bytes, parser);
      return true;
    }
    session.refuseArray(parser.error);
    parser.reset();
    return true;
  }

  /** The parser of an unfinished request stays with its connection. */
  #keepParser(parser: ArrayParser): void {
    if (this.#arrays === parser) return;
    this.#arrays = parser;
    this.#context.arrays = new ArrayParser();
  }

  #giveParserBack(): void {
    if (this.#arrays === undefined) return;
    this.#context.arrays = this.#arrays;
    this.#arrays = undefined;
  }

  /** The longest request now. */
  get #requestBytesMax(): number {
    const { lineBytesMax } = this.#context.limits;
    return this.#session.isAuthenticated
      ? lineBytesMax
      : Math.min(lineBytesMax, strangerLineBytesMax);
  }

  #refuseLongLine(bytesMax: number): void {
    const { commands } = this.#context;
    if (this.#session.isAuthenticated) {
      this.#session.answer(lineTooLong(bytesMax));
      return;
    }
    // A client that has not logged in may not send more.
    commands.fail(authenticationRequired);
    this.#session.close();
  }
}
