/**
 * The lines typed before, kept in `~/.blink_history` (or where `BLINK_HISTORY` says; empty switches
 * it off), readable by its owner only. What always holds: a line with a secret in it (`AUTH`) and
 * one that begins with a blank are never kept; several sessions add to one file, each line whole;
 * the file is bounded.
 *
 * @module
 */
import { isSafe } from "./escape.ts";

/** Lines that a session starts with, and that stay when the file is shortened. */
export const historyLinesMax = 1000;
/** The file is shortened at the start of a session when it is larger, in bytes. */
export const historyBytesMax = 1024 * 1024;
/** A longer line is not kept, in characters: it is data, not something to edit again. */
export const historyLineCharsMax = 4096;

/** The lines typed before, and how to add one. */
export interface History {
  /** The kept lines, oldest first. */
  readonly lines: readonly string[];
  /** Keeps a line, unless it must not be kept. */
  add(line: string): void;
}

/** True when a line may be kept in the history. */
export function isKept(line: string): boolean {
  return !/^\s/.test(line) && !/^AUTH(\s|$)/i.test(line) && line !== "" &&
    line.length <= historyLineCharsMax && isSafe(line);
}

/** The file that the environment names; undefined when no history is to be kept. */
export function historyPath(env: (name: string) => string | undefined): string | undefined {
  const chosen = env("BLINK_HISTORY");
  if (chosen !== undefined) return chosen || undefined;
  const home = env("HOME") ?? env("USERPROFILE");
  return home ? `${home}/.blink_history` : undefined;
}

/** A history that keeps nothing beyond the session. */
export const noHistory: History = { lines: [], add: () => {} };

/**
 * Opens the history file, creating it where needed. Throws when it cannot be read and written,
 * which the shell reports in one line.
 */
export function openHistory(path: string): History {
  // The mode of a device such as /dev/null must not change.
  if (isOther(path)) return noHistory;
  const lines = withFile(path, readAndShorten);
  // A file made by another program may be open to others.
  if (Deno.build.os !== "windows") Deno.chmodSync(path, ownerOnly);
  return {
    lines,
    add(line) {
      if (!isKept(line)) return;
      withFile(path, (file) => {
        file.seekSync(0, Deno.SeekMode.End);
        writeAll(file, encoder.encode(line + "\n"));
      });
    },
  };
}

/** True when the path exists and is not a regular file. */
function isOther(path: string): boolean {
  try {
    return !Deno.statSync(path).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

const encoder = new TextEncoder();
const ownerOnly = 0o600;

/** Opens the file for one step; the lock keeps other sessions' steps apart from it. */
function withFile<T>(path: string, step: (file: Deno.FsFile) => T): T {
  using file = Deno.openSync(path, { read: true, write: true, create: true, mode: ownerOnly });
  file.lockSync(true);
  try {
    return step(file);
  } finally {
    file.unlockSync();
  }
}

/** The last lines of the file, which then holds no more than those if it had grown too large. */
function readAndShorten(file: Deno.FsFile): string[] {
  const { size } = file.statSync();
  const start = Math.max(0, size - historyBytesMax);
  file.seekSync(start, Deno.SeekMode.Start);
  const lines = new TextDecoder().decode(readAll(file, size - start)).split("\n");
  // Where reading began in the middle, the first line is a part of one.
  if (start > 0) lines.shift();
  const kept = lines.filter(isKept).slice(-historyLinesMax);
  if (size > historyBytesMax) {
    file.truncateSync(0);
    file.seekSync(0, Deno.SeekMode.Start);
    writeAll(file, encoder.encode(kept.map((line) => line + "\n").join("")));
  }
  return kept;
}

function readAll(file: Deno.FsFile, size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  let length = 0;
  while (length < size) {
    const read = file.readSync(bytes.subarray(length));
    if (read === null) break;
    length += read;
  }
  return bytes.subarray(0, length);
}

function writeAll(file: Deno.FsFile, bytes: Uint8Array) {
  for (let at = 0; at < bytes.length;) at += file.writeSync(bytes.subarray(at));
}
