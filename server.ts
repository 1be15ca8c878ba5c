/**
 * The server: listens on TCP addresses and Unix domain sockets, which all serve one store.
 *
 * @example
 * ```ts
 * import { serve } from "@blink/store/server";
 *
 * await using server = await serve({ tcp: [{ hostname: "127.0.0.1", port: 0 }] });
 * const [address] = server.addresses;
 * console.assert(address.transport === "tcp" && address.port > 0);
 * ```
 *
 * @module
 */

export type { DataFileInfo, Info as ServerInfo } from "./protocol.ts";
export type { SyncMode } from "./journal/mod.ts";
export { connectInProcess, type InProcess, type InProcessOptions } from "./server/in_process.ts";
export type { Io, TcpAddress, UnixAddress } from "./server/event_loop.ts";
export { serve, Server, type ServerOptions } from "./server/server.ts";
export { serverDefaults, shutdownGraceMs, threadsMax } from "./server/defaults.ts";
export type {
  FlushOperation,
  Handle,
  Milliseconds,
  PutOperation,
  PutOutcome,
  Storage,
  StoreStats,
} from "./store.ts";
export { version } from "./version.ts";
