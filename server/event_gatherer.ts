/**
 * Gathers the events of a thread that has no log of its own, and passes them on at each tick, one
 * message for all. The log that gets them bounds the rate over all threads.
 *
 * @module
 */

import type { EventKind, Events, GatheredEvents } from "./event_log.ts";

/** Gathers events between two ticks. */
export class EventGatherer implements Events {
  readonly #pass: (events: readonly GatheredEvents[]) => void;
  readonly #gathered = new Map<EventKind, GatheredEvents>();

  constructor(pass: (events: readonly GatheredEvents[]) => void) {
    this.#pass = pass;
  }

  report(kind: EventKind, event: string): void {
    const { first = event, count = 0 } = this.#gathered.get(kind) ?? {};
    this.#gathered.set(kind, { kind, first, last: event, count: count + 1 });
  }

  tick(): void {
    this.flush();
  }

  flush(): void {
    if (this.#gathered.size === 0) return;
    this.#pass([...this.#gathered.values()]);
    this.#gathered.clear();
  }
}
