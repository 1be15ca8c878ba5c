/**
 * The checksum of an entry in the data file. SQLite would not notice a flipped bit in a value.
 *
 * It is the CRC-32 of zlib over the key, the value, the key's length in four bytes and the expiry
 * in eight, both big-endian; an entry that does not expire has zero there.
 *
 * @module
 */

import { crc32 } from "node:zlib";

const tail = new Uint8Array(12);
const tailView = new DataView(tail.buffer);

/** The checksum of an entry. */
export function checksumOf(key: Uint8Array, value: Uint8Array, expiresAt: number): number {
  return withTail(crc32(value, crc32(key)), key.length, expiresAt);
}

/** The same, where the value follows the key in the same bytes. */
export function checksumOfBoth(both: Uint8Array, keyBytes: number, expiresAt: number): number {
  return withTail(crc32(both), keyBytes, expiresAt);
}

function withTail(checksum: number, keyBytes: number, expiresAt: number): number {
  tailView.setUint32(0, keyBytes);
  tailView.setUint32(4, Math.floor(expiresAt / 2 ** 32));
  tailView.setUint32(8, expiresAt >>> 0);
  return crc32(tail, checksum);
}

/** The checksum of bytes. */
export function checksumOfBytes(bytes: Uint8Array): number {
  return crc32(bytes);
}
