/**
 * Reads the token from a file or from `BLINK_TOKEN`, and a password of another server in the same
 * way; never from a flag, which other users of the machine could read in the list of processes. A
 * secret that is not UTF-8 is refused: decoding it would give one that differs from the file's.
 *
 * @module
 */

import { type Environment, environment } from "./parse.ts";

/** The longest token, in bytes: AUTH and the token must fit what a client may send before AUTH. */
export const tokenBytesMax = 8192;

/** A token with fewer characters than this is easy to guess. */
export const tokenCharsRecommended = 16;

/** The bits of a file's mode that let group and others use it. */
const groupAndOthers = 0o077;

const byteOrderMark = "\ufeff";

/**
 * The token, or `undefined` where there is none. A file that a flag or `BLINK_TOKEN_FILE` names
 * overrides `BLINK_TOKEN`; line breaks at the end of the token do not count.
 *
 * @throws when the file cannot be read, or the token is empty, too long, not UTF-8 or has a blank.
 */
export async function readToken(
  path: string | undefined,
  env: Environment = environment,
): Promise<string | undefined> {
  const token = path === undefined ? env("BLINK_TOKEN") : await readFrom(path, "token");
  if (path === undefined && (token === undefined || token === "")) return undefined;
  const from = path === undefined ? "BLINK_TOKEN" : `The token file ${path}`;
  if (!token) throw new Error(`${from} is empty: put a token in it`);
  // The runtime replaces bytes of a variable that are not UTF-8 by this character.
  if (path === undefined && token.includes("\ufffd")) throw new Error(`${from} is not UTF-8 text`);
  if (/\s/.test(token)) throw new Error(`${from} holds a blank: a token is one word`);
  if (new TextEncoder().encode(token).length > tokenBytesMax) throw tooLong(from, "token");
  return token;
}

/**
 * The password of another server, or `undefined` where there is none. A file overrides the
 * variable; line breaks at its end do not count. Unlike a token it may hold blanks.
 *
 * @throws when the file cannot be read, or the password is empty, too long or not UTF-8.
 */
export async function readPassword(
  path: string | undefined,
  variable: string,
  env: Environment = environment,
): Promise<string | undefined> {
  if (path === undefined) return env(variable) || undefined;
  const password = await readFrom(path, "password");
  if (password === "") throw new Error(`The password file ${path} is empty: put a password in it`);
  return password;
}

/** Warnings about an unsafe token, one line each. */
export async function tokenWarnings(
  path: string | undefined,
  token: string | undefined,
): Promise<string[]> {
  const warnings: string[] = [];
  if (path !== undefined && await isOpenToOthers(path)) {
    warnings.push(
      `Warning: other users of this machine can use the token file ${path}; ` +
        "chmod 600 keeps it yours alone",
    );
  }
  const characters = [...token ?? ""].length;
  if (token !== undefined && characters < tokenCharsRecommended) {
    warnings.push(
      `Warning: the token has ${characters} of the ${tokenCharsRecommended} characters ` +
        "that make it hard to guess; use a longer one",
    );
  }
  return warnings;
}

/** What a file holds, as messages call it. */
type Secret = "token" | "password";

/** The text of a file with a secret, without the line breaks at its end. */
async function readFrom(path: string, secret: Secret): Promise<string> {
  const bytes = await readBytes(path, secret);
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new Error(`The ${secret} file ${path} is not UTF-8 text: save it as UTF-8`);
  }
  // Other programs that read this file would take the mark for a part of the secret.
  if (text.startsWith(byteOrderMark)) {
    throw new Error(
      `The ${secret} file ${path} begins with a byte order mark: save it without one`,
    );
  }
  return text.replace(/[\r\n]+$/, "");
}

/** The bytes of a file with a secret, which may be a pipe, up to a bound. */
async function readBytes(path: string, secret: Secret): Promise<Uint8Array> {
  // Room for line breaks behind the longest secret.
  const bytes = new Uint8Array(2 * tokenBytesMax);
  let length = 0;
  try {
    using file = await Deno.open(path);
    while (length < bytes.length) {
      const read = await file.read(bytes.subarray(length));
      if (read === null) return bytes.subarray(0, length);
      length += read;
    }
  } catch (error) {
    const reason = error instanceof Deno.errors.NotFound
      ? "no such file"
      : (error as Error).message;
    throw new Error(`Cannot read the ${secret} file ${path}: ${reason}`);
  }
  throw tooLong(`The ${secret} file ${path}`, secret);
}

function tooLong(from: string, secret: Secret): Error {
  return new Error(`${from} is too long: a ${secret} has at most ${tokenBytesMax} bytes`);
}

async function isOpenToOthers(path: string): Promise<boolean> {
  if (Deno.build.os === "windows") return false;
  try {
    const { isFile, mode } = await Deno.stat(path);
    return isFile && mode !== null && (mode & groupAndOthers) !== 0;
  } catch {
    // The file was read and removed since, so there is nothing to warn of.
    return false;
  }
}
