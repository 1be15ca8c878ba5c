/**
 * Errors of the data file, as one line that says what is wrong and what to do.
 *
 * @module
 */

/** The data file cannot be used; the message is for the operator. */
export class DataFileError extends Error {
  override name = "DataFileError";
}

/**
 * What SQLite says, and what to do about it. Not every error has its code in Deno, so they are told
 * apart by the texts, which SQLite has for each code.
 */
const reasons: readonly (readonly [text: string, reason: string])[] = [
  ["database or disk is full", "the disk is full: make room"],
  ["disk I/O error", "the disk fails, or is full: make room, and look at the system's log"],
  ["attempt to write a readonly database", "the file is read-only: allow this user to write it"],
  ["database is locked", "another program keeps it locked: end that program's transaction"],
  ["database table is locked", "another program keeps it locked: end that program's transaction"],
  ["database disk image is malformed", "it is damaged: put a backup in its place"],
  ["malformed database schema", "it is damaged: put a backup in its place"],
  ["file is not a database", "it is not a database: give the path of a data file, or a new one"],
  ["unable to open database file", "it cannot be opened: check the path and its permissions"],
];

/** What is wrong and what to do, in a few words. */
export function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return reasons.find(([text]) => message.startsWith(text))?.[1] ?? message;
}

/** The error of opening or reading a file. */
export function dataFileError(file: string, error: unknown): DataFileError {
  if (error instanceof DataFileError) return error;
  return new DataFileError(`Cannot use the data file ${file}: ${reasonOf(error)}`);
}
