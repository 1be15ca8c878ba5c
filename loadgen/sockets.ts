/**
 * The connections of a load: opened, authenticated, and written to until all is sent.
 *
 * @module
 */

/**
 * The address of a server: a TCP port, on 127.0.0.1 unless `hostname` is given, or a socket's path.
 */
export type ServerAddress =
  | { readonly hostname?: string; readonly port: number }
  | { readonly unix: string };

/** A longer reply to AUTH is cut here. */
const authReplyBytesMax = 256;
const newline = 10;

/**
 * Opens `count` connections, one after the other.
 *
 * @throws {Error} that names the address where one cannot be opened; the others are closed.
 */
export async function openAll(
  address: ServerAddress,
  { count, token }: { count: number; token?: string },
): Promise<Deno.Conn[]> {
  const sockets: Deno.Conn[] = [];
  try {
    while (sockets.length < count) {
      const socket = await connect(address);
      sockets.push(socket);
      if (token !== undefined) await authenticate(socket, token);
    }
  } catch (error) {
    for (const socket of sockets) socket.close();
    const name = "unix" in address
      ? address.unix
      : `${address.hostname ?? "127.0.0.1"}:${address.port}`;
    throw new Error(`Cannot connect to ${name}: ${(error as Error).message}`, { cause: error });
  }
  return sockets;
}

async function connect(address: ServerAddress): Promise<Deno.Conn> {
  if ("unix" in address) return await Deno.connect({ transport: "unix", path: address.unix });
  const { hostname, port } = address;
  const socket = await Deno.connect({ hostname, port });
  socket.setNoDelay(true);
  return socket;
}

async function authenticate(socket: Deno.Conn, token: string): Promise<void> {
  await writeAll(socket, new TextEncoder().encode(`AUTH ${token}\n`));
  const reply = new Uint8Array(authReplyBytesMax);
  let length = 0;
  while (length < reply.length && reply.indexOf(newline) < 0) {
    const read = await socket.read(reply.subarray(length));
    if (read === null) break;
    length += read;
  }
  const line = new TextDecoder().decode(reply.subarray(0, length)).trim();
  if (line === "OK") return;
  throw new Error(`Cannot authenticate: ${line === "" ? "the server closed" : line}`);
}

/** Writes all of `bytes`. */
export async function writeAll(socket: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let written = 0; written < bytes.length;) {
    written += await socket.write(written === 0 ? bytes : bytes.subarray(written));
  }
}
