/**
 * Compares the token of AUTH with the server's.
 *
 * @module
 */

/** Compares `bytes[start, end)` with a token. */
export type TokenCheck = (bytes: Uint8Array, start: number, end: number) => boolean;

/**
 * Makes a check that takes the same time for a wrong token as for the right one. It compares
 * digests, so that the time does not depend on the token's length either. The runtime's functions
 * are loaded only here, since most servers have no token.
 */
export async function tokenCheck(token: string): Promise<TokenCheck> {
  const { createHash, timingSafeEqual } = await import("node:crypto");
  const digestOf = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest();
  const expected = digestOf(new TextEncoder().encode(token));
  return (bytes, start, end) => timingSafeEqual(digestOf(bytes.subarray(start, end)), expected);
}
