/**
 * The word that a mistyped one was meant to be. Loaded only once a mistake was made.
 *
 * @module
 */

// @ts-types="../types/std.d.ts"
import { levenshteinDistance } from "@std/text/levenshtein-distance";

/** The known word closest to the typed one; none where all are far from it. */
export function nearest(typed: string, known: readonly string[]): string | undefined {
  const distances = known.map((word) => ({ word, distance: levenshteinDistance(typed, word) }));
  const [best] = distances.sort((a, b) => a.distance - b.distance);
  return best !== undefined && best.distance <= Math.max(2, typed.length / 3)
    ? best.word
    : undefined;
}
