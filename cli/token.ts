/**
 * Where the token comes from: a file or `BLINK_TOKEN`, never a flag that other users of the machine
 * could read in the list of processes.
 *
 * @module
 */

import { type Environment, environment } from "./parse.ts";

/**
 * The token, or `undefined` where none is asked for. A file that a flag or `BLINK_TOKEN_FILE` names
 * wins over `BLINK_TOKEN`; line breaks at its end do not count.
 *
 * @throws when the file cannot be read, or the token is empty or holds a blank.
 */
export async function readToken(
  path: string | undefined,
  env: Environment = environment,
): Promise<string | undefined> {
  const token = path === undefined ? env("BLINK_TOKEN") : await readFrom(path);
  if (path === undefined && (token === undefined || token === "")) return undefined;
  const from = path === undefined ? "BLINK_TOKEN" : `The token file ${path}`;
  if (!token) throw new Error(`${from} is empty: put a token in it`);
  if (/\s/.test(token)) throw new Error(`${from} holds a blank: a token is one word`);
  return token;
}

async function readFrom(path: string): Promise<string> {
  try {
    return (await Deno.readTextFile(path)).replace(/[\r\n]+$/, "");
  } catch (error) {
    const reason = error instanceof Deno.errors.NotFound
      ? "no such file"
      : (error as Error).message;
    throw new Error(`Cannot read the token file ${path}: ${reason}`);
  }
}
