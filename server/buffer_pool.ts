/**
 * A pool of byte buffers. It keeps the buffers that are given back and hands them out again, so
 * that a burst of large requests reuses memory. Left to the garbage collector, the process would
 * grow until the next collection. Each tick releases a part of the buffers that were not needed.
 *
 * Sizes are powers of two up to 1 MiB, and whole mebibytes above. Each idle connection holds one of
 * the smallest buffers. These are cut from slabs, since a separate block of memory would cost each
 * a few hundred bytes more.
 *
 * @module
 */

import type { Buffers } from "../protocol.ts";

/** The smallest buffer of the pool is 2 to this power: 512 bytes. */
const smallestPower = 9;

/** The smallest buffers are cut from blocks of this many bytes. */
const slabBytes = 32 * 1024;

/** Sizes are powers of two up to 2 to this power, 1 MiB, and multiples of that above. */
const unitPower = 20;
const unitBytes = 1 << unitPower;

/** The largest buffer that is kept, in units. */
const keptUnitsMax = 32;

/** A kept buffer may be larger than what is asked for by this share. */
const excessShareMax = 0.5;

/** Bytes of unused buffers that the pool never releases. */
export const idleBytesMax = 4 * 1024 * 1024;

/**
 * The size class of a buffer of `bytes`: its power of two, or for larger ones a number by its
 * units.
 */
function classFor(bytes: number): number {
  if (bytes <= 1 << smallestPower) return smallestPower;
  if (bytes <= unitBytes) return 32 - Math.clz32(bytes - 1);
  return unitPower + Math.ceil(bytes / unitBytes) - 1;
}

function bytesOf(sizeClass: number): number {
  return sizeClass <= unitPower ? 1 << sizeClass : (sizeClass - unitPower + 1) * unitBytes;
}

const largestClass = classFor(keptUnitsMax * unitBytes);

/** A pool of byte buffers, by size. */
export class BufferPool implements Buffers {
  readonly #free: Uint8Array<ArrayBuffer>[][] = [];
  readonly #keptBytesMax: number;
  #keptBytes = 0;
  /** The fewest unused bytes at any time since the last trim: nothing needed these. */
  #unusedBytes = 0;
  #slab = new ArrayBuffer(0);
  #slabUsedBytes = 0;

  /** Makes a pool that keeps up to `keptBytesMax` unused bytes. */
  constructor(keptBytesMax: number = idleBytesMax) {
    this.#keptBytesMax = Math.max(idleBytesMax, keptBytesMax);
    for (let sizeClass = 0; sizeClass <= largestClass; sizeClass++) this.#free.push([]);
  }

  /** Unused bytes in the pool. */
  get keptBytes(): number {
    return this.#keptBytes;
  }

  take(bytesMin: number): Uint8Array<ArrayBuffer> {
    const sizeClass = classFor(bytesMin);
    // A buffer too large to be kept has exactly the size that is needed.
    if (sizeClass > largestClass) return new Uint8Array(bytesMin);
    const buffer = this.#free[sizeClass].pop() ?? this.#largerFor(sizeClass);
    if (buffer === undefined) {
      return sizeClass === smallestPower ? this.#cut() : new Uint8Array(bytesOf(sizeClass));
    }
    this.#keptBytes -= buffer.length;
    if (this.#keptBytes < this.#unusedBytes) this.#unusedBytes = this.#keptBytes;
    return buffer;
  }

  give(buffer: Uint8Array<ArrayBuffer>): void {
    const { length } = buffer;
    const sizeClass = classFor(length);
    if (sizeClass > largestClass || length !== bytesOf(sizeClass)) return;
    if (this.#keptBytes + length > this.#keptBytesMax) return;
    this.#free[sizeClass].push(buffer);
    this.#keptBytes += length;
  }

  /**
   * Releases half of the bytes that nothing needed since the last call, the largest buffers first.
   */
  trim(): void {
    let drop = Math.min(this.#unusedBytes, this.#keptBytes - idleBytesMax);
    if (drop > idleBytesMax) drop /= 2;
    for (let sizeClass = largestClass; sizeClass > smallestPower && drop > 0; sizeClass--) {
      const free = this.#free[sizeClass];
      while (free.length > 0 && drop > 0) {
        drop -= bytesOf(sizeClass);
        this.#keptBytes -= bytesOf(sizeClass);
        free.pop();
      }
    }
    this.#unusedBytes = this.#keptBytes;
  }

  /** An unused large buffer that is a little larger than needed, if there is one. */
  #largerFor(sizeClass: number): Uint8Array<ArrayBuffer> | undefined {
    if (sizeClass <= unitPower) return undefined;
    const most = Math.min(largestClass, classFor(bytesOf(sizeClass) * (1 + excessShareMax)));
    for (let larger = sizeClass + 1; larger <= most; larger++) {
      const buffer = this.#free[larger].pop();
      if (buffer !== undefined) return buffer;
    }
    return undefined;
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
