/**
 * The requests that simulated clients send: which kinds there are, and random words for them. To
 * simulate another request, add a kind here and its replies to simulation_model.ts.
 *
 * @module
 */

import type { Random } from "../loadgen/mod.ts";
import type { SimulationShape } from "./simulation_shapes.ts";

/** Draws the words of requests from the keys and values of one shape. */
class Words {
  readonly random: Random;
  readonly shape: SimulationShape;

  constructor(random: Random, shape: SimulationShape) {
    this.random = random;
    this.shape = shape;
  }

  /** A key: one of three letters, and a number. */
  key(): string {
    return `${this.letter()}${this.random.below(this.shape.keys)}`;
  }

  /** The first letter of a key. */
  letter(): string {
    return "abc"[this.random.below(3)];
  }

  /** A value of one letter, repeated. */
  value(): string {
    const { valueBytes } = this.shape;
    const letter = String.fromCharCode(97 + this.random.below(26));
    return letter.repeat(valueBytes[this.random.below(valueBytes.length)]);
  }

  /** A value to match, in base64. */
  match(): string {
    return btoa(this.value().slice(0, 1000));
  }

  /** A time of up to 5 seconds. */
  seconds(): string {
    return `${(1 + this.random.below(5000)) / 1000}`;
  }
}

/** Makes a request; undefined when another kind is to be drawn. */
type Kind = (words: Words, isScanning: boolean) => string | undefined;

const set: Kind = (words) => `SET ${words.key()} ${words.value()}`;

const get: Kind = (words) => `GET ${words.key()}`;

const putWithOptions: Kind = (words) => {
  const options = ["absent", "present", "keepttl", `match=${words.match()}`];
  const chosen = options[words.random.below(options.length)];
  return `PUT ${words.key()} ${chosen},b64 ${btoa(words.value())}`;
};

/** A value is large, and takes several steps, from about so many bytes on. */
const largeValueBytes = 64 * 1024;

const putWithTime: Kind = (words) => {
  const [key, seconds, value] = [words.key(), words.seconds(), words.value()];
  // Over the Redis wire, the time of a large value counts from the first of its steps, which the
  // model does not see. Nothing expires within a simulation that lives that long.
  const ttl = value.length < largeValueBytes ? seconds : 100_000;
  return `PUT ${key} ttl=${ttl} ${value}`;
};

const expire: Kind = (words) => {
  const isNever = words.random.below(4) === 0;
  return `EXPIRE ${words.key()} ${isNever ? "never" : words.seconds()}`;
};

const scan: Kind = (words, isScanning) => {
  // A client has one scan under way at a time.
  if (isScanning) return undefined;
  const prefix = words.letter();
  return `SCAN 0 ${1 + words.random.below(200)} ${prefix}`;
};

const flush: Kind = (words) => {
  // Rarely, since it leaves little for other requests.
  if (words.random.below(6) > 0) return undefined;
  const isWhole = words.random.below(3) === 0 && words.shape.entriesFirst === undefined;
  return isWhole ? "FLUSH" : `FLUSH ${words.letter()}${words.random.below(10)}`;
};

/** The kinds, each as likely as any other. */
const kinds: readonly Kind[] = [
  set,
  set,
  set,
  set,
  get,
  get,
  (words) => `GET ${words.key()} ttl=${words.seconds()}`,
  (words) => `DELETE ${words.key()}`,
  (words) => `DELETE ${words.key()} match=${words.match()}`,
  putWithTime,
  putWithOptions,
  (words) => `INCR ${words.key()} ${words.random.below(1000) - 500}`,
  expire,
  (words) => `TTL ${words.key()}`,
  (words) =>
    `MGET ${Array.from({ length: 1 + words.random.below(6) }, () => words.key()).join(" ")}`,
  ({ random }) => random.below(2) === 0 ? "PING" : `LATER ${random.below(300)}`,
  scan,
  flush,
];

/** The longest line of a transaction. */
const queuedLineMax = 2000;

/** Draws requests for the clients of one simulation. */
export class RequestSource {
  readonly #words: Words;

  constructor(random: Random, shape: SimulationShape) {
    this.#words = new Words(random, shape);
  }

  /** A request of any kind, without its line feed; LATER is a line alone. */
  any(isScanning: boolean, isLine: boolean): string {
    const { random } = this.#words;
    for (;;) {
      const line = kinds[random.below(kinds.length)](this.#words, isScanning);
      if (line !== undefined && (isLine || !line.startsWith("LATER"))) return line;
    }
  }

  /** A request of a transaction, which is not large: all that wait count against a bound. */
  inTransaction(): string {
    for (;;) {
      const line = this.any(true, false);
      if (line.length <= queuedLineMax) return line;
    }
  }

  /** Some keys. */
  keys(): string[] {
    return Array.from({ length: 1 + this.#words.random.below(3) }, () => this.#words.key());
  }

  /**
   * A request behind a LATER on the same connection. It runs before its reply can be seen, at a
   * time that the model does not know, so its reply must not depend on the time.
   */
  behindLater(): string {
    const { random } = this.#words;
    return random.below(3) === 0 ? `LATER ${random.below(300)}` : "PING";
  }
}
