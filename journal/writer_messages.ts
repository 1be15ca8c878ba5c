/**
 * The messages between the server and the thread that writes its data file.
 *
 * @module
 */

import type { Chunk } from "./loader.ts";
import type { SyncMode } from "./sync_mode.ts";
import type { UndoPart } from "./undoing.ts";

/** Starts the writer, which first reads the file for the server. */
export interface WriterStart {
  readonly kind: "start";
  readonly file: string;
  readonly sync: SyncMode;
  /** The memory of the `JournalState`. */
  readonly state: SharedArrayBuffer;
  /** The eventfd of each thread of the server; empty where there are none. */
  readonly wakeFds: readonly number[];
}

/** A value that does not go through the ring. */
export interface ValueMessage {
  readonly kind: "value";
  readonly number: number;
  readonly value: Uint8Array<SharedArrayBuffer>;
}

/** What the server sends. */
export type WriterOrder = WriterStart | ValueMessage;

/**
 * What the writer reports:
 *
 * - `"ready"`: the file is open for writing;
 * - `"chunk"`: entries of the file, which `JournalState.addChunks` counts until they are taken;
 * - `"read"`: there are no more of them;
 * - `"advanced"`: it has got on, where there is no eventfd to say so;
 * - `"undo"`: entries for the store;
 * - `"event"`: a line for the log;
 * - `"failed"`: it cannot go on;
 * - `"ended"`: everything is kept, and the file is closed.
 */
export type WriterReport =
  | { readonly kind: "ready" | "read" | "advanced" | "ended" }
  | { readonly kind: "chunk"; readonly chunk: Chunk }
  | { readonly kind: "undo"; readonly part: UndoPart }
  | { readonly kind: "event"; readonly event: string }
  | { readonly kind: "failed"; readonly reason: string };
