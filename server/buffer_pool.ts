/**
 * A pool of byte buffers, by powers of two. What is given back is kept for the next taker, so that a
 * burst of large requests uses the same memory again and again instead of leaving it to the
 * garbage collector, which would let the process grow meanwhile. What is not used for a while is
 * let go of, a part with each tick. The smallest buffers, of which every idle connection holds one,
 * are cut from slabs, since a block of memory of its own costs each a few hundred bytes more.
 *
 * @module
 */

import type { Buffers } from "../protocol.ts";

/** The smallest buffer of the pool is 2 to this power: 512 bytes. */
const smallestPower = 9;

/** The smallest buffers are cut from blocks of this many bytes. */
const slabBytes = 32 * 1024;

/** The largest buffer that is kept is 2 to this power: 32 MiB. */
const largestKeptPower = 25;

/** The bytes that wait in the pool however long nobody wants them. */
export const idleBytesMax = 4 * 1024 * 1024;

function powerFor(bytes: number): number {
  return bytes <= 1 << smallestPower ? smallestPower : 32 - Math.clz32(bytes - 1);
}

/** Buffers that are used again. */
export class BufferPool implements Buffers {
  readonly #free: Uint8Array<ArrayBuffer>[][] = [];
  readonly #keptBytesMax: number;
  #keptBytes = 0;
  /** The fewest bytes that waited since the last trim: nobody needed these. */
  #unusedBytes = 0;
  #slab = new ArrayBuffer(0);
  #slabUsedBytes = 0;

  /** Keeps up to `keptBytesMax` bytes for the next takers. */
  constructor(keptBytesMax: number = idleBytesMax) {
    this.#keptBytesMax = Math.max(idleBytesMax, keptBytesMax);
    for (let power = 0; power <= largestKeptPower; power++) this.#free.push([]);
  }

  /** Bytes that wait for a taker. */
  get keptBytes(): number {
    return this.#keptBytes;
  }

  take(bytesMin: number): Uint8Array<ArrayBuffer> {
    // Beyond what is kept a buffer is as large as it must be and no larger.
    if (bytesMin > 1 << largestKeptPower) return new Uint8Array(bytesMin);
    const power = powerFor(bytesMin);
    const buffer = this.#free[power].pop();
    if (buffer === undefined) {
      return power === smallestPower ? this.#cut() : new Uint8Array(1 << power);
    }
    this.#keptBytes -= buffer.length;
    if (this.#keptBytes < this.#unusedBytes) this.#unusedBytes = this.#keptBytes;
    return buffer;
  }

  give(buffer: Uint8Array<ArrayBuffer>): void {
    const { length } = buffer;
    if (length > 1 << largestKeptPower || this.#keptBytes + length > this.#keptBytesMax) return;
    const power = powerFor(length);
    if (length !== 1 << power) return;
    this.#free[power].push(buffer);
    this.#keptBytes += length;
  }

  /** Lets go of half of what nobody needed since the last call, the largest buffers first. */
  trim(): void {
    let drop = Math.min(this.#unusedBytes, this.#keptBytes - idleBytesMax);
    if (drop > idleBytesMax) drop /= 2;
    for (let power = largestKeptPower; power > smallestPower && drop > 0; power--) {
      const free = this.#free[power];
      while (free.length > 0 && drop > 0) {
        drop -= 1 << power;
        this.#keptBytes -= 1 << power;
        free.pop();
      }
    }
    this.#unusedBytes = this.#keptBytes;
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
