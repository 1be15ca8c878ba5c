/**
 * Splits bytes as they arrive into whole lines, byte for byte. A line ends with LF, and one CR
 * before it is dropped; a last line without LF counts. Between two chunks at most one line is held,
 * bounded by `lineBytesMax`: the bytes of a longer one are thrown away as they arrive.
 *
 * @module
 */

// @ts-types="../types/std.d.ts"
import { concat } from "@std/bytes/concat";

const lineFeed = 10;
const carriageReturn = 13;

/** Collects chunks until they make lines. */
export class LineSplitter {
  readonly #lineBytesMax: number;
  /** The parts of a line whose end has not come. */
  #parts: Uint8Array[] = [];
  #partBytes = 0;

  constructor(lineBytesMax: number) {
    this.#lineBytesMax = lineBytesMax;
  }

  /**
   * The lines that the chunk ends, in order, without their line breaks: parts of the chunk where
   * they lie within it. `undefined` stands for a line that was too long.
   */
  *push(chunk: Uint8Array): Generator<Uint8Array | undefined> {
    let start = 0;
    while (true) {
      const end = chunk.indexOf(lineFeed, start);
      if (end < 0) break;
      yield this.#completed(chunk.subarray(start, end));
      start = end + 1;
    }
    if (start < chunk.length) this.#hold(chunk.subarray(start));
  }

  /** The last line, if it had no line feed; nothing otherwise. */
  *end(): Generator<Uint8Array | undefined> {
    if (this.#partBytes > 0) yield this.#completed(new Uint8Array());
  }

  #hold(part: Uint8Array) {
    this.#partBytes += part.length;
    if (this.#partBytes > this.#lineBytesMax + 1) this.#parts = [];
    else this.#parts.push(part);
  }

  #completed(part: Uint8Array): Uint8Array | undefined {
    let line = part;
    if (this.#partBytes > 0) {
      this.#hold(part);
      line = this.#partBytes > this.#lineBytesMax + 1 ? part : concat(this.#parts);
      const bytes = this.#partBytes;
      this.#parts = [];
      this.#partBytes = 0;
      if (bytes > this.#lineBytesMax + 1) return undefined;
    }
    if (line[line.length - 1] === carriageReturn) line = line.subarray(0, -1);
    return line.length > this.#lineBytesMax ? undefined : line;
  }
}
