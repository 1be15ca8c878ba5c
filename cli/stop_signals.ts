/**
 * Classifies the signals that a server gets: the first one stops it gracefully, a later one ends it
 * at once. One Ctrl-C may arrive twice, since a task runner passes on the signal that the terminal
 * has sent to every process; so does a supervisor's signal to a process group. So a signal closely
 * after the first is its echo, and is ignored.
 *
 * @module
 */

/** Signals that stop a server, and the number of each for the exit status. */
export const stopSignals: readonly (readonly [signal: Deno.Signal, number: number])[] =
  Deno.build.os === "windows" ? [["SIGINT", 2]] : [["SIGHUP", 1], ["SIGINT", 2], ["SIGTERM", 15]];

/** A later signal within this time of the first is its echo, in milliseconds. */
export const signalEchoMs = 100;

/** What a signal asks for. */
export type SignalMeaning = "stop" | "echo" | "end";

/** Classifies signals by the order and the time in which they arrive. */
export class SignalClassifier {
  readonly #now: () => number;
  #firstAtMs: number | undefined;

  /** `now` is a clock in milliseconds that does not jump. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** The meaning of a signal that arrives now. */
  next(): SignalMeaning {
    const now = this.#now();
    if (this.#firstAtMs === undefined) {
      this.#firstAtMs = now;
      return "stop";
    }
    return now - this.#firstAtMs < signalEchoMs ? "echo" : "end";
  }
}
