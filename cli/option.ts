/**
 * The shape of the tables in `options/`: a table lists the flags of one subcommand. The parser, the
 * help, the shell completions and the test of the README read the tables; a flag that is in none of
 * them does not exist.
 *
 * @module
 */

/** The kind of a flag's value; a `switch` has no value. */
export type Kind =
  | "address"
  | "bytes"
  | "count"
  | "event loop"
  | "sync mode"
  | "on or off"
  | "mode"
  | "number"
  | "path"
  | "port"
  | "seconds"
  | "text"
  | "threads"
  /** May be given without its value, which is then the empty text. */
  | "optional text"
  | "switch";

/** The bounds of a value, both included. */
export interface Range {
  /** The smallest value allowed. */
  readonly min?: number;
  /** The largest value allowed. */
  readonly max?: number;
}

/** One flag. */
export interface Option extends Range {
  /** Its long name, without dashes. */
  readonly name: string;
  /** One letter that means the same. */
  readonly short?: string;
  /** The kind of its value. */
  readonly kind: Kind;
  /** The value as the help shows it; left out for a `switch`. */
  readonly value?: string;
  /** All values that it takes, where they are few words; shells complete them. */
  readonly choices?: readonly string[];
  /** The environment variable that is read where the flag is not given. */
  readonly env?: string;
  /** The value that holds when nothing is given, as one would type it. */
  readonly default?: string;
  /** What it does, in a few words. */
  readonly help: string;
  /** The heading of the help that lists it. */
  readonly group: string;
  /** True when it may be given more than once; its variable then holds a comma-separated list. */
  readonly repeatable?: boolean;
}

/** One subcommand; `subcommands.ts` has its summary. */
export interface Subcommand {
  /** Its name. */
  readonly name: string;
  /** How it is called, after its name; one line each. */
  readonly usage: readonly string[];
  /** Its flags. */
  readonly options: readonly Option[];
  /** Notes below the flags in its help; one line each. */
  readonly notes: readonly string[];
}

/** The flag as it is typed: `--max-line`. */
export function nameOf({ name }: Pick<Option, "name">): string {
  return `--${name}`;
}
