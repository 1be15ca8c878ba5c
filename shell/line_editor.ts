/**
 * Edits one line at a time on a terminal. Node's readline does the editing; around it this adds
 * hints behind the cursor, search in the history with Ctrl-R, pasted tabs that do not complete, and
 * a line's reply before the next line is shown.
 *
 * What always holds: a hint is erased before anything else is written, and the terminal is back in
 * line mode however the session ends.
 *
 * @module
 */
import { createInterface, type Interface } from "node:readline";
import { EventEmitter } from "node:events";
import { type Readable, Writable } from "node:stream";
import type { Completion } from "./complete.ts";
import { isKept } from "./history.ts";
import { HistorySearch } from "./history_search.ts";
import { Typeahead } from "./typeahead.ts";
import type { ShellIo } from "./options.ts";

/** How a line editor is set up. */
export interface LineEditorOptions {
  readonly io: ShellIo;
  readonly prompt: string;
  /** Lines typed before, oldest first. */
  readonly history: readonly string[];
  readonly historyLinesMax: number;
  /** Candidates for the end of a line. */
  readonly complete: (line: string) => Promise<Completion>;
  /** The hint behind a line and the look it has; left out where there are no colours. */
  readonly hint?: { of: (line: string) => string; look: (text: string) => string };
}

/**
 * The input stream of readline. Unlike other streams it hands keys over synchronously, so readline
 * has handled them when `send` returns.
 */
class KeyInput extends EventEmitter {
  readonly isTTY = true;
  isPaused = false;
  readonly #setRaw: (on: boolean) => void;
  readonly #resumed: () => void;

  constructor(setRaw: (on: boolean) => void, resumed: () => void) {
    super();
    this.#setRaw = setRaw;
    this.#resumed = resumed;
  }

  send(keys: string) {
    this.emit("data", encoder.encode(keys));
  }

  pause() {
    this.isPaused = true;
    return this;
  }

  resume() {
    this.isPaused = false;
    this.#resumed();
    return this;
  }

  setRawMode(on: boolean) {
    this.#setRaw(on);
    return this;
  }
}

/** The output stream of readline, which also carries everything else that the session prints. */
class Screen extends Writable {
  readonly isTTY = true;

  constructor(readonly io: ShellIo) {
    super({
      decodeStrings: false,
      write: (chunk, _encoding, done) => {
        io.output.write(chunk).then(() => done(), done);
      },
    });
  }

  get columns(): number {
    return this.io.output.columns();
  }
}

const encoder = new TextEncoder();
const clearRight = "\x1b[K";
const clearBelow = "\x1b[J";
const ctrlR = "\x12";

/**
 * Text that arrives at once. It is inserted as a whole, since the time that readline takes for each
 * key grows with the line. A tab within it was pasted and belongs to the value; one at its end asks
 * for completion.
 */
// deno-lint-ignore no-control-regex
const pastedText = /^[^\x00-\x1f\x7f](?:\t*[^\x00-\x1f\x7f])+/;

/** A line editor on a terminal: gives one line at a time, and prints between two lines. */
export class LineEditor implements Disposable {
  readonly #options: LineEditorOptions;
  readonly #keys: KeyInput;
  readonly #screen: Screen;
  readonly #readline: Interface;
  readonly #typed = new Typeahead();
  readonly #closed = new AbortController();
  readonly #endResize: () => void;
  #history: readonly string[];
  #search: HistorySearch | undefined;
  #hintShown = false;
  /** Set while a line is being edited. */
  #resolveLine: ((line: string | undefined) => void) | undefined;

  constructor(options: LineEditorOptions) {
    this.#options = options;
    const { io } = options;
    // Keys wait while completion looks for candidates.
    this.#keys = new KeyInput((on) => io.setRaw(on), () => queueMicrotask(() => this.#feed()));
    this.#screen = new Screen(io);
    // The terminal may go away; what could not be printed then does not matter.
    this.#screen.on("error", () => this.#close());
    this.#history = options.history.toReversed();
    this.#readline = createInterface({
      // It has all of a stream that readline uses.
      input: this.#keys as unknown as Readable,
      output: this.#screen,
      terminal: true,
      prompt: options.prompt,
      history: [...this.#history],
      historySize: options.historyLinesMax,
      removeHistoryDuplicates: true,
      crlfDelay: Infinity,
      completer: (line, give) => this.#complete(line, give),
    });
    this.#readline.on("line", (line) => this.#finish(line));
    this.#readline.on("history", (history) => this.#keepOut(history));
    this.#readline.on("SIGINT", () => this.#close());
    this.#readline.on("close", () => this.#close());
    // Without the permission to signal itself, Ctrl-Z would end the program with an exception.
    if (!io.maySuspend()) this.#readline.on("SIGTSTP", () => {});
    // After Ctrl-Z and `fg`: readline waits for the prompt before it reads on.
    this.#readline.on("SIGCONT", () => this.#readline.prompt(true));
    this.#endResize = io.onResize(() => this.#resized());
    this.#readAll().catch(() => this.#close());
  }

  /** Aborts at Ctrl-D, Ctrl-C and the end of the terminal, also while a reply is awaited. */
  get closed(): AbortSignal {
    return this.#closed.signal;
  }

  /** The next line as edited; undefined once the editor is closed. */
  nextLine(): Promise<string | undefined> {
    if (this.#closed.signal.aborted) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      this.#resolveLine = resolve;
      this.#readline.prompt();
      this.#feed();
    });
  }

  /** Prints text on lines of its own; not while a line is being edited. */
  print(text: string | Uint8Array) {
    this.#screen.write(text);
  }

  /** Resolves when all that was printed has reached the terminal. */
  async flushed() {
    await new Promise<void>((resolve) => this.#screen.write("", () => resolve()));
  }

  [Symbol.dispose]() {
    this.#close();
  }

  async #readAll() {
    const reader = this.#options.io.input.getReader();
    this.#closed.signal.addEventListener("abort", () => reader.releaseLock(), { once: true });
    while (!this.#closed.signal.aborted) {
      const { done, value } = await reader.read();
      if (done) break;
      const interrupted = this.#typed.push(value);
      this.#feed();
      if (interrupted) break;
    }
    this.#close();
  }

  /** Hands readline the keys that wait, up to the end of the line. */
  #feed() {
    while (this.#resolveLine && !this.#keys.isPaused) {
      const piece = this.#typed.next();
      if (piece === "") break;
      this.#eraseHint();
      if (this.#search || piece === ctrlR) this.#typeInSearch(piece);
      else this.#typeInLine(piece);
      this.#showHint();
    }
  }

  #typeInLine(piece: string) {
    const text = pastedText.exec(piece)?.[0] ?? "";
    if (text !== "") this.#readline.write(text);
    if (text.length < piece.length) this.#keys.send(piece.slice(text.length));
  }

  #finish(line: string | undefined) {
    const resolve = this.#resolveLine;
    this.#resolveLine = undefined;
    resolve?.(line);
  }

  /** Removes lines that must not be kept from readline's own history, newest first. */
  #keepOut(history: string[]) {
    if (history.length > 0 && !isKept(history[0])) history.shift();
    this.#history = history;
  }

  #complete(line: string, give: (error: null, result: Completion) => void) {
    this.#options.complete(line).catch((): Completion => [[], line]).then((completion) => {
      if (this.#closed.signal.aborted) return;
      this.#eraseHint();
      give(null, completion);
      setTimeout(() => this.#showHint());
    });
  }

  #showHint() {
    const { hint } = this.#options;
    const { line, cursor } = this.#readline;
    if (!hint || !this.#resolveLine || this.#search || this.#hintShown || cursor !== line.length) {
      return;
    }
    const free = this.#screen.columns - this.#readline.getCursorPos().cols - 1;
    const text = hint.of(line).slice(0, Math.max(0, free));
    if (text.trim() === "") return;
    this.#screen.write(`${hint.look(text)}\x1b[${text.length}D`);
    this.#hintShown = true;
  }

  #eraseHint() {
    if (this.#hintShown) this.#screen.write(clearRight);
    this.#hintShown = false;
  }

  #resized() {
    this.#eraseHint();
    this.#screen.emit("resize");
    this.#showHint();
  }

  /** Handles Ctrl-R and the keys after it, until one of them ends the search. */
  #typeInSearch(piece: string) {
    const search = this.#search ??= this.#startSearch();
    const outcome = search.type(piece);
    if (outcome === undefined) {
      this.#screen.write(`\r${clearBelow}${search.shown(this.#screen.columns)}`);
      return;
    }
    this.#search = undefined;
    this.#screen.write(`\r${clearBelow}`);
    this.#readline.prompt();
    this.#readline.write(outcome.line);
    if (outcome.key !== "") this.#typeInLine(outcome.key);
  }

  #startSearch(): HistorySearch {
    const { line } = this.#readline;
    // With the line empty the search has one row of the screen to itself.
    this.#readline.write(null, { ctrl: true, name: "e" });
    this.#readline.write(null, { ctrl: true, name: "u" });
    return new HistorySearch(this.#history, line);
  }

  #close() {
    if (this.#closed.signal.aborted) return;
    this.#eraseHint();
    this.#closed.abort();
    this.#endResize();
    this.#readline.close();
    this.#options.io.setRaw(false);
    this.#finish(undefined);
  }
}
