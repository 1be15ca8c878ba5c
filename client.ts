/**
 * The client library: a Blink Store from a program, typed.
 *
 * Calls made without awaiting them are pipelined: they leave together and each gets its own reply,
 * in order. A lost connection rejects what was in flight, and the next call connects again. Nothing
 * that a caller passes as a key or a value can become a command: what the wire cannot carry is
 * refused before anything is sent.
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

export { Calls } from "./client/calls.ts";
export type {
  CallOptions,
  GetOptions,
  IncrementOptions,
  MatchOptions,
  PutCondition,
  PutOptions,
  ScanOptions,
} from "./client/call_options.ts";
export type { Parse } from "./client/call.ts";
export type { Line, Value } from "./client/codec.ts";
export { keyBytesMax, ttlSecondsMax, ttlSecondsMin } from "./protocol.ts";
export { BlinkError, type BlinkErrorKind, type BlinkErrorOptions } from "./client/errors.ts";
export type { Info } from "./client/info.ts";
export type { Lock, LockOptions } from "./client/lock.ts";
export { clientDefaults, type ClientLimits, type ConnectOptions } from "./client/options.ts";
export { Pool, pool, type PoolOptions, poolSizeDefault, poolSizeMax } from "./client/pool.ts";
export type { Transport } from "./client/socket.ts";
export { BlinkStore, connect } from "./client/store.ts";
