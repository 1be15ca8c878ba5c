/**
 * Gathers many small pieces of output into few writes. Pieces that come while a write is under way
 * wait for the next one. `waitingBytes` says how much waits, for back-pressure.
 *
 * @module
 */
import type { ShellOutput } from "./options.ts";

const startBytes = 64 * 1024;

/** A buffer in front of an output, which writes pieces soon, in order, and many at a time. */
export class OutputBuffer {
  readonly #output: ShellOutput;
  #bytes = new Uint8Array(startBytes);
  #length = 0;
  #writing: Promise<void> | undefined;
  #failure: { error: unknown } | undefined;

  constructor(output: ShellOutput) {
    this.#output = output;
  }

  /** Bytes that wait for a write to end. */
  get waitingBytes(): number {
    return this.#length;
  }

  /** True once a write has failed: the reader has gone. */
  get failed(): boolean {
    return this.#failure !== undefined;
  }

  /** Adds a piece; it is copied. */
  append(piece: Uint8Array) {
    if (this.#failure) return;
    if (this.#length + piece.length > this.#bytes.length) this.#grow(piece.length);
    this.#bytes.set(piece, this.#length);
    this.#length += piece.length;
    this.#writing ??= this.#write();
  }

  /** Resolves when all that was appended is written; rejects when the reader has gone. */
  async flushed() {
    while (this.#writing) await this.#writing;
    if (this.#failure) throw this.#failure.error;
  }

  #grow(more: number) {
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + more));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }

  async #write() {
    // Pieces of the same burst join this write.
    await Promise.resolve();
    try {
      while (this.#length > 0) {
        const full = this.#bytes.subarray(0, this.#length);
        this.#bytes = new Uint8Array(startBytes);
        this.#length = 0;
        await this.#output.write(full);
      }
    } catch (error) {
      this.#failure = { error };
      this.#length = 0;
    }
    this.#writing = undefined;
  }
}
