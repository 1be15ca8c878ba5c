/**
 * Memory that all threads of the process can reach: mapped by the system, by FFI on Linux.
 *
 * A thread makes a view of a block from its address. Views are ordinary array buffers, so they are
 * as fast as a thread's own: copies out of a SharedArrayBuffer take half as long again.
 *
 * @module
 */

import { openCLibrary } from "../c_library.ts";
import type { Block, SharedMemory } from "./memory.ts";

const symbols = {
  mmap: {
    parameters: ["pointer", "usize", "i32", "i32", "i32", "i64"],
    result: "pointer",
  },
  munmap: { parameters: ["pointer", "usize"], result: "i32" },
  madvise: { parameters: ["pointer", "usize", "i32"], result: "i32" },
} as const;

type Library = Deno.DynamicLibrary<typeof symbols>["symbols"];

const PROT_READ_WRITE = 1 | 2;
const MAP_PRIVATE = 0x02;
const MAP_ANONYMOUS = 0x20;
/** Pages count when they are written, not when they are mapped. */
const MAP_NORESERVE = 0x4000;
const MADV_DONTNEED = 4;
/** What mmap returns when it fails. */
const MAP_FAILED = 2n ** 64n - 1n;

let loaded: Library | undefined;

/** The memory that threads share; undefined where it is not available: no Linux, or no FFI. */
export function openSharedMemory(): SharedMemory | undefined {
  loaded ??= openCLibrary(symbols);
  return loaded === undefined ? undefined : new MappedMemory(loaded);
}

/** Blocks of memory by mmap. An address is below 2 ** 47, so a number holds it. */
class MappedMemory implements SharedMemory {
  readonly #library: Library;

  constructor(library: Library) {
    this.#library = library;
  }

  take(bytes: number): Block {
    const flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    const pointer = this.#library.mmap(null, BigInt(bytes), PROT_READ_WRITE, flags, -1, 0n);
    const address = Deno.UnsafePointer.value(pointer);
    if (pointer === null || BigInt(address) === MAP_FAILED) {
      throw new RangeError(`Cannot map ${bytes} bytes of memory`);
    }
    return { buffer: view(pointer, bytes), address: Number(address) };
  }

  at(address: number, bytes: number): ArrayBuffer {
    return view(pointerTo(address), bytes);
  }

  discard(address: number, bytes: number): void {
    this.#library.madvise(pointerTo(address), BigInt(bytes), MADV_DONTNEED);
  }

  give(address: number, bytes: number): void {
    this.#library.munmap(pointerTo(address), BigInt(bytes));
  }
}

function pointerTo(address: number): Deno.PointerObject {
  const pointer = Deno.UnsafePointer.create(BigInt(address));
  if (pointer === null) throw new Error("Cannot look at memory: there is no address");
  return pointer;
}

function view(pointer: Deno.PointerObject, bytes: number): ArrayBuffer {
  return Deno.UnsafePointerView.getArrayBuffer(pointer, bytes);
}
