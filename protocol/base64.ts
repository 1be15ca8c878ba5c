/**
 * Base64 from bytes to bytes. Every value has exactly one text. Decoding refuses any other text:
 * another alphabet, missing padding, stray bits, blanks.
 *
 * Short runs are converted by a table of pairs, long ones by the runtime where it can: a call of the
 * runtime costs as much as the tables need for some hundred bytes, and is much faster from there on.
 *
 * @module
 */

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const padding = 0x3d;

/** From this many bytes on the runtime's own conversion is used. */
const nativeEncodeBytesMin = 512;
const nativeDecodeBytesMin = 256;

/** The runtime converts this many bytes at a time, so that its strings stay small; 3 divides it. */
const nativeStepBytes = 3 << 16;

/** Six bits of each character, or `invalid`. */
const valueOf = new Uint8Array(256).fill(64);
const invalid = 64;
/** Both characters of twelve bits, the first in the low byte: as they lie in memory. */
const pairOf = new Uint16Array(4096);
for (let high = 0; high < 64; high++) {
  valueOf[alphabet.charCodeAt(high)] = high;
  for (let low = 0; low < 64; low++) {
    pairOf[high << 6 | low] = alphabet.charCodeAt(low) << 8 | alphabet.charCodeAt(high);
  }
}

/** The runtime's own conversion, where it has one. */
interface NativeBase64 {
  readonly length: number;
  toBase64?(): string;
  setFromBase64?(
    text: string,
    options: { lastChunkHandling: "strict" },
  ): { read: number; written: number };
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("latin1");
const canEncode = (Uint8Array.prototype as NativeBase64).toBase64 !== undefined;
const canDecode = (Uint8Array.prototype as NativeBase64).setFromBase64 !== undefined;

/** The length in characters of the base64 of `bytes` bytes. */
export function base64Length(bytes: number): number {
  return Math.ceil(bytes / 3) * 4;
}

/**
 * Writes the base64 of `bytes[start, end)` into `target` from `at` on; returns its end there. The
 * target is a view, since that takes four characters at a time at any place.
 */
export function encodeBase64Into(
  bytes: Uint8Array,
  start: number,
  end: number,
  target: DataView<ArrayBuffer>,
  at: number,
): number {
  return canEncode && end - start >= nativeEncodeBytesMin
    ? encodeNative(bytes, start, end, target, at)
    : encodeByTable(bytes, start, end, target, at);
}

function encodeNative(
  bytes: Uint8Array,
  start: number,
  end: number,
  target: DataView<ArrayBuffer>,
  at: number,
): number {
  const characters = new Uint8Array(target.buffer, target.byteOffset, target.byteLength);
  for (let from = start; from < end; from += nativeStepBytes) {
    const part: NativeBase64 = bytes.subarray(from, Math.min(end, from + nativeStepBytes));
    at += encoder.encodeInto(part.toBase64?.() ?? "", characters.subarray(at)).written;
  }
  return at;
}

/** Encodes without the runtime's conversion. Exported for tests on runtimes that have one. */
export function encodeByTable(
  bytes: Uint8Array,
  start: number,
  end: number,
  target: DataView<ArrayBuffer>,
  at: number,
): number {
  const whole = end - (end - start) % 3;
  let from = start;
  for (; from < whole; from += 3, at += 4) {
    const bits = bytes[from] << 16 | bytes[from + 1] << 8 | bytes[from + 2];
    target.setInt32(at, pairOf[bits >> 12] | pairOf[bits & 4095] << 16, true);
  }
  if (from === end) return at;
  const hasTwo = end - from === 2;
  const bits = bytes[from] << 16 | (hasTwo ? bytes[from + 1] << 8 : 0);
  target.setUint16(at, pairOf[bits >> 12], true);
  target.setUint8(at + 2, hasTwo ? pairOf[bits & 4095] : padding);
  target.setUint8(at + 3, padding);
  return at + 4;
}

/**
 * Decodes the base64 in `bytes[start, end)` in place: the result begins at `start` too. Returns the
 * result's end, or -1 if the text was not base64; the bytes are then undefined.
 */
export function decodeBase64InPlace(bytes: Uint8Array, start: number, end: number): number {
  if ((end - start) % 4 !== 0) return -1;
  return canDecode && end - start >= nativeDecodeBytesMin
    ? decodeNative(bytes, start, end)
    : decodeByTable(bytes, start, end);
}

function decodeNative(bytes: Uint8Array, start: number, end: number): number {
  const step = base64Length(nativeStepBytes);
  let at = start;
  for (let from = start; from < end; from += step) {
    const to = Math.min(end, from + step);
    const text = decoder.decode(bytes.subarray(from, to));
    const target: NativeBase64 = bytes.subarray(at, to);
    let written: number;
    try {
      written = target.setFromBase64?.(text, { lastChunkHandling: "strict" }).written ?? 0;
    } catch {
      return -1;
    }
    // The runtime skips blanks and takes padding at the end of any part; neither is exact.
    const pads = to < end || text.at(-1) !== "=" ? 0 : text.at(-2) === "=" ? 2 : 1;
    if (written !== (to - from) / 4 * 3 - pads) return -1;
    at += written;
  }
  return at;
}

/** Decodes without the runtime's conversion. Exported for tests on runtimes that have one. */
export function decodeByTable(bytes: Uint8Array, start: number, end: number): number {
  if (start === end) return start;
  const pads = bytes[end - 1] !== padding ? 0 : bytes[end - 2] !== padding ? 1 : 2;
  const whole = pads > 0 ? end - 4 : end;
  let at = start;
  for (let from = start; from < whole; from += 4, at += 3) {
    const a = valueOf[bytes[from]], b = valueOf[bytes[from + 1]];
    const c = valueOf[bytes[from + 2]], d = valueOf[bytes[from + 3]];
    if ((a | b | c | d) >= invalid) return -1;
    bytes[at] = a << 2 | b >> 4;
    bytes[at + 1] = b << 4 | c >> 2;
    bytes[at + 2] = c << 6 | d;
  }
  if (pads === 0) return at;
  const a = valueOf[bytes[whole]], b = valueOf[bytes[whole + 1]];
  const c = pads === 1 ? valueOf[bytes[whole + 2]] : 0;
  if ((a | b | c) >= invalid) return -1;
  if (pads === 2 ? (b & 15) !== 0 : (c & 3) !== 0) return -1;
  bytes[at++] = a << 2 | b >> 4;
  if (pads === 1) bytes[at++] = b << 4 | c >> 2;
  return at;
}
