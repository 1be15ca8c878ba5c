/**
 * Tables and paragraphs, for the terminal and as Markdown, formatted as by `deno fmt`.
 *
 * @module
 */

/** A table as rows of cells; the first row is the header. */
export type Table = readonly (readonly string[])[];

/** The lines of a table for a terminal. */
export function columns(table: Table): string[] {
  return padded(table).map((row) => row.join("  ").trimEnd());
}

/** A table in Markdown. */
export function markdown(table: Table): string {
  const [head, ...rows] = padded(table);
  const rule = head.map(({ length }, column) =>
    column === 0 ? "-".repeat(length) : `${"-".repeat(length - 1)}:`
  );
  return [head, rule, ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n");
}

/** The widest line of the page. */
const pageColumns = 100;

/** An item of a list, whose lines are as wide as those of a paragraph. */
export function listItem(text: string): string {
  return `- ${wrapped(text, pageColumns - 2).replaceAll("\n", "\n  ")}`;
}

/** A paragraph in lines of at most so many columns. */
export function wrapped(text: string, columnsMax: number = pageColumns): string {
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = lines.at(-1)!;
    if (line === "") lines[lines.length - 1] = word;
    else if (line.length + 1 + word.length <= columnsMax) lines[lines.length - 1] += ` ${word}`;
    else lines.push(word);
  }
  return lines.join("\n");
}

/** Pads the cells to columns: the first aligned left, the others right. */
function padded(table: Table): string[][] {
  const widths = table[0].map((_, column) => Math.max(...table.map((row) => row[column].length)));
  return table.map((row) =>
    row.map((cell, column) => column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column]))
  );
}
