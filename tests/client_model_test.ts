/**
 * Random programs of calls by several clients at once, each on keys of its own, compared with a
 * Map: every reply must be the one that the Map gives, with texts and bytes of every kind. The seed
 * is in the test's name.
 *
 * @module
 */

import { BlinkStore } from "../client.ts";
import { Random } from "../loadgen/mod.ts";
import { assertEquals } from "./assert.ts";
import { test } from "./client_bounded.ts";
import { ways } from "./client_transports.ts";

const clients = 3;
const callsOfEach = 1_500;
/** How many calls a client makes before it awaits them all. */
const batchCalls = 50;

const alphabet = [..."ab\n\r\t \u0000\u007fäж値🦕\ufeff\u2028=,-\"'", "\r\n", "HTTP/1.1", "ttl=1"];
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const encoder = new TextEncoder();

/** Draws a number in [0, 1). */
type Draw = () => number;
/** A call under way, and what it must resolve to. */
type Step = [call: Promise<unknown>, expected: unknown];

function pick<T>(random: Draw, items: readonly T[]): T {
  return items[Math.floor(random() * items.length)];
}

function textOf(random: Draw): string {
  return Array.from({ length: Math.floor(random() * 12) }, () => pick(random, alphabet)).join("");
}

function bytesOf(random: Draw): Uint8Array {
  return Uint8Array.from({ length: Math.floor(random() * 40) }, () => random() * 256);
}

/** One client's program: each step is a call and, from the model, what it must give. */
class Program {
  readonly #held = new Map<string, Uint8Array>();
  readonly #keys: readonly string[];

  constructor(readonly store: BlinkStore, readonly random: Draw, prefix: string) {
    this.#keys = ["a", "ключ", "-", '""', "ttl=1", "🦕"].map((key) => `${prefix}${key}`);
  }

  step(): Step {
    const steps = [this.put, this.putIf, this.get, this.getMany, this.delete, this.increment];
    return pick(this.random, steps).call(this, pick(this.random, this.#keys));
  }

  put(key: string): Step {
    const value = this.random() < 0.5 ? textOf(this.random) : bytesOf(this.random);
    this.#held.set(key, typeof value === "string" ? encoder.encode(value) : value);
    const plain = typeof value === "string" && !value.includes("\n") && !value.endsWith("\r");
    if (plain && this.random() < 0.5) return [this.store.set(key, value), undefined];
    return [this.store.put(key, value), "stored"];
  }

  putIf(key: string): Step {
    const held = this.#held.get(key);
    const value = textOf(this.random);
    const match = this.random() < 0.5 && held ? held : bytesOf(this.random);
    const condition = pick(this.random, ["absent", "present", { match }] as const);
    let outcome = "stored";
    if (condition === "absent") outcome = held ? "conflict" : "stored";
    else if (!held) outcome = "not found";
    else if (condition !== "present" && `${held}` !== `${match}`) outcome = "conflict";
    if (outcome === "stored") this.#held.set(key, encoder.encode(value));
    return [this.store.put(key, value, { if: condition }), outcome];
  }

  get(key: string): Step {
    const held = this.#held.get(key);
    if (this.random() < 0.5) return [this.store.getBytes(key), held];
    return [this.store.get(key), held && decoder.decode(held)];
  }

  getMany(): Step {
    const expected = this.#keys.map((key) => this.#held.get(key));
    return [this.store.getManyBytes(this.#keys), expected];
  }

  delete(key: string): Step {
    const held = this.#held.get(key);
    if (this.random() < 0.5) {
      this.#held.delete(key);
      return [this.store.delete(key), held !== undefined];
    }
    const match = held && this.random() < 0.5 ? held : bytesOf(this.random);
    const same = held !== undefined && `${held}` === `${match}`;
    if (same) this.#held.delete(key);
    const outcome = held === undefined ? "not found" : same ? "deleted" : "conflict";
    return [this.store.delete(key, { match }), outcome];
  }

  increment(key: string): Step {
    const by = BigInt(Math.floor(this.random() * 2 ** 40)) - 2n ** 39n;
    const held = this.#held.get(key);
    const text = held === undefined ? "0" : decoder.decode(held);
    const call = this.store.increment(key, by).catch((error) => error.message);
    if (!/^(?:0|-?[1-9]\d{0,17})$/.test(text)) return [call, "value is not an integer"];
    this.#held.set(key, encoder.encode(`${BigInt(text) + by}`));
    return [call, BigInt(text) + by];
  }

  async run(): Promise<void> {
    for (let done = 0; done < callsOfEach; done += batchCalls) {
      const steps = Array.from({ length: batchCalls }, () => this.step());
      const got = await Promise.all(steps.map(([call]) => call));
      assertEquals(got, steps.map(([, expected]) => expected));
    }
  }
}

for (const [seed, way] of ways.entries()) {
  test(`random programs do what a Map does (${way.name}, seed ${seed})`, async () => {
    await using reachable = await way.start();
    await Promise.all(Array.from({ length: clients }, async (_, number) => {
      await using store = new BlinkStore(reachable.options);
      const random = new Random(seed * clients + number);
      await new Program(store, () => random.fraction(), `${number}:`).run();
    }));
  });
}
