/**
 * Reports events to the operator at a bounded rate: the first event of a kind at once, later ones
 * within the interval as one count at its end. So a client that guesses tokens cannot make the log
 * grow with each guess. An event whose receiver throws is lost, and the server goes on.
 *
 * @module
 */

/** Events of one kind are reported at most this often, in milliseconds. */
export const eventIntervalMs = 10_000;

/** The kinds of events. */
export type EventKind = "authentication" | "accept" | "fault" | "slow client";

/** Takes events. */
export interface Events {
  /** Reports an event. */
  report(kind: EventKind, event: string, nowMs: number): void;
  /** Does what is due. */
  tick(nowMs: number): void;
  /** Reports what was held back. */
  flush(): void;
}

/** Events of one kind that were gathered elsewhere. */
export interface GatheredEvents {
  readonly kind: EventKind;
  /** The first of them. */
  readonly first: string;
  /** The last of them. */
  readonly last: string;
  /** How many there are. */
  readonly count: number;
}

/** The events of one kind that are not reported yet. */
interface Recent {
  reportedAtMs: number;
  suppressed: number;
  last: string;
}

/** Passes events to a receiver at a bounded rate. */
export class EventLog implements Events {
  readonly #receive: (event: string) => void;
  readonly #recent = new Map<EventKind, Recent>();

  constructor(receive: (event: string) => void = () => {}) {
    this.#receive = receive;
  }

  /** Reports an event, or counts it if one of its kind was reported within the interval. */
  report(kind: EventKind, event: string, nowMs: number): void {
    const recent = this.#recent.get(kind);
    if (recent !== undefined && nowMs - recent.reportedAtMs < eventIntervalMs) {
      recent.suppressed++;
      recent.last = event;
      return;
    }
    if (recent !== undefined) this.#reportSuppressed(recent);
    this.#recent.set(kind, { reportedAtMs: nowMs, suppressed: 0, last: "" });
    this.#send(event);
  }

  /** Reports events that were gathered in another thread, as if they had happened here. */
  reportGathered({ kind, first, last, count }: GatheredEvents, nowMs: number): void {
    this.report(kind, first, nowMs);
    const recent = this.#recent.get(kind);
    if (recent === undefined || count === 1) return;
    recent.suppressed += count - 1;
    recent.last = last;
  }

  /** Reports the counts whose interval is over. */
  tick(nowMs: number): void {
    for (const [kind, recent] of this.#recent) {
      if (nowMs - recent.reportedAtMs < eventIntervalMs) continue;
      if (recent.suppressed === 0) {
        this.#recent.delete(kind);
      } else {
        this.#reportSuppressed(recent);
        recent.reportedAtMs = nowMs;
        recent.suppressed = 0;
      }
    }
  }

  /** Reports all counts now. */
  flush(): void {
    for (const recent of this.#recent.values()) this.#reportSuppressed(recent);
    this.#recent.clear();
  }

  #reportSuppressed({ suppressed, last }: Recent): void {
    if (suppressed === 1) this.#send(last);
    else if (suppressed > 1) this.#send(`${last} (the last of ${suppressed} such events)`);
  }

  #send(event: string): void {
    try {
      this.#receive(event);
    } catch {
      // The server must go on even if its log cannot be written.
    }
  }
}
