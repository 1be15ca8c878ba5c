/**
 * The replies of one connection that say that something has changed: they wait until their changes
 * are on the disk, and become errors if these were undone.
 *
 * @module
 */

import type { ThreadJournal } from "../journal/mod.ts";

/** A part of the output that is the reply to a change, or a part of one. */
interface ChangedReply {
  readonly start: number;
  readonly end: number;
  /** The position of the change. */
  readonly position: number;
}

/** What takes the place of a part of the output. */
export interface Replacement {
  readonly start: number;
  readonly end: number;
  readonly bytes: Uint8Array;
}

const nothing = new Uint8Array(0);

/** The replies to changes among the unsent output of a connection, in their order. */
export class ReplyChanges {
  readonly #journal: ThreadJournal;
  readonly #resume: () => void;
  #replies: ChangedReply[] = [];
  #isWaiting = false;

  /** `resume` is called when a wait is over. */
  constructor(journal: ThreadJournal, resume: () => void) {
    this.#journal = journal;
    this.#resume = resume;
  }

  /** Notes that the output has the reply to a change at `[start, end)`. */
  add(start: number, end: number, position: number): void {
    if (end > start) this.#replies.push({ start, end, position });
  }

  /** Whether the output has to wait. Calls `resume` later if it does. */
  get mustWait(): boolean {
    if (this.#replies.length === 0) return false;
    const { position } = this.#replies[this.#replies.length - 1];
    if (this.#journal.isDecided(position)) return false;
    if (!this.#isWaiting) {
      this.#isWaiting = true;
      this.#journal.whenDecided(position, () => {
        this.#isWaiting = false;
        this.#resume();
      });
    }
    return true;
  }

  /** Whether output waits for the disk, and not for the client. */
  get isWaiting(): boolean {
    return this.#isWaiting;
  }

  /**
   * Forgets the replies, whose changes are decided, and returns what has to take the place of those
   * whose changes were undone.
   */
  settle(error: Uint8Array): Replacement[] {
    const replies = this.#replies;
    if (replies.length === 0) return [];
    this.#replies = [];
    let before: ChangedReply | undefined;
    const replacements: Replacement[] = [];
    for (const reply of replies) {
      if (this.#journal.hasFailed(reply.position)) {
        // A reply that was written in parts becomes one error.
        const isSame = before?.position === reply.position;
        const { start, end } = reply;
        replacements.push({ start, end, bytes: isSame ? nothing : error });
      }
      before = reply;
    }
    return replacements;
  }
}
