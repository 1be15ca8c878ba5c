/**
 * A pool of byte buffers, by powers of two. It keeps a bounded number of bytes for the next
 * taker and leaves the rest to the collector.
 *
 * @module
 */

import type { Buffers } from "../protocol/output.ts";

/** The smallest buffer of the pool is 2 to this power: 1 KiB. */
const smallestPower = 10;

/** The largest buffer that is kept is 2 to this power: 1 MiB. */
const largestKeptPower = 20;

/** The most bytes that wait in the pool. */
export const pooledBytesMax = 16 * 1024 * 1024;

function powerFor(bytes: number): number {
  return bytes <= 1 << smallestPower ? smallestPower : 32 - Math.clz32(bytes - 1);
}

/** See the head of this file. */
export class BufferPool implements Buffers {
  readonly #free: Uint8Array<ArrayBuffer>[][] = [];
  #pooledBytes = 0;

  constructor() {
    for (let power = 0; power <= largestKeptPower; power++) this.#free.push([]);
  }

  take(bytesMin: number): Uint8Array<ArrayBuffer> {
    // Beyond what is kept a buffer is as large as it must be and no larger.
    if (bytesMin > 1 << largestKeptPower) return new Uint8Array(bytesMin);
    const power = powerFor(bytesMin);
    const buffer = this.#free[power].pop();
    if (buffer === undefined) return new Uint8Array(1 << power);
    this.#pooledBytes -= buffer.length;
    return buffer;
  }

  give(buffer: Uint8Array<ArrayBuffer>): void {
    const { length } = buffer;
    if (length > 1 << largestKeptPower || this.#pooledBytes + length > pooledBytesMax) return;
    const power = powerFor(length);
    if (length !== 1 << power) return;
    this.#free[power].push(buffer);
    this.#pooledBytes += length;
  }
}
