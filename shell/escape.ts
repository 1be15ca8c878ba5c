/**
 * Makes bytes from outside safe for a terminal. For any bytes, the text returned here has no
 * control character, no escape sequence and nothing that changes the direction of writing. So a
 * stored value cannot move the cursor, rename the window or imitate a prompt.
 *
 * Bytes that are not UTF-8 appear as `\xNN`, line breaks and tabs as `\n`, `\r` and `\t`, other
 * control characters as `\xNN` (below 0x80) or `\u{NN}`. All other text is left as it is.
 *
 * @module
 */

/**
 * What must not reach a terminal: C0, DEL, C1, line and paragraph separators, marks that change the
 * direction of writing, the byte order mark, interlinear marks and tag characters.
 */
const unsafe =
  // deno-lint-ignore no-control-regex
  /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}\p{Cs}]/gu;

const named: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

function escapeOf(character: string): string {
  const name = named[character];
  if (name !== undefined) return name;
  const code = character.codePointAt(0) ?? 0;
  return code < 0x80 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u{${code.toString(16)}}`;
}

/** Marks an escape, so that it differs from text that looks like one: a colour, or nothing. */
export type Mark = (escape: string) => string;

const unmarked: Mark = (escape) => escape;

/** True when the text can go to a terminal as it is. */
export function isSafe(text: string): boolean {
  return text.search(unsafe) < 0;
}

/**
 * Text in which everything unsafe for a terminal is escaped.
 *
 * @example
 * ```ts ignore
 * escapeText("red: \x1b[31m"); // "red: \\x1b[31m"
 * ```
 */
export function escapeText(text: string, mark: Mark = unmarked): string {
  return isSafe(text) ? text : text.replace(unsafe, (character) => mark(escapeOf(character)));
}

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The bytes as text, or undefined when they are not UTF-8. */
export function textOf(bytes: Uint8Array): string | undefined {
  try {
    return strict.decode(bytes);
  } catch {
    return undefined;
  }
}

/** Bytes as text that is safe for a terminal; bytes outside UTF-8 as `\xNN`. */
export function escapeBytes(bytes: Uint8Array, mark: Mark = unmarked): string {
  const text = textOf(bytes);
  if (text !== undefined) return escapeText(text, mark);
  const parts: string[] = [];
  for (let at = 0; at < bytes.length;) {
    const length = validRun(bytes, at);
    if (length > 0) {
      parts.push(escapeText(strict.decode(bytes.subarray(at, at + length)), mark));
      at += length;
    } else {
      parts.push(mark(`\\x${bytes[at].toString(16).padStart(2, "0")}`));
      at++;
    }
  }
  return parts.join("");
}

/** The number of bytes from `start` on that are whole UTF-8 characters. */
function validRun(bytes: Uint8Array, start: number): number {
  let at = start;
  while (at < bytes.length) {
    const length = characterLength(bytes, at);
    if (length === 0) break;
    at += length;
  }
  return at - start;
}

/** The bytes of the UTF-8 character at `at`; 0 if there is no character. */
function characterLength(bytes: Uint8Array, at: number): number {
  const first = bytes[at];
  if (first < 0x80) return 1;
  const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  // The decoder knows overlong forms, surrogates and what lies beyond Unicode.
  return first >= 0xc2 && textOf(bytes.subarray(at, at + length)) !== undefined &&
      at + length <= bytes.length
    ? length
    : 0;
}
