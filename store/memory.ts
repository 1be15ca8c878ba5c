/**
 * Where the store's memory comes from: blocks of zeroed bytes, of this thread alone or of all.
 *
 * @module
 */

/**
 * Takes a zeroed block of memory, or throws a RangeError if there is none. The system provides its
 * pages when they are first written.
 */
export type Allocate = (bytes: number) => ArrayBuffer;

/** A block of memory, and where other threads find it; 0 if they cannot. */
export interface Block {
  readonly buffer: ArrayBuffer;
  readonly address: number;
}

/** A source of memory that all threads of the process can reach. */
export interface SharedMemory {
  /** Takes a zeroed block. Throws a RangeError if there is none. */
  take(bytes: number): Block;
  /** A view of a block, or of its beginning, that any thread took. */
  at(address: number, bytes: number): ArrayBuffer;
  /** Gives a block's pages back to the system. The block stays, and reads as zeros. */
  discard(address: number, bytes: number): void;
  /** Gives a block back. No thread may use a view of it after that. */
  give(address: number, bytes: number): void;
}

/** The memory of one store, or of one shard of a store. */
export class Memory {
  readonly #allocate: Allocate;
  /** Where the memory comes from if threads share it. */
  readonly shared: SharedMemory | undefined;

  constructor(source: Allocate | SharedMemory) {
    this.shared = typeof source === "function" ? undefined : source;
    this.#allocate = typeof source === "function" ? source : noAllocation;
  }

  /** Takes a zeroed block. Throws a RangeError if there is none. */
  take(bytes: number): Block {
    return this.shared?.take(bytes) ?? { buffer: this.#allocate(bytes), address: 0 };
  }

  /** Takes a zeroed block; undefined if there is none. */
  tryTake(bytes: number): Block | undefined {
    try {
      return this.take(bytes);
    } catch (error) {
      // V8 throws a RangeError if it cannot allocate an array buffer; any other error is a fault.
      if (error instanceof RangeError) return undefined;
      throw error;
    }
  }

  /** Gives a block back; one of this thread alone is left to the garbage collector. */
  give(address: number, bytes: number): void {
    if (address !== 0) this.shared?.give(address, bytes);
  }
}

/** Memory of this thread alone. */
export const allocate: Allocate = (bytes) => new ArrayBuffer(bytes);

function noAllocation(): never {
  throw new Error("Cannot allocate: this memory is shared");
}
