/**
 * Closing a connection from our side without losing what was sent on it. A socket that is closed
 * with bytes unread is reset, and a reset destroys replies on their way. So our side is ended
 * first, and what the client still sends is read and discarded until it ends its own, for a
 * bounded time and number of bytes.
 *
 * @module
 */

/** The longest time to wait for the client's end. */
export const lingerMs = 1000;

/** The most bytes that are read meanwhile. */
export const lingerBytesMax = 1024 * 1024;

/** Shared by all connections: nobody reads what is written here. */
const discarded = new Uint8Array(16 * 1024);

/** Ends our side, and waits for the other's. The caller closes the connection. */
export async function linger(conn: Deno.Conn): Promise<void> {
  await conn.closeWrite();
  const timer = setTimeout(() => {
    try {
      conn.close();
    } catch {
      // It was closed meanwhile.
    }
  }, lingerMs);
  try {
    for (let left = lingerBytesMax; left > 0;) {
      const bytes = await conn.read(discarded);
      if (bytes === null) return;
      left -= bytes;
    }
  } catch {
    // A reset, or the time is over.
  } finally {
    clearTimeout(timer);
  }
}
