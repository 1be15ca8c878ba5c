/**
 * Shows on a terminal how far the loading of the data file has come, once it takes over a second.
 *
 * @module
 */

/** Nothing is shown before, in milliseconds. */
const quietMs = 1_000;

const encoder = new TextEncoder();

/** Returns what takes the progress; where there is no terminal, that does nothing. */
export function loadingProgress(): (read: number, total: number) => void {
  if (!Deno.stderr.isTerminal()) return () => {};
  const startMs = performance.now();
  let shown = -1;
  return (read, total) => {
    if (performance.now() - startMs < quietMs) return;
    const percent = Math.floor(100 * Math.min(read / Math.max(total, 1), 1));
    const isDone = read >= total;
    if (percent === shown && !isDone) return;
    shown = percent;
    const text = isDone ? "\r\x1b[K" : `\rLoading the data file: ${percent} % of ${total} entries`;
    try {
      Deno.stderr.writeSync(encoder.encode(text));
    } catch {
      // The terminal is gone; the server can do without.
    }
  };
}
