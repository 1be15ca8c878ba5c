/**
 * Writes lines to standard output or standard error, where a failure must never end the process:
 * the log of a server may be on a full disk, a closed terminal or a pipe that nobody reads, and
 * none of these is worth the data in memory.
 *
 * What always holds: nothing here throws or rejects, at most one write is under way, and the bytes
 * that wait are bounded. A line that cannot be written, or for which there is no space, is lost and
 * counted; once writing works again, one line says how many were lost.
 *
 * @module
 */

// @ts-types="../types/std.d.ts"
import { delay } from "@std/async/delay";

/** Where lines are written; `Deno.stderr` is one. */
export interface LineSink {
  /** Writes some of the bytes and resolves with their number. */
  write(bytes: Uint8Array): Promise<number>;
}

/** The options of a {@linkcode LineWriter}. */
export interface LineWriterOptions {
  /** Makes the text before each line, such as the time. By default there is none. */
  readonly prefix?: () => string;
  /** Bytes of lines that may wait for a write. Default {@linkcode waitingBytesMax}. */
  readonly waitingBytesMax?: number;
}

/** Bytes of lines that may wait for a write, unless the options say otherwise. */
export const waitingBytesMax = 64 * 1024;

const encoder = new TextEncoder();
const lineFeed = encoder.encode("\n");

/** Writes lines one at a time, in order, and survives every failure to write. */
export class LineWriter {
  readonly #sink: LineSink;
  readonly #prefix: () => string;
  readonly #waitingBytesMax: number;
  readonly #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #lost = 0;
  /** True after a write that failed. */
  #isFailing = false;
  /** True when a part of a line was written before its write failed. */
  #isTorn = false;
  #writing: Promise<void> | undefined;

  constructor(sink: LineSink, options: LineWriterOptions = {}) {
    this.#sink = sink;
    this.#prefix = options.prefix ?? (() => "");
    this.#waitingBytesMax = options.waitingBytesMax ?? waitingBytesMax;
  }

  /** Writes a line soon. Line breaks in the text become blanks. */
  line(text: string): void {
    const bytes = this.#lineOf(text);
    if (this.#waitingBytes + bytes.length > this.#waitingBytesMax) {
      this.#lost++;
      return;
    }
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    this.#writing ??= this.#writeAll();
  }

  /** Resolves when nothing waits any more, or after `timeoutMs`. */
  async flushed(timeoutMs: number): Promise<void> {
    if (this.#writing === undefined) return;
    const written = new AbortController();
    const all = this.#writing.finally(() => written.abort());
    await Promise.race([all, delay(timeoutMs, { signal: written.signal }).catch(() => {})]);
  }

  #lineOf(text: string): Uint8Array {
    return encoder.encode(`${this.#prefix()}${text.replace(/[\r\n]+/g, " ")}\n`);
  }

  async #writeAll(): Promise<void> {
    do {
      for (let bytes = this.#waiting.shift(); bytes !== undefined; bytes = this.#waiting.shift()) {
        this.#waitingBytes -= bytes.length;
        // After a failure the note comes first, so that it stands where the lines are missing.
        const works = !this.#isFailing || await this.#writeLost();
        if (!works || !await this.#write(bytes)) this.#lost++;
      }
      if (this.#lost > 0 && !this.#isFailing) await this.#writeLost();
    } while (this.#waiting.length > 0);
    this.#writing = undefined;
  }

  /** Writes how many lines were lost; false when even that fails. */
  async #writeLost(): Promise<boolean> {
    const lost = this.#lost;
    const note = `${lost} ${lost === 1 ? "line" : "lines"} of this log could not be written`;
    const works = await this.#write(this.#lineOf(note));
    if (works) this.#lost -= lost;
    return works;
  }

  /** Writes one line; false when it fails. */
  async #write(line: Uint8Array): Promise<boolean> {
    let rest = line;
    try {
      if (this.#isTorn) await this.#sink.write(lineFeed);
      this.#isTorn = false;
      while (rest.length > 0) {
        const written = await this.#sink.write(rest);
        if (written === 0) throw new Error("Nothing was written");
        rest = rest.subarray(written);
      }
      this.#isFailing = false;
    } catch {
      this.#isFailing = true;
      this.#isTorn ||= rest.length < line.length;
    }
    return !this.#isFailing;
  }
}
