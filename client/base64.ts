/**
 * Base64 for values, with the built-in methods of `Uint8Array` where the runtime has them, else
 * with `btoa` and `atob`. The standard library's base64 needs `ArrayBuffer.prototype.transfer`,
 * which Node 20 lacks.
 *
 * @module
 */

type WithBase64 = Uint8Array & { toBase64(): string };
type FromBase64 = typeof Uint8Array & { fromBase64(text: string): Uint8Array };

/** How many bytes go into one `String.fromCharCode` call: far below the limit on arguments. */
const chunkBytes = 8192;

function encodeByBtoa(bytes: Uint8Array): string {
  const parts: string[] = [];
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    parts.push(String.fromCharCode(...bytes.subarray(at, at + chunkBytes)));
  }
  return btoa(parts.join(""));
}

function decodeByAtob(text: string): Uint8Array {
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let at = 0; at < binary.length; at++) bytes[at] = binary.charCodeAt(at);
  return bytes;
}

/** Bytes as base64 text. */
export const encodeBase64: (bytes: Uint8Array) => string = "toBase64" in Uint8Array.prototype
  ? (bytes) => (bytes as WithBase64).toBase64()
  : encodeByBtoa;

/** The bytes that base64 text stands for. Throws when it is not base64. */
export const decodeBase64: (text: string) => Uint8Array = "fromBase64" in Uint8Array
  ? (text) => (Uint8Array as FromBase64).fromBase64(text)
  : decodeByAtob;
