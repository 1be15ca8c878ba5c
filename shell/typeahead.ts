/**
 * Typeahead: keys typed or pasted before the shell is ready for them. The line editor gets at most
 * one line at a time; what follows a line break waits until that line's reply is printed. So a
 * pasted block looks as if each line had been typed after the reply before it.
 *
 * @module
 */

/** Characters that may wait; keys beyond that are dropped. */
export const typeaheadCharsMax = 16 * 1024 * 1024;

const ctrlC = "\x03";

/** A buffer of typed keys that returns them in pieces of at most one line. */
export class Typeahead {
  readonly #decoder = new TextDecoder();
  #waiting = "";

  /** Takes what the terminal sent; true when it holds Ctrl-C, after which nothing counts. */
  push(bytes: Uint8Array): boolean {
    const text = this.#decoder.decode(bytes, { stream: true });
    const end = text.indexOf(ctrlC);
    this.#waiting += end < 0 ? text : text.slice(0, end);
    if (this.#waiting.length > typeaheadCharsMax) {
      this.#waiting = this.#waiting.slice(0, typeaheadCharsMax);
    }
    return end >= 0;
  }

  /** The next piece: up to and including the first line break, or all; `""` if nothing waits. */
  next(): string {
    const end = /\r\n?|\n/.exec(this.#waiting);
    const cut = end ? end.index + end[0].length : this.#waiting.length;
    const piece = this.#waiting.slice(0, cut);
    this.#waiting = this.#waiting.slice(cut);
    return piece;
  }
}
