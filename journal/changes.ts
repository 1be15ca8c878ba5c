/**
 * Changes as the writer has taken them from the ring, or as a row of the journal has them: parsed,
 * and brought to the table of entries.
 *
 * @module
 */

import type { Database } from "./database.ts";
import { kinds, RecordViews } from "./record.ts";

/** Finds the values that travel in buffers of their own, by their numbers. */
export type Values = (number: number) => Uint8Array;

/** Changes in their order. */
export class Changes {
  /** The records, one after the other. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly views: RecordViews;
  /** Where each record begins. */
  readonly offsets: readonly number[];
  /** How many of them somebody may wait for: all but evictions. */
  readonly kept: number;
  /** The numbers of the values that are in buffers of their own. */
  readonly buffers: readonly number[];
  /** How many groups begin here and do not end, or the other way round. */
  readonly openGroups: number;

  /** Takes records that begin at the first byte of a buffer. */
  constructor(bytes: Uint8Array<ArrayBuffer>) {
    this.bytes = bytes;
    this.views = new RecordViews(bytes.buffer, bytes.byteOffset, bytes.length);
    const offsets: number[] = [];
    const buffers: number[] = [];
    let kept = 0;
    let openGroups = 0;
    for (let at = 0; at < bytes.length; at += this.views.lengthAt(at)) {
      if (this.views.lengthAt(at) <= 0) throw new RangeError("A change has no length");
      offsets.push(at);
      const kind = this.views.kindAt(at);
      if (kind === kinds.groupBegin) openGroups++;
      else if (kind === kinds.groupEnd) openGroups--;
      else if (kind !== kinds.evict) kept++;
      if (kind === kinds.putBuffer) buffers.push(this.views.valueAt(at));
    }
    this.offsets = offsets;
    this.buffers = buffers;
    this.kept = kept;
    this.openGroups = openGroups;
  }
}

/** Bytes that become characters in one call. */
const piece = 1024;

/** A key as a string of a Map: one character a byte. */
export function keyText(key: Uint8Array): string {
  let text = "";
  for (let at = 0; at < key.length; at += piece) {
    // Spreading the bytes would take five times as long.
    const bytes = key.length <= piece ? key : key.subarray(at, at + piece);
    text += String.fromCharCode.apply(null, bytes as unknown as number[]);
  }
  return text;
}

const noValues: Values = () => {
  throw new RangeError("A value of the journal is missing");
};

/** Brings changes to the table of entries one by one, within a transaction. */
export function apply(
  database: Database,
  list: readonly Changes[],
  values: Values = noValues,
): void {
  for (const { views, offsets } of list) {
    for (const at of offsets) applyOne(database, views, at, values);
  }
}

function applyOne(database: Database, views: RecordViews, at: number, values: Values): void {
  switch (views.kindAt(at)) {
    case kinds.put:
      return database.put(views.keyAt(at), views.valueBytesAt(at), views.expiresAtAt(at));
    case kinds.putBuffer:
      return database.put(views.keyAt(at), values(views.valueAt(at)), views.expiresAtAt(at));
    case kinds.remove:
    case kinds.evict:
      return database.remove(views.keyAt(at));
    case kinds.expire:
      return database.expire(views.keyAt(at), views.expiresAtAt(at));
    case kinds.flushAll:
      return database.clear();
    case kinds.flushPrefix:
      return database.removePrefix(views.keyAt(at));
  }
}
