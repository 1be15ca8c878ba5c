/**
 * The layout of recorded changes: how one change of the store is written as bytes, in the ring that
 * takes it to the writer and in the `journal` table of the data file.
 *
 * Numbers are little-endian. A record begins at a multiple of eight bytes:
 *
 * | bytes | what                                                                       |
 * | ----- | -------------------------------------------------------------------------- |
 * | 4     | length of the record, these and the padding at its end included            |
 * | 2     | kind                                                                       |
 * | 2     | bytes of the key, or of the prefix                                         |
 * | 4     | bytes of the value; for `putBuffer` the number of the buffer that holds it |
 * | 4     | zero                                                                       |
 * | 8     | when the entry expires, in milliseconds since 1970, as a double; 0: never  |
 * | n     | the key, and directly behind it the value                                  |
 *
 * @module
 */

/** What a record says. */
export const kinds = {
  /** Skip it: what is left at the end of the ring. */
  skip: 1,
  /** The key has this value and this expiry. */
  put: 2,
  /** The same; the value is in a buffer of its own, which follows in a message. */
  putBuffer: 3,
  /** The key is gone. */
  remove: 4,
  /** The key has this expiry. */
  expire: 5,
  /** Every key is gone. */
  flushAll: 6,
  /** Every key with this prefix is gone. */
  flushPrefix: 7,
  /** The key was evicted: as `remove`, but nobody waits for it. */
  evict: 8,
  /** The changes up to `groupEnd` are kept together or not at all. */
  groupBegin: 9,
  groupEnd: 10,
} as const;

/** One of {@linkcode kinds}. */
export type Kind = typeof kinds[keyof typeof kinds];

/** Bytes before the key. */
export const headerBytes = 24;

/** The length of a record, for a key and a value of so many bytes. */
export function recordBytes(keyBytes: number, valueBytes: number): number {
  return (headerBytes + keyBytes + valueBytes + 7) & ~7;
}

/** Views of the bytes that records lie in. */
export class RecordViews {
  readonly bytes: Uint8Array<ArrayBufferLike>;
  readonly words: Int32Array<ArrayBufferLike>;
  readonly shorts: Uint16Array<ArrayBufferLike>;
  readonly numbers: Float64Array<ArrayBufferLike>;

  /** Views of `length` bytes of a buffer from `at` on, both multiples of eight. */
  constructor(buffer: ArrayBufferLike, at: number, length: number) {
    this.bytes = new Uint8Array(buffer, at, length);
    this.words = new Int32Array(buffer, at, length / 4);
    this.shorts = new Uint16Array(buffer, at, length / 2);
    this.numbers = new Float64Array(buffer, at, length / 8);
  }

  /** Writes everything but the length, which says that the record is complete. */
  write(
    at: number,
    kind: Kind,
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    valueBytes: number,
    expiresAt: number,
  ): void {
    this.shorts[(at >> 1) + 2] = kind;
    this.shorts[(at >> 1) + 3] = keyEnd - keyStart;
    this.words[(at >> 2) + 2] = valueBytes;
    this.words[(at >> 2) + 3] = 0;
    this.numbers[(at >> 3) + 2] = expiresAt;
    copy(key, keyStart, keyEnd, this.bytes, at + headerBytes);
  }

  lengthAt(at: number): number {
    return this.words[at >> 2];
  }

  kindAt(at: number): Kind {
    return this.shorts[(at >> 1) + 2] as Kind;
  }

  keyBytesAt(at: number): number {
    return this.shorts[(at >> 1) + 3];
  }

  /** Bytes of the value, or the number of its buffer. */
  valueAt(at: number): number {
    return this.words[(at >> 2) + 2];
  }

  /** Milliseconds since 1970; 0 for never. */
  expiresAtAt(at: number): number {
    return this.numbers[(at >> 3) + 2];
  }

  /** The key, in the bytes of the records. */
  keyAt(at: number): Uint8Array {
    return this.bytes.subarray(at + headerBytes, at + headerBytes + this.keyBytesAt(at));
  }

  /** The value of a `put`, in the bytes of the records. */
  valueBytesAt(at: number): Uint8Array {
    const start = at + headerBytes + this.keyBytesAt(at);
    return this.bytes.subarray(start, start + this.valueAt(at));
  }
}

/** Up to so many bytes, a loop is faster than a call that copies. */
const loopBytesMax = 32;

/** Copies `from[start, end)` to `to` at `at`. */
export function copy(
  from: Uint8Array,
  start: number,
  end: number,
  to: Uint8Array,
  at: number,
): void {
  if (end - start > loopBytesMax) {
    to.set(from.subarray(start, end), at);
    return;
  }
  for (let n = start; n < end; n++) to[at++] = from[n];
}
