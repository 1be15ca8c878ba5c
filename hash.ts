/**
 * HalfSipHash-1-3: the keyed 32-bit hash of tables that are indexed by what clients send.
 *
 * Keys may come from attackers. Without knowing the hash's key, they cannot choose keys that all
 * collide. The hash works on 32-bit words, on which JavaScript engines are fast. The Linux kernel
 * uses the same function for its own tables.
 *
 * Source: Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012, and the authors'
 * reference code of the half-width form.
 *
 * @module
 */

/** Two 32-bit words that nobody outside the process knows. */
export type HashKey = readonly [number, number];

/** A fresh random key. */
export function randomHashKey(): HashKey {
  const words = crypto.getRandomValues(new Int32Array(2));
  return [words[0], words[1]];
}

/**
 * The hash of `bytes[start, end)` under a key, as an unsigned 32-bit integer.
 *
 * @example
 * ```ts
 * import { hashOf } from "./hash.ts";
 *
 * const bytes = new TextEncoder().encode("user:1");
 * console.assert(hashOf([1, 2], bytes, 0, 6) === hashOf([1, 2], bytes, 0, 6));
 * console.assert(hashOf([1, 2], bytes, 0, 6) !== hashOf([1, 3], bytes, 0, 6));
 * ```
 */
export function hashOf(key: HashKey, bytes: Uint8Array, start: number, end: number): number {
  let v0 = key[0] | 0;
  let v1 = key[1] | 0;
  let v2 = 0x6c796765 ^ v0;
  let v3 = 0x74656462 ^ v1;
  const whole = end - ((end - start) & 3);
  let at = start;
  for (; at < whole; at += 4) {
    const word = bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
    v3 ^= word;
    v0 = (v0 + v1) | 0;
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
    v0 = (v0 << 16) | (v0 >>> 16);
    v2 = (v2 + v3) | 0;
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
    v0 = (v0 + v3) | 0;
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
    v2 = (v2 + v1) | 0;
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
    v2 = (v2 << 16) | (v2 >>> 16);
    v0 ^= word;
  }
  let last = (end - start) << 24;
  for (let shift = 0; at < end; at++, shift += 8) last |= bytes[at] << shift;
  v3 ^= last;
  // One compression round, then three of finalization; the two xors between them are part of it.
  for (let round = 0; round < 4; round++) {
    v0 = (v0 + v1) | 0;
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
    v0 = (v0 << 16) | (v0 >>> 16);
    v2 = (v2 + v3) | 0;
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
    v0 = (v0 + v3) | 0;
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
    v2 = (v2 + v1) | 0;
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
    v2 = (v2 << 16) | (v2 >>> 16);
    if (round === 0) {
      v0 ^= last;
      v2 ^= 0xff;
    }
  }
  return (v1 ^ v3) >>> 0;
}
