/**
 * The median of several rounds, which a single disturbed round does not move.
 *
 * @module
 */

/** The median of some numbers; of an even count, the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return sorted.length % 2 === 1
    ? sorted[Math.floor(middle)]
    : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** The median of each figure of several rounds. */
export function medianOf<T extends { [K in keyof T]: number | undefined }>(
  rounds: readonly T[],
): T {
  const names = Object.keys(rounds[0]) as (keyof T)[];
  return Object.fromEntries(
    names.map((name) => {
      const values = rounds.map((round) => round[name]).filter((value) => value !== undefined);
      return [name, values.length === 0 ? undefined : median(values)];
    }),
  ) as T;
}
