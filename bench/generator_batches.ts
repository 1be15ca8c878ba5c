/**
 * The requests of the light load generator, encoded before the load begins, with the exact replies
 * that they must get.
 *
 * The value of a key is its name, repeated (unless all requests are SET), so a reply is known from
 * its request alone as long as every key is set: its length when the batch is encoded, its bytes
 * when they are asked for. A reply that belongs to another key is a wrong one.
 *
 * @module
 */

import { blink, type Dialect, memcached, Random, redis, type Verb } from "../loadgen/mod.ts";

/** The names of the wire protocols. */
export type DialectName = Dialect["name"];

/** A wire protocol whose replies are known. */
interface ExactDialect {
  readonly dialect: Dialect;
  readonly stored: string;
  found(key: string, value: string): string;
}

const dialects: Record<DialectName, ExactDialect> = {
  blink: { dialect: blink, stored: "OK\n", found: (_, value) => `VALUE ${btoa(value)}\n` },
  redis: {
    dialect: redis,
    stored: "+OK\r\n",
    found: (_, value) => `$${value.length}\r\n${value}\r\n`,
  },
  memcached: {
    dialect: memcached,
    stored: "STORED\r\n",
    found: (key, value) => `VALUE ${key} 0 ${value.length}\r\n${value}\r\nEND\r\n`,
  },
};

/** What the requests are made of. */
export interface BatchOptions {
  readonly dialect: DialectName;
  /** Requests of a batch. */
  readonly pipeline: number;
  readonly keys: number;
  readonly valueBytes: number;
  /**
   * Requests of one verb alone. Each SET then has another value than the one before it of its key,
   * since a database may spare itself the writing of the same.
   */
  readonly only?: "set" | "get";
  /** The number of the first key; default 0. */
  readonly firstKey?: number;
  /** How many requests are encoded at least; they are sent over and over. Default 200,000. */
  readonly requestsMin?: number;
}

const requestsMinDefault = 200_000;
/** Of a hundred requests, these are SET, the others GET. */
const setPercent = 20;
const keyDigits = 12;

const encoder = new TextEncoder();

/** Batches of encoded requests. */
export class Batches {
  /** The requests of each batch. */
  readonly requests: readonly Uint8Array<ArrayBuffer>[];
  /** The length of the replies to each batch. */
  readonly replyBytes: Uint32Array;
  /** The number of requests of each batch. */
  readonly sizes: Uint32Array;
  /** Of each request its key, doubled, and 1 more for SET. */
  readonly #codes: Uint32Array;
  readonly #options: BatchOptions;

  private constructor(codes: Uint32Array, options: BatchOptions) {
    this.#codes = codes;
    this.#options = options;
    const { pipeline } = options;
    // All of GET have the same length, and all of SET.
    const requestOf = requestWriter(options);
    const requestBytes = [0, 1].map((code) => requestOf(code, undefined).length);
    const replyBytes = [0, 1].map((code) => replyTo(code, options).length);
    const count = Math.ceil(codes.length / pipeline);
    this.replyBytes = new Uint32Array(count);
    this.sizes = new Uint32Array(count);
    const ends = new Uint32Array(count);
    let text = "";
    for (let index = 0, end = 0; index < codes.length; index++) {
      const batch = Math.floor(index / pipeline);
      const code = codes[index];
      text += requestOf(code, options.only === "set" ? index : undefined);
      this.sizes[batch]++;
      this.replyBytes[batch] += replyBytes[code & 1];
      ends[batch] = end += requestBytes[code & 1];
    }
    // On one buffer of its own, which the garbage collector does not move while a call reads it.
    const pool = new Uint8Array(new ArrayBuffer(ends[count - 1]));
    encoder.encodeInto(text, pool);
    this.requests = Array.from(ends, (end, batch) => pool.subarray(ends[batch - 1] ?? 0, end));
  }

  /** The load: GET and SET of random keys. */
  static mixed(options: BatchOptions, seed = 1): Batches {
    const { pipeline, keys, only, firstKey = 0, requestsMin = requestsMinDefault } = options;
    const sets = only === undefined ? setPercent : only === "set" ? 100 : 0;
    const random = new Random(seed);
    const codes = new Uint32Array(Math.ceil(requestsMin / pipeline) * pipeline);
    for (let index = 0; index < codes.length; index++) {
      codes[index] = (firstKey + random.below(keys)) * 2 + (random.below(100) < sets ? 1 : 0);
    }
    // The batches repeat, so a key that came once would be set to the same value again. The second
    // half therefore has the keys of the first.
    if (only === "set") codes.copyWithin(Math.ceil(codes.length / 2), 0, codes.length >>> 1);
    return new Batches(codes, options);
  }

  /** SET of every key, once. */
  static filling(options: BatchOptions): Batches {
    return new Batches(Uint32Array.from({ length: options.keys }, (_, n) => n * 2 + 1), options);
  }

  /** The replies to a batch. */
  replies(batch: number): Uint8Array<ArrayBuffer> {
    const from = batch * this.#options.pipeline;
    let text = "";
    for (const code of this.#codes.subarray(from, from + this.sizes[batch])) {
      text += replyTo(code, this.#options);
    }
    return encoder.encode(text);
  }
}

function isSet(code: number): boolean {
  return (code & 1) === 1;
}

function keyOf(code: number): string {
  return `key:${(code >>> 1).toString().padStart(keyDigits, "0")}`;
}

function valueOf(key: string, bytes: number): string {
  return key.repeat(Math.ceil(bytes / key.length)).slice(0, bytes);
}

/** How a protocol writes GET and SET: encoded once, then only keys and values are put in. */
function requestWriter(
  { dialect, valueBytes }: BatchOptions,
): (code: number, salt: number | undefined) => string {
  const key = "K".repeat(keyOf(0).length);
  const value = "V".repeat(valueBytes);
  const parts = (verb: Verb) => {
    const request = dialects[dialect].dialect.request(verb, key, value)!;
    return request.split(key).flatMap((part) => part.split(value));
  };
  const [get, set] = [parts("get"), parts("set")];
  return (code, salt) => {
    const name = keyOf(code);
    if (!isSet(code)) return get[0] + name + get[1];
    const value = salt === undefined ? name : salt.toString(36).padStart(8, "0");
    return set[0] + name + set[1] + valueOf(value, valueBytes) + set[2];
  };
}

function replyTo(code: number, { dialect, valueBytes }: BatchOptions): string {
  const key = keyOf(code);
  const { stored, found } = dialects[dialect];
  return isSet(code) ? stored : found(key, valueOf(key, valueBytes));
}
