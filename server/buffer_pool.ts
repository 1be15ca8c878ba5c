/**
 * A pool of byte buffers, by powers of two. It keeps a bounded number of bytes for the next
 * taker and leaves the rest to the collector. The smallest, of which every idle connection holds
 * one, are cut from slabs, since memory of its own costs each a few hundred bytes more.
 *
 * @module
 */

import type { Buffers } from "../protocol/output.ts";

/** The smallest buffer of the pool is 2 to this power: 512 bytes. */
const smallestPower = 9;

/** The smallest buffers are cut from pieces of so many bytes. */
const slabBytes = 32 * 1024;

/** The largest buffer that is kept is 2 to this power: 1 MiB. */
const largestKeptPower = 20;

/** The most bytes that wait in the pool. */
export const pooledBytesMax = 4 * 1024 * 1024;

function powerFor(bytes: number): number {
  return bytes <= 1 << smallestPower ? smallestPower : 32 - Math.clz32(bytes - 1);
}

/** See the head of this file. */
export class BufferPool implements Buffers {
  readonly #free: Uint8Array<ArrayBuffer>[][] = [];
  #pooledBytes = 0;
  #slab = new ArrayBuffer(0);
  #slabUsedBytes = 0;

  constructor() {
    for (let power = 0; power <= largestKeptPower; power++) this.#free.push([]);
  }

  take(bytesMin: number): Uint8Array<ArrayBuffer> {
    // Beyond what is kept a buffer is as large as it must be and no larger.
    if (bytesMin > 1 << largestKeptPower) return new Uint8Array(bytesMin);
    const power = powerFor(bytesMin);
    const buffer = this.#free[power].pop();
    if (buffer === undefined) {
      return power === smallestPower ? this.#cut() : new Uint8Array(1 << power);
    }
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

  #cut(): Uint8Array<ArrayBuffer> {
    if (this.#slabUsedBytes === this.#slab.byteLength) {
      this.#slab = new ArrayBuffer(slabBytes);
      this.#slabUsedBytes = 0;
    }
    const buffer = new Uint8Array(this.#slab, this.#slabUsedBytes, 1 << smallestPower);
    this.#slabUsedBytes += buffer.length;
    return buffer;
  }
}
