/**
 * Renders a copy as text for people: a progress bar while it runs, and a report at its end. Pure
 * functions; the caller prints.
 *
 * @module
 */

import type { CopyProgress, CopyResult } from "./copy_entries.ts";
import { type Counts, othersOf, refusedOf } from "./counts.ts";

const barColumns = 16;
const lineColumnsMax = 79;
const eighths = " ▏▎▍▌▋▊▉█";

/** How a copy is going, besides its counts. */
export interface Pace {
  /** How long it has run. */
  readonly seconds: number;
  /** The keys that it had seen when it went on from a resume file. */
  readonly seenBefore: number;
  /** True when a glob chooses the keys, so the number of them is not known. */
  readonly isPartial: boolean;
}

/** The progress in one line of at most 79 columns, without a line break. */
export function renderProgress({ counts, size }: CopyProgress, pace: Pace): string {
  const rate = pace.seconds > 0 ? (counts.seen - pace.seenBefore) / pace.seconds : 0;
  const speed = `${showNumber(rate)}/s`;
  if (size === undefined || size === 0 || pace.isPartial) {
    return `copying  ${showNumber(counts.copied)} entries  ${speed}`;
  }
  // Keys that were added since the start, and those that a scan lists twice, exceed the size.
  const share = Math.min(1, counts.seen / size);
  const percent = `${Math.floor(share * 100)} %`.padStart(5);
  const left = rate > 0 ? `  ${showSeconds(Math.max(0, size - counts.seen) / rate)} left` : "";
  const line = `${bar(share)} ${percent}  ${showNumber(counts.copied)} of ${showNumber(size)}  ` +
    speed + left;
  return line.slice(0, lineColumnsMax);
}

/** What was copied and what was not, in several lines, without a line break at the end. */
export function renderReport(
  { counts }: CopyResult,
  { seconds, isDryRun }: { readonly seconds: number; readonly isDryRun: boolean },
): string {
  const copied = `${showCount(counts.copied, "entry", "entries")} (${showSize(counts.bytes)})`;
  const lines = [
    isDryRun
      ? `${copied} would be copied`
      : `${copied} copied in ${showSeconds(seconds)}${notesOf(counts)}`,
  ];
  const others = othersOf(counts);
  if (others > 0) {
    const types = Object.entries(counts.others).map(([type, count]) =>
      `${showNumber(count)} ${type}`
    );
    lines.push(`${showCount(others, "key")} of other types left out: ${types.join(", ")}`);
  }
  if (refusedOf(counts) > 0) {
    for (const [reason, { count, keys }] of Object.entries(counts.refused)) {
      const more = count > keys.length ? ", …" : "";
      lines.push(
        `${showCount(count, "key")} refused, ${printable(reason)}: ${keys.join(", ")}${more}`,
      );
    }
  }
  return lines.join("\n");
}

function notesOf({ present, gone }: Counts): string {
  const notes = [];
  if (present > 0) notes.push(`${showNumber(present)} that the target has left alone`);
  if (gone > 0) notes.push(`${showNumber(gone)} expired or deleted meanwhile`);
  return notes.map((note) => `; ${note}`).join("");
}

/** A server's words, without what would control a terminal. */
function printable(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.replace(/[\x00-\x1f\x7f-\x9f]/g, "?");
}

function bar(share: number): string {
  const units = Math.round(share * barColumns * 8);
  const rest = units % 8;
  const text = eighths[8].repeat(Math.floor(units / 8)) + (rest > 0 ? eighths[rest] : "");
  return text.padEnd(barColumns);
}

function showCount(count: number, one: string, many = `${one}s`): string {
  return `${showNumber(count)} ${count === 1 ? one : many}`;
}

function showNumber(value: number): string {
  return Math.round(value).toLocaleString("en");
}

function showSize(bytes: number): string {
  const units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
  let at = 0;
  let size = bytes;
  while (size >= 1024 && at < units.length - 1) {
    size /= 1024;
    at++;
  }
  return at === 0 ? showCount(bytes, "byte") : `${size.toFixed(1)} ${units[at]}`;
}

function showSeconds(seconds: number): string {
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  if (seconds < 99.5) return `${seconds.toFixed(0)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 100 ? `${minutes} min` : `${(minutes / 60).toFixed(1)} h`;
}
