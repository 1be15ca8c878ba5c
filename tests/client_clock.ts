/**
 * A clock that stands still until a test moves it, in place of the timers and of
 * `performance.now()` that the client uses. With a transport in this process nothing then depends
 * on how fast the machine is. `AbortSignal.timeout` and sockets keep real time.
 *
 * @module
 */

interface Timer {
  readonly atMs: number;
  readonly run: () => void;
}

const realSetTimeout = globalThis.setTimeout;
const realClearTimeout = globalThis.clearTimeout;

/** Lets everything run that needs no timer: all promises that can settle have settled after it. */
export function settle(): Promise<void> {
  return new Promise((resolve) => realSetTimeout(resolve, 0));
}

/** Takes the place of the global clock until it is disposed of. It starts at 0. */
export class FakeClock implements Disposable {
  #nowMs = 0;
  #lastId = 0;
  readonly #timers = new Map<number, Timer>();

  constructor() {
    performance.now = () => this.#nowMs;
    globalThis.setTimeout = ((run: () => void, ms = 0) => {
      this.#timers.set(++this.#lastId, { atMs: this.#nowMs + Math.max(1, ms), run });
      return this.#lastId;
    }) as unknown as typeof setTimeout;
    globalThis.clearTimeout = ((id?: number) => {
      this.#timers.delete(Number(id));
    }) as typeof clearTimeout;
  }

  /** The time, in milliseconds. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** Moves the time forward, and runs the timers that are due on the way, each at its time. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms;
    for (await settle();; await settle()) {
      const due = [...this.#timers]
        .filter(([, timer]) => timer.atMs <= untilMs)
        .sort(([, one], [, other]) => one.atMs - other.atMs)[0];
      if (!due) break;
      const [id, { atMs, run }] = due;
      this.#timers.delete(id);
      this.#nowMs = atMs;
      run();
    }
    this.#nowMs = untilMs;
  }

  [Symbol.dispose](): void {
    // The instance hid the method of the prototype.
    delete (performance as { now?: unknown }).now;
    globalThis.setTimeout = realSetTimeout;
    globalThis.clearTimeout = realClearTimeout;
  }
}
