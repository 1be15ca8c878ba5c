/**
 * A pool of byte buffers. What is given back is kept for the next taker, so that a burst of large
 * requests uses the same memory again and again instead of leaving it to the garbage collector,
 * which would let the process grow meanwhile. What is not used for a while is let go of, a part
 * with each tick.
 *
 * Sizes are powers of two up to 1 MiB, and whole mebibytes above. The smallest buffers, of which
 * every idle connection holds one, are cut from slabs, since a block of memory of its own costs
 * each a few hundred bytes more.
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

/** A buffer that is larger by this share than what is asked for is good enough. */
const excessShareMax = 0.5;

/** The bytes that wait in the pool however long nobody wants them. */
export const idleBytesMax = 4 * 1024 * 1024;

/** The size class of a buffer that holds so many bytes: its power, or behind these its units. */
function classFor(bytes: number): number {
  if (bytes <= 1 << smallestPower) return smallestPower;
  if (bytes <= unitBytes) return 32 - Math.clz32(bytes - 1);
  return unitPower + Math.ceil(bytes / unitBytes) - 1;
}

function bytesOf(sizeClass: number): number {
  return sizeClass <= unitPower ? 1 << sizeClass : (sizeClass - unitPower + 1) * unitBytes;
}

const largestClass = classFor(keptUnitsMax * unitBytes);

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
    for (let sizeClass = 0; sizeClass <= largestClass; sizeClass++) this.#free.push([]);
  }

  /** Bytes that wait for a taker. */
  get keptBytes(): number {
    return this.#keptBytes;
  }

  take(bytesMin: number): Uint8Array<ArrayBuffer> {
    const sizeClass = classFor(bytesMin);
    // Beyond what is kept a buffer is as large as it must be and no larger.
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

  /** Lets go of half of what nobody needed since the last call, the largest buffers first. */
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

  /** A large buffer that is a little larger than needed, if one waits. */
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
