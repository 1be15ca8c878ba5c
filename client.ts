/**
 * The client library: typed access to a Blink Store from a program.
 *
 * Calls made without awaiting each other are pipelined: they leave together and each gets its own
 * reply, in order. A lost connection rejects the calls in flight, and the next call connects again.
 * Nothing that a caller passes as a key or a value can become a command: what the wire cannot carry
 * is refused before anything is sent.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { connect } from "@blink/store/client";
 * import { serve } from "@blink/store/server";
 *
 * await using server = await serve({ tcp: [{ hostname: "127.0.0.1", port: 0 }] });
 * const { port } = server.addresses[0] as Deno.NetAddr;
 *
 * await using store = await connect({ port });
 * await store.put("note", "two\nlines", { ttl: 60 });
 * assert(await store.get("note") === "two\nlines");
 * ```
 *
 * @module
 */

export { BlinkStore, connect } from "./client/blink_store.ts";
export type { Parse } from "./client/call.ts";
export type {
  CallOptions,
  GetOptions,
  IncrementOptions,
  MatchOptions,
  PutCondition,
  PutOptions,
  ScanOptions,
  Value,
} from "./client/call_options.ts";
export { Commands } from "./client/commands.ts";
export { BlinkError, type BlinkErrorKind, type BlinkErrorOptions } from "./client/errors.ts";
export type { Lock, LockOptions } from "./client/lock.ts";
export { clientDefaults, type ClientLimits, type ConnectOptions } from "./client/options.ts";
export { Pool, pool, type PoolOptions, poolSizeDefault, poolSizeMax } from "./client/pool.ts";
export { decodeKey } from "./client/key_words.ts";
export { parseReply, type Reply } from "./client/replies.ts";
export type { Line } from "./client/request_lines.ts";
export type { Transport } from "./client/socket.ts";
export { type Info, keyBytesMax, ttlSecondsMax, ttlSecondsMin } from "./protocol.ts";
