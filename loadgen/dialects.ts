/**
 * The wire protocols that a load can speak: how to write requests into a buffer, and how to count
 * replies in what was read, wherever the reads cut them. No string, object or promise is made per
 * request. A peer is sent what its own clients send: Redis arrays of bulk strings, memcached its
 * text protocol.
 *
 * @module
 */

/** A kind of request. */
export type Verb = "get" | "set" | "delete" | "incr" | "ping";

/** Every verb; {@linkcode RequestWriter.write} takes an index into this list. */
export const verbs: readonly Verb[] = ["get", "set", "delete", "incr", "ping"];

/** Digits of the number at the end of every key. */
const keyDigits = 12;
// Counters have keys of their own, because the other values are not numbers.
const keyPrefix = "key:";
const counterPrefix = "cnt:";
/** Bytes of a key: 16. */
export const keyBytes = keyPrefix.length + keyDigits;

const newline = 10;
const encoder = new TextEncoder();

/** Counts of the replies that scanners have seen. */
export interface Replies {
  /** Replies with a value. */
  hits: number;
  /** Replies without a value. */
  misses: number;
  errors: number;
  /** The line of the first error, where the scanner keeps it. */
  firstError?: string;
  /** Called for each hit and each miss, in the order of the replies. */
  note?: (isHit: boolean) => void;
}

/** Counts the replies of one connection. */
export interface Scanner {
  /** Scans what was read, `[0, length)` of `bytes`; returns how many replies ended in it. */
  scan(bytes: Uint8Array, length: number): number;
}

/** A request, encoded once, into whose copies the digits of the key are written. */
interface Template {
  readonly bytes: Uint8Array;
  /** Offset of the digits; -1 for a request without a key. */
  readonly digitsAt: number;
}

/** One wire protocol. */
export interface Dialect {
  readonly name: "blink" | "redis" | "memcached";
  /** The request as text; undefined for a verb that the protocol lacks. */
  request(verb: Verb, key: string, value: string): string | undefined;
  scanner(replies: Replies): Scanner;
}

/** Writes requests of one dialect, all with the same value, into buffers. */
export class RequestWriter {
  readonly #templates: readonly (Template | undefined)[];

  constructor(dialect: Dialect, valueBytes: number) {
    const value = "abcdefghijklmnopqrstuvwxyz".repeat(Math.ceil(valueBytes / 26))
      .slice(0, valueBytes);
    this.#templates = verbs.map((verb) => template(dialect, verb, value));
  }

  /** The bytes of the longest request of these verbs. */
  bytesMax(used: readonly Verb[]): number {
    return Math.max(...used.map((verb) => this.#templateOf(verbs.indexOf(verb)).bytes.length));
  }

  /**
   * Writes a request at offset `at`; returns the offset of its end. `verb` is an index into
   * {@linkcode verbs}.
   *
   * @throws {Error} if the dialect lacks the verb.
   */
  write(verb: number, key: number, target: Uint8Array, at: number): number {
    const { bytes, digitsAt } = this.#templateOf(verb);
    target.set(bytes, at);
    if (digitsAt >= 0) writeDigits(key, target, at + digitsAt + keyDigits);
    return at + bytes.length;
  }

  #templateOf(verb: number): Template {
    const found = this.#templates[verb];
    if (found === undefined) throw new Error(`Cannot write ${verbs[verb]}: this protocol has none`);
    return found;
  }
}

/** Writes a number so that it ends at offset `end`, over a target of zeros. */
function writeDigits(number: number, target: Uint8Array, end: number): void {
  for (let at = end - 1, rest = number; rest > 0; at--) {
    const tenth = Math.floor(rest / 10);
    target[at] = 48 + rest - tenth * 10;
    rest = tenth;
  }
}

/** Writes a key at the start of `target`, for benches of the store without a wire. */
export function writeKey(number: number, target: Uint8Array): void {
  target.fill(48, 0, keyBytes);
  writeDigits(number, target, keyBytes);
}

function template(dialect: Dialect, verb: Verb, value: string): Template | undefined {
  const prefix = verb === "incr" ? counterPrefix : keyPrefix;
  const key = prefix + "0".repeat(keyDigits);
  const request = dialect.request(verb, key, value);
  if (request === undefined) return undefined;
  const at = request.indexOf(key);
  return { bytes: encoder.encode(request), digitsAt: at < 0 ? -1 : at + prefix.length };
}

/** Blink Store's own protocol, in which every reply is one line. */
export const blink: Dialect = {
  name: "blink",
  request: (verb, key, value) =>
    ({
      get: `GET ${key}\n`,
      set: `SET ${key} ${value}\n`,
      delete: `DELETE ${key}\n`,
      incr: `INCR ${key}\n`,
      ping: "PING\n",
    })[verb],
  scanner: (replies) => new LineScanner(replies),
};

/** Encodes a request of Redis the way its clients do: an array of bulk strings, ASCII only. */
export function respArray(words: readonly string[]): string {
  return `*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join("")}`;
}

/** Redis, sent arrays of bulk strings. */
export const redis: Dialect = {
  name: "redis",
  request: (verb, key, value) =>
    respArray(
      {
        get: ["GET", key],
        set: ["SET", key, value],
        delete: ["DEL", key],
        incr: ["INCR", key],
        ping: ["PING"],
      }[verb],
    ),
  scanner: (replies) => new BulkScanner(replies, "redis"),
};

/** memcached's text protocol. */
export const memcached: Dialect = {
  name: "memcached",
  request: (verb, key, value) =>
    ({
      get: `get ${key}\r\n`,
      set: `set ${key} 0 0 ${value.length}\r\n${value}\r\n`,
      delete: `delete ${key}\r\n`,
      incr: undefined,
      ping: "mn\r\n",
    })[verb],
  scanner: (replies) => new BulkScanner(replies, "memcached"),
};

function countHit(replies: Replies): void {
  replies.hits++;
  replies.note?.(true);
}

function countMiss(replies: Replies): void {
  replies.misses++;
  replies.note?.(false);
}

/** Counts replies of one line each; the first byte of a line gives its kind. */
class LineScanner implements Scanner {
  readonly #replies: Replies;
  #first = -1;
  #error = "";

  constructor(replies: Replies) {
    this.#replies = replies;
  }

  scan(bytes: Uint8Array, length: number): number {
    const replies = this.#replies;
    const read = length === bytes.length ? bytes : bytes.subarray(0, length);
    let count = 0;
    for (let at = 0; at < length;) {
      if (this.#first < 0) this.#first = bytes[at];
      const end = read.indexOf(newline, at);
      if (this.#first === 69 /* E */) this.#keepError(read, at, end);
      if (end < 0) break;
      if (this.#first === 86 /* V */) countHit(replies);
      else if (this.#first === 78 /* N */) countMiss(replies);
      this.#first = -1;
      count++;
      at = end + 1;
    }
    return count;
  }

  #keepError(read: Uint8Array, at: number, end: number): void {
    this.#error += new TextDecoder().decode(read.subarray(at, end < 0 ? undefined : end));
    if (end < 0) return;
    this.#replies.errors++;
    this.#replies.firstError ??= this.#error;
    this.#error = "";
  }
}

/** Counts replies whose line can give the length of a value after it, as in Redis and memcached. */
class BulkScanner implements Scanner {
  readonly #replies: Replies;
  readonly #isRedis: boolean;
  // The first two bytes of the line, or -1, and the last number in it.
  #first = -1;
  #second = -1;
  #number = 0;
  #isNegative = false;
  /** Bytes of a value that are still to be skipped. */
  #skip = 0;
  /** memcached: the value was read, and its END follows. */
  #isEnding = false;

  constructor(replies: Replies, kind: "redis" | "memcached") {
    this.#replies = replies;
    this.#isRedis = kind === "redis";
  }

  scan(bytes: Uint8Array, length: number): number {
    let count = 0;
    for (let at = 0; at < length;) {
      if (this.#skip > 0) {
        const skipped = Math.min(this.#skip, length - at);
        at += skipped;
        this.#skip -= skipped;
        if (this.#skip === 0 && this.#isRedis) count++;
        continue;
      }
      const byte = bytes[at++];
      if (byte !== newline) this.#takeByte(byte);
      else count += this.#isRedis ? this.#endRedisLine() : this.#endMemcachedLine();
    }
    return count;
  }

  #takeByte(byte: number): void {
    if (this.#first < 0) {
      this.#first = byte;
      this.#second = -1;
      this.#number = 0;
      this.#isNegative = false;
      return;
    }
    if (this.#second < 0) this.#second = byte;
    if (byte === 45) this.#isNegative = true;
    else if (byte === 32) this.#number = 0;
    else if (byte >= 48 && byte <= 57) this.#number = this.#number * 10 + byte - 48;
  }

  /** Returns how many replies the line ended: 0 if a value follows. */
  #endRedisLine(): number {
    const first = this.#first;
    this.#first = -1;
    if (first === 45 /* - */) this.#replies.errors++;
    if (first !== 36 /* $ */) return 1;
    if (this.#isNegative) {
      countMiss(this.#replies);
      return 1;
    }
    countHit(this.#replies);
    this.#skip = this.#number + 2;
    return 0;
  }

  #endMemcachedLine(): number {
    const first = this.#first;
    this.#first = -1;
    if (this.#isEnding) {
      this.#isEnding = false;
      return 1;
    }
    if (first === 86 /* VALUE */) {
      countHit(this.#replies);
      this.#skip = this.#number + 2;
      this.#isEnding = true;
      return 0;
    }
    const second = this.#second;
    if (first === 69 && second === 78 /* END */ || first === 78 /* NOT_FOUND */) {
      countMiss(this.#replies);
    } else if (first === 67 /* CLIENT_ERROR */ || second === 82 /* ERROR */) this.#replies.errors++;
    else if (first === 83 && second === 69 /* SERVER_ERROR */) this.#replies.errors++;
    return 1;
  }
}
