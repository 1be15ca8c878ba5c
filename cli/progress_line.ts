/**
 * A progress line on standard error, rewritten in place; nothing where that is not a terminal.
 *
 * @module
 */

const encoder = new TextEncoder();

/** When the line is drawn, in milliseconds. */
export interface ProgressLineOptions {
  /** Nothing is shown in so long from the start; 0 if left out. */
  readonly quietMs?: number;
  /** How long a text stays at least; 0 if left out. */
  readonly drawMs?: number;
}

/** The line. */
export class ProgressLine {
  /** Whether there is a terminal to show it on. */
  readonly isShown: boolean = Deno.stderr.isTerminal();
  readonly #drawMs: number;
  #nextMs: number;
  #isDrawn = false;

  constructor({ quietMs = 0, drawMs = 0 }: ProgressLineOptions = {}) {
    this.#drawMs = drawMs;
    this.#nextMs = performance.now() + quietMs;
  }

  /** Shows a text, which is made only if it is drawn. */
  show(text: () => string): void {
    if (!this.isShown) return;
    const nowMs = performance.now();
    if (nowMs < this.#nextMs) return;
    this.#nextMs = nowMs + this.#drawMs;
    this.#isDrawn = true;
    draw(text());
  }

  /** Removes what is shown. */
  clear(): void {
    if (this.#isDrawn) draw("");
    this.#isDrawn = false;
  }
}

function draw(text: string): void {
  try {
    Deno.stderr.writeSync(encoder.encode(`\r\x1b[K${text}`));
  } catch {
    // The terminal is gone; the work can do without.
  }
}
