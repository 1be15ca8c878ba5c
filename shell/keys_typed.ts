/**
 * Keys as they are typed or pasted, cut so that the line editor gets no more than one line at a
 * time: what comes behind a line break waits until that line's reply is printed. So a pasted block
 * looks as if each line had been typed after the reply before it.
 *
 * @module
 */

/** Characters that may wait; keys beyond that are dropped, since no person types so many. */
export const waitingCharsMax = 16 * 1024 * 1024;

const ctrlC = "\x03";

/** Text in, pieces of at most one line out. */
export class KeysTyped {
  readonly #decoder = new TextDecoder();
  #waiting = "";

  /** Takes what the terminal sent; true when Ctrl-C is in it, behind which nothing counts. */
  push(bytes: Uint8Array): boolean {
    const text = this.#decoder.decode(bytes, { stream: true });
    const end = text.indexOf(ctrlC);
    this.#waiting += end < 0 ? text : text.slice(0, end);
    if (this.#waiting.length > waitingCharsMax) {
      this.#waiting = this.#waiting.slice(0, waitingCharsMax);
    }
    return end >= 0;
  }

  /** The next piece: up to and with the first line break, or all there is; `""` for nothing. */
  next(): string {
    const end = /\r\n?|\n/.exec(this.#waiting);
    const cut = end ? end.index + end[0].length : this.#waiting.length;
    const piece = this.#waiting.slice(0, cut);
    this.#waiting = this.#waiting.slice(cut);
    return piece;
  }
}
