/**
 * One flush by prefix that was started: what its caller steps.
 *
 * @module
 */

import { PREFIX_BYTES_MAX } from "./flush.ts";
import type { FlushOperation } from "./storage.ts";

/** One flush by prefix, and its count of removed entries. */
export class PrefixFlush implements FlushOperation {
  /** A copy of the prefix. */
  readonly prefix: Uint8Array<ArrayBuffer>;
  /** How many entries it removed, once it is done. */
  removed: number | undefined;
  readonly #advance: () => void;

  /** A flush that `advance` does a bounded share of, when it is its turn. */
  constructor(prefix: Uint8Array, advance: () => void) {
    this.prefix = prefix.slice(0, PREFIX_BYTES_MAX);
    this.#advance = advance;
  }

  /** Does a bounded share of the flush under way; the count once this one is done. */
  step(): number | undefined {
    if (this.removed === undefined) this.#advance();
    return this.removed;
  }
}
