/**
 * The few colours the shell uses, and when it uses them: on a terminal only, never where `NO_COLOR`
 * is set to anything but the empty string, nor where `TERM` is `dumb`. Whether there are colours is
 * decided for each output; the standard library's switch is one for the whole process.
 *
 * @module
 */
import type { ShellIo, ShellOutput } from "./options.ts";

/** The ways to paint text; each returns it unchanged where colours are off. */
export interface Colours {
  /** True when the functions below change the text. */
  readonly on: boolean;
  /** Hints and notes beside a reply. */
  dim(text: string): string;
  /** Errors. */
  red(text: string): string;
  /** Escapes inside a value. */
  cyan(text: string): string;
  /** Names and headings. */
  bold(text: string): string;
}

function painted(start: number, end: number): (text: string) => string {
  return (text) => `\x1b[${start}m${text}\x1b[${end}m`;
}

const plain = (text: string) => text;

/** Text as it is. */
export const noColours: Colours = { on: false, dim: plain, red: plain, cyan: plain, bold: plain };

/** Text in colour. */
export const someColours: Colours = {
  on: true,
  dim: painted(2, 22),
  red: painted(31, 39),
  cyan: painted(36, 39),
  bold: painted(1, 22),
};

/** The colours to use on an output. */
export function coloursFor(output: ShellOutput, io: Pick<ShellIo, "env">): Colours {
  const wanted = output.isTerminal && !io.env("NO_COLOR") && io.env("TERM") !== "dumb";
  return wanted ? someColours : noColours;
}
