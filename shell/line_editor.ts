/**
 * One edited line at a time from a terminal: the runtime's own readline does the editing, this puts
 * what the shell needs around it: hints behind the cursor, search in the history with Ctrl-R, pasted
 * tabs that do not complete, and a line's reply before the next line is shown.
 *
 * What always holds: a hint is wiped before anything else is written, and the terminal gets its
 * line-wise input back however the session ends.
 *
 * @module
 */
import { createInterface, type Interface } from "node:readline";
import { EventEmitter } from "node:events";
import { type Readable, Writable } from "node:stream";
import type { Completion } from "./complete.ts";
import { isKept } from "./history.ts";
import { HistorySearch } from "./history_search.ts";
import { KeysTyped } from "./keys_typed.ts";
import type { ShellIo } from "./options.ts";

/** What the editor is told at its start. */
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
 * readline's input: it takes keys at once, unlike a stream, so that what it does with them is done
 * when the next line of the shell's code runs.
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

/** readline's output, in order with everything else that the session prints. */
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
 * Text that comes at once: it is put in as a whole, since readline takes a time for each key that
 * grows with the line. A tab within it was pasted and belongs to the value; one at its end asks for
 * completion.
 */
// deno-lint-ignore no-control-regex
const pastedText = /^[^\x00-\x1f\x7f](?:\t*[^\x00-\x1f\x7f])+/;

/** Edits lines on a terminal. */
export class LineEditor implements Disposable {
  readonly #options: LineEditorOptions;
  readonly #keys: KeyInput;
  readonly #screen: Screen;
  readonly #readline: Interface;
  readonly #typed = new KeysTyped();
  readonly #left = new AbortController();
  readonly #endResize: () => void;
  #history: readonly string[];
  #search: HistorySearch | undefined;
  #hintShown = false;
  /** Set while a line is being edited. */
  #give: ((line: string | undefined) => void) | undefined;

  constructor(options: LineEditorOptions) {
    this.#options = options;
    const { io } = options;
    // Keys wait while candidates are looked for.
    this.#keys = new KeyInput((on) => io.setRaw(on), () => queueMicrotask(() => this.#type()));
    this.#screen = new Screen(io);
    // The terminal may go away; what was to be printed then does not matter.
    this.#screen.on("error", () => this.#leave());
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
    this.#readline.on("SIGINT", () => this.#leave());
    this.#readline.on("close", () => this.#leave());
    // Without the permission to signal itself, Ctrl-Z would end the program with an exception.
    if (!io.maySuspend()) this.#readline.on("SIGTSTP", () => {});
    // After Ctrl-Z and `fg`: readline waits for the prompt before it reads on.
    this.#readline.on("SIGCONT", () => this.#readline.prompt(true));
    this.#endResize = io.onResize(() => this.#resized());
    this.#readAll().catch(() => this.#leave());
  }

  /** Aborts when the person leaves, by Ctrl-D or Ctrl-C, also while a reply is awaited. */
  get left(): AbortSignal {
    return this.#left.signal;
  }

  /** The next line as edited; undefined when the person leaves. */
  nextLine(): Promise<string | undefined> {
    if (this.#left.signal.aborted) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      this.#give = resolve;
      this.#readline.prompt();
      this.#type();
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
    this.#leave();
  }

  async #readAll() {
    const reader = this.#options.io.input.getReader();
    this.#left.signal.addEventListener("abort", () => reader.releaseLock(), { once: true });
    while (!this.#left.signal.aborted) {
      const { done, value } = await reader.read();
      if (done) break;
      const interrupted = this.#typed.push(value);
      this.#type();
      if (interrupted) break;
    }
    this.#leave();
  }

  /** Gives the editor the keys that wait, up to the end of the line. */
  #type() {
    while (this.#give && !this.#keys.isPaused) {
      const piece = this.#typed.next();
      if (piece === "") break;
      this.#wipeHint();
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
    const give = this.#give;
    this.#give = undefined;
    give?.(line);
  }

  /** Takes what must not be kept out of readline's own history, newest first. */
  #keepOut(history: string[]) {
    if (history.length > 0 && !isKept(history[0])) history.shift();
    this.#history = history;
  }

  #complete(line: string, give: (error: null, result: Completion) => void) {
    this.#options.complete(line).catch((): Completion => [[], line]).then((completion) => {
      if (this.#left.signal.aborted) return;
      this.#wipeHint();
      give(null, completion);
      setTimeout(() => this.#showHint());
    });
  }

  #showHint() {
    const { hint } = this.#options;
    const { line, cursor } = this.#readline;
    if (!hint || !this.#give || this.#search || this.#hintShown || cursor !== line.length) return;
    const room = this.#screen.columns - this.#readline.getCursorPos().cols - 1;
    const text = hint.of(line).slice(0, Math.max(0, room));
    if (text.trim() === "") return;
    this.#screen.write(`${hint.look(text)}\x1b[${text.length}D`);
    this.#hintShown = true;
  }

  #wipeHint() {
    if (this.#hintShown) this.#screen.write(clearRight);
    this.#hintShown = false;
  }

  #resized() {
    this.#wipeHint();
    this.#screen.emit("resize");
    this.#showHint();
  }

  /** Ctrl-R and the keys after it, until one of them ends the search. */
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

  #leave() {
    if (this.#left.signal.aborted) return;
    this.#wipeHint();
    this.#left.abort();
    this.#endResize();
    this.#readline.close();
    this.#options.io.setRaw(false);
    this.#finish(undefined);
  }
}
