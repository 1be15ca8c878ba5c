/**
 * What a signal means to a server: the first one stops it gracefully, a later one ends it at once.
 * One Ctrl-C may arrive twice: a runner of tasks passes on the signal that the terminal has already
 * sent to every process, and a supervisor's signal to a whole group is passed on likewise. So a
 * signal that follows the first one closely is its echo, and means nothing.
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
