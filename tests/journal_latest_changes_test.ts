/**
 * The last change of each key: random changes, brought to one table one by one, and to another one
 * by their last changes in steps, lead to the same.
 *
 * @module
 */

import { apply, Changes } from "../journal/changes.ts";
import { Database } from "../journal/database.ts";
import { changesMax, LatestChanges } from "../journal/latest_changes.ts";
import { type Kind, kinds, recordBytes, RecordViews } from "../journal/record.ts";
import { Random } from "../loadgen/mod.ts";
import { assert, assertEquals, assertThrows } from "./assert.ts";

const encoder = new TextEncoder();
const seed = Number(Deno.env.get("BLINK_SEED") ?? 1);

interface Record {
  readonly kind: Kind;
  readonly key: string;
  readonly value?: string;
  readonly expiresAt?: number;
}

/** As the ring hands them out. */
function changesOf(records: readonly Record[]): Changes {
  const encoded = records.map(({ kind, key, value = "", expiresAt = 0 }) => {
    const [keyBytes, valueBytes] = [encoder.encode(key), encoder.encode(value)];
    const length = recordBytes(keyBytes.length, valueBytes.length);
    const views = new RecordViews(new ArrayBuffer(length), 0, length);
    views.write(0, kind, keyBytes, 0, keyBytes.length, valueBytes.length, expiresAt);
    views.bytes.set(valueBytes, length > 24 ? 24 + keyBytes.length : 0);
    views.words[0] = length;
    return views.bytes;
  });
  const bytes = new Uint8Array(encoded.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const record of encoded) {
    bytes.set(record, at);
    at += record.length;
  }
  return new Changes(bytes);
}

function record(random: Random, keys: number): Record {
  const key = `${random.next() % 3}:${"long".repeat(random.next() % 3)}:${random.next() % keys}`;
  const kind = random.next() % 200;
  if (kind === 0) return { kind: kinds.flushAll, key: "" };
  if (kind < 4) return { kind: kinds.flushPrefix, key: `${random.next() % 3}:` };
  if (kind < 30) return { kind: kinds.remove, key };
  if (kind < 40) return { kind: kinds.evict, key };
  if (kind < 42) return { kind: kinds.groupBegin, key: "" };
  if (kind < 70) return { kind: kinds.expire, key, expiresAt: 1e12 + random.next() };
  const value = `${random.next()}`.repeat(random.next() % 9);
  return { kind: kinds.put, key, value, expiresAt: kind % 3 === 0 ? 1e12 + random.next() : 0 };
}

function contents(database: Database): string[] {
  return database.entriesFrom(new Uint8Array(0), true).map(({ key, value, expiresAt }) =>
    `${new TextDecoder().decode(key)} ${new TextDecoder().decode(value)} ${expiresAt}`
  );
}

for (const keys of [3, 100]) {
  Deno.test(`the last changes of ${keys} keys of each kind lead to what all of them do`, async () => {
    const folder = await Deno.makeTempDir({ prefix: "blink-latest-" });
    const one = Database.open(`${folder}/one.db`, "create");
    const other = Database.open(`${folder}/other.db`, "create");
    try {
      const random = new Random(seed);
      let expected = 0;
      for (let round = 0; round < 150; round++) {
        const latest = new LatestChanges();
        for (let batch = random.next() % 5; batch >= 0; batch--) {
          const changes = changesOf(
            Array.from({ length: 1 + random.next() % 100 }, () => record(random, keys)),
          );
          one.transact(() => apply(one, [changes]));
          latest.add(changes);
          // It may be asked in between, and more may come after that.
          if (random.next() % 3 === 0) latest.order();
        }
        const tasks = latest.order();
        const step = 1 + random.next() % 40;
        for (let from = 0; from === 0 || from < tasks; from += step) {
          other.transact(() => latest.apply(other, from, from + step));
        }
        const found = contents(other);
        assertEquals(found, contents(one), `round ${round}`);
        expected += found.length;
      }
      assert(expected > 150, "there were entries");
    } finally {
      one.close();
      other.close();
      await Deno.remove(folder, { recursive: true });
    }
  });
}

Deno.test("more changes than can be ordered are refused, and none is lost before", () => {
  const latest = new LatestChanges();
  const records = Array.from({ length: 2 ** 16 }, (_, n) => ({ kind: kinds.remove, key: `${n}` }));
  const changes = changesOf(records);
  for (let n = 0; n < changesMax / records.length; n++) latest.add(changes);
  assertEquals([latest.count, latest.order()], [changesMax, records.length]);
  assertThrows(() => latest.add(changes), RangeError, "Too many changes");
});
