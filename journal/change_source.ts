/**
 * Where the writer of the data file gets its changes from: the ring, and the values that travel in
 * buffers of their own.
 *
 * @module
 */

// @ts-types="../types/std.d.ts"
import { concat } from "@std/bytes/concat";
import type { ChangeRing } from "./change_ring.ts";
import { Changes } from "./changes.ts";
import type { JournalState } from "./journal_state.ts";

/** Bytes of changes that are taken at a time, about. */
export const takenBytesMax: number = 1024 * 1024;

/** How long requests that run may take to end when a commit has failed, in milliseconds. */
const standstillMs = 30_000;

/** What the source asks of the writer's thread. */
export interface SourceHost {
  /** Resolves with a value that travels in a buffer of its own. */
  value(number: number): Promise<Uint8Array>;
  /** Wakes the threads that wait for the writer. */
  wake(): void;
}

/** Values that travel in buffers of their own, by their numbers. */
export type BufferedValues = ReadonlyMap<number, Uint8Array>;

/** Takes what the threads of the server have recorded. */
export class ChangeSource {
  /** When something was taken last, on the clock of `performance.now()`. */
  takenAtMs = 0;
  readonly #ring: ChangeRing;
  readonly #state: JournalState;
  readonly #host: SourceHost;

  constructor(ring: ChangeRing, state: JournalState, host: SourceHost) {
    this.#ring = ring;
    this.#state = state;
    this.#host = host;
  }

  /** Whether a quarter of the ring is in use. */
  get isQuarterFull(): boolean {
    return this.#ring.isQuarterFull;
  }

  /** Takes what is in the ring; a group as a whole. Undefined if there is nothing. */
  async take(): Promise<Changes | undefined> {
    const bytes = this.#ring.take(takenBytesMax);
    if (bytes.length === 0) return undefined;
    this.takenAtMs = performance.now();
    let changes = new Changes(bytes);
    while (changes.openGroups > 0) {
      const more = this.#ring.take(takenBytesMax);
      // Who has begun a group ends it soon, or the server ends.
      if (more.length === 0) await new Promise((resolve) => setTimeout(resolve, 0));
      else changes = new Changes(concat([changes.bytes, more]));
    }
    this.#host.wake();
    return changes;
  }

  /** Waits for the values of changes that travel in buffers; `forget` follows. */
  async values({ buffers }: Changes): Promise<BufferedValues> {
    const values = new Map<number, Uint8Array>();
    for (const number of buffers) values.set(number, await this.#host.value(number));
    return values;
  }

  /** Says that these values are no longer on their way. */
  forget(values: BufferedValues): void {
    for (const value of values.values()) this.#state.addBufferBytes(-value.length);
  }

  /**
   * Waits until no request runs; returns what they have still changed, without its values.
   *
   * @throws {Error} when requests do not end.
   */
  async standStill(): Promise<Changes[]> {
    const all: Changes[] = [];
    const endMs = performance.now() + standstillMs;
    for (let isStill = false; !isStill;) {
      isStill = !this.#state.isAnyRunning;
      for (let more = await this.take(); more !== undefined; more = await this.take()) {
        all.push(more);
        this.forget(await this.values(more));
      }
      if (isStill) break;
      if (performance.now() > endMs) throw new Error("Requests do not end, so none can be undone");
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    return all;
  }
}
