/**
 * The error for a broken invariant, and the check that throws it.
 *
 * @module
 */

/**
 * The store contradicts itself: a fault of this program or of the machine's memory. Nothing that
 * the store returns can be trusted any more, so the program that runs it has to end.
 */
export class InvariantError extends Error {
  override readonly name = "InvariantError";

  /** `what` names the condition that does not hold. */
  constructor(what: string) {
    super(`The store is broken: ${what}`);
  }
}

/** Throws an InvariantError unless the condition holds. */
export function demand(condition: boolean, what: string): void {
  if (!condition) throw new InvariantError(what);
}
