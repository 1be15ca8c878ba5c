/**
 * The error of a command line that cannot be understood. It has a file of its own so that `main.ts`
 * can catch it without loading anything else.
 *
 * @module
 */

/** A mistake in the command line; its message says how to correct it. */
export class UsageError extends Error {
  override readonly name = "UsageError";

  /**
   * @param message What is wrong.
   * @param typed The unknown word, where that is the mistake.
   * @param known The words that are known there, to suggest the closest.
   */
  constructor(message: string, readonly typed?: string, readonly known: readonly string[] = []) {
    super(message);
  }
}
