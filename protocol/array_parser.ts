/**
 * Requests of the Redis wire: an array of bulk strings, as in `*2\r\n$3\r\nGET\r\n$1\r\na\r\n`.
 *
 * The parser finds the arguments in place and looks at each byte once, wherever the bytes were cut:
 * it is given what has arrived, and goes on there with what comes next. Bytes of arguments are
 * passed over without a look at them.
 *
 * A blank line between requests counts as an array without arguments, which is no request: clients
 * such as `redis-cli --pipe` send some, and Redis passes over them.
 *
 * Source: the Redis serialization protocol specification, redis.io.
 *
 * @module
 */

import { argumentBytesBeforeAuthMax, argumentsBeforeAuthMax, argumentsMax } from "./limits.ts";

/** The arguments of one request, as offsets into its bytes; the first one is the command's name. */
export class Arguments {
  /** The number of the command that the first one names, once that is known. */
  verb = -1;
  /** How many there are. */
  count = 0;
  /** Where each begins. */
  starts: Int32Array = new Int32Array(8);
  /** Where each ends. */
  ends: Int32Array = new Int32Array(8);

  /** Where the first argument behind the name begins, which is the key of most commands. */
  get keyStart(): number {
    return this.starts[1];
  }

  /** Where it ends. */
  get keyEnd(): number {
    return this.ends[1];
  }

  /** Adds one. */
  add(start: number, end: number): void {
    if (this.count === this.starts.length) this.#grow();
    this.starts[this.count] = start;
    this.ends[this.count++] = end;
  }

  /** Moves all offsets by so many bytes. */
  move(bytes: number): void {
    for (let n = 0; n < this.count; n++) {
      this.starts[n] += bytes;
      this.ends[n] += bytes;
    }
  }

  /** The length of one, in bytes. */
  lengthOf(n: number): number {
    return this.ends[n] - this.starts[n];
  }

  #grow(): void {
    const { starts, ends } = this;
    this.starts = new Int32Array(2 * starts.length);
    this.starts.set(starts);
    this.ends = new Int32Array(2 * ends.length);
    this.ends.set(ends);
  }
}

/** How a search for the end of a request ended. */
export type ArrayResult = "request" | "unfinished" | "broken";

/** What the next byte belongs to. */
const ARRAY_MARK = 0;
const COUNT = 1;
const COUNT_LINE_FEED = 2;
const BULK_MARK = 3;
const LENGTH = 4;
const LENGTH_LINE_FEED = 5;
const BODY = 6;
const BODY_RETURN = 7;
const BODY_LINE_FEED = 8;
const BLANK_LINE_FEED = 9;

const asterisk = 0x2a;
const dollar = 0x24;
const carriageReturn = 0x0d;
const lineFeed = 0x0a;
const minus = 0x2d;
const digitZero = 0x30;
const lineEndBytes = 2;

/** Requests with longer arguments take the long way, which is no slower then. */
const wholeBytesMax = 64 * 1024;

/** More digits than any valid count or length has. */
const digitsMax = 10;

/** Whether a request that begins with this byte is an array. */
export function startsArray(byte: number): boolean {
  return byte === asterisk;
}

/** Finds the arguments of one request after another. */
export class ArrayParser {
  /** The arguments found so far, as offsets from where the request's first byte was. */
  args: Arguments = new Arguments();
  /** Where the search ended: behind the request, if it is complete. */
  at = 0;
  /** What is wrong with a request that is broken, as Redis words it. */
  error = "";
  /** Limits of a client that has not logged in hold. */
  isStranger = false;
  /** The longest request, in bytes; one that announces more is broken. */
  requestBytesMax = Infinity;
  /** Offset between the bytes given and the request: what has moved or was joined. */
  #base = 0;
  #state = ARRAY_MARK;
  #argumentsLeft = 0;
  #number = 0;
  #digits = 0;
  #isNegative = false;
  #bodyStart = 0;
  #bodyLeft = 0;

  /** Whether a request has begun that is not complete. */
  get isUnfinished(): boolean {
    return this.#state !== ARRAY_MARK;
  }

  /** Forgets a request that has begun. */
  reset(): void {
    this.#state = ARRAY_MARK;
    this.#bodyLeft = 0;
    this.args.count = 0;
  }

  /**
   * Goes on with the bytes `bytes[start, end)`; `requestStart` is where the request begins, were
   * all of its bytes in this array. `args` then has offsets into it.
   */
  parse(bytes: Uint8Array, start: number, end: number, requestStart: number): ArrayResult {
    const { args } = this;
    if (this.#state === ARRAY_MARK) {
      if (this.#parseWhole(bytes, start, end)) return "request";
      args.count = 0;
    } else if (this.#base !== requestStart) {
      this.#rebase(requestStart);
    }
    this.#base = requestStart;
    let at = start;
    while (at < end) {
      switch (this.#state) {
        case ARRAY_MARK:
          if (bytes[at] === asterisk) this.#startNumber(COUNT);
          else if (bytes[at] === carriageReturn) this.#state = BLANK_LINE_FEED;
          else if (bytes[at] === lineFeed) return this.#complete(at + 1);
          else return this.#breaks(at, expected("*", bytes[at]));
          at++;
          break;
        case BLANK_LINE_FEED:
          if (bytes[at] !== lineFeed) return this.#breaks(at, expected("*", carriageReturn));
          return this.#complete(at + 1);
        case COUNT:
        case LENGTH:
          at = this.#readDigits(bytes, at, end);
          if (at < 0) return "broken";
          break;
        case COUNT_LINE_FEED:
        case LENGTH_LINE_FEED:
          if (bytes[at] !== lineFeed) return this.#breaks(at, this.#invalidNumber);
          at++;
          if (!this.#endNumber(at)) return "broken";
          if (this.#argumentsLeft === 0) return this.#complete(at);
          break;
        case BULK_MARK:
          if (bytes[at] !== dollar) return this.#breaks(at, expected("$", bytes[at]));
          at++;
          this.#startNumber(LENGTH);
          break;
        case BODY: {
          const part = Math.min(this.#bodyLeft, end - at);
          at += part;
          this.#bodyLeft -= part;
          if (this.#bodyLeft > 0) break;
          args.add(this.#bodyStart, at);
          this.#state = BODY_RETURN;
          break;
        }
        case BODY_RETURN:
          if (bytes[at] !== carriageReturn) return this.#breaks(at, unendedBulk);
          at++;
          this.#state = BODY_LINE_FEED;
          break;
        case BODY_LINE_FEED:
          if (bytes[at] !== lineFeed) return this.#breaks(at, unendedBulk);
          at++;
          if (--this.#argumentsLeft === 0) return this.#complete(at);
          this.#state = BULK_MARK;
          break;
      }
    }
    this.at = at;
    return "unfinished";
  }

  /**
   * The short way for a request that has arrived as a whole and has no faults, as nearly all have;
   * false for any other, of which nothing is kept.
   */
  #parseWhole(bytes: Uint8Array, start: number, end: number): boolean {
    const { args } = this;
    let at = start + 1;
    // A byte that is missing is undefined, and no digit.
    let count = bytes[at++] - digitZero;
    if (bytes[start] !== asterisk || !(count >= 1 && count <= 9)) return false;
    args.count = 0;
    for (;;) {
      if (bytes[at] !== carriageReturn || bytes[at + 1] !== lineFeed) return false;
      at += 2;
      if (count-- === 0) break;
      if (bytes[at] !== dollar) return false;
      let length = bytes[at + 1] - digitZero;
      if (!(length >= 0 && length <= 9)) return false;
      at += 2;
      // A number does not begin with a zero: the long way says so.
      for (; length > 0; at++) {
        const digit = bytes[at] - digitZero;
        if (!(digit >= 0 && digit <= 9)) break;
        length = length * 10 + digit;
        if (length > wholeBytesMax) return false;
      }
      if (bytes[at] !== carriageReturn || bytes[at + 1] !== lineFeed) return false;
      at += 2;
      args.add(at, at += length);
    }
    // What lies behind the end is of an earlier read. The long way refuses what exceeds a limit.
    if (at > end || this.isStranger || at - start > this.requestBytesMax) return false;
    this.at = at;
    return true;
  }

  #startNumber(state: number): void {
    this.#state = state;
    this.#number = this.#digits = 0;
    this.#isNegative = false;
  }

  /** Reads digits up to a carriage return; returns where the next byte is, or -1. */
  #readDigits(bytes: Uint8Array, at: number, end: number): number {
    let number = this.#number;
    let digits = this.#digits;
    for (; at < end; at++) {
      const byte = bytes[at];
      const digit = byte - digitZero;
      const isZeroFirst = digits > 0 ? number === 0 : digit === 0 && this.#isNegative;
      if (digit >= 0 && digit <= 9 && digits < digitsMax && !isZeroFirst) {
        number = number * 10 + digit;
        digits++;
      } else if (byte === carriageReturn && digits > 0) {
        this.#number = number;
        this.#state++;
        return at + 1;
      } else if (byte === minus && digits === 0 && !this.#isNegative) {
        this.#isNegative = true;
      } else {
        this.#breaks(at, this.#invalidNumber);
        return -1;
      }
    }
    this.#number = number;
    this.#digits = digits;
    return at;
  }

  get #invalidNumber(): string {
    const isCount = this.#state === COUNT || this.#state === COUNT_LINE_FEED;
    return isCount ? "invalid multibulk length" : "invalid bulk length";
  }

  /** Takes a count or a length that ends before `at`; false if it is out of range. */
  #endNumber(at: number): boolean {
    const number = this.#isNegative ? -this.#number : this.#number;
    if (this.#state === COUNT_LINE_FEED) {
      if (number > argumentsMax) return this.#refuse(at, this.#invalidNumber);
      if (this.isStranger && number > argumentsBeforeAuthMax) {
        return this.#refuse(at, "unauthenticated multibulk length");
      }
      // An array without elements is no request; Redis passes over it, too.
      this.#argumentsLeft = Math.max(0, number);
      this.#state = BULK_MARK;
      return true;
    }
    if (number < 0) return this.#refuse(at, this.#invalidNumber);
    if (this.isStranger && number > argumentBytesBeforeAuthMax) {
      return this.#refuse(at, "unauthenticated bulk length");
    }
    if (at - this.#base + number + lineEndBytes > this.requestBytesMax) {
      const limit = `the request is longer than ${this.requestBytesMax} bytes`;
      return this.#refuse(at, `${this.#invalidNumber}: ${limit}`);
    }
    this.#bodyStart = at;
    this.#bodyLeft = number;
    this.#state = BODY;
    if (number === 0) {
      this.args.add(at, at);
      this.#state = BODY_RETURN;
    }
    return true;
  }

  #refuse(at: number, error: string): false {
    this.#breaks(at, error);
    return false;
  }

  #complete(at: number): "request" {
    this.at = at;
    this.#state = ARRAY_MARK;
    return "request";
  }

  #breaks(at: number, error: string): "broken" {
    this.at = at;
    this.error = error;
    this.#state = ARRAY_MARK;
    this.#bodyLeft = 0;
    return "broken";
  }

  /** The request's bytes lie elsewhere now. */
  #rebase(requestStart: number): void {
    this.args.move(requestStart - this.#base);
    this.#bodyStart += requestStart - this.#base;
  }
}

const unendedBulk = "expected CRLF behind a bulk string";

function expected(what: string, byte: number): string {
  const got = byte > 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `byte ${byte}`;
  return `expected '${what}', got '${got}'`;
}
