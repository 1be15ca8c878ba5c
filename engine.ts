/**
 * The engine's door: requests run on a store, bytes in and bytes out, without sockets.
 *
 * @module
 */

export { Engine, type EngineOptions, type Progress } from "./engine/engine.ts";
export { type Outcome, Session, type SessionOptions } from "./engine/session.ts";
export type { ConnectionCounts, Counters } from "./engine/counters.ts";
export type { Info } from "./engine/info.ts";
export type { Handle, Milliseconds, PutOutcome, Storage } from "./engine/storage.ts";
export { connectInProcess, type InProcess, type InProcessOptions } from "./engine/in_process.ts";
