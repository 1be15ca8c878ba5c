/**
 * The lock of a data file: one server has it at a time.
 *
 * It is on a file beside the data file, since closing any descriptor of the data file itself would
 * end the locks of SQLite.
 *
 * @module
 */

import { DataFileError } from "./data_file_error.ts";

/** How long the lock is waited for where the runtime cannot just try, in milliseconds. */
const waitMs = 250;

/** A lock that is held until it is closed, or the process ends. */
export class FileLock implements Disposable {
  readonly #file: Deno.FsFile;

  private constructor(file: Deno.FsFile) {
    this.#file = file;
  }

  /**
   * Locks a data file.
   *
   * @throws {DataFileError} when another process has it.
   */
  static async take(file: string): Promise<FileLock> {
    let lock: Deno.FsFile;
    try {
      lock = await Deno.open(`${file}-lock`, { create: true, write: true });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new DataFileError(
        `Cannot use the data file ${file}: ${file}-lock cannot be written (${reason}); check the ` +
          "folder and its permissions",
      );
    }
    if (await tryLock(lock)) return new FileLock(lock);
    lock.close();
    throw new DataFileError(
      `Cannot use the data file ${file}: another server has it open; stop that one, or give ` +
        "another file",
    );
  }

  [Symbol.dispose](): void {
    this.#file.close();
  }
}

async function tryLock(lock: Deno.FsFile): Promise<boolean> {
  const { tryLock } = lock as { tryLock?: (exclusive: boolean) => Promise<boolean> };
  if (tryLock !== undefined) return await tryLock.call(lock, true);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), waitMs);
  });
  const locked = lock.lock(true).then(() => true, () => false);
  try {
    return await Promise.race([locked, late]);
  } finally {
    clearTimeout(timer);
  }
}
