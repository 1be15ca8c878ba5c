/**
 * What a copy needs of its two sides: a source that lists and reads keys, and a target that takes
 * entries. The copy knows nothing else of them, so its tests need no sockets.
 *
 * A call that has lost its connection throws a {@linkcode ConnectionLost}. Only `identity` connects, so
 * that the copy learns of a server that was started again before it uses a cursor of the earlier
 * run. What no repetition would repair is a {@linkcode CopyError}.
 *
 * @module
 */

/** An entry: a key, its value and when it expires. */
export interface Entry {
  /** The key, any bytes. */
  readonly key: Uint8Array;
  /** The value, any bytes. */
  readonly value: Uint8Array;
  /** When it expires, in milliseconds since 1970; `undefined`: never. */
  readonly expiresAtMs: number | undefined;
}

/** A page of keys. */
export interface KeyPage {
  /** Where the next page begins; `"0"` after the last one. */
  readonly cursor: string;
  /** Its keys: more or fewer than asked for, and a key may come in several pages. */
  readonly keys: readonly Uint8Array[];
}

/** What a key holds. */
export type KeyFacts =
  | { readonly kind: "string"; readonly valueBytes: number }
  /** Another type, by the name that the source gives it, such as `hash`. */
  | { readonly kind: "other"; readonly type: string }
  /** It was deleted, or has expired. */
  | { readonly kind: "gone" }
  /** The source does not give it; `reason` is in its words. */
  | { readonly kind: "refused"; readonly reason: string };

/** What reading a key yields. */
export type ReadOutcome =
  | { readonly kind: "entry"; readonly entry: Entry }
  | Exclude<KeyFacts, { kind: "string" }>;

/** What writing an entry yields. */
export type WriteOutcome =
  | { readonly kind: "written" }
  /** It was left alone, since the target has the key. */
  | { readonly kind: "present" }
  /** The target does not take it; `reason` is in its words. */
  | { readonly kind: "refused"; readonly reason: string };

/** What happens to a key that the target has already. */
export type IfPresent = "overwrite" | "skip";

/** A side of a copy. */
export interface CopySide {
  /**
   * Connects and logs in, where there is no connection, and identifies the store: the text differs
   * after its server was started again. `undefined` where the server does not say.
   */
  identity(): Promise<string | undefined>;
}

/** Where entries come from. */
export interface CopySource extends CopySide {
  /** How many keys it has; `undefined` where it does not say. */
  size(): Promise<number | undefined>;
  /** A page of keys; `"0"` is the first. The source takes `count` as advice. */
  scan(cursor: string, match: string | undefined, count: number): Promise<KeyPage>;
  /** What each key holds, in order. */
  describe(keys: readonly Uint8Array[]): Promise<KeyFacts[]>;
  /** The entry of each key, in order. */
  read(keys: readonly Uint8Array[]): Promise<ReadOutcome[]>;
}

/** Where entries go. */
export interface CopyTarget extends CopySide {
  /** Writes entries; an outcome for each, in order. */
  write(entries: readonly Entry[], ifPresent: IfPresent): Promise<WriteOutcome[]>;
}

/** A side did not answer, or its connection was lost: the call may be made again. */
export class ConnectionLost extends Error {
  override readonly name = "ConnectionLost";
}

/** Why a copy cannot go on; its message is one line for the user. */
export class CopyError extends Error {
  override readonly name = "CopyError";
}
