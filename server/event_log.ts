/**
 * Reports to the operator, at a bounded rate: the first event of a kind at once, those that follow
 * within the interval as one count at its end. So a stranger cannot make the log grow with each
 * guess at a token. A receiver that throws is not asked twice about one event, and never harms the
 * server.
 *
 * @module
 */

/** Events of one kind are reported at most this often, in milliseconds. */
export const eventIntervalMs = 10_000;

/** The kinds of events. */
export type EventKind = "authentication" | "accept" | "fault" | "slow client";

/** What was not reported yet of one kind. */
interface Recent {
  reportedAtMs: number;
  suppressed: number;
  last: string;
}

/** Passes events on to a receiver, at a bounded rate. */
export class EventLog {
  readonly #receive: (event: string) => void;
  readonly #recent = new Map<EventKind, Recent>();

  constructor(receive: (event: string) => void = () => {}) {
    this.#receive = receive;
  }

  /** Reports an event, or counts it where one of its kind was reported lately. */
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

  /** Reports what was counted, once its interval is over. */
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

  /** Reports what was counted so far. */
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
      // A log that cannot be written is no reason to stop serving.
    }
  }
}
