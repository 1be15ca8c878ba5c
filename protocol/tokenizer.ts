/**
 * The tokenizer: where lines and words begin and end among bytes. A blank is a space or a tab.
 *
 * @module
 */

const lineFeed = 0x0a;
const space = 0x20;
const tab = 0x09;

/** Up to this many bytes a loop searches faster than a call of the runtime. */
const loopSearchBytesMax = 128;

/** The runtime searches to the end of a buffer; with more excess than this it gets a subarray. */
const excessBytesMax = 4096;

/**
 * The index of the first line feed in `bytes[start, end)`, or -1. It is faster where a line feed
 * follows at `end`, in a buffer with much space behind that: then the search ends there.
 */
export function findLineFeed(bytes: Uint8Array, start: number, end: number): number {
  const near = Math.min(end, start + loopSearchBytesMax);
  for (let at = start; at < near; at++) {
    if (bytes[at] === lineFeed) return at;
  }
  if (near === end) return -1;
  if (bytes.length - end > excessBytesMax && bytes[end] !== lineFeed) {
    const found = bytes.subarray(near, end).indexOf(lineFeed);
    return found < 0 ? -1 : near + found;
  }
  const found = bytes.indexOf(lineFeed, near);
  return found < end ? found : -1;
}

/** The index of the first byte from `at` on that is no blank, or `end`. */
export function skipBlanks(bytes: Uint8Array, at: number, end: number): number {
  while (at < end && (bytes[at] === space || bytes[at] === tab)) at++;
  return at;
}

/** The end of the word that begins at `at`. */
export function wordEnd(bytes: Uint8Array, at: number, end: number): number {
  while (at < end && bytes[at] !== space && bytes[at] !== tab) at++;
  return at;
}

/** The end of `bytes[start, end)` without the blanks at its end. */
export function trimEnd(bytes: Uint8Array, start: number, end: number): number {
  while (end > start && (bytes[end - 1] === space || bytes[end - 1] === tab)) end--;
  return end;
}

/** True when a word in `bytes[start, end)` has more than `wordBytesMax` bytes. */
export function hasLongerWord(
  bytes: Uint8Array,
  start: number,
  end: number,
  wordBytesMax: number,
): boolean {
  // A window of one byte more than a word may have must hold a blank; the search goes on behind it.
  for (let at = start; end - at > wordBytesMax;) {
    let last = at + wordBytesMax;
    while (last >= at && bytes[last] !== space && bytes[last] !== tab) last--;
    if (last < at) return true;
    at = last + 1;
  }
  return false;
}
