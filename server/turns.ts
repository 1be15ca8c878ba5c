/**
 * Fairness among connections.
 *
 * @module
 */

/** See the head of this file. */
export class Turns {
  #tick: Promise<void> | undefined;

  /** Resolves once the loop has looked at the sockets and timers again. */
  nextTick(): Promise<void> {
    this.#tick ??= new Promise((resolve) => {
      setTimeout(() => {
        this.#tick = undefined;
        resolve();
      }, 0);
    });
    return this.#tick;
  }
}
