/**
 * Watches the `AbortSignal`s of callers. There is one listener for each signal, however many calls
 * it may stop: with a listener for each call, a signal that thousands of calls share would be slow,
 * and Node would warn.
 *
 * @module
 */

import type { Call } from "./call.ts";

interface Group {
  readonly calls: Set<Call>;
  readonly listener: () => void;
}

/** The calls that signals may stop, by signal. */
export class Signals {
  readonly #groups = new Map<AbortSignal, Group>();
  readonly #onStopped: (call: Call) => void;

  /** @param onStopped Runs for each call that its signal stopped, after the call was rejected. */
  constructor(onStopped: (call: Call) => void) {
    this.#onStopped = onStopped;
  }

  /** Stops the call when the signal is aborted, unless the call is settled before. */
  watch(signal: AbortSignal, call: Call): void {
    const group = this.#groups.get(signal) ?? this.#listen(signal);
    group.calls.add(call);
    call.onSettled = () => {
      group.calls.delete(call);
      if (group.calls.size === 0) this.#forget(signal, group);
    };
  }

  #listen(signal: AbortSignal): Group {
    const calls = new Set<Call>();
    const listener = () => {
      for (const call of calls) {
        call.fail(signal.reason);
        this.#onStopped(call);
      }
    };
    const group = { calls, listener };
    this.#groups.set(signal, group);
    signal.addEventListener("abort", listener, { once: true });
    return group;
  }

  #forget(signal: AbortSignal, group: Group): void {
    signal.removeEventListener("abort", group.listener);
    this.#groups.delete(signal);
  }
}
