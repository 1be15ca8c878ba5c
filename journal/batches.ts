/**
 * Entries that are read one by one, and written many at a time.
 *
 * @module
 */

import type { Entry } from "./database.ts";

/** How large a batch gets. */
export interface BatchLimits {
  readonly entriesMax: number;
  /** Bytes of values, from which on a batch is complete. */
  readonly bytesMax: number;
}

/** How many entries were read or written, and how many were left out since they had expired. */
export interface EntryCounts {
  readonly entries: number;
  readonly expired: number;
}

/**
 * Writes entries in batches, but for those that have expired. When reading fails, what was read
 * before is written, too; when writing fails, nothing is written any more.
 *
 * @throws {Error} whatever reading or writing throws.
 */
export async function writeInBatches(
  entries: AsyncIterable<Entry>,
  { entriesMax, bytesMax }: BatchLimits,
  write: (batch: readonly Entry[]) => Promise<void> | void,
): Promise<EntryCounts> {
  let batch: Entry[] = [];
  let bytes = 0;
  let written = 0;
  let expired = 0;
  const flush = async () => {
    const complete = batch;
    batch = [];
    bytes = 0;
    if (complete.length === 0) return;
    await write(complete);
    written += complete.length;
  };
  try {
    for await (const entry of entries) {
      if (isExpired(entry.expiresAt, Date.now())) {
        expired++;
        continue;
      }
      batch.push(entry);
      bytes += entry.value.length;
      if (batch.length >= entriesMax || bytes >= bytesMax) await flush();
    }
  } finally {
    await flush();
  }
  return { entries: written, expired };
}

/** Whether an expiry, in milliseconds since 1970 and 0 for none, has come. */
export function isExpired(expiresAt: number, nowMs: number): boolean {
  return expiresAt !== 0 && expiresAt <= nowMs;
}
