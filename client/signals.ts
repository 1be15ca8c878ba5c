/**
 * Callers' signals: one listener for each signal, however many calls it may stop, since a listener
 * for each call would make a signal that is shared by thousands of calls slow, and Node warn.
 *
 * @module
 */

import type { Call } from "./call.ts";

interface Group {
  readonly calls: Set<Call>;
  readonly listener: () => void;
}

/** The calls that signals may stop. */
export class Signals {
  readonly #groups = new Map<AbortSignal, Group>();
  readonly #onStopped: (call: Call) => void;

  /** @param onStopped Runs for each call that its signal stopped, after its caller was told. */
  constructor(onStopped: (call: Call) => void) {
    this.#onStopped = onStopped;
  }

  /** Lets the signal stop the call until the call is settled. */
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
