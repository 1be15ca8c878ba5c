/**
 * Comparing the token of AUTH.
 *
 * @module
 */

/** Compares `bytes[start, end)` with a token. */
export type TokenCheck = (bytes: Uint8Array, start: number, end: number) => boolean;

/**
 * A check that takes as long for a wrong token as for the right one. What is compared are digests,
 * so that not even the token's length shows. The runtime's functions are loaded only here, since
 * most servers have no token.
 */
export async function tokenCheck(token: string): Promise<TokenCheck> {
  const { createHash, timingSafeEqual } = await import("node:crypto");
  const digestOf = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest();
  const expected = digestOf(new TextEncoder().encode(token));
  return (bytes, start, end) => timingSafeEqual(digestOf(bytes.subarray(start, end)), expected);
}
