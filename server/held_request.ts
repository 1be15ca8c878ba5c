/**
 * A request that changes something while the data file cannot take changes as they come: it waits
 * until there is space for them, or is refused.
 *
 * @module
 */

import type { Context, Operation, Step } from "../commands/mod.ts";
import type { ThreadJournal } from "../journal/mod.ts";

/** Runs a request once it may run. */
export class HeldRequest implements Operation {
  readonly isExclusive = true;
  readonly #journal: ThreadJournal;
  readonly #run: (bytes: Uint8Array) => Operation | undefined;
  readonly #refuse: (bytes: Uint8Array) => void;
  #operation: Operation | undefined;
  #isCancelled = false;
  onReady?: () => void;

  constructor(
    journal: ThreadJournal,
    run: (bytes: Uint8Array) => Operation | undefined,
    refuse: (bytes: Uint8Array) => void,
  ) {
    this.#journal = journal;
    this.#run = run;
    this.#refuse = refuse;
  }

  get heldBytes(): number {
    return this.#operation?.heldBytes ?? 0;
  }

  step(context: Context, bytes: Uint8Array): Step {
    if (this.#operation !== undefined) return this.#operation.step(context, bytes);
    if (this.#journal.isRefusing) {
      this.#refuse(bytes);
      return "done";
    }
    if (this.#journal.isCrowded) {
      this.#journal.whenChanged(() => {
        if (!this.#isCancelled) this.onReady?.();
      });
      return "wait";
    }
    const operation = this.#run(bytes);
    if (operation === undefined) return "done";
    this.#operation = operation;
    operation.onReady = () => this.onReady?.();
    return operation.step(context, bytes);
  }

  cancel(context: Context): void {
    this.#isCancelled = true;
    this.#operation?.cancel(context);
  }
}
