/**
 * Opening the connection: the one place that knows which runtime this is. On Deno it is a Deno
 * socket, elsewhere one of `node:net`; both give the same pair of web streams.
 *
 * @module
 */

/**
 * A connection as the client sees it: bytes in, bytes out. A `Deno.Conn` is one, so that TLS is
 * `connect({ transport: () => Deno.connectTls({ hostname, port }) })`.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { connect } from "@blink/store/client";
 * import { serve } from "@blink/store/server";
 *
 * await using server = await serve({ tcp: [{ hostname: "127.0.0.1", port: 0 }] });
 * const { hostname, port } = server.addresses[0] as Deno.NetAddr;
 *
 * await using store = await connect({ transport: () => Deno.connect({ hostname, port }) });
 * assert(await store.ping() >= 0);
 * ```
 */
export interface Transport {
  /** The bytes that the server sends; the end of the stream is the end of the connection. */
  readonly readable: ReadableStream<Uint8Array>;
  /** Takes the bytes to send; a write resolves when more may be written. */
  readonly writable: WritableStream<Uint8Array>;
  /** Ends the connection at once, both ways. */
  close(): void | Promise<void>;
}

/** The address of a server. */
export interface Address {
  readonly hostname: string;
  readonly port: number;
  readonly unix?: string;
}

/** The most that is read from a socket at a time, in bytes. */
const readBytes = 64 * 1024;

/** `127.0.0.1:8765`, `[::1]:8765` or a socket's path, for messages. */
export function addressText(address: Address): string {
  if (address.unix !== undefined) return address.unix;
  const host = address.hostname.includes(":") ? `[${address.hostname}]` : address.hostname;
  return `${host}:${address.port}`;
}

/** Opens a socket; small requests are sent at once (no Nagle delay). */
export function openSocket(address: Address): Promise<Transport> {
  return "Deno" in globalThis ? openDenoSocket(address) : openNodeSocket(address);
}

async function openDenoSocket({ hostname, port, unix }: Address): Promise<Transport> {
  if (unix !== undefined) return overDeno(await Deno.connect({ transport: "unix", path: unix }));
  const conn = await connectTcp(hostname, port);
  conn.setNoDelay(true);
  return overDeno(conn);
}

/** Deno tries only the first address of a name, and which one localhost has first varies. */
async function connectTcp(hostname: string, port: number): Promise<Deno.TcpConn> {
  if (hostname !== "localhost") return await Deno.connect({ hostname, port });
  try {
    return await Deno.connect({ hostname: "127.0.0.1", port });
  } catch (error) {
    return await Deno.connect({ hostname: "::1", port }).catch(() => {
      throw error;
    });
  }
}

/**
 * Reads are done here and not by `conn.readable`, which closes the connection at the end of its
 * input, so that bytes still to be written would be lost.
 */
function overDeno(conn: Deno.Conn): Transport {
  let buffer = new Uint8Array(readBytes);
  const readable = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const count = await conn.read(buffer);
      if (count === null) return controller.close();
      if (count < readBytes / 4) return controller.enqueue(buffer.slice(0, count));
      controller.enqueue(buffer.subarray(0, count));
      buffer = new Uint8Array(readBytes);
    },
  }, { highWaterMark: 0 });
  const writable = new WritableStream<Uint8Array>({
    async write(bytes) {
      for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
    },
  });
  let closed = false;
  return {
    readable,
    writable,
    close() {
      if (closed) return;
      closed = true;
      // The shutdown comes first: some releases keep a socket open while a read is pending on it.
      conn.closeWrite().catch(() => {}).finally(() => conn.close());
    },
  };
}

async function openNodeSocket({ hostname, port, unix }: Address): Promise<Transport> {
  const { connect } = await import("node:net");
  const { Readable, Writable } = await import("node:stream");
  const socket = unix !== undefined ? connect(unix) : connect({ host: hostname, port });
  socket.setNoDelay(true);
  await new Promise<void>((resolve, reject) => {
    socket.once("connect", resolve);
    socket.once("error", reject);
  });
  return {
    readable: Readable.toWeb(socket) as unknown as ReadableStream<Uint8Array>,
    writable: Writable.toWeb(socket) as unknown as WritableStream<Uint8Array>,
    close: () => void socket.destroy(),
  };
}
