/**
 * Puts of a shared store that need several calls: one at a time over all threads.
 *
 * Each thread has a queue, first in, first out, and a thread whose queue is not empty stands in a
 * line with the others. The put whose turn it is gains its part of the limit from all shards, the
 * fullest first, and then proceeds in its own shard as it would in a store of one thread. So even a
 * value as large as the limit fits, and two of them do not block each other.
 *
 * What always holds: at most one put of all threads has anything reserved or staged.
 *
 * @module
 */

import type { Budgets } from "./budgets.ts";
import type { Control } from "./control.ts";
import type { Shard } from "./shard.ts";
import type { Shards } from "./shards.ts";
import type { Milliseconds, PutOperation, PutOutcome } from "./storage.ts";

/** The puts of one thread that need several calls. */
export class SharedPuts {
  readonly #shards: Shards;
  readonly #control: Control;
  readonly #budgets: Budgets;
  readonly #queue = new Set<SharedPut>();

  constructor(shards: Shards, control: Control, budgets: Budgets) {
    this.#shards = shards;
    this.#control = control;
    this.#budgets = budgets;
  }

  /** Takes a place in the queue; `cancel` of the operation calls `end` under the shard's lock. */
  start(end: (put: SharedPut) => void): SharedPut {
    const put = new SharedPut(end);
    this.#queue.add(put);
    return put;
  }

  /** The operation as one of this queue's own; an Error if it has ended or is another's. */
  own(operation: PutOperation): SharedPut {
    if (operation instanceof SharedPut && this.#queue.has(operation)) return operation;
    throw new Error("Cannot put with this operation: it has ended, or is another store's");
  }

  /** Ends a put, and gives back what it holds. Its shard is locked, if it has begun in one. */
  end(put: SharedPut): void {
    if (!this.#queue.delete(put)) return;
    if (put.inner === undefined) {
      // It may be in the line without having begun.
      if (this.#queue.size === 0) this.#control.leaveLine();
      return;
    }
    put.inner.cancel();
    this.#control.leaveLine();
  }

  /** One call of a put, whose shard is locked: see `Store.put`. */
  proceed(
    n: number,
    hash: number,
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    value: Uint8Array,
    valueStart: number,
    valueEnd: number,
    expiresAt: Milliseconds,
    put: SharedPut,
  ): PutOutcome {
    const bytes = keyEnd - keyStart + valueEnd - valueStart;
    if (bytes > this.#control.entryBytesMax) {
      this.end(put);
      return "too large";
    }
    if (put !== this.#queue.values().next().value || !this.#control.joinLine()) return "unfinished";
    const shard = this.#shards.all[n];
    put.inner ??= shard.startPut();
    put.shard = n;
    const { entries, reservation } = shard.parts;
    const existing = shard.find(hash, key, keyStart, keyEnd);
    const bytesMore = bytes - (existing === 0 ? 0 : entries.bytesOf(existing));
    if (!this.#budgets.gain(shard, entries.usage + bytesMore)) {
      if (this.#budgets.isFull(shard, bytesMore)) {
        this.end(put);
        return "out of memory";
      }
      reservation.reserveBytes(bytesMore);
      return "unfinished";
    }
    // deno-fmt-ignore: one line shows that the arguments are handed on
    const outcome = shard.put(hash, key, keyStart, keyEnd, value, valueStart, valueEnd, expiresAt, put.inner);
    if (outcome !== "unfinished") this.end(put);
    return outcome;
  }

  /** A put in one call, while all shards are locked: see `Store.putNow`. */
  now(
    shard: Shard,
    hash: number,
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    value: Uint8Array,
    valueStart: number,
    valueEnd: number,
    expiresAt: Milliseconds,
  ): Exclude<PutOutcome, "unfinished"> {
    const bytes = keyEnd - keyStart + valueEnd - valueStart;
    if (bytes > this.#control.entryBytesMax) return "too large";
    const { entries, puts } = shard.parts;
    // No other put may keep what this one needs.
    for (const { parts } of this.#shards.all) parts.puts.restart();
    const gain = () => {
      const existing = shard.find(hash, key, keyStart, keyEnd);
      const bytesMore = bytes - (existing === 0 ? 0 : entries.bytesOf(existing));
      if (this.#budgets.gain(shard, entries.usage + bytesMore)) return true;
      return this.#budgets.isFull(shard, bytesMore) ? "full" : false;
    };
    // deno-fmt-ignore: one line shows that the arguments are handed on
    return puts.putNow(hash, key, keyStart, keyEnd, value, valueStart, valueEnd, expiresAt, gain);
  }
}

/** One put that takes several calls. */
export class SharedPut implements PutOperation {
  /** Its operation in its shard, and that shard, once it is its turn. */
  inner: PutOperation | undefined;
  shard = -1;
  readonly #end: (put: SharedPut) => void;

  constructor(end: (put: SharedPut) => void) {
    this.#end = end;
  }

  /** Gives back everything that the put holds. */
  cancel(): void {
    this.#end(this);
  }
}
