/**
 * What a load generator must know of a wire: how to write requests into a buffer, and how to count
 * replies in what was read, whatever the reads cut. Bytes only: no string, object or promise per
 * request. The wires of Redis and memcached are here so that the benches can compare.
 *
 * @module
 */

/** What a request of a bench does. */
export type Verb = "get" | "set" | "delete" | "incr" | "ping";

/** Every verb. */
export const verbs: readonly Verb[] = ["get", "set", "delete", "incr", "ping"];

/** The digits of the number that ends every key. */
export const keyDigits = 12;
/** What keys begin with; counters have their own, since other values are no numbers. */
const keyPrefix = "key:";
const counterPrefix = "cnt:";
/** The bytes of a key: with 12 digits, 16. */
export const keyBytes = keyPrefix.length + keyDigits;

const newline = 10;
const encoder = new TextEncoder();

/** Replies counted since the scanner was made. */
export interface Replies {
  /** Replies that brought a value. */
  hits: number;
  /** Replies that said that there is none. */
  misses: number;
  /** Replies that were errors. */
  errors: number;
  /** The first error's line, for the report. */
  firstError?: string;
  /** Is told of each reply that brought a value, or said that there is none. */
  note?: (isHit: boolean) => void;
}

/** Counts the replies of one connection. */
export interface Scanner {
  /** Takes what was read, `[0, length)` of `bytes`; returns how many replies ended in it. */
  scan(bytes: Uint8Array, length: number): number;
}

/** A request with a hole where the digits of the key go. */
interface Template {
  readonly bytes: Uint8Array;
  /** Where the digits begin; -1 for a request without a key. */
  readonly digitsAt: number;
}

/** One wire. */
export interface Dialect {
  readonly name: "blink" | "redis" | "redis inline" | "memcached";
  /** The request as text, `KEY` standing for the key; undefined for a verb that it lacks. */
  request(verb: Verb, value: string): string | undefined;
  scanner(replies: Replies): Scanner;
}

/** Writes requests of one dialect, with one value, into buffers. */
export class RequestWriter {
  readonly #templates: readonly (Template | undefined)[];

  constructor(dialect: Dialect, valueBytes: number) {
    const value = "abcdefghijklmnopqrstuvwxyz".repeat(Math.ceil(valueBytes / 26))
      .slice(0, valueBytes);
    this.#templates = verbs.map((verb) => template(dialect.request(verb, value), verb));
  }

  /** The most bytes that one request of these verbs can take. */
  bytesMax(used: readonly Verb[]): number {
    return Math.max(...used.map((verb) => this.#templateOf(verbs.indexOf(verb)).bytes.length));
  }

  /** Writes the request at `at`; returns where it ends. The verb is its place in {@linkcode verbs}. */
  write(verb: number, key: number, target: Uint8Array, at: number): number {
    const { bytes, digitsAt } = this.#templateOf(verb);
    target.set(bytes, at);
    if (digitsAt >= 0) writeDigits(key, target, at + digitsAt + keyDigits);
    return at + bytes.length;
  }

  #templateOf(verb: number): Template {
    const found = this.#templates[verb];
    if (found === undefined) throw new Error(`Cannot write ${verbs[verb]}: this wire has none`);
    return found;
  }
}

/** Writes a number so that it ends at `end`, over zeros. */
export function writeDigits(number: number, target: Uint8Array, end: number): void {
  for (let at = end - 1, rest = number; rest > 0; at--) {
    const tenth = Math.floor(rest / 10);
    target[at] = 48 + rest - tenth * 10;
    rest = tenth;
  }
}

/** Writes a key, for benches of the store alone, at the start of `target`. */
export function writeKey(number: number, target: Uint8Array): void {
  target.fill(48, 0, keyBytes);
  writeDigits(number, target, keyBytes);
}

function template(request: string | undefined, verb: Verb): Template | undefined {
  if (request === undefined) return undefined;
  const prefix = verb === "incr" ? counterPrefix : keyPrefix;
  const at = request.indexOf("KEY");
  const text = request.replace("KEY", prefix + "0".repeat(keyDigits));
  return { bytes: encoder.encode(text), digitsAt: at < 0 ? -1 : at + prefix.length };
}

/** Blink Store: every reply is a line. */
export const blink: Dialect = {
  name: "blink",
  request: (verb, value) =>
    ({
      get: "GET KEY\n",
      set: `SET KEY ${value}\n`,
      delete: "DELETE KEY\n",
      incr: "INCR KEY\n",
      ping: "PING\n",
    })[verb],
  scanner: (replies) => new LineScanner(replies),
};

/** Redis, its requests as arrays of bulk strings, which is how clients send them. */
export const redis: Dialect = {
  name: "redis",
  request(verb, value) {
    const words = {
      get: ["GET", "KEY"],
      set: ["SET", "KEY", value],
      delete: ["DEL", "KEY"],
      incr: ["INCR", "KEY"],
      ping: ["PING"],
    }[verb];
    const bytes = (word: string) => word === "KEY" ? keyBytes : word.length;
    return `*${words.length}\r\n${words.map((word) => `$${bytes(word)}\r\n${word}\r\n`).join("")}`;
  },
  scanner: (replies) => new BulkScanner(replies, "redis"),
};

/** Redis, its requests as lines, which is how one types them. */
export const redisInline: Dialect = {
  ...redis,
  name: "redis inline",
  request: (verb, value) =>
    ({
      get: "GET KEY\r\n",
      set: `SET KEY ${value}\r\n`,
      delete: "DEL KEY\r\n",
      incr: "INCR KEY\r\n",
      ping: "PING\r\n",
    })[verb],
};

/** memcached's text protocol. */
export const memcached: Dialect = {
  name: "memcached",
  request: (verb, value) =>
    ({
      get: "get KEY\r\n",
      set: `set KEY 0 0 ${value.length}\r\n${value}\r\n`,
      delete: "delete KEY\r\n",
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

/** A reply a line; what the line is, its first byte tells. */
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

/** Replies whose line tells how many bytes follow it: those of Redis and memcached. */
class BulkScanner implements Scanner {
  readonly #replies: Replies;
  readonly #isRedis: boolean;
  /** The first two bytes of the line, or -1, and the last number in it. */
  #first = -1;
  #second = -1;
  #number = 0;
  #isNegative = false;
  /** Bytes of a value that are still to come. */
  #skip = 0;
  /** memcached: the value was read, and its END is to come. */
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

  /** Returns how many replies the line ended: none, where a value follows. */
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
