/**
 * The requests of a client whose server is killed, and what each does to the client's keys.
 *
 * @module
 */

import type { Random } from "../loadgen/mod.ts";
import { respRequest } from "./journal_resp.ts";

/** A value, byte for character, and when it expires, in milliseconds since 1970. */
interface Held {
  readonly value: string;
  readonly expiresAt: number | undefined;
}

/** The keys of a writer, and what they hold. */
export type State = Map<string, Held>;

/** A request: its bytes, and what it does to the writer's keys. */
export interface Request {
  readonly bytes: Uint8Array;
  readonly apply: (state: State) => void;
  readonly isCount: boolean;
  /** How many replies it gets. */
  readonly replies: number;
}

/** Keys that a writer has. */
export const keysOfWriter = 25;

/** A key that all writers count up. */
export const counter = "shared:count";

/** How far a time to live may be off, in milliseconds: requests wait before they run. */
const ttlTolerance = 10_000;

const encoder = new TextEncoder();

/** Makes the random requests of one writer: lines of the first two, arrays of the others. */
export class KillRequests {
  /** Whether the requests are lines. */
  readonly areLines: boolean;
  readonly #number: number;
  readonly #random: Random;

  constructor(writer: number, random: Random) {
    this.areLines = writer < 2;
    this.#number = writer;
    this.#random = random;
  }

  /** The next request. */
  next(): Request {
    return this.areLines ? this.#line() : this.#array();
  }

  #key(): string {
    return `w${this.#number}:${this.#random.next() % keysOfWriter}`;
  }

  /** A value without blanks, seldom a long one. */
  #value(): string {
    const random = this.#random;
    const kind = random.next() % 200;
    const length = kind === 0
      ? 300_000 + random.next() % 1_200_000
      : kind < 10
      ? random.next() % 20_000
      : 1 + random.next() % 60;
    const letter = String.fromCharCode(97 + random.next() % 26);
    return `${random.next()}${letter.repeat(length)}`;
  }

  #line(): Request {
    const random = this.#random;
    const key = this.#key();
    const value = this.#value();
    const make = (text: string, apply: Request["apply"], isCount = false): Request => ({
      bytes: encoder.encode(`${text}\n`),
      apply,
      isCount,
      replies: 1,
    });
    const prefix = `w${this.#number}:${random.next() % 3}`;
    switch (random.next() % 12) {
      case 0:
        return make(`INCR ${counter}`, () => {}, true);
      case 1:
        return make(`DELETE ${key}`, (state) => state.delete(key));
      case 2: {
        const seconds = 1000 + random.next() % 1000;
        const expiresAt = Date.now() + seconds * 1000;
        return make(`EXPIRE ${key} ${seconds}`, (state) => setExpiry(state, key, expiresAt));
      }
      case 3:
        if (random.next() % 10 > 0) return this.#line();
        return make(`FLUSH ${prefix}`, (state) => flush(state, prefix));
      case 4: {
        const seconds = 1000 + random.next() % 1000;
        const expiresAt = Date.now() + seconds * 1000;
        return make(`PUT ${key} ttl=${seconds} ${value}`, (state) => {
          state.set(key, { value, expiresAt });
        });
      }
      case 5:
        return make(`PUT ${key} absent ${value}`, (state) => {
          if (!state.has(key)) state.set(key, { value, expiresAt: undefined });
        });
      default:
        return make(`SET ${key} ${value}`, (state) => {
          state.set(key, { value, expiresAt: undefined });
        });
    }
  }

  #array(): Request {
    const random = this.#random;
    const [key, other] = [this.#key(), this.#key()];
    const value = this.#value();
    const make = (
      requests: readonly (readonly string[])[],
      apply: Request["apply"],
      isCount = false,
    ): Request => ({ bytes: respRequest(requests), apply, isCount, replies: requests.length });
    const set = (state: State, key: string, value: string) =>
      state.set(key, { value, expiresAt: undefined });
    switch (random.next() % 12) {
      case 0:
        return make([["INCR", counter]], () => {}, true);
      case 1:
        return make([["DEL", key, other]], (state) => {
          state.delete(key);
          state.delete(other);
        });
      case 2: {
        const seconds = 1000 + random.next() % 1000;
        const expiresAt = Date.now() + seconds * 1000;
        const milliseconds = String(seconds * 1000);
        return make([["PEXPIRE", key, milliseconds]], (state) => setExpiry(state, key, expiresAt));
      }
      case 3:
        return make([["PERSIST", key]], (state) => {
          const held = state.get(key);
          if (held !== undefined) set(state, key, held.value);
        });
      case 4:
        return make([["APPEND", key, "+"]], (state) => {
          const held = state.get(key);
          state.set(key, {
            value: `${held?.value ?? ""}+`,
            expiresAt: held?.expiresAt,
          });
        });
      case 5:
        return make([["MSET", key, value, other, "second"]], (state) => {
          set(state, key, value);
          set(state, other, "second");
        });
      case 6:
        return make(
          [["MULTI"], ["SET", key, value], ["DEL", other], ["SET", `${key}!`, value], ["EXEC"]],
          (state) => {
            set(state, key, value);
            state.delete(other);
            set(state, `${key}!`, value);
          },
        );
      case 7:
        if (random.next() % 10 > 0) return this.#array();
        return make([["DELPREFIX", `w${this.#number}:1`]], (state) => {
          flush(state, `w${this.#number}:1`);
        });
      default:
        return make([["SET", key, value]], (state) => set(state, key, value));
    }
  }
}

function setExpiry(state: State, key: string, expiresAt: number): void {
  const held = state.get(key);
  if (held !== undefined) state.set(key, { value: held.value, expiresAt });
}

function flush(state: State, prefix: string): void {
  for (const key of [...state.keys()]) if (key.startsWith(prefix)) state.delete(key);
}

/** Whether two states are the same, but for what requests take. */
export function isSame(one: State, other: State): boolean {
  if (one.size !== other.size) return false;
  for (const [key, held] of one) if (!isSameHeld(held, other.get(key))) return false;
  return true;
}

/** The same for one key. */
export function isSameHeld(one: Held | undefined, other: Held | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  if (one.value !== other.value) return false;
  if (one.expiresAt === undefined || other.expiresAt === undefined) {
    return one.expiresAt === other.expiresAt;
  }
  return Math.abs(one.expiresAt - other.expiresAt) <= ttlTolerance;
}
