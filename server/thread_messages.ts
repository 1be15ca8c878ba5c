/**
 * The messages between the main thread of a server and its Workers. The first one starts the
 * Worker. Later messages are about clients alone; for everything else the main thread raises the
 * phase (`thread_state.ts`) and wakes the threads.
 *
 * @module
 */

import type { Settings } from "../commands/mod.ts";
import type { JournalHandle } from "../journal/mod.ts";
import type { SharedStoreHandle } from "../store.ts";
import type { ClientsMessage } from "./clients.ts";
import type { Limits } from "./context.ts";
import type { GatheredEvents } from "./event_log.ts";

/** What a Worker needs to serve. */
export interface ThreadStart {
  readonly kind: "start";
  /** Its number. */
  readonly thread: number;
  /** How many threads there are. */
  readonly threads: number;
  /** The buffer of their `ThreadState`. */
  readonly state: SharedArrayBuffer;
  /** The eventfd of each thread. */
  readonly wakeFds: readonly number[];
  /** The store. */
  readonly store: SharedStoreHandle;
  readonly limits: Limits;
  /** How the server was started. */
  readonly settings: Settings;
  /** The digest of the required token; the token itself stays in the main thread. */
  readonly tokenDigest: Uint8Array | undefined;
  /** When the server was started, on the clock that all threads share. */
  readonly startedAtMs: number;
  /** The data file, if there is one. */
  readonly journal?: JournalHandle;
}

/** What the main thread sends. */
export type ThreadOrder = ThreadStart | ClientsMessage;

/**
 * What a Worker reports:
 *
 * - `"ready"`: it serves what is handed to it;
 * - `"events"`: events for the log;
 * - `"clients"`: a question about the clients of another thread, or an answer;
 * - `"value"`: a long value on its way to the data file;
 * - `"failed"`: it found a broken invariant, or cannot serve; `reason` says why;
 * - `"ended"`: it has let go of everything.
 */
export type ThreadReport =
  | { readonly kind: "ready" }
  | { readonly kind: "events"; readonly events: readonly GatheredEvents[] }
  | ClientsMessage
  | {
    readonly kind: "value";
    readonly number: number;
    readonly value: Uint8Array<SharedArrayBuffer>;
  }
  | { readonly kind: "failed"; readonly reason: string }
  | { readonly kind: "ended" };
