/**
 * Compares the token of AUTH with the server's.
 *
 * A check takes the same time for a wrong token as for the right one. It compares digests, so that
 * the time does not depend on the token's length either, and the threads of a server need to know
 * only the digest. The runtime's functions are loaded only here, since most servers have no token.
 *
 * @module
 */

/** Compares `bytes[start, end)` with a token. */
export type TokenCheck = (bytes: Uint8Array, start: number, end: number) => boolean;

/** The digest of a token. */
export async function digestOfToken(token: string): Promise<Uint8Array> {
  const { createHash } = await import("node:crypto");
  return new Uint8Array(createHash("sha256").update(new TextEncoder().encode(token)).digest());
}

/** Makes a check by the digest of the token. */
export async function checkByDigest(expected: Uint8Array): Promise<TokenCheck> {
  const { createHash, timingSafeEqual } = await import("node:crypto");
  const digestOf = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest();
  return (bytes, start, end) => timingSafeEqual(digestOf(bytes.subarray(start, end)), expected);
}
