/**
 * Patterns of KEYS and SCAN: `*` any bytes, `?` one byte, `[a-c]` one of a class, `[^x]` one not of
 * a class, `\` takes the next byte as it is. They mean what they mean in Redis, broken ones too: a
 * class without its `]` ends where the pattern ends.
 *
 * A key is compared from left to right, and only the last `*` is ever tried again further on, so a
 * comparison looks at no more than the pattern's length times the key's bytes. Even that is long
 * where both are, so a comparison can be interrupted: it has a budget, and goes on with the next.
 *
 * @module
 */

/** The longest pattern, in bytes. */
export const patternBytesMax = 256 * 1024;

/** A pattern with more `*`, the last byte aside, matches nothing, as in Redis. */
export const starsMax = 1000;

/** What an element of a pattern matches, besides bytes 0 to 255, which match themselves. */
const ANY_BYTE = 256;
const ANY_BYTES = 257;
/** The first class; the second has the next number, and so on. */
const CLASS = 258;

const asterisk = 0x2a;
const questionMark = 0x3f;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const backslash = 0x5c;
const caret = 0x5e;
const dash = 0x2d;

/** Words of 32 bits for a set of bytes. */
const classWords = 8;

/** A pattern, ready to be compared. */
export class Glob {
  /** The bytes that every key begins with which matches; it may be empty. */
  readonly prefix: Uint8Array;
  /** Whether exactly the keys with the prefix match. */
  readonly isPrefix: boolean;
  /** Whether only the key match that is the prefix. */
  readonly isLiteral: boolean;
  /** Whether no key matches. */
  readonly isNothing: boolean;
  /** How many elements may still be looked at before a comparison is interrupted. */
  budget = Infinity;
  readonly #elements: Int32Array;
  readonly #classes: Uint32Array;
  // Where the comparison under way is: the next element, the next byte, and what follows the last
  // `*` that was passed, with the byte from which that was tried.
  #element = 0;
  #at = 0;
  #afterStar = -1;
  #starAt = 0;

  /** Reads the pattern `bytes[start, end)`. */
  constructor(bytes: Uint8Array, start: number, end: number) {
    const reader = new PatternReader(bytes, start, end);
    this.#elements = reader.elements.slice(0, reader.count);
    this.#classes = Uint32Array.from(reader.classes);
    const special = this.#elements.findIndex((element) => element >= ANY_BYTE);
    const length = special < 0 ? this.#elements.length : special;
    this.prefix = Uint8Array.from(this.#elements.subarray(0, length));
    this.isLiteral = special < 0;
    const stars = this.#elements.subarray(0, -1).filter((element) => element === ANY_BYTES);
    this.isNothing = stars.length > starsMax;
    this.isPrefix = length === this.#elements.length - 1 && this.#elements[length] === ANY_BYTES;
  }

  /** Bytes of memory that the pattern takes. */
  get heldBytes(): number {
    return this.#elements.byteLength + this.#classes.byteLength;
  }

  /** Begins to compare a key that begins at `start`. */
  begin(start: number): void {
    this.#element = 0;
    this.#at = start;
    this.#afterStar = -1;
  }

  /**
   * Goes on with the comparison of the key that ends at `end`: whether it matches; undefined where
   * the budget is used up before that is known.
   */
  goOn(bytes: Uint8Array, end: number): boolean | undefined {
    if (this.isNothing) return false;
    const elements = this.#elements;
    const { length } = elements;
    let element = this.#element;
    let at = this.#at;
    while (at < end) {
      if (this.budget-- <= 0) {
        this.#element = element;
        this.#at = at;
        return undefined;
      }
      const expected = element < length ? elements[element] : -1;
      if (expected === ANY_BYTES) {
        element++;
        if (element === length) return true;
        this.#afterStar = element;
        this.#starAt = at;
      } else if (this.#matches(expected, bytes[at])) {
        element++;
        at++;
      } else {
        if (this.#afterStar < 0) return false;
        element = this.#afterStar;
        at = ++this.#starAt;
      }
    }
    while (element < length && elements[element] === ANY_BYTES) element++;
    return element === length;
  }

  /** Whether the key `bytes[start, end)` matches, whatever the budget. */
  matches(bytes: Uint8Array, start: number, end: number): boolean {
    const { budget } = this;
    this.budget = Infinity;
    this.begin(start);
    const isMatch = this.goOn(bytes, end) === true;
    this.budget = budget;
    return isMatch;
  }

  #matches(element: number, byte: number): boolean {
    if (element < ANY_BYTE) return element === byte;
    if (element === ANY_BYTE) return true;
    const word = (element - CLASS) * classWords + (byte >>> 5);
    return (this.#classes[word] >>> (byte & 31) & 1) !== 0;
  }
}

/** Reads the elements of a pattern. */
class PatternReader {
  readonly elements: Int32Array;
  readonly classes: number[] = [];
  count = 0;
  #at: number;
  readonly #bytes: Uint8Array;
  readonly #end: number;

  constructor(bytes: Uint8Array, start: number, end: number) {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
    this.elements = new Int32Array(end - start);
    while (this.#at < end) {
      const element = this.#next();
      // Two `*` in a row are one.
      if (element === ANY_BYTES && this.elements[this.count - 1] === ANY_BYTES) continue;
      this.elements[this.count++] = element;
    }
  }

  #next(): number {
    const byte = this.#bytes[this.#at++];
    if (byte === asterisk) return ANY_BYTES;
    if (byte === questionMark) return ANY_BYTE;
    if (byte === openBracket) return this.#readClass();
    if (byte === backslash && this.#at < this.#end) return this.#bytes[this.#at++];
    return byte;
  }

  #readClass(): number {
    const bytes = this.#bytes;
    const end = this.#end;
    const words = new Uint32Array(classWords);
    const isNegated = this.#at < end && bytes[this.#at] === caret;
    if (isNegated) this.#at++;
    while (this.#at < end) {
      const byte = bytes[this.#at++];
      if (byte === backslash && this.#at < end) {
        add(words, bytes[this.#at++]);
      } else if (byte === closeBracket) {
        break;
      } else if (this.#at + 1 < end && bytes[this.#at] === dash) {
        addRange(words, byte, bytes[this.#at + 1]);
        this.#at += 2;
      } else {
        add(words, byte);
      }
    }
    const number = CLASS + this.classes.length / classWords;
    for (const word of words) this.classes.push(isNegated ? ~word >>> 0 : word);
    return number;
  }
}

function add(words: Uint32Array, byte: number): void {
  words[byte >>> 5] |= 1 << (byte & 31);
}

/** Adds a range, in either order. Its bytes have signs, as those of Redis have on x86. */
function addRange(words: Uint32Array, from: number, to: number): void {
  const first = Math.min(signed(from), signed(to));
  const last = Math.max(signed(from), signed(to));
  for (let byte = first; byte <= last; byte++) add(words, byte & 0xff);
}

function signed(byte: number): number {
  return byte << 24 >> 24;
}
