/**
 * The layout of a record, the unit in which the arena holds data.
 *
 * A record is a run of granules of 8 bytes inside one segment. Its place is a reference: the
 * number of its first granule, counted over the whole arena; reference 0 is "none". The header is
 * of 32-bit words, so that code works on it through a `Uint32Array`:
 *
 * | word | entry                                   | fragment            | dead              |
 * | ---- | --------------------------------------- | ------------------- | ----------------- |
 * | 0    | key bytes (16), flags (8), credit (8)   | flags               | flags             |
 * | 1    | value bytes                             | payload bytes       | granules it spans |
 * | 2    | -                                       | previous in chain   | -                 |
 * | 3    | -                                       | next fragment or 0  | -                 |
 *
 * An entry that expires has two more words, its time of expiry in milliseconds. An entry whose
 * value is kept in fragments has two more, the first of them the reference of the first fragment.
 * Then come the key and, unless it is in fragments, the value.
 *
 * @module
 */

/** Bytes of a granule, the unit of places and sizes in the arena. */
export const GRANULE_BYTES = 8;
/** Bytes of the header of an entry, and of a fragment. */
export const HEADER_BYTES = 8;
export const FRAGMENT_HEADER_BYTES = 16;
/** Bytes of each of the two optional extensions of the header. */
export const EXTENSION_BYTES = 8;

/** The flag of a dead record; its word 1 is the number of granules to skip. */
export const DEAD = 1 << 16;
/** The flag of an entry with a time of expiry. */
export const EXPIRES = 1 << 17;
/** The flag of an entry whose value is in fragments. */
export const FRAGMENTED = 1 << 18;
/** The flag of a fragment of a value. */
export const FRAGMENT = 1 << 19;
/** The flag of an entry that the flush under way does not cover, since it was written later. */
export const EXEMPT = 1 << 20;
/** The flag of an entry in the main queue on probation: it was never visited. */
export const PROBATION = 1 << 21;

/** The longest key: its length has 16 bits of a header. */
export const KEY_BYTES_MAX = 65_535;
/** How far the bits of word 0 are shifted that hold an entry's credit for visits. */
export const VISITS_SHIFT = 24;

/** Granules that hold this many bytes. */
export function granulesOf(bytes: number): number {
  return (bytes + GRANULE_BYTES - 1) >>> 3;
}

/** Bytes of an entry's header with its extensions, from its word 0. */
export function headerBytesOf(word0: number): number {
  return HEADER_BYTES + ((word0 & EXPIRES) === 0 ? 0 : EXTENSION_BYTES) +
    ((word0 & FRAGMENTED) === 0 ? 0 : EXTENSION_BYTES);
}

/** Granules of any record, from its first two words. */
export function recordGranules(word0: number, word1: number): number {
  if ((word0 & (DEAD | FRAGMENTED | FRAGMENT)) === 0) {
    return granulesOf(headerBytesOf(word0) + (word0 & 0xffff) + word1);
  }
  if ((word0 & DEAD) !== 0) return word1;
  if ((word0 & FRAGMENT) !== 0) return granulesOf(FRAGMENT_HEADER_BYTES + word1);
  return granulesOf(headerBytesOf(word0) + (word0 & 0xffff));
}
