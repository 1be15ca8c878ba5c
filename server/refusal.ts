/**
 * The reply to a client beyond the limit of connections. Which wire it speaks shows in its first
 * byte, so that is waited for, for a moment; a client that sends nothing gets a line.
 *
 * @module
 */

import { startsArray, tooManyConnections } from "../protocol.ts";
import { outside } from "./libc.ts";
import { linger } from "./linger.ts";

/** How long the first byte is waited for, in milliseconds. */
export const refusalWaitMs = 100;

function copied(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const copy = outside(bytes.length);
  copy.set(bytes);
  return copy;
}

const line = copied(tooManyConnections.line);
const redis = copied(tooManyConnections.redis);

/** The reply to a client whose first byte is this; undefined: it has sent none. */
export function refusalFor(firstByte: number | undefined): Uint8Array<ArrayBuffer> {
  return firstByte !== undefined && startsArray(firstByte) ? redis : line;
}

/** Answers over a socket of the runtime, and waits until the client has closed. */
export async function refuse(conn: Deno.Conn): Promise<void> {
  const first = new Uint8Array(1);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const waited = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), refusalWaitMs);
  });
  const read = conn.read(first);
  // When the wait is over first, the connection's end rejects it later.
  read.catch(() => {});
  const bytes = await Promise.race([read, waited]);
  clearTimeout(timer);
  await conn.write(refusalFor(bytes === 1 ? first[0] : undefined));
  await linger(conn);
}
