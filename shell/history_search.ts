/**
 * Search in the history, as Ctrl-R does it in other shells: the search goes from the newest
 * line to the oldest, and Ctrl-R again goes on to an older one.
 *
 * @module
 */

/** How a search ended: the line to edit on with, and the key to pass on to the editor. */
export interface SearchOutcome {
  readonly line: string;
  readonly key: string;
}

const ctrlR = "\x12";
const ctrlG = "\x07";
const escape = "\x1b";
const deletes = ["\x7f", "\b"];

/** One incremental search: takes keys, and keeps the query and the line it has found. */
export class HistorySearch {
  readonly #history: readonly string[];
  readonly #before: string;
  #query = "";
  /** The index in the history of the line shown; -1 before the first search. */
  #found = -1;
  #failed = false;
  #started = false;

  /** `history` is newest first; `before` is the line that was being edited. */
  constructor(history: readonly string[], before: string) {
    this.#history = history;
    this.#before = before;
  }

  /** Takes keys; returns how the search ended once they end it. */
  type(piece: string): SearchOutcome | undefined {
    if (piece === ctrlR) {
      if (this.#started) this.#look(this.#found + 1);
      this.#started = true;
      return undefined;
    }
    if (piece === ctrlG || piece === escape) return { line: this.#before, key: "" };
    if (deletes.includes(piece)) {
      this.#query = [...this.#query].slice(0, -1).join("");
      this.#look(0);
      return undefined;
    }
    // deno-lint-ignore no-control-regex
    const typed = /^[^\x00-\x1f\x7f]+/.exec(piece)?.[0] ?? "";
    if (typed !== "") {
      this.#query += typed;
      this.#look(Math.max(0, this.#found));
    }
    const rest = piece.slice(typed.length);
    return rest === "" ? undefined : { line: this.#line(), key: rest };
  }

  /** One row of the screen that shows the search. */
  shown(columns: number): string {
    const label = this.#failed ? "search, not found" : "search";
    const row = [...`(${label}: ${this.#query}) ${this.#found < 0 ? "" : this.#line()}`];
    // Every character beyond Latin counts as two columns wide, so the row never breaks.
    const charactersMax = row.some((character) => character > "\u02ff") ? columns / 2 : columns;
    return row.slice(0, Math.max(0, Math.floor(charactersMax) - 1)).join("");
  }

  #line(): string {
    return this.#history[this.#found] ?? this.#before;
  }

  #look(from: number) {
    if (this.#query === "") return;
    const at = this.#history.findIndex((line, index) =>
      index >= from && line.includes(this.#query)
    );
    this.#failed = at < 0;
    if (at >= 0) this.#found = at;
  }
}
