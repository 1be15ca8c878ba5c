/**
 * Tests of the client with a deadline: each fails when it does not end in time, whatever it waits
 * for.
 *
 * @module
 */

/** How long one test may take, in milliseconds: far more than any needs on a busy machine. */
const testMsMax = 60_000;
/** How long a test waits for one condition, in milliseconds. */
const conditionMsMax = 20_000;

/** Registers a test that fails when it takes too long. */
export function test(name: string, fn: () => void | Promise<void>): void {
  // Older runtimes do not know the limit, and their types do not have it.
  const definition = { name, fn, timeout: testMsMax };
  Deno.test(definition);
}

/** Waits until the condition holds; throws when it does not in time. */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
): Promise<void> {
  const endsAtMs = performance.now() + conditionMsMax;
  while (!await condition()) {
    if (performance.now() > endsAtMs) throw new Error(`Waited ${conditionMsMax} ms until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}
