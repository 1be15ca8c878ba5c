/**
 * The ring of changes: the threads of a server append records, and the writer takes them in the
 * order in which their places were given away.
 *
 * A thread takes a place and fills it while it holds the lock of the key that changes, so the order
 * in the ring is the order in the store, key by key. The length of a record is written last: a
 * place whose length is zero is not filled yet. The writer zeroes what it has taken, so that this
 * holds in the next round.
 *
 * @module
 */

// @ts-types="../types/std.d.ts"
import { concat } from "@std/bytes/concat";
import { type JournalState, phases, ringAt, ringBytes } from "./journal_state.ts";
import { copy, headerBytes, type Kind, kinds, recordBytes, RecordViews } from "./record.ts";

/** A longer value travels in a buffer of its own. */
export const ringValueBytesMax: number = 256 * 1024;

/** Changes of so many bytes are worth a commit, even if more are to come. */
const submittedBytesMin = 16 * 1024;

/** Units of eight bytes that the ring has. */
const units = ringBytes / 8;

/** How long a thread waits for space before it looks whether the writer lives. */
const waitMs = 100;

/** One thread's view of the ring. */
export class ChangeRing {
  readonly #state: JournalState;
  readonly #views: RecordViews;
  /** Whether this thread has appended something since it last submitted. */
  hasUnsubmitted = false;
  #unsubmittedBytes = 0;
  /** The position behind the last place that this thread has taken. */
  #position = 0;

  constructor(state: JournalState) {
    this.#state = state;
    this.#views = new RecordViews(state.buffer, ringAt, ringBytes);
  }

  /** Says that what is appended is to be committed now. */
  submit(): void {
    this.hasUnsubmitted = false;
    this.#unsubmittedBytes = 0;
    this.#state.submit();
  }

  /** Bytes of changes that the writer has not taken. */
  get usedBytes(): number {
    return (this.#state.tail - this.#state.taken | 0) * 8;
  }

  /** Whether a quarter of the ring is in use. */
  get isQuarterFull(): boolean {
    return this.usedBytes >= ringBytes / 4;
  }

  /**
   * Appends a change; returns the position behind it. A full ring is waited for.
   *
   * @throws {Error} when the writer takes nothing any more.
   */
  append(
    kind: Kind,
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    value: Uint8Array,
    valueStart: number,
    valueEnd: number,
    expiresAt: number,
  ): number {
    const valueBytes = valueEnd - valueStart;
    const length = recordBytes(keyEnd - keyStart, valueBytes);
    const at = this.#takePlace(length);
    this.#views.write(at, kind, key, keyStart, keyEnd, valueBytes, expiresAt);
    copy(value, valueStart, valueEnd, this.#views.bytes, at + headerBytes + keyEnd - keyStart);
    return this.#filled(at, length);
  }

  /** Appends a change whose value is in the buffer with this number. */
  appendBuffer(
    buffer: number,
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    expiresAt: number,
  ): number {
    const length = recordBytes(keyEnd - keyStart, 0);
    const at = this.#takePlace(length);
    this.#views.write(at, kinds.putBuffer, key, keyStart, keyEnd, buffer, expiresAt);
    return this.#filled(at, length);
  }

  /**
   * Takes the changes that are complete, at most about `bytesMax` bytes of them, as one copy; empty
   * if there is none. For the writer alone.
   */
  take(bytesMax: number): Uint8Array<ArrayBuffer> {
    const state = this.#state;
    const views = this.#views;
    const { tail, taken } = state;
    const parts: Uint8Array[] = [];
    let bytes = 0;
    let position = taken;
    while (position !== tail && bytes < bytesMax) {
      const start = (position & units - 1) * 8;
      let end = start;
      let passed = 0;
      while ((position + (end - start) / 8 | 0) !== tail && end < ringBytes) {
        const length = Atomics.load(views.words, end >> 2);
        if (length === 0 || bytes + end - start >= bytesMax) break;
        if (views.kindAt(end) === kinds.skip) {
          passed = length;
          break;
        }
        end += length;
      }
      if (end > start) parts.push(views.bytes.subarray(start, end));
      bytes += end - start;
      position = position + (end - start + passed) / 8 | 0;
      // Neither a whole run nor a skip: the next place is not filled yet, or enough is taken.
      if (passed === 0 && end < ringBytes) break;
    }
    const copied = concat(parts);
    this.#clear(taken, position);
    return copied;
  }

  /** Gives the places between two positions back. */
  #clear(from: number, to: number): void {
    if (from === to) return;
    const start = (from & units - 1) * 8;
    const bytes = (to - from | 0) * 8;
    const first = Math.min(bytes, ringBytes - start);
    this.#views.bytes.fill(0, start, start + first);
    if (bytes > first) this.#views.bytes.fill(0, 0, bytes - first);
    this.#state.taken = to;
    this.#state.notifyTaken();
  }

  /** Takes a place of so many bytes; returns where it begins. */
  #takePlace(length: number): number {
    const state = this.#state;
    for (;;) {
      const { tail } = state;
      const taken = state.taken;
      const at = (tail & units - 1) * 8;
      const passed = at + length > ringBytes ? ringBytes - at : 0;
      if ((tail - taken | 0) * 8 + passed + length > ringBytes) {
        state.submit();
        if (state.phase === phases.broken) throw new Error("The data file's writer has ended");
        state.awaitTaken(taken, waitMs);
        continue;
      }
      const position = tail + (passed + length) / 8 | 0;
      if (!state.moveTail(tail, position)) continue;
      this.#position = position;
      if (passed === 0) return at;
      this.#views.shorts[(at >> 1) + 2] = kinds.skip;
      Atomics.store(this.#views.words, at >> 2, passed);
      return 0;
    }
  }

  /** Marks a record as complete; returns the position behind it. */
  #filled(at: number, length: number): number {
    Atomics.store(this.#views.words, at >> 2, length);
    this.hasUnsubmitted = true;
    this.#unsubmittedBytes += length;
    if (this.#unsubmittedBytes >= submittedBytesMin) this.submit();
    return this.#position;
  }
}
