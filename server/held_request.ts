/**
 * A request that changes something while the data file cannot take changes as they come: it waits
 * until there is space for them, or is refused.
 *
 * @module
 */

import {
  type CommandTable,
  type Context,
  type Operation,
  redisTable,
  type SessionControl,
  type Step,
} from "../commands/mod.ts";
import type { ThreadJournal } from "../journal/mod.ts";
import { type Arguments, notKept } from "../protocol.ts";

/** Holds the line whose request the context has. */
export function holdLine(
  journal: ThreadJournal,
  context: Context,
  table: CommandTable,
  session: SessionControl,
): Operation {
  const request = context.takeRequest();
  return new HeldRequest(
    journal,
    (bytes) => table.execute(context, request, bytes, session),
    () => context.fail(notKept),
  );
}

/** Holds an array. */
export function holdArray(
  journal: ThreadJournal,
  context: Context,
  args: Arguments,
  session: SessionControl,
): Operation {
  return new HeldRequest(
    journal,
    (bytes) => redisTable.run(context, args, bytes, session),
    (bytes) => redisTable.refuse(context, args, bytes, session, notKept),
  );
}

/** Runs a request once it may run. */
class HeldRequest implements Operation {
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
