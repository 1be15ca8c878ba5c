/**
 * Finds the known word that a mistyped one was probably meant to be. Loaded only after a mistake.
 *
 * @module
 */

// @ts-types="../types/std.d.ts"
import { closestString } from "@std/text/closest-string";
// @ts-types="../types/std.d.ts"
import { levenshteinDistance } from "@std/text/levenshtein-distance";

/** The known word closest to the typed one; none where all differ too much. */
export function nearest(typed: string, known: readonly string[]): string | undefined {
  if (known.length === 0) return undefined;
  const closest = closestString(typed, known, { caseSensitive: true });
  const editsMax = Math.max(2, typed.length / 3);
  return levenshteinDistance(typed, closest) <= editsMax ? closest : undefined;
}
