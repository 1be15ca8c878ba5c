/**
 * The queue of puts that take several calls.
 *
 * Only the first of them reserves space and stages its value, which means that the value is copied
 * into the arena a part at a time before its entry is written. So two large puts cannot block each
 * other, and none waits for ever.
 *
 * What always holds: what is staged and reserved belongs to the first put of the queue; if there is
 * none, nothing is staged or reserved.
 *
 * @module
 */

import type { Fragments } from "./fragments.ts";
import type { Reservation } from "./reservation.ts";
import type { PutOperation } from "./storage.ts";

/** Bytes of a value that one call copies; a larger value takes several calls. */
export const STAGED_PART_BYTES = 1_048_576;

/** The puts that take several calls, first in, first out. */
export class PutQueue {
  readonly #fragments: Fragments;
  readonly #reservation: Reservation;
  readonly #operations = new Set<LargePut>();
  #first: LargePut | undefined;

  constructor(fragments: Fragments, reservation: Reservation) {
    this.#fragments = fragments;
    this.#reservation = reservation;
  }

  /** The put whose turn it is. */
  get first(): LargePut | undefined {
    return this.#first;
  }

  /** Adds a put at the end of the queue. */
  start(): LargePut {
    const operation = new LargePut(this);
    this.#operations.add(operation);
    this.#first ??= operation;
    return operation;
  }

  /** Adds a put at the front of the queue; the one that was the first begins again. */
  startFirst(): LargePut {
    this.restart();
    const waiting = [...this.#operations];
    this.#operations.clear();
    const operation = new LargePut(this);
    for (const one of [operation, ...waiting]) this.#operations.add(one);
    this.#first = operation;
    return operation;
  }

  /** The operation as one of this queue's own; an Error if it is not, has ended, or is misused. */
  own(operation: PutOperation, valueBytes: number): LargePut {
    if (!(operation instanceof LargePut && this.#operations.has(operation))) {
      throw new Error("Cannot put with this operation: it has ended, or is another store's");
    }
    operation.valueBytes ??= valueBytes;
    if (operation.valueBytes === valueBytes) return operation;
    throw new Error("Cannot put with this operation: it was begun with another value");
  }

  /** Ends a put, and gives back what it holds. */
  end(operation: LargePut): void {
    if (!this.#operations.delete(operation) || operation !== this.#first) return;
    this.restart();
    this.#first = this.#operations.values().next().value;
  }

  /** The first put begins from the beginning again. */
  restart(): void {
    this.#fragments.dropStaged();
    this.#reservation.release();
  }
}

/** One put that takes several calls. */
export class LargePut implements PutOperation {
  readonly #queue: PutQueue;
  /** Bytes of the value; undefined before the first call. */
  valueBytes: number | undefined;
  /**
   * What eviction remembered of the key at the first call: by the last one the evictions for this
   * very put may have pushed it out of the ghost. Undefined before the first call.
   */
  recalled: number | undefined;

  constructor(queue: PutQueue) {
    this.#queue = queue;
  }

  /** Gives back everything that the put holds. */
  cancel(): void {
    this.#queue.end(this);
  }
}
