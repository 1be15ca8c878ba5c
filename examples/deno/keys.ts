/**
 * The address of the store, and keys escaped for text from outside. The client library does the
 * rest: it refuses keys and requests with a line break, and sends values in base64 where necessary.
 *
 * @module
 */

/** Host, port and token as BLINK_STORE=HOST:PORT and BLINK_TOKEN give them. */
export function storeFromEnvironment(): { hostname: string; port: number; token?: string } {
  const text = Deno.env.get("BLINK_STORE") || "127.0.0.1:8765";
  const colon = text.lastIndexOf(":");
  return {
    hostname: text.slice(0, colon).replace(/^\[|\]$/g, ""),
    port: Number(text.slice(colon + 1)),
    token: Deno.env.get("BLINK_TOKEN") || undefined,
  };
}

/** A key for any bytes: visible ASCII but % stays as it is, every other byte becomes %XX. */
export function safeKey(bytes: Uint8Array): string {
  let key = "";
  for (const byte of bytes) {
    const plain = byte > 0x20 && byte < 0x7f && byte !== 0x25;
    key += plain
      ? String.fromCharCode(byte)
      : "%" + byte.toString(16).toUpperCase().padStart(2, "0");
  }
  return key;
}
