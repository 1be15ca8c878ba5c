/**
 * Comparing the secret of AUTH.
 *
 * @module
 */

/**
 * True when `bytes[start, end)` is the secret. The time it takes depends on the length of what is
 * shown and not on how much of it is right.
 */
export function sameBytes(
  secret: Uint8Array,
  bytes: Uint8Array,
  start: number,
  end: number,
): boolean {
  let difference = secret.length ^ (end - start);
  if (secret.length === 0) return difference === 0;
  for (let at = start; at < end; at++) {
    difference |= bytes[at] ^ secret[(at - start) % secret.length];
  }
  return difference === 0;
}
