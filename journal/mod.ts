/**
 * The data file: keeps what a store holds beyond the end of the process.
 *
 * ```text
 *  threads: commands -> RecordingStore -> store
 *                            |
 *                      ring of changes (shared memory)
 *                            |
 *  writer's thread:       Writer -> SQLite file: tables entries, journal
 * ```
 *
 * Each thread changes its store through a `RecordingStore`, which appends the change to a ring in
 * shared memory. The writer takes what has gathered, commits it, and says up to where; replies wait
 * for that (`ThreadJournal`). At the start `Journal` loads the file.
 *
 * @module
 */

export { type EntryCounts, writeInBatches } from "./batches.ts";
export { DataFileError } from "./data_file_error.ts";
export type { Entry } from "./database.ts";
export {
  checkFile,
  type CheckResult,
  dumpFile,
  entriesOfLines,
  loadFile,
} from "./file_commands.ts";
export {
  attachJournal,
  Journal,
  type JournalFigures,
  journalFigures,
  type JournalHandle,
  type JournalOptions,
  type LoadResult,
} from "./journal.ts";
export { JournalState } from "./journal_state.ts";
export type { SyncMode } from "./sync_mode.ts";
export { ThreadJournal } from "./thread_journal.ts";
