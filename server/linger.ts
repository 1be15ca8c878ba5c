/**
 * Closes a connection from the server's side without losing replies. A socket that is closed with
 * unread bytes is reset, and a reset destroys replies that have not arrived. So the server
 * half-closes first, then reads and discards what the client sends until the client closes, for a
 * bounded time and number of bytes.
 *
 * @module
 */

/** The longest time to wait for the client to close, in milliseconds. */
export const lingerMs = 1000;

/** The most bytes that are read meanwhile. */
export const lingerBytesMax = 1024 * 1024;

/** A buffer that all connections share; its content is never used. */
const discarded = new Uint8Array(16 * 1024);

/** Half-closes, and waits until the client closes. The caller closes the connection. */
export async function linger(conn: Deno.Conn): Promise<void> {
  await conn.closeWrite();
  const timer = setTimeout(() => {
    try {
      conn.close();
    } catch {
      // The connection was closed meanwhile.
    }
  }, lingerMs);
  try {
    for (let left = lingerBytesMax; left > 0;) {
      const bytes = await conn.read(discarded);
      if (bytes === null) return;
      left -= bytes;
    }
  } catch {
    // The client has reset the connection, or the time is over.
  } finally {
    clearTimeout(timer);
  }
}
