/**
 * Lines and words among bytes: where they begin and end. A blank is a space or a tab.
 *
 * @module
 */

const lineFeed = 0x0a;
const space = 0x20;
const tab = 0x09;

/** A search looks at this many bytes itself before it asks the runtime, whose call costs more. */
const ownSearchBytes = 64;

/** The runtime searches to the end of a buffer; beyond this much excess it is given a part. */
const excessBytesMax = 4096;

/** Where the first line feed in `bytes[start, end)` is, or -1. */
export function findLineFeed(bytes: Uint8Array, start: number, end: number): number {
  const near = Math.min(end, start + ownSearchBytes);
  for (let at = start; at < near; at++) {
    if (bytes[at] === lineFeed) return at;
  }
  if (near === end) return -1;
  if (bytes.length - end > excessBytesMax) {
    const found = bytes.subarray(near, end).indexOf(lineFeed);
    return found < 0 ? -1 : near + found;
  }
  const found = bytes.indexOf(lineFeed, near);
  return found < end ? found : -1;
}

/** Where the blanks that begin at `at` end. */
export function skipBlanks(bytes: Uint8Array, at: number, end: number): number {
  while (at < end && (bytes[at] === space || bytes[at] === tab)) at++;
  return at;
}

/** Where the word that begins at `at` ends. */
export function wordEnd(bytes: Uint8Array, at: number, end: number): number {
  while (at < end && bytes[at] !== space && bytes[at] !== tab) at++;
  return at;
}

/** Where the text ends that only blanks follow. */
export function trimEnd(bytes: Uint8Array, start: number, end: number): number {
  while (end > start && (bytes[end - 1] === space || bytes[end - 1] === tab)) end--;
  return end;
}
